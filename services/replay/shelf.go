package replay

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// State says where a plan stands.
type State string

// The states. A plan that is Done, Aborted or Failed stays so.
const (
	Planning State = "planning"
	Planned  State = "planned"
	Applying State = "applying"
	Paused   State = "paused"
	Done     State = "done"
	Aborted  State = "aborted"
	Failed   State = "failed"
)

// Plan is what is known of a replay beside its rows.
type Plan struct {
	ID       string         `json:"id"`
	Project  string         `json:"project"`
	State    State          `json:"state"`
	Revision int            `json:"revision"`
	Since    *time.Time     `json:"since"`
	Until    *time.Time     `json:"until"`
	CallIDs  []string       `json:"call_ids,omitempty"`
	Rule     string         `json:"rule,omitempty"`
	Fresh    bool           `json:"fresh,omitempty"`
	Calls    int            `json:"calls"`
	Totals   map[string]int `json:"totals"`
	// ToApply counts the calls with something to put right; Applied and Skipped those that
	// were, and those that were left because more was known of them by then.
	ToApply int    `json:"to_apply"`
	Applied int    `json:"applied"`
	Skipped int    `json:"skipped"`
	Reason  string `json:"reason,omitempty"`
	// Event is the replay.planned event.
	Event string `json:"event_id,omitempty"`
}

// shelf keeps plans, each in a file of its own: a plan is as large as the history that it
// is about, and nobody needs it once it was carried out.
type shelf struct {
	dir string

	mu    sync.Mutex
	books map[string]*book
}

func newShelf(data string) *shelf {
	return &shelf{dir: filepath.Join(data, "replays"), books: map[string]*book{}}
}

// projectOf is the project that an id carries.
func projectOf(id string) string {
	project, _, _ := strings.Cut(id, ".")
	return project
}

func (s *shelf) path(project, id string) string { return filepath.Join(s.dir, project, id+".db") }

// list names the plans of a project, the oldest first.
func (s *shelf) list(project string) (ids []string, err error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, project))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the plans of %s: %w", project, err)
	}
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".db"); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// begin begins a plan under an id of its own.
func (s *shelf) begin(ctx context.Context, p Plan, now time.Time) (*book, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.MkdirAll(filepath.Join(s.dir, p.Project), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of plans: %w", err)
	}
	for {
		p.ID = p.Project + "." + now.UTC().Format("20060102-150405")
		if _, err := os.Stat(s.path(p.Project, p.ID)); errors.Is(err, os.ErrNotExist) {
			break
		}
		now = now.Add(time.Second)
	}
	b, err := openBook(ctx, s.path(p.Project, p.ID))
	if err != nil {
		return nil, err
	}
	b.doc = p
	s.books[p.ID] = b
	return b, b.change(func(*Plan) {})
}

// errNoPlan says that there is no plan of that id.
var errNoPlan = errors.New("there is no such plan")

func (s *shelf) open(ctx context.Context, project, id string) (*book, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.books[id]; b != nil && b.plan().Project == project {
		return b, nil
	}
	if projectOf(id) != project || strings.ContainsAny(id, `/\`) {
		return nil, errNoPlan
	}
	if _, err := os.Stat(s.path(project, id)); err != nil {
		return nil, errNoPlan
	}
	b, err := openBook(ctx, s.path(project, id))
	if err != nil {
		return nil, err
	}
	s.books[id] = b
	return b, nil
}

// book is one plan: its document, its rows, and what is to be done for each call.
type book struct {
	path string
	db   *sql.DB

	mu  sync.Mutex
	doc Plan
}

const bookSchema = `
CREATE TABLE IF NOT EXISTS doc (one INTEGER PRIMARY KEY CHECK (one = 1), plan TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, row TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS rows_changes ON rows (n) WHERE kind <> 'same';
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
func (b *book) plan() Plan {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.doc
	p.Totals = maps.Clone(p.Totals)
	return p
}

// change alters the document and keeps it.
func (b *book) change(change func(*Plan)) error {
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
func (b *book) move(to State, reason string, from ...State) (moved bool, err error) {
	err = b.change(func(p *Plan) {
		if moved = slices.Contains(from, p.State); moved {
			p.State, p.Reason = to, reason
		}
	})
	return moved, err
}

// rows are a page of the plan, and the cursor of the next.
func (b *book) rows(ctx context.Context, all bool, after, limit int) (out []Row, next int, err error) {
	rows, err := b.db.QueryContext(ctx, "SELECT n, row FROM rows WHERE n > ? AND (? OR kind <> 'same') ORDER BY n LIMIT ?", after, all, limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("read the rows of a plan: %w", err)
	}
	defer rows.Close()
	last := after
	for rows.Next() {
		if len(out) == limit {
			return out, last, rows.Err()
		}
		var text string
		if err := rows.Scan(&last, &text); err != nil {
			return nil, 0, fmt.Errorf("read the rows of a plan: %w", err)
		}
		var row Row
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			return nil, 0, fmt.Errorf("read the rows of a plan: %w", err)
		}
		out = append(out, row)
	}
	return out, 0, rows.Err()
}

// add writes what was decided about some calls, in one transaction.
func (b *book) add(ctx context.Context, verdicts []*verdict) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	defer tx.Rollback() // after Commit it has nothing to do
	for _, v := range verdicts {
		for _, row := range v.rows {
			text, err := json.Marshal(row)
			if err != nil {
				return fmt.Errorf("write the plan: %w", err)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO rows (kind, row) VALUES (?, ?)", row.Kind, string(text)); err != nil {
				return fmt.Errorf("write the plan: %w", err)
			}
		}
		if !v.changes() {
			continue
		}
		text, err := json.Marshal(v.job)
		if err != nil {
			return fmt.Errorf("write the plan: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO jobs (lane, job) VALUES (?, ?)", v.Lane, string(text)); err != nil {
			return fmt.Errorf("write the plan: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
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
	return b.change(func(p *Plan) {
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
	return b.change(func(p *Plan) { p.Applied, p.Skipped = applied, skipped })
}
