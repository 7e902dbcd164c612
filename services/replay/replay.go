// Package replay puts the past right after the settings were wrong. It decides calls
// again from the requests as they came, with today's settings and the CRM's answers of
// then, compares that with what was really done, and shows the difference as a plan.
// What a person approves it has done by the ordinary pipeline, behind live calls.
//
// It never writes to a portal itself, never deletes anything, and leaves alone what a
// person changed. Reading order: plan.go makes a plan, decide.go decides one call,
// compare.go finds what differs, apply.go carries a plan out.
package replay

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// Options are the thoughts of the services that decide: a replay thinks what they
// think, and knows none of them.
type Options struct {
	// Read makes what turns a request into the facts of a call under some settings. It is
	// used by several goroutines at once.
	Read func(service.Revision) func(event.CallReceived) (event.Call, error)
	// Join makes what finds the call that a report is a part of.
	Join func() Joiner
	// AsLeg gives a report the id of the call that it is a part of.
	AsLeg func(event.Call, string) event.Call
	// Resolve, Again and Takers make the ground of a decision.
	Resolve func(f callfile.File, c event.CallClassified, cause string, s service.Revision, found crm.Found, turn int) event.CallResolved
	Again   func(f callfile.File, c event.CallClassified, cause string) (event.CallResolved, bool)
	Takers  func(s service.Revision, c event.Call, found crm.Found) []int
	// Plan decides, Rule names the rule that it decides by.
	Plan func(id string, r event.CallResolved, s service.Revision) ([]event.BitrixCommand, error)
	Rule func(r event.CallResolved) string
}

// Joiner finds the call of a report; sure is false where the call's file knows better.
type Joiner interface {
	CallOf(event.Call) (of event.Call, sure bool)
}

type replayer struct {
	service.Env
	Options
	shelf *shelf
	work  chan func(context.Context)

	mu      sync.Mutex
	applies map[string]*execution // by project: the plan that is being carried out
}

// Start opens the plans and goes on with what was being carried out.
func Start(ctx context.Context, env service.Env, o Options) error {
	r := &replayer{Env: env, Options: o, shelf: newShelf(env.Data), work: make(chan func(context.Context), 64), applies: map[string]*execution{}}
	env.Group.Go("replay", r.run)
	for _, id := range env.Projects.IDs() {
		if err := r.takeUp(ctx, id); err != nil {
			return err
		}
	}
	r.routes()
	return nil
}

// run does what was begun until ctx is over.
func (r *replayer) run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case do := <-r.work:
			working.Go(func() { do(ctx) })
		}
	}
}

// takeUp goes on with the plans that a stop interrupted. A plan that was being made is
// made again by hand: meanwhile the calls are others.
func (r *replayer) takeUp(ctx context.Context, project string) error {
	ids, err := r.shelf.list(project)
	if err != nil {
		return err
	}
	for _, id := range ids {
		b, err := r.shelf.open(ctx, project, id)
		if err != nil {
			r.Log.Error("a plan of a replay can't be read", zap.String("plan", id), zap.Error(err))
			continue
		}
		switch doc := b.plan(); doc.State {
		case replayplan.Planning:
			err = b.change(func(p *replayplan.Plan) {
				p.State, p.Reason = replayplan.Failed, "the program was stopped while the plan was made; make it again"
			})
		case replayplan.Applying:
			r.carryOut(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// progressEvery is how often a plan in the making says how far it is.
const progressEvery = 500 * time.Millisecond
