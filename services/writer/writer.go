// Package writer makes true in Bitrix24 what commands say, once, within the portal's
// limits. It alone talks to a portal; the resolver's questions go through it too, so
// that one place knows the pace.
//
// Reading order: journal.go holds the protocol (a pure function), job.go carries it
// out for one call, lookup.go answers the resolver. gateway.go is the one door to a
// portal for both: queue.go says whose turn it is, pack.go what travels together,
// leave.go when. It must never repeat a create of which nobody knows whether it was
// carried out.
package writer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// Start opens one desk per project, in one process at a time: a portal that is down
// holds up its own project only.
func Start(ctx context.Context, env service.Env) error {
	pace, err := env.Bus.Store(ctx, "pace", "how many requests each portal is thought to count")
	if err != nil {
		return err
	}
	up := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ringbridge_portal_up", Help: "1 while the portal takes requests, 0 while it is down, slow or refuses.",
	}, []string{"project"})
	if err := env.Metrics.Register(up); err != nil {
		return err
	}
	return env.EachProject("writer", func(id string) error {
		project, _ := env.Projects.Get(id)
		if _, err := Client(project); err != nil {
			return fmt.Errorf("open the desk of %s: %w", id, err)
		}
		name := "writer-" + id
		env.Group.Go(name, func(ctx context.Context) error {
			return env.Bus.Hold(ctx, name, func(ctx context.Context) error {
				defer up.DeleteLabelValues(id) // whoever works the project knows how its portal is
				for ctx.Err() == nil {
					// A desk of its own for each term and for each portal: what an earlier one
					// remembers may be old.
					project, _ := env.Projects.Get(id)
					d, err := newDesk(ctx, env, project, pace, up.WithLabelValues(id))
					if err != nil {
						return fmt.Errorf("open the desk of %s: %w", id, err)
					}
					if err := d.runAt(ctx, env); err != nil {
						return err
					}
				}
				return nil
			})
		})
		return nil
	})
}

func portalOf(env service.Env, project string) settings.Bitrix24 {
	p, _ := env.Projects.Get(project)
	return p.Bitrix24
}

// runAt runs the desk until ctx is over or the settings name another portal, another
// pace or other limits: what is out is waited for, then a new desk takes up the rest.
func (d *desk) runAt(ctx context.Context, env service.Env) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			changed := env.Projects.Changed()
			if d.portal != portalOf(env, d.project) {
				d.log.Info("the portal's settings changed; the writer takes them over")
				stop()
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	}()
	return d.run(ctx)
}

// Client makes the client of a project's portal.
func Client(project service.Revision) (*bitrix.Client, error) { return client(project, nil) }

func client(project service.Revision, turn func(context.Context) error) (*bitrix.Client, error) {
	portal, user, secret := project.Bitrix24.Address()
	return bitrix.New(bitrix.Options{
		Portal: portal, User: user, Secret: secret.Reveal(), Timeout: time.Duration(project.Bitrix24.RequestTimeout),
		AllowInsecure: project.Bitrix24.AllowInsecure, Turn: turn,
	})
}

func newDesk(ctx context.Context, env service.Env, project service.Revision, pace *bus.Store, up prometheus.Gauge) (*desk, error) {
	client, err := Client(project)
	if err != nil {
		return nil, err
	}
	log := env.Log.With(zap.String("project", project.ID))
	d := &desk{
		project: project.ID, portal: project.Bitrix24, projects: env.Projects, bus: env.Bus, files: env.Files, log: log, now: env.Now,
		patience: patience{time.Duration(project.Bitrix24.MaxExecution), time.Duration(project.Bitrix24.Settle)},
		memory:   memory{by: map[string][]remembered{}}, plans: map[string]*gathering{}, calls: map[string]*callQueue{},
		waiters: map[string][]chan struct{}{}, doubts: map[string]bool{},
	}
	up.Set(1)
	d.gateway = &gateway{
		intentAge: d.patience.age(),
		client:    client, budget: bitrix.NewBudget(0), now: env.Now, log: log, wake: make(chan struct{}, 1), portal: crm.Portal{State: crm.PortalOK},
		alarm: func(ok bool) {
			up.Set(0)
			if ok {
				up.Set(1)
			}
		},
	}
	if d.restored, err = env.Bus.Restored(ctx); err != nil {
		return nil, err
	}
	return d, d.openBucket(ctx, project, pace)
}

// openBucket goes on from the stored pace. A portal that this program never talked to
// has nothing of ours on its counter.
func (d *desk) openBucket(ctx context.Context, project service.Revision, store *bus.Store) error {
	p := project.Bitrix24.Pace
	d.gateway.bucket = bitrix.NewBucket(p.PerSecond, p.Burst, false, d.now())
	var state bitrix.BucketState
	revision, err := store.Get(ctx, d.project, &state)
	if err != nil {
		return err
	}
	if revision != 0 && !fault.Wrong("bucket-forgotten") {
		d.gateway.bucket.Restore(state, d.now())
	}
	d.gateway.stored = d.gateway.bucket
	d.gateway.keep = func(s bitrix.BucketState) {
		if _, err := bus.Change(context.WithoutCancel(ctx), store, d.project, func(stored *bitrix.BucketState) (bool, error) {
			*stored = s
			return true, nil
		}); err != nil {
			d.log.Warn("the pace could not be stored; after a restart the portal may refuse some requests", zap.Error(err))
		}
	}
	d.gateway.portal.PerSecond, d.gateway.portal.Burst = p.PerSecond, p.Burst
	return nil
}

// recall makes up for the memory that a restart lost: what was written right before may
// not show in a search yet, so look-ups wait until it does.
func (d *desk) recall(ctx context.Context) error {
	last, ok, err := d.bus.LastOf(ctx, d.project, event.TypeBitrixOutcome)
	if err != nil || !ok || fault.Wrong("look-ups-at-once") {
		return err
	}
	d.visible = last.Time.Add(d.patience.settle)
	return nil
}

// run answers questions and works commands until ctx is over.
func (d *desk) run(ctx context.Context) error {
	if err := d.recall(ctx); err != nil {
		return err
	}
	answering, stop := context.WithCancel(ctx)
	defer stop()
	if err := bus.Answer(answering, d.bus, crm.LookupSubject(d.project), d.lookup); err != nil {
		return err
	}
	if err := bus.Answer(answering, d.bus, crm.SettledSubject(d.project), d.settled); err != nil {
		return err
	}
	if err := bus.Answer(answering, d.bus, crm.LookSubject(d.project), d.look); err != nil {
		return err
	}
	if err := bus.Answer(answering, d.bus, crm.TurnSubject(d.project), d.turn); err != nil {
		return err
	}
	if err := bus.Answer(answering, d.bus, crm.StatusSubject(d.project), d.status); err != nil {
		return err
	}
	d.ctx = ctx
	gate := make(chan error, 1)
	go func() { gate <- d.gateway.run(ctx) }()
	err := d.bus.Feed(ctx, bus.Feed{
		Name: "writer-" + d.project, Project: d.project, Types: []event.Type{event.TypeBitrixCommand}, Take: d.take,
	})
	stop()
	d.jobs.Wait()
	return errors.Join(err, <-gate)
}
