package service

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// Views are the read models of this process: each can be thrown away and built again
// from the stream while calls flow. The nil Views knows none.
type Views struct {
	mu sync.Mutex
	by map[string]*running
}

type running struct {
	progress *bus.Progress
	again    chan struct{}
}

// NewViews makes an empty list.
func NewViews() *Views { return &Views{by: map[string]*running{}} }

// Follow runs a view until ctx is over, from the start again whenever a rebuild is asked
// for: reset then throws away what the view holds.
func (v *Views) Follow(ctx context.Context, b *bus.Bus, view bus.View, p *bus.Progress, reset func(context.Context) error) error {
	again := v.add(view.Name, p)
	for {
		following, stop := context.WithCancel(ctx)
		asked := make(chan bool, 1)
		go func() {
			select {
			case <-again:
				asked <- true
				stop()
			case <-following.Done():
				asked <- false
			}
		}()
		err := b.Follow(following, view, p)
		stop()
		if !<-asked || err != nil || ctx.Err() != nil {
			return err
		}
		p.Reset() // first: nobody may take what is being emptied for whole
		if err := reset(ctx); err != nil {
			return err
		}
		view.After = 0
	}
}

func (v *Views) add(name string, p *bus.Progress) <-chan struct{} {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r := &running{p, make(chan struct{}, 1)}
	v.by[name] = r
	return r.again
}

// Names lists the views in alphabetical order.
func (v *Views) Names() []string {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Sorted(maps.Keys(v.by))
}

// Seq is the last event that a view has; ok is false for a view that is not here.
func (v *Views) Seq(name string) (seq uint64, ok bool) {
	if v == nil {
		return 0, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r, ok := v.by[name]
	if !ok {
		return 0, false
	}
	return r.progress.Seq(), true
}

// Rebuild asks for a view to be built again; ok is false for a view that is not here.
func (v *Views) Rebuild(name string) (ok bool) {
	if v == nil {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	r, ok := v.by[name]
	if ok {
		r.progress.Reset() // whoever asks how far it is from now on hears of the new one
		select {
		case r.again <- struct{}{}:
		default: // it is asked for already
		}
	}
	return ok
}
