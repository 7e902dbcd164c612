package writer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// job drives the state machine of one call against the portal and keeps its journal on
// disk. It decides nothing: see call.go.
type job struct {
	*desk
	*Call
	call    string
	plan    string
	causes  map[string]event.Envelope // the command's event, by role
	since   time.Time                 // when the commands came
	doubted map[string]bool           // roles that were reported as in doubt
}

// errStaleIntent stops a request that would leave too long after its intent.
var errStaleIntent = errors.New("the intent grew old before the request left")

// run works until every command has its final outcome or ctx ends.
func (j *job) run(ctx context.Context, commands []event.BitrixCommand) error {
	file, err := j.files.Get(ctx, j.project, j.call)
	if err != nil {
		return err
	}
	if file.Settled == j.plan {
		return nil
	}
	j.Call = NewCall(commands, file.Journal, j.patience, j.locale())
	if !j.restored.IsZero() && doubtRestored(j.Call, event.Fold(file.Reports).StartedAt, j.restored) {
		if err := j.outlast(ctx); err != nil {
			return err
		}
	}
	for {
		move := j.Next(j.now())
		switch move.Step {
		case Settled:
			return j.settle(ctx, file.Received)
		case Wait:
			j.reportDoubt(ctx)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(move.Until.Sub(j.now())):
			}
		default:
			if err := j.carryOut(ctx, move); err != nil {
				return err
			}
		}
	}
}

// carryOut sends one move and stores what became of it.
func (j *job) carryOut(ctx context.Context, move Move) error {
	u := &unit{commands: move.Batch, halt: move.Halt, priority: prioritySearch, since: j.since}
	if move.Step == Send {
		u.priority = priorityLive
	}
	if j.Commands[0].Replay != "" {
		u.priority = priorityBacklog
	}
	if move.Step == Send {
		u.prepare = func() error {
			j.Begin(move, j.now())
			return j.keep(ctx)
		}
	}
	answer, err := j.gateway.send(ctx, u)
	keeping := (*keepError)(nil)
	var later *bitrix.Error
	switch {
	case errors.As(err, &keeping):
		return err // nothing left; the journal on disk is as before
	case errors.Is(err, context.Canceled), errors.Is(err, errStaleIntent):
		j.Unsent(move)
	case err != nil:
		later = j.Answered(move, answer, asError(err))
	default:
		later = j.Answered(move, answer, nil)
	}
	j.report(move, later)
	for _, c := range j.TakeMade() {
		j.remembered(c, j.Journal[c.Role].BitrixID)
	}
	// The answer is known: it is stored even while the service stops.
	if err := j.keep(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if later != nil {
		return pause(ctx, later, j.now())
	}
	return ctx.Err()
}

// report logs what an engineer should see of a move.
func (j *job) report(move Move, later *bitrix.Error) {
	for _, c := range move.commands {
		e := j.Journal[c.Role]
		fields := []zap.Field{zap.String("call", j.call), zap.String("role", c.Role), zap.String("reason", e.Reason)}
		switch {
		case e.State == callfile.Rejected:
			j.log.Error("the portal refused a command", fields...)
		case e.State == callfile.InDoubt:
			j.log.Warn("nobody knows whether a command was carried out", fields...)
		case move.acts[c.Role] == actSearch && e.Adopted:
			j.log.Info("a lost write was found", fields...)
		}
	}
	if later != nil {
		j.log.Info("a call's commands wait for the portal", zap.String("call", j.call), zap.Error(later))
	}
}

// keepError says that the journal could not be written: nothing may be sent then.
type keepError struct{ err error }

func (e *keepError) Error() string { return e.err.Error() }
func (e *keepError) Unwrap() error { return e.err }

// keep stores the journal in the call's file.
func (j *job) keep(ctx context.Context) error {
	_, err := j.files.Change(ctx, j.project, j.call, func(f *callfile.File) (bool, error) {
		f.Journal = j.Journal
		return true, nil
	})
	if err != nil {
		return &keepError{fmt.Errorf("keep the journal of call %s: %w", j.call, err)}
	}
	return nil
}

// reportDoubt says once that commands are in doubt, so that people who look see it.
func (j *job) reportDoubt(ctx context.Context) {
	j.countDoubt(j.call, true)
	for _, o := range j.Outcomes() {
		if o.State != event.InDoubt || j.doubted[o.Role] {
			continue
		}
		if err := j.tell(ctx, o); err != nil {
			j.log.Warn("a doubt could not be reported", zap.String("call", j.call), zap.Error(err))
			continue
		}
		j.doubted[o.Role] = true
	}
}
