package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
)

type callsCmd struct {
	remote
	Phone string `help:"Calls of this number, in any spelling." placeholder:"NUMBER"`
	Since string `help:"Calls from this time on." placeholder:"TIME"`
	Until string `help:"Calls before this time." placeholder:"TIME"`
	State string `help:"waiting, done, ignored, parked or in_doubt." placeholder:"STATE"`
	Limit int    `help:"At most so many, the newest first." default:"50"`
	// Cursor is the API's, as --json prints it.
	Cursor string `help:"Go on after a list that had more: its 'next'." placeholder:"NEXT"`
}

func (q *callsCmd) Run(c console) error {
	id, err := q.one()
	if err != nil {
		return err
	}
	if q.Limit < 1 {
		return errors.New("--limit is a number from 1")
	}
	query := url.Values{}
	for name, v := range map[string]string{"phone": q.Phone, "since": q.Since, "until": q.Until, "state": q.State, "cursor": q.Cursor} {
		if v != "" {
			query.Set(name, v)
		}
	}
	list, err := q.gather(projectPath(id, "calls"), query, q.Limit)
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(c.out, list)
	}
	calls, err := itemsOf[struct {
		ID, Direction, Outcome, Client, Phone, Employee, Rule, State string
		StartedAt                                                    string `json:"started_at"`
	}](list)
	if err != nil {
		return err
	}
	zone := q.zone(id)
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "STARTED\tCALL\tPHONE\tDIRECTION\tOUTCOME\tCLIENT\tEMPLOYEE\tRULE\tSTATE")
	for _, i := range calls {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", inZone(i.StartedAt, zone), i.ID, i.Phone, i.Direction, i.Outcome, i.Client, i.Employee, i.Rule, i.State)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if list.Next != "" {
		fmt.Fprintf(c.err, "there are more; narrow it down with --since, --phone or --state, raise --limit, or go on with --cursor %s\n", list.Next)
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
