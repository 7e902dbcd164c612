package replay

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	_ "modernc.org/sqlite" // the driver

	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// book is one plan: its document, its rows, and what is to be done for each call.
type book struct {
	path string
	db   *sql.DB

	mu  sync.Mutex
	doc replayplan.Plan
}

const bookSchema = `
CREATE TABLE IF NOT EXISTS doc (one INTEGER PRIMARY KEY CHECK (one = 1), plan TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, row TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS rows_changes ON rows (n) WHERE kind <> 'same';
CREATE INDEX IF NOT EXISTS rows_kinds ON rows (kind) WHERE kind <> 'same';
CREATE TABLE IF NOT EXISTS jobs (n INTEGER PRIMARY KEY, lane TEXT NOT NULL, job TEXT NOT NULL, state TEXT NOT NULL DEFAULT '');
`

func openBook(ctx context.Context, path string) (*book, error) {
	db, err := openDB(ctx, path, bookSchema)
	if err != nil {
		return nil, err
	}
	b := &book{path: path, db: db}
	var text string
	err = db.QueryRowContext(ctx, "SELECT plan FROM doc").Scan(&text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &b.doc)
	} else if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), db.Close())
	}
	return b, nil
}

func openDB(ctx context.Context, path, schema string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(20000)&_txlock=immediate")
	if err == nil {
		_, err = db.ExecContext(ctx, schema)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// plan is the document as it stands.
func (b *book) plan() replayplan.Plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.doc
	p.Totals = maps.Clone(p.Totals)
	return p
}

// change alters the document and keeps it.
func (b *book) change(change func(*replayplan.Plan)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.doc)
	text, err := json.Marshal(b.doc)
	if err == nil {
		_, err = b.db.ExecContext(context.Background(), "INSERT OR REPLACE INTO doc VALUES (1, ?)", string(text))
	}
	if err != nil {
		return fmt.Errorf("keep plan %s: %w", b.doc.ID, err)
	}
	return nil
}

// move changes the state where it is one of from.
func (b *book) move(to replayplan.State, reason string, from ...replayplan.State) (moved bool, err error) {
	err = b.change(func(p *replayplan.Plan) {
		if moved = slices.Contains(from, p.State); moved {
			p.State, p.Reason = to, reason
		}
	})
	return moved, err
}

// add writes what was decided about some calls, in one transaction.
func (b *book) add(ctx context.Context, verdicts []*verdict) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	defer tx.Rollback() // after Commit it has nothing to do
	if err := write(ctx, tx, verdicts); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}

func write(ctx context.Context, tx *sql.Tx, verdicts []*verdict) error {
	addRow, err := tx.PrepareContext(ctx, "INSERT INTO rows (kind, row) VALUES (?, ?)") //nolint:sqlclosecheck // it ends with its transaction
	if err != nil {
		return err
	}
	addJob, err := tx.PrepareContext(ctx, "INSERT INTO jobs (lane, job) VALUES (?, ?)") //nolint:sqlclosecheck // it ends with its transaction
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		for _, row := range v.rows {
			text, err := json.Marshal(row)
			if err != nil {
				return err
			}
			if _, err := addRow.ExecContext(ctx, row.Kind, string(text)); err != nil {
				return err
			}
		}
		if !v.changes() {
			continue
		}
		text, err := json.Marshal(v.job)
		if err != nil {
			return err
		}
		if _, err := addJob.ExecContext(ctx, v.Lane, string(text)); err != nil {
			return err
		}
	}
	return nil
}

// clear takes everything out that was decided, for it is decided once more.
func (b *book) clear(ctx context.Context) error {
	if _, err := b.db.ExecContext(ctx, "DELETE FROM rows; DELETE FROM jobs"); err != nil {
		return fmt.Errorf("clear the plan: %w", err)
	}
	return nil
}

// jobs counts the calls with something to do.
func (b *book) jobs(ctx context.Context) (n int, err error) {
	if err = b.db.QueryRowContext(ctx, "SELECT count(*) FROM jobs").Scan(&n); err != nil {
		err = fmt.Errorf("count what is to be done: %w", err)
	}
	return n, err
}

// todo lists the jobs that are not done, in the order of the calls.
func (b *book) todo(ctx context.Context) (out []numbered, err error) {
	rows, err := b.db.QueryContext(ctx, "SELECT n, lane FROM jobs WHERE state = '' ORDER BY n")
	if err != nil {
		return nil, fmt.Errorf("read what is to be done: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var j numbered
		if err := rows.Scan(&j.n, &j.lane); err != nil {
			return nil, fmt.Errorf("read what is to be done: %w", err)
		}
		out = append(out, j)
	}
	return out, rows.Err()
}

// numbered is a job's number and its client.
type numbered struct {
	n    int
	lane string
}

func (b *book) job(ctx context.Context, n int) (j job, err error) {
	var text string
	if err = b.db.QueryRowContext(ctx, "SELECT job FROM jobs WHERE n = ?", n).Scan(&text); err == nil {
		err = json.Unmarshal([]byte(text), &j)
	}
	if err != nil {
		return j, fmt.Errorf("read what is to be done: %w", err)
	}
	return j, nil
}

// The ends of a job.
const (
	applied = "applied"
	skipped = "skipped"
)

// tick notes the end of a job.
func (b *book) tick(n int, state string) error {
	if _, err := b.db.ExecContext(context.Background(), "UPDATE jobs SET state = ? WHERE n = ?", state, n); err != nil {
		return fmt.Errorf("note what is done: %w", err)
	}
	return b.change(func(p *replayplan.Plan) {
		if state == applied {
			p.Applied++
		} else {
			p.Skipped++
		}
	})
}

// recount reads the progress from the jobs: a process that died may not have noted it.
func (b *book) recount() error {
	var applied, skipped int
	err := b.db.QueryRowContext(context.Background(), "SELECT count(*) FILTER (WHERE state = 'applied'), count(*) FILTER (WHERE state = 'skipped') FROM jobs").Scan(&applied, &skipped)
	if err != nil {
		return fmt.Errorf("count what is done: %w", err)
	}
	return b.change(func(p *replayplan.Plan) { p.Applied, p.Skipped = applied, skipped })
}
