package writer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// job makes the commands of one call true. It holds no truth of its own: the journal
// in the call's file does, and every step starts from it.
type job struct {
	*desk
	call     string
	plan     string
	commands []event.BitrixCommand
	causes   map[string]event.Envelope // the command's event, by role
	before   map[string]callfile.Entry // the journal as it was found
	journal  map[string]callfile.Entry
	doubted  map[string]bool // roles that were reported as in doubt
	since    time.Time       // when the commands came
}

// errStaleIntent stops a request that would leave too long after its intent.
var errStaleIntent = errors.New("the intent grew old before the request left")

// run works until every command has its final outcome or ctx ends.
func (j *job) run(ctx context.Context) error {
	file, err := j.files.Get(ctx, j.project, j.call)
	if err != nil {
		return err
	}
	if file.Settled == j.plan {
		return nil
	}
	j.journal = orEmpty(file.Journal)
	j.before = maps.Clone(j.journal)
	for {
		needs := map[string]need{}
		for _, c := range j.commands {
			needs[c.Role] = next(c, j.journal, j.commands, j.patience, j.now())
		}
		settled, err := j.step(ctx, needs)
		if err != nil {
			return err
		}
		if settled {
			return j.settle(ctx, file.Received)
		}
	}
}

// step does what can be done now: search first, else send what may be sent, else wait.
func (j *job) step(ctx context.Context, needs map[string]need) (settled bool, err error) {
	var search, send, reject []event.BitrixCommand
	var until time.Time
	for _, c := range j.commands {
		switch n := needs[c.Role]; n.act {
		case actSearch:
			search = append(search, c)
		case actCreate, actUpdate, actClose:
			send = append(send, c)
		case actReject:
			reject = append(reject, c)
		case actWait:
			if until.IsZero() || n.until.Before(until) {
				until = n.until
			}
		}
	}
	switch {
	case len(reject) > 0:
		return false, j.reject(ctx, reject)
	case len(search) > 0:
		return false, j.search(ctx, search)
	case len(send) > 0:
		return false, j.send(ctx, send, needs)
	case until.IsZero():
		return true, nil
	}
	j.reportDoubt(ctx)
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-time.After(until.Sub(j.now())):
		return false, nil
	}
}

// send makes one chained request of what may be sent: each thing that is to be closed
// is closed right behind its making, and the portal stops at the first failure so that
// nothing refers to what is not there.
func (j *job) send(ctx context.Context, commands []event.BitrixCommand, needs map[string]need) error {
	var batch []bitrix.Command
	for _, c := range commands {
		switch needs[c.Role].act {
		case actCreate:
			batch = append(batch, create(c, j.journal, j.commands))
			if c.Task != nil && c.Task.Closed {
				batch = append(batch, bitrix.CompleteTask(bitrix.Link{Ref: bitrix.Ref(commandKey(c), "task", "id")}).As(commandKey(c)+"_close"))
			}
		case actUpdate:
			batch = append(batch, update(c, j.journal[c.Role]))
		case actClose:
			id := j.journal[c.Role].BitrixID
			batch = append(batch, bitrix.CompleteTask(bitrix.Link{ID: id}).As(commandKey(c)+"_close"))
		}
	}
	u := &unit{commands: batch, halt: true, priority: priorityLive, since: j.since, prepare: func() error {
		now := j.now()
		for _, c := range commands {
			if needs[c.Role].act == actCreate {
				j.journal[c.Role] = intend(c, j.journal[c.Role], now)
			}
		}
		return j.keep(ctx)
	}}
	answer, err := j.gateway.send(ctx, u)
	if errors.Is(err, context.Canceled) || errors.Is(err, errStaleIntent) {
		// Nothing left: the intents stand for nothing.
		j.unsent(commands, needs)
		if err := j.keep(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		return ctx.Err()
	}
	if err != nil {
		if keeping := (*keepError)(nil); errors.As(err, &keeping) {
			return err
		}
		return j.failed(ctx, commands, needs, asError(err))
	}
	var later *bitrix.Error
	for _, c := range commands {
		if e := j.take(ctx, c, needs[c.Role].act, answer); e != nil {
			later = e
		}
	}
	if err := j.keep(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if later != nil {
		return pause(ctx, later, j.now())
	}
	return nil
}

// take notes what became of one command in an answered batch. It returns an error that
// asks to wait before going on.
func (j *job) take(ctx context.Context, c event.BitrixCommand, act action, answer bitrix.BatchAnswer) (later *bitrix.Error) {
	e := j.journal[c.Role]
	if act != actClose {
		o := answer.Get(commandKey(c))
		if o.Error != nil {
			return j.note(c, act, o.Error)
		}
		id, err := createdID(c, o.Result)
		if err != nil {
			return j.note(c, act, asError(err))
		}
		if act == actUpdate {
			id = e.BitrixID
			e.Entity, e.Task = c.Entity, c.Task
		}
		e = made(c, e, id, act == actUpdate)
		j.journal[c.Role] = e
		if act == actCreate {
			j.remembered(c, id)
		}
		if e.State != callfile.Made {
			return nil
		}
	}
	closed := answer.Get(commandKey(c) + "_close")
	switch {
	case closed.Error == nil:
		j.journal[c.Role] = made(c, e, e.BitrixID, true)
	case closed.Error.Class == bitrix.Refused:
		return j.closeRefused(ctx, c, closed.Error)
	case !closed.NotRun:
		return closed.Error // closing again is safe
	}
	return nil
}

// note writes an error into the journal by what the portal can have done.
func (j *job) note(c event.BitrixCommand, act action, err *bitrix.Error) (later *bitrix.Error) {
	e := j.journal[c.Role]
	switch {
	case act == actUpdate && err.Class == bitrix.Refused && err.Reason == bitrix.ReasonNotFound:
		// A person deleted it since: that is their decision.
		e.Entity, e.Task = c.Entity, c.Task
		e.State, e.Reason = callfile.Confirmed, string(err.Reason)
	case err.Class == bitrix.Refused:
		e.State, e.Plan, e.Reason, e.Error = callfile.Rejected, c.Plan, string(err.Reason), err.Human(j.locale())
		if err.Description != "" {
			e.Error += " (" + err.Description + ")"
		}
		j.log.Error("the portal refused a command", zap.String("call", j.call), zap.String("role", c.Role), zap.Error(err))
	case act == actUpdate:
		later = err
	case err.Class == bitrix.Ambiguous:
		e.State, e.Reason = callfile.InDoubt, string(err.Reason)
		j.log.Warn("nobody knows whether a command was carried out", zap.String("call", j.call), zap.String("role", c.Role), zap.Error(err))
	default:
		e.State = callfile.Planned
		if err.Reason != bitrix.ReasonHalted {
			later = err
		}
	}
	j.journal[c.Role] = e
	return later
}

// failed notes an error that is about the whole request.
func (j *job) failed(ctx context.Context, commands []event.BitrixCommand, needs map[string]need, err *bitrix.Error) error {
	for _, c := range commands {
		// Updating and closing again is safe, so only a refusal of them is noted.
		if act := needs[c.Role].act; act == actCreate || err.Class == bitrix.Refused {
			j.note(c, act, err)
		}
	}
	if err := j.keep(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return pause(ctx, err, j.now())
}

// unsent takes intents back whose request surely did not leave.
func (j *job) unsent(commands []event.BitrixCommand, needs map[string]need) {
	for _, c := range commands {
		if e := j.journal[c.Role]; needs[c.Role].act == actCreate && e.State == callfile.Intent {
			e.State = callfile.Planned
			j.journal[c.Role] = e
		}
	}
}

// closeRefused looks at a task that the portal would not close: one that is closed
// already, by a person or by an earlier try, is as it should be.
func (j *job) closeRefused(ctx context.Context, c event.BitrixCommand, refused *bitrix.Error) *bitrix.Error {
	e := j.journal[c.Role]
	answer, err := j.gateway.send(ctx, &unit{commands: []bitrix.Command{bitrix.GetTask(e.BitrixID).As("task")}, priority: priorityLive, since: j.since})
	if err != nil {
		return asError(err)
	}
	o := answer.Get("task")
	if o.Error != nil {
		return o.Error
	}
	task, there, err := bitrix.DecodeTask(o.Result)
	switch {
	case err != nil:
		return asError(err)
	case !there || task.Done():
		j.journal[c.Role] = made(c, e, e.BitrixID, true)
	default:
		e.State, e.Plan, e.Reason, e.Error = callfile.Rejected, c.Plan, string(refused.Reason), refused.Human(j.locale())
		j.journal[c.Role] = e
	}
	return nil
}

// reject passes a refusal on to what depends on it.
func (j *job) reject(ctx context.Context, commands []event.BitrixCommand) error {
	for _, c := range commands {
		e := j.journal[c.Role]
		e.Command, e.Kind, e.Plan, e.State, e.Reason = c.ID, c.Kind, c.Plan, callfile.Rejected, "dependency"
		e.Error = dependencyRefused[j.locale()]
		j.journal[c.Role] = e
	}
	return j.keep(ctx)
}

var dependencyRefused = map[string]string{
	"uk": "Не створено, бо портал відмовив у тому, до чого це прив’язується.",
	"ru": "Не создано, потому что портал отказал в том, к чему это привязывается.",
	"en": "Not made, because the portal refused what it is bound to.",
}

// createdID reads the id of what an answer says was made.
func createdID(c event.BitrixCommand, raw []byte) (int, error) {
	if c.Task != nil {
		task, ok, err := bitrix.DecodeTask(raw)
		if err == nil && !ok {
			err = &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonUnreadable, Method: "tasks.task.add"}
		}
		return task.ID, err
	}
	item, err := bitrix.DecodeItem(kinds[c.Kind], raw)
	return item.ID, err
}

// keepError says that the journal could not be written: nothing may be sent then.
type keepError struct{ err error }

func (e *keepError) Error() string { return e.err.Error() }
func (e *keepError) Unwrap() error { return e.err }

// keep stores the journal in the call's file.
func (j *job) keep(ctx context.Context) error {
	_, err := j.files.Change(ctx, j.project, j.call, func(f *callfile.File) (bool, error) {
		f.Journal = j.journal
		return true, nil
	})
	if err != nil {
		return &keepError{fmt.Errorf("keep the journal of call %s: %w", j.call, err)}
	}
	return nil
}

func orEmpty(m map[string]callfile.Entry) map[string]callfile.Entry {
	if m == nil {
		return map[string]callfile.Entry{}
	}
	return m
}
