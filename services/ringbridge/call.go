package main

import (
	"fmt"
	"net/http"
	"time"
)

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
