package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// shelf keeps plans, each in a file of its own: a plan is as large as the history that it
// is about, and nobody needs it once it was carried out. So a backup leaves them out, and
// only the newest are kept.
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
func (s *shelf) begin(ctx context.Context, p replayplan.Plan, now time.Time) (*book, error) {
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
	if err := b.change(func(*replayplan.Plan) {}); err != nil {
		return nil, err
	}
	return b, s.prune(ctx, p.Project)
}

// mostPlans is how many plans of a project are kept.
const mostPlans = 20

// prune takes the oldest plans away, but none that is being made or carried out.
func (s *shelf) prune(ctx context.Context, project string) error {
	ids, err := s.list(project)
	if err != nil {
		return err
	}
	for _, id := range ids[:max(0, len(ids)-mostPlans)] {
		b, err := s.take(ctx, project, id)
		if err != nil {
			return err
		}
		switch b.plan().State {
		case replayplan.Planning, replayplan.Applying, replayplan.Paused:
			continue
		}
		delete(s.books, id)
		if err := b.db.Close(); err != nil {
			return fmt.Errorf("close plan %s: %w", id, err)
		}
		removeDB(b.path)
	}
	return nil
}

// errNoPlan says that there is no plan of that id.
var errNoPlan = errors.New("there is no such plan")

func (s *shelf) open(ctx context.Context, project, id string) (*book, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(ctx, project, id)
}

// take is open for who has the lock.
func (s *shelf) take(ctx context.Context, project, id string) (*book, error) {
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
