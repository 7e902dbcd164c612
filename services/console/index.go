package console

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

//go:embed schema.sql
var schema string

// schemaVersion changes with schema.sql: an index of another version is built again.
const schemaVersion = 2

// index is the view that the API reads: calls, their events and commands, what is
// parked. It follows the stream and is right as of the sequence in progress.
type index struct {
	write *sql.DB // one connection: SQLite has one writer
	read  *sql.DB
	bus.Progress
}

// place is an event and where it is in the stream.
type place struct {
	seq uint64
	id  string
}

// openIndex opens the index, making it anew where it is missing, of another version,
// or not made of this stream: fits says whether the last event in it is where the index
// saw it.
func openIndex(ctx context.Context, dir string, fits func(place) bool) (*index, uint64, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, 0, fmt.Errorf("make the folder of views: %w", err)
	}
	path := filepath.Join(dir, "console.db")
	for range 2 {
		i, last, err := open(ctx, path)
		if err == nil && (last.seq == 0 || fits(last)) {
			return i, last.seq, nil
		}
		if i != nil {
			err = errors.Join(err, i.close())
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if rm := os.Remove(path + suffix); rm != nil && !errors.Is(rm, os.ErrNotExist) {
				return nil, 0, fmt.Errorf("remove the old index: %w", errors.Join(err, rm))
			}
		}
	}
	return nil, 0, fmt.Errorf("%s: the index cannot be made anew", path)
}

func open(ctx context.Context, path string) (*index, place, error) {
	// Losing the newest transactions with the power is fine: they are read again.
	const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(10000)&_txlock=immediate"
	write, err := sql.Open("sqlite", "file:"+path+pragmas)
	if err != nil {
		return nil, place{}, fmt.Errorf("open the index: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", "file:"+path+pragmas)
	if err != nil {
		return nil, place{}, errors.Join(fmt.Errorf("open the index: %w", err), write.Close())
	}
	read.SetMaxOpenConns(4)
	i := &index{write: write, read: read}
	var version int
	if err := write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return i, place{}, fmt.Errorf("read the index's version: %w", err)
	}
	if version == 0 {
		if _, err := write.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion)); err != nil {
			return i, place{}, fmt.Errorf("make the index: %w", err)
		}
	} else if version != schemaVersion {
		return i, place{}, fmt.Errorf("the index is of version %d, not %d", version, schemaVersion)
	}
	var last place
	if err := write.QueryRowContext(ctx, "SELECT seq, id FROM progress").Scan(&last.seq, &last.id); err != nil {
		return i, place{}, fmt.Errorf("read the index's progress: %w", err)
	}
	return i, last, nil
}

// empty empties the index, to build it again from the first event.
func (i *index) empty(ctx context.Context) error {
	tx, err := i.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("empty the index: %w", err)
	}
	defer tx.Rollback() // after Commit it has nothing to do
	for _, table := range []string{"requests", "calls", "events", "commands", "parked"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil {
			return fmt.Errorf("empty the index: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE progress SET seq = 0, id = ''"); err != nil {
		return fmt.Errorf("empty the index: %w", err)
	}
	return tx.Commit()
}

func (i *index) close() error { return errors.Join(i.write.Close(), i.read.Close()) }

// apply takes a batch of events in one transaction.
func (i *index) apply(ctx context.Context, batch []bus.Recorded) error {
	if len(batch) == 0 {
		return nil
	}
	tx, err := i.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after Commit it has nothing to do
	for _, r := range batch {
		if err := (applying{ctx, tx, r}).one(); err != nil {
			return fmt.Errorf("index event %d (%s): %w", r.Seq, r.Type, err)
		}
	}
	last := batch[len(batch)-1]
	if _, err := tx.ExecContext(ctx, "UPDATE progress SET seq = ?, id = ?", last.Seq, last.ID); err != nil {
		return fmt.Errorf("note the progress: %w", err)
	}
	fault.Point("index", "before commit")
	err = tx.Commit()
	fault.Point("index", "after commit")
	return err
}

// applying is one event on its way into the index.
type applying struct {
	ctx context.Context
	tx  *sql.Tx
	bus.Recorded
}

func (a applying) exec(query string, args ...any) error {
	_, err := a.tx.ExecContext(a.ctx, query, args...)
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
	}
	return nil
}

func (applying) all(errs ...error) error { return errors.Join(errs...) }

// link notes that the event belongs to its call's story. An event that is there twice,
// which a crash of the broker can make, is not new and changes nothing.
func (a applying) link() (isNew bool, err error) {
	result, err := a.tx.ExecContext(a.ctx, "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?)", a.ID, a.Project, a.Call, a.Seq)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// classified takes over the facts. A call that was settled waits again only when this
// report told more, or a person asked to try again.
func (a applying) classified(p *event.CallClassified) error {
	c := p.Call
	var at int64
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
			ON CONFLICT DO UPDATE SET final = excluded.final, started_at = excluded.started_at, started = excluded.started,
				direction = excluded.direction, outcome = excluded.outcome, phone = excluded.phone, employee = excluded.employee,
				facts = excluded.facts, state = iif(excluded.final AND (state = '' OR ?10), 'waiting', state)`,
			a.Project, c.ID, c.Final, at, started, c.Direction, c.Outcome, c.Client, employee,
			p.Changed || p.Retry, digest(c)))
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
	err = a.tx.QueryRowContext(a.ctx, `SELECT coalesce(max(size), 0), count(*) FILTER (WHERE state NOT IN ('waiting', 'in_doubt')),
		count(*) FILTER (WHERE state = 'refused'), count(*) FILTER (WHERE state = 'in_doubt'), count(*) FILTER (WHERE kind = 'nothing')
		FROM commands WHERE project = ? AND call = ? AND plan = ?`, a.Project, p.Call, p.Plan).Scan(&size, &settled, &refused, &doubtful, &nothing)
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
	received, err := json.Marshal(slices.Concat([]string{}, p.Received)) // none is [], not null
	if err != nil {
		return err
	}
	err = a.exec(`INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state`,
		p.ID, a.Project, p.Call, p.State, p.Step, p.Reason, p.Remedy, string(received), a.Time.UnixMilli(), a.Seq)
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
