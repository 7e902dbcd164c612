package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// file is one SQLite file of a model, and how far it is in the stream.
type file struct {
	model Model
	path  string
	db    *sql.DB
	write *sql.Conn // db's only connection: SQLite has one writer
	read  *sql.DB
	last  place
	known map[string]*sql.Stmt
	users sync.WaitGroup // who reads it
	large time.Time      // its cache is, since the last large batch
}

// place is an event and where it is in the stream.
type place struct {
	seq uint64
	id  string
}

// readers is how many questions are answered at once.
const readers = 4

// Losing the newest transactions with the power is fine: they are read again.
const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(10000)&_txlock=immediate"

// The cache a file is built with: 32 MiB, taken when needed. Events of one call are apart
// in a busy stream, and with SQLite's 2 MiB most pages are read again. Where a file only
// follows, 2 MiB do, and what building it took is given back.
const (
	largeCache = "PRAGMA cache_size = -32768"
	smallCache = "PRAGMA cache_size = -2048; PRAGMA shrink_memory"
	// many events in one batch say that the file is being built, and so long after the last
	// such batch it is not any more.
	many  = 100
	after = 5 * time.Second
)

// progress holds the last event in the file: it tells this stream from another one.
const progress = `CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, id TEXT NOT NULL) STRICT;
INSERT INTO progress VALUES (1, 0, '');
`

// openFile opens a file, making its tables where it is new. One of another version is
// an error, and so is what is no database.
func openFile(ctx context.Context, path string, m Model) (*file, error) {
	f := &file{model: m, path: path, known: map[string]*sql.Stmt{}}
	var err error
	if f.db, err = sql.Open("sqlite", "file:"+path+pragmas); err == nil {
		f.read, err = sql.Open("sqlite", "file:"+path+pragmas+"&_pragma=query_only(1)")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.close())
	}
	f.db.SetMaxOpenConns(1)
	f.read.SetMaxOpenConns(readers)
	if err := f.check(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), f.close())
	}
	return f, nil
}

func (f *file) check(ctx context.Context) error {
	var err error
	if f.write, err = f.db.Conn(ctx); err != nil {
		return err
	}
	var version int
	if err := f.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	if version == 0 {
		if _, err := f.write.ExecContext(ctx, progress+f.model.Schema+fmt.Sprintf("\nPRAGMA user_version = %d;", f.model.Version)); err != nil {
			return fmt.Errorf("make the tables: %w", err)
		}
	} else if version != f.model.Version {
		return fmt.Errorf("the file is of version %d, not %d", version, f.model.Version)
	}
	if err := f.write.QueryRowContext(ctx, "SELECT seq, id FROM progress").Scan(&f.last.seq, &f.last.id); err != nil {
		return fmt.Errorf("read the progress: %w", err)
	}
	return nil
}

func (f *file) close() error {
	var errs []error
	for _, s := range f.known {
		errs = append(errs, s.Close())
	}
	if f.write != nil {
		errs = append(errs, f.write.Close())
	}
	for _, db := range []*sql.DB{f.db, f.read} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// apply takes a batch of events in one transaction. What stands in the file already,
// because a batch was applied and the word of it lost, is left out.
func (f *file) apply(ctx context.Context, batch []bus.Recorded) error {
	if err := f.resize(ctx, len(batch) >= many, time.Now()); err != nil {
		return err
	}
	tx := &Tx{ctx, f}
	if _, err := tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			// Also where ctx is over, or the model panicked.
			_, _ = f.write.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		}
	}()
	last := f.last
	for _, r := range batch {
		if r.Seq <= last.seq {
			continue
		}
		if err := f.model.Apply(tx, r); err != nil {
			return fmt.Errorf("take event %d (%s) into %s: %w", r.Seq, r.Type, f.model.Name, err)
		}
		last = place{r.Seq, r.ID}
	}
	if _, err := tx.Exec("UPDATE progress SET seq = ?, id = ?", int64(last.seq), last.id); err != nil {
		return fmt.Errorf("note the progress: %w", err)
	}
	fault.Point("view", f.model.Name, "before commit")
	// Whoever stops now must not be told that this batch was not kept.
	if _, err := f.write.ExecContext(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		return fmt.Errorf("keep %s: %w", f.model.Name, err)
	}
	kept, f.last = true, last
	fault.Point("view", f.model.Name, "after commit")
	return nil
}

// resize gives the file the cache for being built, or for following.
func (f *file) resize(ctx context.Context, large bool, now time.Time) error {
	was := f.large
	pragma := ""
	switch {
	case large && was.IsZero():
		f.large, pragma = now, largeCache
	case large:
		f.large = now
	case !was.IsZero() && now.Sub(was) > after:
		f.large, pragma = time.Time{}, smallCache
	}
	if pragma == "" {
		return nil
	}
	if _, err := f.write.ExecContext(ctx, pragma); err != nil {
		f.large = was
		return fmt.Errorf("resize the cache: %w", err)
	}
	return nil
}

// Tx is the transaction in which a model takes a batch. Statements are prepared once.
type Tx struct {
	ctx context.Context
	f   *file
}

// Exec runs a statement and says how many rows it touched.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := t.prepared(query) //nolint:sqlclosecheck // it is kept for the next call and closed with the file
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Row reads one row into into; ok is false where there is none.
func (t *Tx) Row(query string, args []any, into ...any) (ok bool, err error) {
	s, err := t.prepared(query) //nolint:sqlclosecheck // likewise
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(t.ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (t *Tx) prepared(query string) (*sql.Stmt, error) {
	s, ok := t.f.known[query]
	if ok {
		return s, nil
	}
	s, err := t.f.write.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	t.f.known[query] = s
	return s, nil
}

// remove deletes a file with what SQLite keeps beside it.
func remove(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove an old read model: %w", err))
		}
	}
	return errors.Join(errs...)
}
