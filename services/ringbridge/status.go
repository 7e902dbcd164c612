package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

type statusCmd struct{ remote }

func (s *statusCmd) Run(c console) error {
	ids, err := s.projects()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		fmt.Fprintf(c.err, "there is no project yet: make one at %s/console/\n", s.URL)
	}
	all := []json.RawMessage{}
	var trouble []string
	for _, id := range ids {
		var st struct {
			Waiting, Parked, Revision int
			InFlight                  int `json:"in_flight"`
			InDoubt                   int `json:"in_doubt"`
			Portal                    struct {
				State, Reason string
				PerSecond     float64 `json:"per_second"`
				Burst         int
				Requests      int
			}
			Reconciliation *struct {
				LastComplete   time.Time `json:"last_complete"`
				Error, Warning string
			}
			Services []struct {
				Name, Host        string
				Since             time.Time
				Unread, Unsettled int
			}
		}
		raw, err := s.ask(http.MethodGet, projectPath(id, "status"), nil, &st)
		if err != nil {
			return err
		}
		all = append(all, raw)
		if st.Portal.State != "ok" && st.Portal.State != "slow" {
			trouble = append(trouble, fmt.Sprintf("the portal of %s is %s", id, st.Portal.State))
		}
		if l := st.Reconciliation; l != nil && l.Error != "" {
			trouble = append(trouble, fmt.Sprintf("the call log of %s cannot be read", id))
		}
		if s.JSON {
			continue
		}
		zone := s.zone(id)
		fmt.Fprintf(c.out, "project %s (settings revision %d)\n  calls: %d waiting, %d requests in flight, %d in doubt, %d parked\n",
			id, st.Revision, st.Waiting, st.InFlight, st.InDoubt, st.Parked)
		reason := ""
		if st.Portal.Reason != "" {
			reason = " (" + st.Portal.Reason + ")"
		}
		fmt.Fprintf(c.out, "  portal: %s%s, %g requests a second, burst %d; %d sent since the start\n", st.Portal.State, reason, st.Portal.PerSecond, st.Portal.Burst, st.Portal.Requests)
		if l := st.Reconciliation; l != nil {
			fmt.Fprintf(c.out, "  call log: %s\n", callLogLine(l.LastComplete.In(zone), l.Error, l.Warning))
		}
		for _, l := range st.Services {
			by := ""
			if l.Host != "" {
				by = fmt.Sprintf(", on %s since %s", l.Host, l.Since.In(zone).Format(stamp))
			}
			fmt.Fprintf(c.out, "  %-20s %d to read, %d in work%s\n", l.Name, l.Unread, l.Unsettled, by)
		}
	}
	if s.JSON {
		// One project's status is the document itself, as the API gives it.
		var doc any = map[string]any{"items": all}
		if len(all) == 1 {
			doc = all[0]
		}
		if err := printJSON(c.out, doc); err != nil {
			return err
		}
	}
	// What waits for a person is no trouble of the program's.
	var program struct{ Trouble string }
	if _, err := s.ask(http.MethodGet, "/api/v1/program", nil, &program); err != nil {
		return err
	}
	if program.Trouble != "" {
		trouble = append(trouble, program.Trouble)
	}
	if len(trouble) > 0 {
		return notWell{errors.New("not well: " + strings.Join(trouble, "; "))}
	}
	return nil
}
