package replay

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// This file puts one call right.

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
func (r *replayer) prepare(ctx context.Context, plan replayplan.Plan, j *job) (*event.Envelope, error) {
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
	cause, now := event.Envelope{ID: plan.Event}, r.Now()
	classified := &event.CallClassified{
		Project: plan.Project, Received: j.Received[len(j.Received)-1], Revision: plan.Revision, Changed: true, Call: j.Ground.Facts,
	}
	e, err := event.Next(cause, "replay", now, classified, j.Call)
	if err != nil {
		return nil, err
	}
	j.Ground.Classified = e.ID // what it holds does not change its id
	classified.Again = &event.Again{Over: j.Over, Ground: j.Ground}
	if e, err = event.Next(cause, "replay", now, classified, j.Call); err != nil {
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
