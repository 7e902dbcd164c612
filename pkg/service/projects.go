package service

import (
	"context"
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

// Projects holds the settings in force, each project with its revision.
type Projects struct {
	mu sync.RWMutex
	by map[string]Revision
}

// Revision is one version of a project's settings, counted from 1.
type Revision struct {
	settings.Project
	Number int
}

// stored is what is remembered of a project's settings between starts: enough to
// tell whether the file's block is another than the last time.
type stored struct {
	Revision    int    `json:"revision"`
	Fingerprint string `json:"fingerprint"`
}

// LoadProjects compares the blocks of the configuration file with those of the last
// start. A block that differs becomes a new revision and a settings.changed event.
func LoadProjects(ctx context.Context, b *bus.Bus, now func() time.Time, projects []settings.Project) (*Projects, error) {
	store, err := b.Store(ctx, "settings", "revision of each project's settings")
	if err != nil {
		return nil, err
	}
	p := &Projects{by: map[string]Revision{}}
	for _, project := range projects {
		print := project.Fingerprint()
		s, err := bus.Change(ctx, store, project.ID, func(s *stored) (bool, error) {
			if s.Fingerprint == print {
				return false, nil
			}
			s.Revision, s.Fingerprint = s.Revision+1, print
			// Before it is kept: a start that dies in between announces it once more.
			return true, announce(ctx, b, now(), project, *s)
		})
		if err != nil {
			return nil, fmt.Errorf("keep the settings of %s: %w", project.ID, err)
		}
		p.by[project.ID] = Revision{project, s.Revision}
	}
	return p, nil
}

// announce tells of a revision. Its id comes from what it says, so that processes
// that start together, or again, tell of it once.
func announce(ctx context.Context, b *bus.Bus, now time.Time, project settings.Project, s stored) error {
	block, err := project.JSON()
	if err != nil {
		return err
	}
	e, err := event.First("ringbridge", now, &event.SettingsChanged{
		Project: project.ID, Revision: s.Revision, By: "configuration file", Settings: block,
	})
	if err != nil {
		return err
	}
	e.ID = event.Derive("settings", project.ID, strconv.Itoa(s.Revision), s.Fingerprint)
	_, err = b.Publish(ctx, e)
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
