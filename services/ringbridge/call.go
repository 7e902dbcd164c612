package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

type callCmd struct {
	ID string `arg:"" help:"The call's id in Ringostat."`
	remote
}

// callStory is a call as the API tells it.
type callStory struct {
	Direction, Outcome, Client, Phone, Employee, Rule, State string
	StartedAt                                                string `json:"started_at"`
	Events                                                   []struct {
		Type, Words string
		Time        time.Time
		Data        json.RawMessage
	}
	Commands []struct {
		Role, Kind, State, Error string
		BitrixID                 int `json:"bitrix_id"`
	}
}

func (q *callCmd) Run(c console) error {
	id, err := q.one()
	if err != nil {
		return err
	}
	var s callStory
	raw, err := q.ask(http.MethodGet, projectPath(id, "calls", q.ID), nil, &s)
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(c.out, raw)
	}
	zone := q.zone(id)
	fmt.Fprintf(c.out, "call %s: %s\n", q.ID, s.State)
	for _, line := range s.head(zone) {
		fmt.Fprintf(c.out, "  %s\n", line)
	}
	fmt.Fprintln(c.out)
	for _, e := range s.Events {
		fmt.Fprintf(c.out, "  %s  %-20s %s\n", e.Time.In(zone).Format(fineStamp), e.Type, e.Words)
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
	s.tellParked(c.out)
	return nil
}

// head says who spoke to whom, and leaves out what is not known.
func (s callStory) head(zone *time.Location) []string {
	lines := []string{strings.TrimSpace(s.Direction + " " + s.Outcome)}
	if s.StartedAt != "" {
		lines[0] += ", started " + inZone(s.StartedAt, zone)
	}
	client := "client " + s.Phone
	switch {
	case s.Direction == string(event.Internal):
		client = "between colleagues"
	case s.Phone == "":
		client = "hidden number"
	}
	if s.Client != "" && s.Phone != "" {
		client += " (" + s.Client + ")"
	}
	if s.Employee != "" {
		client += ", on the call: " + s.Employee
	}
	lines = append(lines, client)
	if s.Rule != "" {
		lines = append(lines, "rule "+s.Rule)
	}
	return lines
}

// tellParked says of each thing that waits for a person why, and what to do about it.
func (s callStory) tellParked(w io.Writer) {
	var waiting []event.CallParked
	for _, e := range s.Events {
		var p event.CallParked
		if e.Type != string(event.TypeCallParked) || json.Unmarshal(e.Data, &p) != nil {
			continue
		}
		waiting = slices.DeleteFunc(waiting, func(other event.CallParked) bool { return other.ID == p.ID })
		if p.State == event.ParkedWaiting {
			waiting = append(waiting, p)
		}
	}
	for _, p := range waiting {
		fmt.Fprintf(w, "\n  parked at %s\n  why:  %s\n  what to do:  %s\n  then:  ringbridge parked retry %s, or drop it with --why\n", p.Step, p.Reason, p.Remedy, p.ID)
	}
}
