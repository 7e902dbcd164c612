package view

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// This file builds a view anew: into a file of its own, beside the one that is read.
// A whole file is called NAME.db or NAME.N.db, the greatest N is the newest; one that is
// not whole yet is called NAME.new, so that a start after a crash can tell.

// State says what a view is doing.
type State string

// The states.
const (
	Ready      State = "ready"      // answers show every event
	Catching   State = "catching"   // events are read for the first time; questions wait for them
	Rebuilding State = "rebuilding" // a new file is being built; the old one answers
)

// Status is how far a view is.
type Status struct {
	View  string `json:"view"`
	State State  `json:"state"`
	// Seq of Of events are read; while rebuilding, into the new file.
	Seq uint64 `json:"seq"`
	Of  uint64 `json:"of"`
	// Built counts the rebuilds since the start; Error is why the last one was given up.
	Built int    `json:"built"`
	Error string `json:"error,omitempty"`
}

// building is a rebuild as its view remembers it.
type building struct {
	on       bool
	progress *bus.Progress
	built    int
	err      error
}

func (b *building) end(err error) {
	b.on, b.err = false, err
	if err == nil {
		b.built++
	}
}

// Status says how far the view is.
func (v *View) Status(ctx context.Context) (Status, error) {
	last, err := v.bus.Last(ctx)
	if err != nil {
		return Status{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s := Status{View: v.model.Name, State: Ready, Seq: v.served.Seq(), Of: last, Built: v.build.built}
	if v.build.err != nil {
		s.Error = v.build.err.Error()
	}
	switch {
	case v.build.on:
		s.State, s.Seq = Rebuilding, v.build.progress.Seq()
	case s.Seq < last:
		s.State = Catching
	}
	s.Seq = min(s.Seq, s.Of) // more may have come since
	return s, nil
}

// Rebuild builds the view anew and comes back at once; [View.Status] tells how far it
// is. While one is under way asking again changes nothing.
func (v *View) Rebuild() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.build.on {
		return
	}
	v.build.on, v.build.err, v.build.progress = true, nil, new(bus.Progress)
	v.asked <- struct{}{}
}

// rebuilds does what Rebuild asks for, until ctx is over.
func (v *View) rebuilds(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.asked:
		}
		v.mu.Lock()
		progress := v.build.progress
		v.mu.Unlock()
		f, err := v.anew(ctx, progress)
		v.mu.Lock()
		if err == nil && ctx.Err() != nil {
			err = errors.Join(ctx.Err(), f.close())
		}
		if err != nil {
			v.build.end(err)
			v.log.Error("a read model could not be built anew; the old one stays", zap.String("view", v.model.Name), zap.Error(err))
		} else {
			v.feeding = f
			v.pause() // the following goes on with the new file
		}
		v.mu.Unlock()
	}
}

// anew builds a file up to the newest event.
func (v *View) anew(ctx context.Context, progress *bus.Progress) (_ *file, err error) {
	part := filepath.Join(v.dir, v.model.Name+".new")
	if err := remove(part); err != nil {
		return nil, err
	}
	f, err := openFile(ctx, part, v.model)
	if err != nil {
		return nil, err
	}
	if err := v.fill(ctx, f, progress); err != nil {
		return nil, errors.Join(err, f.close(), remove(part))
	}
	if err := f.close(); err != nil { // leaves one file without a log beside it
		return nil, errors.Join(fmt.Errorf("close the new read model: %w", err), remove(part))
	}
	newest := 0
	for _, name := range whole(v.dir, v.model.Name) {
		newest = max(newest, number(name, v.model.Name)+1)
	}
	path := filepath.Join(v.dir, fmt.Sprintf("%s.%d.db", v.model.Name, newest))
	if err := os.Rename(part, path); err != nil {
		return nil, errors.Join(fmt.Errorf("name the new read model: %w", err), remove(part))
	}
	return openFile(ctx, path, v.model)
}

// fill reads the stream into a file, until it has what is stored. A view that follows
// tries again what fails; here it ends the rebuild.
func (v *View) fill(ctx context.Context, f *file, progress *bus.Progress) error {
	last, err := v.bus.Last(ctx)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	apply := func(ctx context.Context, batch []bus.Recorded) error {
		err := f.apply(ctx, batch)
		if err != nil {
			stop(err)
		}
		return err
	}
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				err := fmt.Errorf("panic: %v", p)
				stop(err)
				ended <- err
			}
		}()
		ended <- v.bus.Follow(ctx, bus.View{Name: v.model.Name + ".new", Apply: apply}, progress)
	}()
	if err := progress.Wait(ctx, last); err != nil {
		if err := <-ended; err != nil && context.Cause(ctx) == nil {
			return err
		}
		return context.Cause(ctx)
	}
	stop(nil)
	return <-ended
}

// whole lists a model's files that are whole, the newest first.
func whole(dir, name string) []string {
	paths, err := filepath.Glob(filepath.Join(dir, name+"*.db"))
	if err != nil {
		return nil // only for a pattern that is wrong
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return number(p, name) < 0 })
	slices.SortFunc(paths, func(a, b string) int { return number(b, name) - number(a, name) })
	return paths
}

// number is which of a model's files it is; -1: none of them.
func number(path, name string) int {
	middle := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), name), ".db")
	if middle == "" {
		return 0
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(middle, ".")); err == nil && n > 0 && middle[0] == '.' {
		return n
	}
	return -1
}

// openNewest opens the newest file that fits this stream and removes the others.
func openNewest(ctx context.Context, dir string, m Model, fits func(uint64, string) bool) (*file, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of views: %w", err)
	}
	if err := remove(filepath.Join(dir, m.Name+".new")); err != nil {
		return nil, err
	}
	var found *file
	for _, path := range whole(dir, m.Name) {
		if found == nil {
			f, err := openFile(ctx, path, m)
			if err == nil && (f.last.seq == 0 || fits(f.last.seq, f.last.id)) {
				found = f
				continue
			}
			if err == nil {
				err = f.close()
			}
			if ctx.Err() != nil {
				return nil, errors.Join(err, ctx.Err())
			}
		}
		if err := remove(path); err != nil {
			return nil, err
		}
	}
	if found != nil {
		return found, nil
	}
	path := filepath.Join(dir, m.Name+".db")
	if err := remove(path); err != nil { // a log without its file
		return nil, err
	}
	return openFile(ctx, path, m)
}

// Views are the read models of a process.
type Views struct {
	bus *bus.Bus
	dir string
	log *zap.Logger
	by  map[string]*View
}

// New makes an empty set of read models, to be kept in dir.
func New(b *bus.Bus, dir string, log *zap.Logger) *Views {
	return &Views{b, dir, log, map[string]*View{}}
}

// Start opens a model and follows the stream; run runs a loop until the process stops,
// again and again should it end early. All views are started before any is asked for.
func (s *Views) Start(ctx context.Context, m Model, run func(name string, loop func(context.Context) error)) (*View, error) {
	v, err := Open(ctx, s.dir, m, func(seq uint64, id string) bool {
		e, err := s.bus.Get(ctx, seq)
		return err == nil && e.ID == id
	})
	if err != nil {
		return nil, err
	}
	v.bus, v.log = s.bus, s.log
	s.by[m.Name] = v
	run(m.Name, v.run)
	run(m.Name+" (rebuild)", v.rebuilds)
	return v, nil
}

// Get returns the view of that name.
func (s *Views) Get(name string) (*View, bool) {
	v, ok := s.by[name]
	return v, ok
}

// Names lists the views in alphabetical order.
func (s *Views) Names() []string {
	var names []string
	for name := range s.by {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
