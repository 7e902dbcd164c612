package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"
)

type callsCmd struct {
	remote
	Phone string `help:"Calls of this number, in any spelling." placeholder:"NUMBER"`
	Since string `help:"Calls from this time on." placeholder:"TIME"`
	Until string `help:"Calls before this time." placeholder:"TIME"`
	State string `help:"waiting, done, ignored, parked or in_doubt." placeholder:"STATE"`
	Limit int    `help:"At most so many, the newest first." default:"50"`
}

func (q *callsCmd) Run(c console) error {
	id, err := q.one()
	if err != nil {
		return err
	}
	query := url.Values{"limit": {fmt.Sprint(q.Limit)}}
	for name, v := range map[string]string{"phone": q.Phone, "since": q.Since, "until": q.Until, "state": q.State} {
		if v != "" {
			query.Set(name, v)
		}
	}
	var list struct {
		Items []struct {
			ID, Direction, Outcome, Client, Phone, Employee, Rule, State string
			StartedAt                                                    string `json:"started_at"`
		}
		Next string
	}
	raw, err := q.ask(http.MethodGet, projectPath(id, "calls")+"?"+query.Encode(), nil, &list)
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(c.out, raw)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "STARTED\tCALL\tPHONE\tDIRECTION\tOUTCOME\tCLIENT\tEMPLOYEE\tRULE\tSTATE")
	for _, i := range list.Items {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i.StartedAt, i.ID, i.Phone, i.Direction, i.Outcome, i.Client, i.Employee, i.Rule, i.State)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if list.Next != "" {
		fmt.Fprintf(c.err, "there are more; narrow it down with --since, --phone or --state, or raise --limit\n")
	}
	return nil
}

type callCmd struct {
	ID string `arg:"" help:"The call's id in Ringostat."`
	remote
}

func (q *callCmd) Run(c console) error {
	id, err := q.one()
	if err != nil {
		return err
	}
	var s struct {
		Direction, Outcome, Client, Phone, Employee, Rule, State string
		StartedAt                                                string `json:"started_at"`
		Events                                                   []struct {
			Type, Words string
			Time        time.Time
		}
		Commands []struct {
			Role, Kind, State, Error string
			BitrixID                 int `json:"bitrix_id"`
		}
	}
	raw, err := q.ask(http.MethodGet, projectPath(id, "calls", q.ID), nil, &s)
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(c.out, raw)
	}
	fmt.Fprintf(c.out, "call %s: %s\n  %s %s, started %s\n  client %s (%s), on the call: %s\n  rule %s\n\n", q.ID, s.State, s.Direction, s.Outcome, s.StartedAt, s.Phone, s.Client, s.Employee, s.Rule)
	for _, e := range s.Events {
		fmt.Fprintf(c.out, "  %s  %-20s %s\n", e.Time.Local().Format("2006-01-02 15:04:05.000"), e.Type, e.Words)
	}
	fmt.Fprintln(c.out)
	for _, k := range s.Commands {
		line := fmt.Sprintf("  %-16s %s", k.Role, k.State)
		if k.BitrixID != 0 {
			line += fmt.Sprintf(", %s %d", k.Kind, k.BitrixID)
		}
		if k.Error != "" {
			line += ": " + k.Error
		}
		fmt.Fprintln(c.out, line)
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
