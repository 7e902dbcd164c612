package console

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/view"
)

//go:embed schema.sql
var schema string

// model is what the API reads: calls, their events and commands, what is parked.
var model = view.Model{Name: "console", Version: 7, Schema: schema, Apply: apply}

// index asks the model's file.
type index struct{ *view.View }

func apply(tx *view.Tx, r bus.Recorded) error { return applying{tx, r}.one() }

// applying is one event on its way into the index.
type applying struct {
	tx *view.Tx
	bus.Recorded
}

func (a applying) exec(query string, args ...any) error {
	_, err := a.tx.Exec(query, args...)
	return err
}

func (a applying) one() error {
	payload, err := event.Decode(a.Envelope)
	if err != nil {
		return nil // a later version's event; this index does not show it
	}
	if a.Type != event.TypeCallReceived {
		if isNew, err := a.link(); err != nil || !isNew {
			return err
		}
	}
	switch p := payload.(type) {
	case *event.CallReceived:
		return a.exec("INSERT OR IGNORE INTO requests (id, project, seq) VALUES (?, ?, ?)", a.ID, a.Project, a.Seq)
	case *event.CallClassified:
		return a.classified(p)
	case *event.CallResolved:
		return a.exec("UPDATE calls SET client = ?, plan = ?, planned = ?, state = 'waiting' WHERE project = ? AND id = ?",
			p.Client.State, a.ID, digest(p.Facts), a.Project, a.Call)
	case *event.BitrixCommand:
		return a.command(p)
	case *event.BitrixOutcome:
		return a.outcome(p)
	case *event.CallParked:
		return a.parked(p)
	case *event.ConsoleActed:
		return a.acted(p)
	}
	return nil
}

func (applying) all(errs ...error) error { return errors.Join(errs...) }

// link notes that the event belongs to its call's story. An event that is there twice,
// which a crash of the broker can make, is not new and changes nothing.
func (a applying) link() (isNew bool, err error) {
	n, err := a.tx.Exec("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?)", a.ID, a.Project, a.Call, a.Seq)
	return n > 0, err
}

// classified takes over the facts. A call that was settled waits again only when this
// report told more, or a person asked to try again.
func (a applying) classified(p *event.CallClassified) error {
	c := p.Call
	at := a.Time.UnixMilli()
	started := "" // a call that goes on may not have said when it began
	if c.StartedAt != nil {
		at, started = c.StartedAt.UnixMilli(), c.StartedAt.Format(time.RFC3339)
	}
	employee := ""
	if c.Employee != nil {
		employee = c.Employee.Name
	}
	return a.all(
		a.exec("UPDATE requests SET unread = 0 WHERE id = ?", p.Received),
		a.exec(`INSERT INTO calls (project, id, final, started_at, started, direction, outcome, phone, employee, facts, state)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, iif(?3, 'waiting', ''))
			ON CONFLICT DO UPDATE SET final = excluded.final, started = excluded.started,
				started_at = iif(excluded.started = '', started_at, excluded.started_at),
				direction = excluded.direction, outcome = excluded.outcome, phone = excluded.phone, employee = excluded.employee,
				facts = excluded.facts, state = iif(excluded.final AND (state = '' OR ?10), 'waiting', state)`,
			a.Project, c.ID, c.Final, at, started, c.Direction, c.Outcome, c.Client, employee,
			p.Changed || p.Retry, digest(c)),
		a.joined(c))
}

// joined takes up the parts of a talk that was passed on: one that was told of while it
// went on stood as a call of its own until then.
func (a applying) joined(c event.Call) error {
	for _, leg := range c.Legs {
		if leg.ID == c.ID {
			continue
		}
		n, err := a.tx.Exec("DELETE FROM calls WHERE project = ? AND id = ? AND final = 0", a.Project, leg.ID)
		if err == nil && n > 0 {
			err = a.exec("UPDATE events SET call = ? WHERE project = ? AND call = ?", c.ID, a.Project, leg.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a applying) command(p *event.BitrixCommand) error {
	return a.all(
		a.exec("UPDATE calls SET rule = ? WHERE project = ? AND id = ?", p.Rule, a.Project, p.Call),
		a.exec(`INSERT INTO commands (id, project, call, plan, position, size, role, rule, kind, state)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')
			ON CONFLICT DO UPDATE SET plan = excluded.plan, position = excluded.position, size = excluded.size, rule = excluded.rule,
				state = iif(plan = excluded.plan, state, 'waiting'), error = iif(plan = excluded.plan, error, '')`,
			p.ID, p.Project, p.Call, p.Plan, p.Index, p.Of, p.Role, p.Rule, p.Kind))
}

// outcome moves the command, and the call once all commands of its plan are settled.
func (a applying) outcome(p *event.BitrixOutcome) error {
	err := a.exec(`UPDATE commands SET state = ?, bitrix_id = iif(?2 = 0, bitrix_id, ?2), error = ? WHERE id = ? AND plan = ?`,
		p.State, p.BitrixID, p.Error, p.Command, p.Plan)
	if err != nil {
		return err
	}
	var size, settled, refused, doubtful, nothing int
	_, err = a.tx.Row(`SELECT coalesce(max(size), 0), count(*) FILTER (WHERE state NOT IN ('waiting', 'in_doubt')),
		count(*) FILTER (WHERE state = 'refused'), count(*) FILTER (WHERE state = 'in_doubt'), count(*) FILTER (WHERE kind = 'nothing')
		FROM commands WHERE project = ? AND call = ? AND plan = ?`, []any{a.Project, p.Call, p.Plan}, &size, &settled, &refused, &doubtful, &nothing)
	if err != nil {
		return err
	}
	state := "waiting"
	switch {
	case doubtful > 0:
		state = "in_doubt"
	case settled < size:
	case refused > 0:
		state = "parked"
	case nothing == size:
		state = "ignored"
	default:
		state = "done"
	}
	// A report that told more while the plan was worked on keeps the call waiting for
	// the plan that knows it.
	return a.exec("UPDATE calls SET state = iif(facts = planned, ?, 'waiting') WHERE project = ? AND id = ? AND plan = ?", state, a.Project, p.Call, p.Plan)
}

// digest tells whether two reports know the same of a call.
func digest(c event.Call) string {
	b, err := json.Marshal(c)
	if err != nil {
		return c.ID // as event.Same does: no parser of ours lets such a time through
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func (a applying) parked(p *event.CallParked) error {
	var lists [3]string
	for i, list := range []any{slices.Concat([]string{}, p.Received), p.ReasonIn, p.RemedyIn} { // none received is [], not null
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		lists[i] = string(text)
	}
	err := a.exec(`INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state`,
		p.ID, a.Project, p.Call, p.State, p.Step, p.Reason, p.Remedy, lists[1], lists[2], lists[0], a.Time.UnixMilli(), a.Seq)
	if err != nil || p.State == event.ParkedRetried {
		return err
	}
	state := "parked"
	if p.State == event.ParkedDropped {
		state = "ignored"
	}
	if p.Call != "" {
		// A call of which something else is parked too stays parked.
		err = a.exec(`UPDATE calls SET state = iif(EXISTS (SELECT 1 FROM parked WHERE project = ?2 AND call = ?3 AND state = 'parked'), 'parked', ?1)
			WHERE project = ?2 AND id = ?3`, state, a.Project, p.Call)
	}
	for _, id := range p.Received {
		err = a.all(err, a.exec("UPDATE requests SET unread = 0 WHERE id = ?", id))
	}
	return err
}
