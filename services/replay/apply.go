package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
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
	errStale = errors.New("the settings were changed since the plan was made; make it again")
	errBusy  = errors.New("another plan of this project is being carried out; wait for it, or abort it")
	errState = errors.New("the plan is not one that can be carried out")
)

// apply begins to carry a plan out, or says why not. A plan that is done stays done.
func (r *replayer) apply(b *book) error {
	p := b.plan()
	if p.State == Done || p.State == Applying {
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
	moved, err := b.move(Applying, "", Planned, Paused)
	if err != nil {
		return err
	}
	if !moved {
		return errState
	}
	r.carryOut(b)
	return nil
}

// halt stops a plan that is being carried out; calls that are under way are finished.
func (r *replayer) halt(b *book, to State, reason string) (bool, error) {
	moved, err := b.move(to, reason, Applying, Paused)
	if err != nil || !moved {
		return moved, err
	}
	r.mu.Lock()
	if running := r.applies[b.plan().Project]; running != nil && running.book == b {
		running.stop()
	}
	r.mu.Unlock()
	if to == Aborted {
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
		if b.plan().State == Applying && inner.Err() != nil && err == nil {
			r.carryOut(b) // paused and resumed before it had stopped
			return
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			r.Log.Error("a replay stopped", zap.String("plan", b.plan().ID), zap.Error(err))
			state := Paused
			if errors.Is(err, errStale) {
				state = Failed
			}
			if _, moveErr := b.move(state, err.Error(), Applying); moveErr != nil {
				r.Log.Error("a replay's state could not be kept", zap.Error(moveErr))
			}
		}
		if b.plan().State == Done || b.plan().State == Failed {
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
	_, err = b.move(Done, "", Applying)
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

// do puts one call right. refused is the call where the portal refused something.
func (r *replayer) do(ctx context.Context, b *book, n int) (refused string, err error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	plan := b.plan()
	if s, ok := r.Projects.Get(plan.Project); !ok || s.Number != plan.Revision {
		return "", errStale
	}
	j, err := b.job(ctx, n)
	if err != nil {
		return "", err
	}
	e, err := r.prepare(ctx, plan, &j)
	if err != nil {
		return "", err
	}
	if e == nil {
		r.Log.Info("a call is left as it is: more is known of it than when its replay was planned", zap.String("plan", plan.ID), zap.String("call", j.Call))
		return "", b.tick(n, skipped)
	}
	if _, err := r.Bus.Publish(ctx, *e); err != nil {
		return "", err
	}
	file, taken, err := r.settled(ctx, plan.Project, j, *e)
	if err != nil {
		return "", err
	}
	if !taken {
		return "", b.tick(n, skipped)
	}
	if err := r.retried(ctx, *e, j); err != nil {
		return "", err
	}
	for _, entry := range file.Journal {
		if entry.State == callfile.Rejected && entry.Plan == file.ResolvedAs.ID {
			refused = j.Call
		}
	}
	return refused, b.tick(n, applied)
}

// prepare puts today's reading of a call into its file and makes the event that has it
// decided again; nil where the call is not as it was when the plan was made.
func (r *replayer) prepare(ctx context.Context, plan Plan, j *job) (*event.Envelope, error) {
	ids := map[int]int{}
	for placeholder, need := range j.Needs {
		file, err := r.Files.Get(ctx, plan.Project, need.Call)
		if err != nil {
			return nil, err
		}
		id := file.Journal[need.Role].BitrixID
		if id == 0 {
			return nil, nil // it was not made after all
		}
		ids[placeholder] = id
	}
	fill(&j.Ground, ids)
	cause := event.Envelope{ID: plan.Event}
	classified := &event.CallClassified{
		Project: plan.Project, Received: j.Received[len(j.Received)-1], Revision: plan.Revision, Changed: true, Call: j.Ground.Facts,
		Again: &event.Again{Over: j.Over, Ground: j.Ground},
	}
	e, err := event.Next(cause, "replay", r.Now(), classified, j.Call)
	if err != nil {
		return nil, err
	}
	left := false
	_, err = r.Files.Change(ctx, plan.Project, j.Call, func(f *callfile.File) (bool, error) {
		left = false
		if f.ResolvedAs != nil && f.ResolvedAs.Cause == e.ID || f.Classified != nil && f.Classified.ID == e.ID {
			if f.Classified != nil && f.Classified.ID == e.ID {
				e = *f.Classified
			}
			return false, nil // begun before
		}
		decisions := 0
		if f.Resolved != nil {
			decisions = f.Resolved.Decision
		}
		if left = decisions != j.Over || !slices.Equal(f.Received, j.Seen) || f.ResolvedAs != nil && f.Settled != f.ResolvedAs.ID; left {
			return false, nil
		}
		f.Reports, f.Classified = j.Reports, &e
		if len(f.Received) == 0 {
			f.Received = j.Received
		}
		return true, nil
	})
	if err != nil || left {
		return nil, err
	}
	return &e, nil
}

// settled waits until the writer has settled what the call's event led to. taken is false
// where the call was decided otherwise meanwhile.
func (r *replayer) settled(ctx context.Context, project string, j job, e event.Envelope) (file callfile.File, taken bool, err error) {
	for {
		if file, err = r.Files.Get(ctx, project, j.Call); err != nil {
			return file, false, err
		}
		if as := file.ResolvedAs; as != nil && as.Cause == e.ID {
			if file.Settled == as.ID {
				return file, true, nil
			}
			once, done := context.WithTimeout(ctx, time.Minute)
			_, err := bus.Ask[crm.Settled, crm.SettledAnswer](once, r.Bus, crm.SettledSubject(project), crm.Settled{Call: j.Call, Plan: as.ID})
			done()
			if err == nil {
				continue
			}
		} else if file.Resolved != nil && file.Resolved.Decision > j.Over {
			return file, false, nil
		}
		select {
		case <-ctx.Done():
			return file, false, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// retried takes what waited for a person off the list.
func (r *replayer) retried(ctx context.Context, cause event.Envelope, j job) error {
	for _, p := range j.Parked {
		p.State = event.ParkedRetried
		e, err := event.Next(cause, "replay", r.Now(), &p, p.ID)
		if err != nil {
			return err
		}
		if _, err := r.Bus.Publish(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// tell says how a plan ended.
func (r *replayer) tell(b *book) error {
	p := b.plan()
	totals := p.Totals
	delete(totals, Same)
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
