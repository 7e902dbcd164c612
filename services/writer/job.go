package writer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// job drives the state machine of one call against the portal and keeps its journal on
// disk. It decides nothing: see call.go.
type job struct {
	*desk
	*Call
	call    string
	plan    string
	causes  map[string]event.Envelope // the command's event, by role
	since   time.Time                 // when the call came
	keep    func(context.Context, *job) error
	lost    int             // how many requests with something of it failed as a whole
	doubted map[string]bool // roles that were reported as in doubt
}

// errStaleIntent stops a request that would leave too long after its intent.
var errStaleIntent = errors.New("the intent grew old before the request left")

// run works until every command has its final outcome or ctx ends.
func (j *job) run(ctx context.Context, commands []event.BitrixCommand) error {
	file, err := j.files.Get(ctx, j.project, j.call)
	if err != nil {
		return err
	}
	if Done(file, j.plan) {
		return nil
	}
	if file.Classified != nil {
		j.since = event.Fold(file.Reports).Came(file.Classified.Time)
	}
	j.Call = NewCall(commands, file.Journal, j.patience, j.locale())
	for _, c := range j.MadeLately(j.now()) {
		j.remembered(c, j.Journal[c.Role].BitrixID)
	}
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
			fault.Point("writer", "waits in doubt")
			if err := sleep(ctx, move.Until.Sub(j.now())); err != nil {
				return err
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
	u := &unit{what: string(move.Step), client: j.Commands[0].Lane, commands: move.Batch, priority: prioritySearch, since: j.since}
	if j.lost > 0 {
		u.company = smaller(j.lost)
	}
	if move.Step == Send {
		round := j.Round(move)
		u.priority, u.chain, u.commands, u.apart = priorityOf(j.since, j.now()), move.Batch, round.Batch, true
		u.prepare = func(sent []bitrix.Command, halt bool) error {
			if !halt {
				move = round.Only(sent)
			}
			j.Begin(move, j.now())
			if fault.Wrong("intent-after-call") {
				return nil
			}
			fault.Point("writer", "intent meant")
			err := j.keep(ctx, j)
			fault.Point("writer", "intent kept")
			return err
		}
	}
	if j.Commands[0].Replay != "" {
		u.priority = priorityBacklog
	}
	answer, err := j.gateway.send(ctx, u)
	keeping := (*keepError)(nil)
	var later *bitrix.Error
	switch {
	case errors.As(err, &keeping):
		return err // nothing left; the journal on disk is as before
	case errors.Is(err, context.Canceled), errors.Is(err, errStaleIntent), errors.Is(err, bus.ErrLost):
		j.Unsent(move)
	case err != nil:
		e := asError(err)
		if suspicious(e) {
			j.lost++
		}
		later = j.Answered(move, answer, e)
	default:
		later = j.Answered(move, answer, nil)
	}
	j.report(move, later)
	for _, c := range j.TakeMade() {
		j.remembered(c, j.Journal[c.Role].BitrixID)
	}
	// The answer is known: it is stored even while the service stops. Where the lease was
	// lost meanwhile it is not: the next holder finds the intent, waits and searches.
	fault.Point("writer", string(move.Step), "answer known")
	if err := j.keep(context.WithoutCancel(ctx), j); err != nil {
		return err
	}
	fault.Point("writer", string(move.Step), "answer kept")
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

// keepInFile stores the journal in the call's file.
func keepInFile(ctx context.Context, j *job) error {
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
