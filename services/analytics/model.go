package analytics

import (
	_ "embed"
	"encoding/json"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/view"
)

//go:embed schema.sql
var schema string

var model = view.Model{Name: "analytics", Version: 3, Schema: schema, Apply: apply}

// apply takes an event into the file. It begins to know a call with the first report.
func apply(tx *view.Tx, r bus.Recorded) error {
	switch r.Type {
	case event.TypeCallClassified, event.TypeCallResolved, event.TypeBitrixCommand, event.TypeBitrixOutcome, event.TypeCallParked:
	default:
		return nil
	}
	payload, err := event.Decode(r.Envelope)
	if err != nil || r.Call == "" {
		return nil // a later version's event, or about no call
	}
	now, err := load(tx, r.Project, r.Call)
	if err != nil || now.number == 0 && r.Type != event.TypeCallClassified {
		return err
	}
	was := now
	if !now.take(r, payload) {
		return nil
	}
	if err := save(tx, r.Project, was, &now); err != nil {
		return err
	}
	if err := count(tx, r.Project, was, now); err != nil {
		return err
	}
	return link(tx, r.Project, was, now)
}

func load(tx *view.Tx, project, id string) (record, error) {
	c := record{Call: Call{ID: id}}
	var started int64
	var data string
	ok, err := tx.Row(`SELECT number, final, started_at, direction, outcome, client, phone, employee, source, medium, campaign,
		waiting_s, talk_s, rule, state, recording, next_at, next_by, data FROM calls JOIN memories ON call = number WHERE project = ? AND id = ?`,
		[]any{project, id}, &c.number, &c.final, &started, &c.Direction, &c.Outcome, &c.Client, &c.Phone, &c.Employee,
		&c.Source, &c.Medium, &c.Campaign, &c.Waiting, &c.Talk, &c.Rule, &c.State, &c.Recording,
		&c.next.at, &c.next.by, &data)
	if err != nil || !ok {
		return c, err
	}
	c.StartedAt = time.UnixMilli(started)
	return c, json.Unmarshal([]byte(data), &c.memory)
}

// save writes what is known of a call. Where an event changed no more than what became of
// the call, no index is touched: most events are such.
func save(tx *view.Tx, project string, was record, c *record) error {
	values := []any{
		c.final, c.StartedAt.UnixMilli(), c.Direction, c.Outcome, c.Client, c.Phone, c.Employee, c.Source, c.Medium, c.Campaign,
		c.Waiting, c.Talk, c.Rule, c.State, c.Recording, c.final && talked(c.Call), c.final && missed(c.Call),
	}
	var err error
	was.Client, was.Rule, was.State = c.Client, c.Rule, c.State
	switch {
	case c.number == 0:
		_, err = tx.Row(`INSERT INTO calls (final, started_at, direction, outcome, client, phone, employee, source, medium, campaign,
			waiting_s, talk_s, rule, state, recording, talked, missed, project, id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number`, append(values, project, c.ID), &c.number)
	case was.Call == c.Call && was.final == c.final:
		_, err = tx.Exec("UPDATE calls SET client = ?, rule = ?, state = ? WHERE number = ?", c.Client, c.Rule, c.State, c.number)
	default:
		_, err = tx.Exec(`UPDATE calls SET final = ?, started_at = ?, direction = ?, outcome = ?, client = ?, phone = ?, employee = ?,
			source = ?, medium = ?, campaign = ?, waiting_s = ?, talk_s = ?, rule = ?, state = ?, recording = ?, talked = ?, missed = ?
			WHERE number = ?`, append(values, c.number)...)
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(c.memory)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO memories VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data", c.number, string(data))
	return err
}
