// Package reconciler reads Ringostat's call log back and brings in what no webhook
// brought: webhooks are sent once and lost for good (help.ringostat.com 6313229), so
// without this a lost one is a lost client. A row of the log becomes call.received like
// any other request; the classifier folds it into what is known of its call.
//
// It must never decide what a call means, and it brings the same row as the same event,
// however often it reads it. Reading order: judge.go says what is done with a row,
// pass.go reads a span, watch.go does so for ever, imports.go by hand.
package reconciler

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// Options are the contract's spans; nought means what the contract says.
type Options struct {
	// Every is how often the log is read: 5 minutes.
	Every time.Duration
	// Depth is how far back each reading goes: 2 hours.
	Depth time.Duration
	// Grace is how long after its end a call is left to its webhook: 2 minutes.
	Grace time.Duration
	// Pause is the least time between two requests to the log: 1.5 s.
	Pause time.Duration
}

func (o Options) orDefault() Options {
	for _, d := range []struct {
		span *time.Duration
		zero time.Duration
	}{{&o.Every, 5 * time.Minute}, {&o.Depth, 2 * time.Hour}, {&o.Grace, 2 * time.Minute}} {
		if *d.span == 0 {
			*d.span = d.zero
		}
	}
	return o
}

// reconciler holds what all projects share.
type reconciler struct {
	service.Env
	Options
	states, memories *bus.Store
	ok, complete     *prometheus.GaugeVec

	mu    sync.Mutex
	desks map[string]*desk
}

// Start watches the call log of every project that has an API key, in one process at a
// time, and opens the address for imports by hand.
func Start(ctx context.Context, env service.Env, o Options) error {
	r, err := open(ctx, env, o)
	if err != nil {
		return err
	}
	return env.EachProject("reconciler", func(id string) error {
		name, d := "reconciler-"+id, r.desk(id)
		env.Group.Go(name, func(ctx context.Context) error { return env.Bus.Hold(ctx, name, d.whileKeyed(d.watch)) })
		env.Group.Go("reconciler-webhooks-"+id, d.whileKeyed(d.countWebhooks))
		return nil
	})
}

// whileKeyed runs a loop as long as the settings hold a key, which they may get or lose
// at any time.
func (d *desk) whileKeyed(run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			changed := d.Projects.Changed()
			if !d.keyedNow() {
				select {
				case <-ctx.Done():
					return nil
				case <-changed:
				}
				continue
			}
			keyed, stop := context.WithCancel(ctx)
			go func() {
				for d.keyedNow() {
					select {
					case <-keyed.Done():
						return
					case <-changed:
						changed = d.Projects.Changed()
					}
				}
				stop()
			}()
			err := run(keyed)
			stop()
			if err != nil || ctx.Err() != nil {
				return err
			}
			if d.keyedNow() {
				return nil // it ended by itself, which the group starts again
			}
		}
	}
}

func (d *desk) keyedNow() bool {
	p, _ := d.Projects.Get(d.project)
	return p.Ringostat.APIKey != ""
}

// open makes everything and starts nothing.
func open(ctx context.Context, env service.Env, o Options) (*reconciler, error) {
	r := &reconciler{Env: env, Options: o.orDefault(), desks: map[string]*desk{}}
	var err error
	if r.states, err = env.Bus.Store(ctx, "reconciliation", "how far each project's call log was read"); err != nil {
		return nil, err
	}
	if r.memories, err = env.Bus.Store(ctx, "reconciled", "which rows of the call log were brought lately"); err != nil {
		return nil, err
	}
	r.ok = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ringbridge_reconciliation_ok", Help: "1 while Ringostat's call log can be read, 0 while it cannot.",
	}, []string{"project"})
	r.complete = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ringbridge_reconciliation_last_complete_seconds", Help: "Unix time up to which every call of the call log was seen; absent: never.",
	}, []string{"project"})
	if err := errors.Join(env.Metrics.Register(r.ok), env.Metrics.Register(r.complete)); err != nil {
		return nil, fmt.Errorf("register the metrics of the reconciliation: %w", err)
	}
	env.API.HandleFunc("POST /api/v1/projects/{project}/imports", r.imports)
	return r, nil
}

// desk works one project's call log; one reading at a time.
type desk struct {
	*reconciler
	project string
	log     *zap.Logger
	busy    chan struct{} // holds a token while somebody reads
	hooks   hooks
	client  *ringostat.CallLog
	keyed   string  // which settings the client was made with
	tried   string  // how the log was reached in the last reading
	told    trouble // what the log was last told of
	quiet   bool    // that the call log is silent was told
}

// desk is the only one of a project: one reading at a time.
func (r *reconciler) desk(project string) *desk {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.desks[project] == nil {
		r.desks[project] = r.newDesk(project)
	}
	return r.desks[project]
}

func (r *reconciler) newDesk(project string) *desk {
	return &desk{reconciler: r, project: project, log: r.Log.With(zap.String("project", project)), busy: make(chan struct{}, 1)}
}

// alone runs a reading when no other does.
func (d *desk) alone(ctx context.Context, read func() error) error {
	select {
	case d.busy <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.busy }()
	return read()
}

// errNoKey is the answer to an import without a key.
var errNoKey = errors.New("the project has no ringostat.api_key")

// open returns the project's settings and a client made of them.
func (d *desk) open() (*ringostat.CallLog, service.Revision, error) {
	project, ok := d.Projects.Get(d.project)
	if !ok || project.Ringostat.APIKey == "" {
		return nil, project, errNoKey
	}
	// A key may be another under the same revision: secrets are no part of it.
	made := strconv.Itoa(project.Number) + project.Ringostat.APIURL + " " + project.Ringostat.APIKey.Reveal()
	if d.client != nil && made == d.keyed {
		return d.client, project, nil
	}
	client, err := ringostat.NewCallLog(ringostat.CallLogOptions{
		BaseURL: project.Ringostat.APIURL, Key: project.Ringostat.APIKey.Reveal(), AllowInsecure: project.Bitrix24.AllowInsecure, Pause: d.Pause,
	})
	if err != nil {
		return nil, project, err
	}
	if d.client != nil {
		d.client.Close()
	}
	d.client, d.keyed = client, made
	return client, project, nil
}
