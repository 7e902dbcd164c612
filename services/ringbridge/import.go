package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

type importCmd struct {
	remote
	Since string `required:"" help:"Calls that began then or later." placeholder:"TIME"`
	Until string `help:"Calls that began before. Default: now." placeholder:"TIME"`
}

// imported is what became of the log's rows.
type imported struct {
	Rows    int `json:"rows"`
	Brought int `json:"brought"`
	Known   int `json:"known"`
	Waiting int `json:"waiting"`
}

// importPatience is how long one day's import may take: the log allows few requests,
// and each may take a minute.
const importPatience = 15 * time.Minute

// Run imports day by day, so that a long span shows how far it is and a mishap costs a
// day; what was brought before it stays brought.
func (i *importCmd) Run(c console) error {
	project, err := i.one()
	if err != nil {
		return err
	}
	zone, err := i.zone(project)
	if err != nil {
		return err
	}
	now := time.Now()
	since, err := service.ReadTime(i.Since, zone, now)
	if err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	until := now
	if i.Until != "" {
		if until, err = service.ReadTime(i.Until, zone, now); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
	}
	if until.After(now) {
		until = now
	}
	if !since.Before(until) {
		return errors.New("--since is not before --until, or not before now")
	}
	var sum imported
	for _, day := range days(since.In(zone), until.In(zone)) {
		body, err := json.Marshal(map[string]time.Time{"since": day[0], "until": day[1]})
		if err != nil {
			return err
		}
		var one imported
		if _, err := i.askFor(importPatience, http.MethodPost, projectPath(project, "imports"), bytes.NewReader(body), &one); err != nil {
			return fmt.Errorf("import from %s on: %w", day[0].Format(time.RFC3339), err)
		}
		fmt.Fprintf(c.err, "%s: %s\n", day[0].Format(time.DateOnly), one)
		sum = imported{sum.Rows + one.Rows, sum.Brought + one.Brought, sum.Known + one.Known, sum.Waiting + one.Waiting}
	}
	if i.JSON {
		return printJSON(c.out, sum)
	}
	fmt.Fprintln(c.out, sum)
	return nil
}

func (i imported) String() string {
	s := fmt.Sprintf("%d calls in the log, %d brought, %d known already", i.Rows, i.Brought, i.Known)
	if i.Waiting > 0 {
		s += fmt.Sprintf(", %d not over or just ended", i.Waiting)
	}
	return s
}

// zone is the project's: a date means its day there.
func (i *importCmd) zone(project string) (*time.Location, error) {
	var s struct {
		TimeZone string `json:"time_zone"`
	}
	if _, err := i.ask(http.MethodGet, projectPath(project, "settings"), nil, &s); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone of project %s: %w", project, err)
	}
	return zone, nil
}

// days cuts a span at the midnights of its zone.
func days(since, until time.Time) (out [][2]time.Time) {
	for from := since; from.Before(until); {
		to := time.Date(from.Year(), from.Month(), from.Day()+1, 0, 0, 0, 0, from.Location())
		if !to.After(from) {
			to = from.Add(24 * time.Hour) // a zone whose clock leaves a midnight out
		}
		if to.After(until) {
			to = until
		}
		out = append(out, [2]time.Time{from, to})
		from = to
	}
	return out
}

// callLogLine says how far the reconciliation is.
func callLogLine(complete time.Time, trouble, warning string) string {
	line := "never read whole yet"
	if !complete.IsZero() {
		line = "complete up to " + complete.Format(stamp)
	}
	for _, more := range []string{trouble, warning} {
		if more != "" {
			line += "; " + more
		}
	}
	return line
}
