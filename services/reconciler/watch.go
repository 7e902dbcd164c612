package reconciler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/reconciliation"
)

const (
	// step is how much of the log one reading takes: after a long stop each day that was
	// read is a day that needs no second reading.
	step = 24 * time.Hour
	// openFor is how long a call that never ends keeps its row being read again.
	openFor = 24 * time.Hour
	// quietFor is how long webhooks come without a row before that is worth a word.
	quietFor = 48 * time.Hour
)

// state is what a project's reading remembers between passes and starts.
type state struct {
	reconciliation.Status
	// Began is where the very first reading began, until one was complete.
	Began time.Time `json:"began,omitzero"`
	// OpenSince is when the earliest call began that is to be read again.
	OpenSince time.Time `json:"open_since,omitzero"`
	// HooksSince and LastHook are the first and the last webhook since a row was seen.
	HooksSince time.Time `json:"hooks_since,omitzero"`
	LastHook   time.Time `json:"last_hook,omitzero"`
}

// from is where the next reading begins.
func (s state) from(now time.Time, depth time.Duration) time.Time {
	from := s.Began
	if !s.LastComplete.IsZero() {
		from = s.LastComplete.Add(-depth)
	}
	if from.IsZero() || from.After(now.Add(-depth)) {
		from = now.Add(-depth)
	}
	if !s.OpenSince.IsZero() && s.OpenSince.Before(from) {
		from = s.OpenSince
	}
	return from
}

// read takes over that the log was read whole up to a time; oldest is when the earliest
// call began of those that this pass left open.
func (s *state) read(upTo, oldest, now time.Time) {
	s.LastComplete, s.Error, s.ErrorIn, s.Began, s.OpenSince = upTo, "", nil, time.Time{}, time.Time{}
	if !oldest.IsZero() && now.Sub(oldest) < openFor {
		s.OpenSince = oldest
	}
}

// listen weighs what the log showed against the webhooks that came: an empty log is
// nothing strange on a quiet day.
func (s *state) listen(rows int, first, last time.Time) {
	if rows > 0 {
		s.HooksSince, s.LastHook = time.Time{}, time.Time{}
		return
	}
	if s.HooksSince.IsZero() {
		s.HooksSince = first
	}
	if last.After(s.LastHook) {
		s.LastHook = last
	}
}

func (s *state) silent() bool { return s.LastHook.Sub(s.HooksSince) >= quietFor }

// watch reads the log again and again until ctx is over.
func (d *desk) watch(ctx context.Context) error {
	d.hooks.take() // what came while another process read the log was weighed there
	defer d.ok.DeleteLabelValues(d.project)
	defer d.complete.DeleteLabelValues(d.project)
	answering, stop := context.WithCancel(ctx)
	defer stop()
	if err := bus.Answer(answering, d.Bus, reconciliation.StatusSubject(d.project), d.status); err != nil {
		return err
	}
	for {
		d.tried = d.access()
		err := d.alone(ctx, func() error { return d.pass(ctx) })
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			// The broker did not keep how far this came: it is read once more.
			d.tell(troubleInside, err)
		}
		if d.wait(ctx); ctx.Err() != nil {
			return nil
		}
	}
}

// wait returns when the log is to be read again: after a while, or at once where it is
// reached in another way than in the reading before.
func (d *desk) wait(ctx context.Context) {
	timer := time.NewTimer(d.Every)
	defer timer.Stop()
	for {
		changed := d.Projects.Changed()
		if d.access() != d.tried {
			return
		}
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// access is where the log is and the key to it.
func (d *desk) access() string {
	p, _ := d.Projects.Get(d.project)
	return p.Ringostat.APIURL + " " + p.Ringostat.APIKey.Reveal()
}

func (d *desk) status(ctx context.Context, _ reconciliation.StatusQuestion) (reconciliation.Status, error) {
	var s state
	_, err := d.states.Get(ctx, d.project, &s)
	return s.Status, err
}

// pass reads everything that is not surely read, a step at a time. A log that can't be
// read is no error of the pass: it is what the state says then.
func (d *desk) pass(ctx context.Context) error {
	now := d.Now()
	s, err := d.change(ctx, func(s *state) {
		if s.LastComplete.IsZero() && s.Began.IsZero() {
			s.Began = now.Add(-d.Depth)
		}
	})
	if err != nil {
		return err
	}
	var oldest time.Time
	rows, brought := 0, 0
	for from := s.from(now, d.Depth); from.Before(now); from = from.Add(step) {
		upTo := from.Add(step)
		if upTo.After(now) {
			upTo = now
		}
		sum, err := d.read(ctx, from, upTo, event.FromReconciliation)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return d.failed(ctx, err)
		}
		if oldest.IsZero() {
			oldest = sum.oldest
		}
		rows, brought = rows+sum.Rows, brought+sum.Brought
		if _, err := d.change(ctx, func(s *state) { s.read(upTo, oldest, now) }); err != nil {
			return err
		}
	}
	return d.done(ctx, rows, brought)
}

// done notes a pass that read everything.
func (d *desk) done(ctx context.Context, rows, brought int) error {
	project, _ := d.Projects.Get(d.project)
	first, last := d.hooks.take()
	s, err := d.change(ctx, func(s *state) {
		s.listen(rows, first, last)
		s.Warning, s.WarningIn = "", nil
		if s.silent() {
			s.WarningIn = event.InEach(func(lang string) string { return words(lang).silent })
			s.Warning = s.WarningIn.In(project.Locale)
		}
	})
	if err != nil {
		return err
	}
	d.tell("", nil)
	if s.silent() && !d.quiet {
		d.log.Warn("the call log shows no call although webhooks come: does the API key belong to this project?",
			zap.Time("webhooks_since", s.HooksSince))
	}
	d.quiet = s.silent()
	d.log.Debug("the call log was read", zap.Int("rows", rows), zap.Int("brought", brought))
	d.ok.WithLabelValues(d.project).Set(1)
	d.complete.WithLabelValues(d.project).Set(float64(s.LastComplete.Unix()))
	return nil
}

// failed notes a pass that stopped.
func (d *desk) failed(ctx context.Context, cause error) error {
	project, _ := d.Projects.Get(d.project)
	kind := troubleOf(cause)
	d.tell(kind, cause)
	s, err := d.change(ctx, func(s *state) {
		s.ErrorIn = event.InEach(func(lang string) string { return fmt.Sprintf("%s (%v)", words(lang).trouble[kind], cause) })
		s.Error = s.ErrorIn.In(project.Locale)
	})
	if err != nil {
		return err
	}
	if !s.LastComplete.IsZero() {
		d.complete.WithLabelValues(d.project).Set(float64(s.LastComplete.Unix()))
	}
	return nil
}

// tell logs a trouble once, and once that it is over.
func (d *desk) tell(kind trouble, cause error) {
	if kind != "" {
		d.ok.WithLabelValues(d.project).Set(0)
	}
	switch kind {
	case d.told:
		return
	case "":
		d.log.Info("the call log can be read again")
	default:
		d.log.Error("the call log can't be read; calls whose webhook was lost are brought when it can",
			zap.String("trouble", string(kind)), zap.Error(cause))
	}
	d.told = kind
}

func (d *desk) change(ctx context.Context, change func(*state)) (state, error) {
	s, err := bus.Change(ctx, d.states, d.project, func(s *state) (bool, error) {
		change(s)
		return true, nil
	})
	if err != nil {
		return s, fmt.Errorf("keep how far the call log was read: %w", err)
	}
	return s, nil
}

// hooks notes when webhooks come.
type hooks struct {
	mu          sync.Mutex
	first, last time.Time
}

// take returns the first and the last since it was asked before.
func (h *hooks) take() (first, last time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first, last = h.first, h.last
	h.first, h.last = time.Time{}, time.Time{}
	return first, last
}

// countWebhooks follows the project's requests from now on.
func (d *desk) countWebhooks(ctx context.Context) error {
	after, err := d.Bus.Last(ctx)
	if err != nil {
		return err
	}
	err = d.Bus.Follow(ctx, bus.View{
		Name: "reconciler-webhooks-" + d.project, Project: d.project, Types: []event.Type{event.TypeCallReceived}, After: after,
		Apply: func(_ context.Context, batch []bus.Recorded) error {
			d.hooks.mu.Lock()
			defer d.hooks.mu.Unlock()
			for _, r := range batch {
				received, err := event.As[event.CallReceived](r.Envelope)
				if err != nil || received.Source != event.FromWebhook || received.RetryOf != "" {
					continue
				}
				if d.hooks.first.IsZero() {
					d.hooks.first = received.ReceivedAt
				}
				d.hooks.last = received.ReceivedAt
			}
			return nil
		},
	}, new(bus.Progress))
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
