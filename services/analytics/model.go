package analytics

import (
	_ "embed"
	"encoding/json"
	"math"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/view"
)

//go:embed schema.sql
var schema string

var model = view.Model{Name: "analytics", Version: 2, Schema: schema, Apply: apply}

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
	if err := save(tx, r.Project, &now); err != nil {
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
		waiting_s, talk_s, rule, state, recording, data FROM calls JOIN memories ON call = number WHERE project = ? AND id = ?`,
		[]any{project, id}, &c.number, &c.final, &started, &c.Direction, &c.Outcome, &c.Client, &c.Phone, &c.Employee,
		&c.Source, &c.Medium, &c.Campaign, &c.Waiting, &c.Talk, &c.Rule, &c.State, &c.Recording, &data)
	if err != nil || !ok {
		return c, err
	}
	c.StartedAt = time.UnixMilli(started)
	return c, json.Unmarshal([]byte(data), &c.memory)
}

func save(tx *view.Tx, project string, c *record) error {
	values := []any{
		c.final, c.StartedAt.UnixMilli(), c.Direction, c.Outcome, c.Client, c.Phone, c.Employee, c.Source, c.Medium, c.Campaign,
		c.Waiting, c.Talk, c.Rule, c.State, c.Recording, c.final && talked(c.Call), c.final && missed(c.Call),
	}
	var err error
	if c.number == 0 {
		_, err = tx.Row(`INSERT INTO calls (final, started_at, direction, outcome, client, phone, employee, source, medium, campaign,
			waiting_s, talk_s, rule, state, recording, talked, missed, project, id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number`, append(values, project, c.ID), &c.number)
	} else {
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

// addUp adds to a sum; its columns are those of [counts.columns].
const addUp = `INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
	calls = calls + excluded.calls, answered = answered + excluded.answered, missed = missed + excluded.missed,
	voicemail = voicemail + excluded.voicemail, outbound = outbound + excluded.outbound,
	outbound_answered = outbound_answered + excluded.outbound_answered, internal = internal + excluded.internal,
	new = new + excluded.new, known = known + excluded.known, hidden = hidden + excluded.hidden,
	talk_s = talk_s + excluded.talk_s, waiting_s = waiting_s + excluded.waiting_s`

// place is a row of the sums.
type place struct {
	kind kind
	slot int64
	key  string
}

// count moves a call from the sums that it was in to those that it is in.
func count(tx *view.Tx, project string, was, now record) error {
	moved := map[place]counts{}
	for sign, c := range map[int64]record{-1: was, 1: now} {
		if !c.final {
			continue
		}
		for _, k := range []kind{byAll, byEmployee, bySource} {
			if key, ok := k.keyOf(c.Call); ok {
				at := place{k, k.slotOf(c.StartedAt.UnixMilli()), key}
				sum := moved[at]
				sum.add(countOf(c.Call), sign)
				moved[at] = sum
			}
		}
	}
	for at, sum := range moved {
		if sum == (counts{}) {
			continue
		}
		args := []any{project, int(at.kind), at.slot, at.key}
		for _, n := range sum.columns() {
			args = append(args, *n)
		}
		if _, err := tx.Exec(addUp, args...); err != nil {
			return err
		}
	}
	return nil
}

// link keeps, for every missed call, when its client was talked to next.
func link(tx *view.Tx, project string, was, now record) error {
	type moment struct {
		phone string
		at    int64
	}
	at := func(c record) (m moment, talks, misses bool) {
		return moment{c.Phone, c.StartedAt.UnixMilli()}, c.final && talked(c.Call), c.final && missed(c.Call)
	}
	before, talkedBefore, missedBefore := at(was)
	after, talks, misses := at(now)
	if before == after && talkedBefore == talks && missedBefore == misses && was.Direction == now.Direction {
		return nil
	}
	if misses || missedBefore {
		next, by := int64(0), ""
		if misses {
			var err error
			if next, by, err = talkFrom(tx, project, after.phone, after.at+1); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("UPDATE calls SET next_at = ?, next_by = ? WHERE number = ?", next, by, now.number); err != nil {
			return err
		}
	}
	if talkedBefore {
		if err := relink(tx, project, before.phone, before.at); err != nil {
			return err
		}
	}
	if talks {
		return relink(tx, project, after.phone, after.at)
	}
	return nil
}

// relink tells the missed calls between the talk before a moment and that moment which
// talk came next: the first one from the moment on. Only those can have changed when a
// talk at that moment came or went.
func relink(tx *view.Tx, project, phone string, at int64) error {
	before := int64(math.MinInt64)
	_, err := tx.Row(`SELECT started_at FROM calls WHERE project = ? AND phone = ? AND talked = 1 AND started_at < ?
		ORDER BY started_at DESC LIMIT 1`, []any{project, phone, at}, &before)
	if err != nil {
		return err
	}
	next, by, err := talkFrom(tx, project, phone, at)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE calls SET next_at = ?, next_by = ? WHERE project = ? AND phone = ? AND missed = 1 AND started_at >= ? AND started_at < ?`,
		next, by, project, phone, before, at)
	return err
}

// talkFrom is the first talk with a client from a moment on, 0 where there is none. Of
// two at once it is ours.
func talkFrom(tx *view.Tx, project, phone string, at int64) (next int64, by string, err error) {
	_, err = tx.Row(`SELECT started_at, direction FROM calls WHERE project = ? AND phone = ? AND talked = 1 AND started_at >= ?
		ORDER BY started_at, direction DESC LIMIT 1`, []any{project, phone, at}, &next, &by)
	return next, by, err
}
