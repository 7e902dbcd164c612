package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// This file carries a plan out: each call is given to the ordinary pipeline once more, on
// the ground that the plan decided it on. Ids come from causes, so doing it again after
// a crash does nothing.

// canary is how many calls go first: when the portal refuses one of them, a person looks
// before the rest goes.
const canary = 5

// abreast is how many clients are worked on at once; the portal's pace is the writer's
// business.
const abreast = 8

// execution is a plan that is being carried out.
type execution struct {
	book *book
	stop context.CancelFunc
}

var (
	errStale = errors.New("the settings were changed since the plan was made; make it again with ringbridge replay plan, and look at what it says now")
	errBusy  = errors.New("another plan of this project is being carried out; wait for it, or abort it")
	errState = errors.New("the plan is not one that can be carried out")
	errBegun = errors.New("only a plan that is paused can be resumed; one that was not begun is carried out with apply")
)

// apply begins to carry out a plan that is in one of the states, or says why not. A plan
// that is done stays done.
func (r *replayer) apply(b *book, from ...replayplan.State) error {
	p := b.plan()
	if p.State == replayplan.Done || p.State == replayplan.Applying {
		return nil
	}
	if s, ok := r.Projects.Get(p.Project); !ok || s.Number != p.Revision {
		return errStale
	}
	r.mu.Lock()
	busy := r.applies[p.Project]
	r.mu.Unlock()
	if busy != nil && busy.book != b {
		return errBusy
	}
	moved, err := b.move(replayplan.Applying, "", from...)
	if err != nil {
		return err
	}
	switch {
	case !moved && !slices.Contains(from, replayplan.Planned):
		return errBegun
	case !moved:
		return errState
	}
	r.carryOut(b)
	return nil
}

// halt stops a plan that is being carried out; calls that are under way are finished.
func (r *replayer) halt(b *book, to replayplan.State, reason string) (bool, error) {
	moved, err := b.move(to, reason, replayplan.Applying, replayplan.Paused)
	if err != nil || !moved {
		return moved, err
	}
	r.mu.Lock()
	if running := r.applies[b.plan().Project]; running != nil && running.book == b {
		running.stop()
	}
	r.mu.Unlock()
	if to == replayplan.Aborted {
		return true, r.tell(b)
	}
	return true, nil
}

func (r *replayer) carryOut(b *book) {
	project := b.plan().Project
	r.work <- func(ctx context.Context) {
		r.mu.Lock()
		if running := r.applies[project]; running != nil {
			r.mu.Unlock()
			return // it goes on by itself
		}
		inner, stop := context.WithCancel(ctx)
		r.applies[project] = &execution{b, stop}
		r.mu.Unlock()
		err := r.execute(inner, b)
		stop()
		r.mu.Lock()
		delete(r.applies, project)
		r.mu.Unlock()
		if ctx.Err() != nil {
			return // it is taken up at the next start
		}
		if b.plan().State == replayplan.Applying && inner.Err() != nil && err == nil {
			r.carryOut(b) // paused and resumed before it had stopped
			return
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			r.Log.Error("a replay stopped", zap.String("plan", b.plan().ID), zap.Error(err))
			state := replayplan.Paused
			if errors.Is(err, errStale) {
				state = replayplan.Failed
			}
			if _, moveErr := b.move(state, err.Error(), replayplan.Applying); moveErr != nil {
				r.Log.Error("a replay's state could not be kept", zap.Error(moveErr))
			}
		}
		if b.plan().State == replayplan.Done || b.plan().State == replayplan.Failed {
			if err := r.tell(b); err != nil {
				r.Log.Error("the end of a replay could not be told", zap.Error(err))
			}
		}
	}
}

// execute does what is left of a plan: the canary one by one, then several clients at
// once, each client's calls in their order.
func (r *replayer) execute(ctx context.Context, b *book) error {
	if err := b.recount(); err != nil {
		return err
	}
	todo, err := b.todo(ctx)
	if err != nil {
		return err
	}
	done := b.plan()
	first := min(len(todo), max(0, canary-done.Applied-done.Skipped))
	for _, j := range todo[:first] {
		refused, err := r.do(ctx, b, j.n)
		if err != nil {
			return err
		}
		if refused != "" {
			return fmt.Errorf("the portal refused something of call %s, one of the first: look at its story, then resume or abort", refused)
		}
	}
	lanes, order := map[string][]int{}, []string{}
	for _, j := range todo[first:] {
		if lanes[j.lane] == nil {
			order = append(order, j.lane)
		}
		lanes[j.lane] = append(lanes[j.lane], j.n)
	}
	if err := r.abreast(ctx, order, func(ctx context.Context, lane string) error {
		for _, n := range lanes[lane] {
			if _, err := r.do(ctx, b, n); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err = b.move(replayplan.Done, "", replayplan.Applying)
	return err
}

// abreast does something for every lane, several at once, until one fails.
func (r *replayer) abreast(ctx context.Context, lanes []string, do func(context.Context, string) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan string)
	var working sync.WaitGroup
	for range abreast {
		working.Go(func() {
			for lane := range next {
				if ctx.Err() != nil {
					continue
				}
				if err := do(ctx, lane); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, lane := range lanes {
		next <- lane
	}
	close(next)
	working.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// tell says how a plan ended.
func (r *replayer) tell(b *book) error {
	p := b.plan()
	totals := p.Totals
	delete(totals, replayplan.Same)
	e, err := event.First("replay", r.Now(), &event.ReplayApplied{
		ID: p.ID, Project: p.Project, Revision: p.Revision, State: string(p.State), Applied: p.Applied, Skipped: p.Skipped, Totals: totals, Reason: p.Reason,
	})
	if err != nil {
		return err
	}
	e.ID = event.Derive("replayed", p.ID)
	_, err = r.Bus.Publish(context.Background(), e)
	return err
}
