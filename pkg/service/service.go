// Package service is what every service is given and how it is started, watched and
// stopped. It knows no business word. Start reading at [Env].
package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/view"
)

// Env is what a service works with.
type Env struct {
	Bus      *bus.Bus
	Router   *bus.Router
	Files    *callfile.Files
	Projects *Projects
	// Views are the read models of this process.
	Views *view.Views
	// Mux takes addresses that anybody may ask; API those that need the token.
	Mux, API *http.ServeMux
	Log      *zap.Logger
	Metrics  prometheus.Registerer
	Data     string
	// Version is the program's own, noted with every decision.
	Version string
	Now     func() time.Time
	Group   *Group
}

// Group runs the goroutines of the services and knows which are well.
type Group struct {
	ctx  context.Context
	stop context.CancelFunc
	log  *zap.Logger
	work sync.WaitGroup

	mu   sync.Mutex
	sick map[string]error
}

// NewGroup makes a group that ends with ctx or Stop.
func NewGroup(ctx context.Context, log *zap.Logger) *Group {
	ctx, stop := context.WithCancel(ctx)
	return &Group{ctx: ctx, stop: stop, log: log, sick: map[string]error{}}
}

// Go runs a service's loop until the group stops. A loop that ends early or panics is
// started again after a second; until then the service counts as not well.
func (g *Group) Go(name string, run func(context.Context) error) {
	g.work.Add(1)
	go func() {
		defer g.work.Done()
		for {
			err := guarded(g.ctx, run)
			if g.ctx.Err() != nil {
				return
			}
			if err == nil {
				err = errors.New("ended by itself")
			}
			g.log.Error("a loop stopped and starts again", zap.String("service", name), zap.Error(err))
			g.Report(name, err)
			select {
			case <-g.ctx.Done():
				return
			case <-time.After(time.Second):
			}
			g.Report(name, nil)
		}
	}()
}

func guarded(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run(ctx)
}

// Report notes that a part is not well, or well again with nil.
func (g *Group) Report(name string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		delete(g.sick, name)
		return
	}
	g.sick[name] = err
}

// Healthy returns what is not well, in the order of names, or nil.
func (g *Group) Healthy() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(g.sick)) {
		errs = append(errs, fmt.Errorf("%s: %w", name, g.sick[name]))
	}
	return errors.Join(errs...)
}

// Context ends when the group stops.
func (g *Group) Context() context.Context { return g.ctx }

// Stop ends the loops and waits for them.
func (g *Group) Stop() {
	g.stop()
	g.work.Wait()
}
