package service

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// This file is about projects that no configuration file names: they are made while
// everything runs, kept sealed, and taken up by every service of every process.

// ErrExists is returned by Create where there is a project of that id.
var ErrExists = errors.New("there is a project of that id")

// Create makes a project that no file names and returns it once every service works
// it. It stays over restarts. The history of an earlier project of that id goes on.
func (p *Projects) Create(ctx context.Context, project settings.Project, by string) (Revision, error) {
	if had, ok := p.Get(project.ID); ok {
		return had, ErrExists
	}
	block, err := project.RevealJSON()
	if err != nil {
		return Revision{}, err
	}
	sealed, err := p.key.Seal(block, project.ID)
	if err != nil {
		return Revision{}, fmt.Errorf("seal the settings of %s: %w", project.ID, err)
	}
	s, err := bus.Change(ctx, p.store, project.ID, func(s *stored) (bool, error) {
		if s.made() {
			return false, ErrExists // another process made it
		}
		*s = stored{Revision: s.Revision + 1, By: by, Sealed: sealed}
		return true, nil
	})
	if err != nil {
		return Revision{}, err
	}
	r := Revision{project, s.Revision}
	p.adopt(r)
	return r, p.announce(ctx, project, s)
}

// adopt takes a project up that was not there before.
func (p *Projects) adopt(r Revision) {
	p.starting.Lock()
	defer p.starting.Unlock()
	_, there := p.Get(r.ID)
	p.set(r)
	if there {
		return
	}
	for _, start := range p.starters {
		start(r.ID)
	}
}

// EachProject starts what a service does for a project: for those that are there, whose
// error ends it, and for each that is made later, whose error makes the service count as
// not well.
func (e Env) EachProject(name string, start func(id string) error) error {
	p := e.Projects
	p.starting.Lock()
	defer p.starting.Unlock()
	for _, id := range p.IDs() {
		if err := start(id); err != nil {
			return err
		}
	}
	p.starters = append(p.starters, func(id string) {
		if err := start(id); err != nil {
			e.Log.Error("a project could not be taken up", zap.String("service", name), zap.String("project", id), zap.Error(err))
			e.Group.Report(name+"-"+id, err)
		}
	})
	return nil
}

// loadMade adds the projects that were made without the file.
func (p *Projects) loadMade(ctx context.Context) error {
	ids, err := p.store.Keys(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var s stored
		if _, err := p.store.Get(ctx, id, &s); err != nil {
			return err
		}
		if _, named := p.by[id]; named || !s.made() {
			continue
		}
		project, err := p.unseal(id, s.Sealed)
		if err != nil {
			return fmt.Errorf("settings of %s, revision %d by %s: %w; put that key back, or name the project in the file, which makes a new revision of it", id, s.Revision, s.By, err)
		}
		if err := p.announce(ctx, project, s); err != nil {
			return err
		}
		p.by[id] = Revision{project, s.Revision}
	}
	return nil
}

// made tells whether the project was made without the file.
func (s stored) made() bool { return s.Fingerprint == "" && s.Sealed != nil }
