package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// Projects holds the settings in force, each project with its revision. Read them at
// use: a change takes effect at once.
type Projects struct {
	bus   *bus.Bus
	store *bus.Store
	now   func() time.Time
	key   settings.Key
	after uint64 // the last event before the settings were read

	mu      sync.RWMutex
	by      map[string]Revision
	changed chan struct{}

	starting sync.Mutex // no project comes while a service starts with those that are there
	starters []func(id string)
}

// Revision is one version of a project's settings, counted from 1.
type Revision struct {
	settings.Project
	Number int
}

// stored is what is remembered of a project's settings between starts.
type stored struct {
	Revision int `json:"revision"`
	// Fingerprint is that of the file's block as it was read last: enough to tell
	// whether it is another than the last time. Empty for a project that no file names.
	Fingerprint string `json:"fingerprint"`
	// By says who made the revision in force.
	By string `json:"by,omitempty"`
	// Sealed is the block in force where it was not the file's, with its secrets.
	Sealed []byte `json:"sealed,omitempty"`
}

const byFile = "configuration file"

// LoadProjects is [LoadSettings] where nothing is sealed: what was set otherwise than
// by the file can't be read.
func LoadProjects(ctx context.Context, b *bus.Bus, now func() time.Time, projects []settings.Project) (*Projects, error) {
	return LoadSettings(ctx, b, now, settings.Key{}, projects)
}

// LoadSettings compares the blocks of the configuration file with those of the last
// start. A block that differs becomes a new revision and a settings.changed event;
// otherwise the newest revision stays, also one that was not the file's. A project that
// was made without the file stays too; one that the file does not name any more is gone
// until the file names it again.
func LoadSettings(ctx context.Context, b *bus.Bus, now func() time.Time, key settings.Key, projects []settings.Project) (*Projects, error) {
	store, err := b.Store(ctx, "settings", "revision of each project's settings")
	if err != nil {
		return nil, err
	}
	after, err := b.Last(ctx)
	if err != nil {
		return nil, err
	}
	p := &Projects{bus: b, store: store, now: now, key: key, after: after, by: map[string]Revision{}, changed: make(chan struct{})}
	for _, project := range projects {
		print := project.Fingerprint()
		s, err := bus.Change(ctx, store, project.ID, func(s *stored) (bool, error) {
			if s.Fingerprint == print {
				return false, nil
			}
			*s = stored{Revision: s.Revision + 1, Fingerprint: print, By: byFile}
			return true, nil
		})
		if err != nil {
			return nil, fmt.Errorf("keep the settings of %s: %w", project.ID, err)
		}
		if project, err = p.inForce(project, s); err != nil {
			return nil, err
		}
		if err := p.announce(ctx, project, s); err != nil {
			return nil, err
		}
		p.by[project.ID] = Revision{project, s.Revision}
	}
	return p, p.loadMade(ctx)
}

// inForce is the file's block, or the sealed one that came after it.
func (p *Projects) inForce(file settings.Project, s stored) (settings.Project, error) {
	if s.Sealed == nil {
		return file, nil
	}
	project, err := p.unseal(file.ID, s.Sealed)
	if err != nil {
		return file, fmt.Errorf("settings of %s, revision %d by %s: %w; put that key back, or change the project's block in the file, which makes a new revision of it", file.ID, s.Revision, s.By, err)
	}
	return project, nil
}

// unseal reads a block without holding it against the rules of today: what was right
// when it was set must not keep a later version from starting.
func (p *Projects) unseal(id string, sealed []byte) (settings.Project, error) {
	block, err := p.key.Open(sealed, id)
	if err != nil {
		return settings.Project{}, err
	}
	return settings.ParseProjectJSON(block, settings.Project{}, nil)
}

// ErrStale is returned by Put where the settings were changed since they were read.
var ErrStale = errors.New("the settings were changed meanwhile")

// Put makes a new revision of a project's settings, on top of the one that its maker
// saw, and returns it once it is in force. Settings equal to those in force are no new
// revision.
func (p *Projects) Put(ctx context.Context, project settings.Project, saw int, by string) (Revision, error) {
	had, ok := p.Get(project.ID)
	if !ok {
		return Revision{}, fmt.Errorf("there is no project %s", project.ID)
	}
	if had.Number != saw {
		return had, ErrStale
	}
	if had.Fingerprint() == project.Fingerprint() {
		return had, nil
	}
	block, err := project.RevealJSON()
	if err != nil {
		return had, err
	}
	sealed, err := p.key.Seal(block, project.ID)
	if err != nil {
		return had, fmt.Errorf("seal the settings of %s: %w", project.ID, err)
	}
	s, err := bus.Change(ctx, p.store, project.ID, func(s *stored) (bool, error) {
		if s.Revision != saw {
			return false, ErrStale
		}
		s.Revision, s.By, s.Sealed = saw+1, by, sealed
		return true, nil
	})
	if err != nil {
		return had, err
	}
	r := Revision{project, s.Revision}
	p.set(r)
	return r, p.announce(ctx, project, s)
}

func (p *Projects) set(r Revision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Number <= p.by[r.ID].Number {
		return
	}
	p.by[r.ID] = r
	close(p.changed)
	p.changed = make(chan struct{})
}

// Changed is closed at the next change of any project's settings.
func (p *Projects) Changed() <-chan struct{} {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.changed
}

// Follow takes over what other processes change, until ctx is over.
func (p *Projects) Follow(ctx context.Context) error {
	apply := func(ctx context.Context, batch []bus.Recorded) error {
		for _, r := range batch {
			var s stored
			if _, err := p.store.Get(ctx, r.Project, &s); err != nil {
				return err
			}
			if _, ours := p.Get(r.Project); s.Sealed == nil || !ours && !s.made() {
				continue // another process's file: this one goes by its own
			}
			project, err := p.unseal(r.Project, s.Sealed)
			if err != nil {
				return fmt.Errorf("settings of %s, revision %d: %w", r.Project, s.Revision, err)
			}
			p.adopt(Revision{project, s.Revision})
		}
		return nil
	}
	return p.bus.Follow(ctx, bus.View{Name: "settings", Types: []event.Type{event.TypeSettingsChanged}, After: p.after, Apply: apply}, new(bus.Progress))
}

// announce tells of a revision that was not told of yet; a start that died in between
// is made up for here.
func (p *Projects) announce(ctx context.Context, project settings.Project, s stored) error {
	last, ok, err := p.bus.LastOf(ctx, project.ID, event.TypeSettingsChanged)
	if err != nil {
		return err
	}
	if told, err := event.As[event.SettingsChanged](last); ok && err == nil && told.Revision >= s.Revision {
		return nil
	}
	block, err := project.JSON()
	if err != nil {
		return err
	}
	if s.By == "" {
		s.By = byFile // kept by a version that had no other
	}
	e, err := event.First("ringbridge", p.now(), &event.SettingsChanged{
		Project: project.ID, Revision: s.Revision, By: s.By, Settings: block,
	})
	if err != nil {
		return err
	}
	// The id comes from what it says, so that processes that start together tell of it once.
	e.ID = event.Derive("settings", project.ID, strconv.Itoa(s.Revision), project.Fingerprint())
	_, err = p.bus.Publish(ctx, e)
	return err
}

// Get returns the settings of a project.
func (p *Projects) Get(id string) (Revision, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	r, ok := p.by[id]
	return r, ok
}

// IDs lists the projects in alphabetical order.
func (p *Projects) IDs() []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Sorted(maps.Keys(p.by))
}

// PerProject serves an address of the API that names a {project}; one that does not
// exist is answered here.
func (e Env) PerProject(pattern string, serve func(http.ResponseWriter, *http.Request, Revision)) {
	e.API.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		p, ok := e.Projects.Get(r.PathValue("project"))
		if !ok {
			Problem(w, http.StatusNotFound, "unknown project", "There is no project "+r.PathValue("project")+". GET /api/v1/projects lists them.")
			return
		}
		serve(w, r, p)
	})
}
