package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"
)

type parkedCmd struct {
	List  parkedListCmd  `cmd:"" help:"What waits for a person, why, and what to do."`
	Retry parkedRetryCmd `cmd:"" help:"Send parked calls through the whole pipeline again."`
	Drop  parkedDropCmd  `cmd:"" help:"Take parked calls off the list, with a reason."`
}

type parkedListCmd struct{ remote }

func (p *parkedListCmd) Run(c console) error {
	id, err := p.one()
	if err != nil {
		return err
	}
	list, err := p.gather(projectPath(id, "parked"), url.Values{}, math.MaxInt)
	if err != nil {
		return err
	}
	if p.JSON {
		return printJSON(c.out, list)
	}
	items, err := itemsOf[struct {
		ID, Step, Reason, Remedy string
		CallID                   string    `json:"call_id"`
		ParkedAt                 time.Time `json:"parked_at"`
	}](list)
	if err != nil {
		return err
	}
	zone := p.zone(id)
	for _, i := range items {
		call := ""
		if i.CallID != "" {
			call = ", call " + i.CallID
		}
		fmt.Fprintf(c.out, "%s  at %s%s, %s\n  why:  %s\n  what to do:  %s\n\n", i.ID, i.Step, call, i.ParkedAt.In(zone).Format(stamp), i.Reason, i.Remedy)
	}
	if len(items) == 0 {
		fmt.Fprintln(c.err, "nothing is parked")
	}
	return nil
}

type parkedRetryCmd struct {
	IDs []string `arg:"" name:"id" help:"What to try again."`
	remote
}

func (p *parkedRetryCmd) Run(c console) error { return p.each(c, p.IDs, "retry", nil) }

type parkedDropCmd struct {
	IDs []string `arg:"" name:"id" help:"What to drop."`
	Why string   `required:"" help:"The reason, for whoever looks later."`
	remote
}

func (p *parkedDropCmd) Run(c console) error {
	body, err := json.Marshal(map[string]string{"why": p.Why})
	if err != nil {
		return err
	}
	return p.each(c, p.IDs, "drop", body)
}

// failure is why one of several things could not be done.
type failure struct {
	ID    string `json:"id"`
	Error string `json:"error"`
}

// each does the same with every one of ids. What is refused does not keep the others
// from being tried; whoever is not let in, or meets nobody, need not try them all.
func (r *remote) each(c console, ids []string, verb string, body []byte) error {
	project, err := r.one()
	if err != nil {
		return err
	}
	done, failed := []json.RawMessage{}, []failure{}
	for _, id := range ids {
		raw, err := r.ask(http.MethodPost, projectPath(project, "parked", id, verb), bytes.NewReader(body), nil)
		no := refused{}
		switch {
		case err == nil:
			done = append(done, raw)
			if !r.JSON {
				fmt.Fprintf(c.out, "%s: %s\n", id, map[string]string{"retry": "goes through the pipeline again", "drop": "dropped"}[verb])
			}
			continue
		case errors.As(err, &no) && (no.code == http.StatusNotFound || no.code == http.StatusConflict):
			failed = append(failed, failure{id, err.Error()})
			fmt.Fprintf(c.err, "%s %s: %v\n", verb, id, err)
			continue
		}
		return errors.Join(r.printDone(c, done, append(failed, failure{id, err.Error()})), fmt.Errorf("%s %s: %w", verb, id, err))
	}
	if err := r.printDone(c, done, failed); err != nil {
		return err
	}
	if len(failed) > 0 {
		return notWell{fmt.Errorf("%d of %d could not be done", len(failed), len(ids))}
	}
	return nil
}

// printDone is what a script sees of them, also where not all went well.
func (r *remote) printDone(c console, done []json.RawMessage, failed []failure) error {
	if !r.JSON {
		return nil
	}
	doc := map[string]any{"items": done}
	if len(failed) > 0 {
		doc["failed"] = failed
	}
	return printJSON(c.out, doc)
}
