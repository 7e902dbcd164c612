package writer

import (
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// This file writes what the portal answered, or did not, into a call's journal.

// Answered notes what became of a move: an answer, or an error about the whole request.
// It returns the error that asks to wait before going on, or nil.
func (c *Call) Answered(m Move, answer bitrix.BatchAnswer, err *bitrix.Error) (later *bitrix.Error) {
	if m.Step == Search {
		return c.searched(m, answer, err)
	}
	if failed := firstError(answer); failed != nil && fault.Wrong("batch-retried-whole") {
		err = asError(failed)
	}
	for _, command := range m.commands {
		act := m.acts[command.Role]
		if err != nil {
			_ = c.note(command, act, err)
			later = err
		} else if e := c.take(command, act, answer); e != nil {
			later = e
		}
	}
	return later
}

// take notes what became of one command in an answered batch.
func (c *Call) take(command event.BitrixCommand, act action, answer bitrix.BatchAnswer) (later *bitrix.Error) {
	if act != actClose {
		o := answer.Get(commandKey(command))
		if o.Error != nil {
			return c.note(command, act, o.Error)
		}
		id, err := createdID(command, o.Result)
		if err != nil {
			return c.note(command, act, asError(err))
		}
		e, closed := c.Journal[command.Role], false
		if act == actUpdate {
			// What was open, and what the portal had refused to close, is closed next.
			closed = e.State == callfile.Confirmed && closedBefore(command, e) || keeps(command, crm.FieldClosed)
			id, e = e.BitrixID, rewritten(e, command)
		} else {
			c.found = append(c.found, command)
		}
		c.Journal[command.Role] = made(command, e, id, closed)
		if c.Journal[command.Role].State != callfile.Made {
			return nil
		}
	}
	closed := answer.Get(commandKey(command) + closing)
	switch {
	case closed.Error == nil:
		c.Journal[command.Role] = made(command, c.Journal[command.Role], c.Journal[command.Role].BitrixID, true)
	case closed.Error.Class == bitrix.Refused:
		c.untouched[command.Role] = untouched{actClose, closed.Error}
	case !closed.NotRun:
		return closed.Error // closing again is safe
	}
	return nil
}

// note writes an error into the journal by what the portal can have done.
func (c *Call) note(command event.BitrixCommand, act action, err *bitrix.Error) (later *bitrix.Error) {
	e := c.Journal[command.Role]
	if err.Class != bitrix.Ambiguous {
		e.ChangedAt = time.Time{}
	}
	switch {
	case act == actUpdate && err.Class == bitrix.Refused && err.Reason == bitrix.ReasonNotFound:
		// A person deleted it since: that is their decision.
		e = gone(command, e)
	case act == actUpdate && err.Class == bitrix.Refused && err.Reason == bitrix.ReasonAccess && command.Task != nil:
		c.untouched[command.Role] = untouched{act, err} // of a deleted task a portal says the same
	case err.Class == bitrix.Refused:
		e = c.refused(command, e, string(err.Reason), event.InEach(err.Human))
	case act != actCreate:
		later = err // changing and closing again is safe
	case err.Class == bitrix.Ambiguous && fault.Wrong("ambiguous-as-not-run"):
		e.State = callfile.Planned
	case err.Class == bitrix.Ambiguous:
		e.State, e.Reason = callfile.InDoubt, string(err.Reason)
	default:
		e.State = callfile.Planned
		if err.Reason != bitrix.ReasonHalted {
			later = err
		}
	}
	c.Journal[command.Role] = e
	return later
}

// gone is the entry of something that a person deleted: it is as it should be.
func gone(command event.BitrixCommand, e callfile.Entry) callfile.Entry {
	e.Entity, e.Task = command.Entity, command.Task
	e = made(command, e, e.BitrixID, true)
	e.Reason = string(bitrix.ReasonNotFound)
	return e
}

// accept notes that what differs is as a person wants it, or nothing that the portal keeps.
func (c *Call) accept(command event.BitrixCommand) {
	e := c.Journal[command.Role]
	e = made(command, rewritten(e, command), e.BitrixID, closedBefore(command, e))
	e.Reason = reasonKept
	c.Journal[command.Role] = e
}

// rewritten is an entry after what is wanted took the place of what was written. Who had
// it before a replay is remembered; who had it before a late report had it rightly then.
func rewritten(e callfile.Entry, command event.BitrixCommand) callfile.Entry {
	if command.Replay != "" && e.Entity != nil && command.Entity != nil && e.Entity.Responsible != command.Entity.Responsible && !slices.Contains(e.Former, e.Entity.Responsible) {
		e.Former = append(slices.Clone(e.Former), e.Entity.Responsible)
	}
	e.Entity, e.Task = standing(command, e), command.Task
	return e
}

// standing is a command's entity in the pipeline and stage that it was last written
// with, where the command is no replay's: only a replay writes those.
func standing(command event.BitrixCommand, e callfile.Entry) *event.Entity {
	if command.Replay != "" || command.Entity == nil || e.Entity == nil {
		return command.Entity
	}
	there := *command.Entity
	there.Category, there.Stage = e.Entity.Category, e.Entity.Stage
	return &there
}

// reasonKept marks an entry of which nothing was sent.
const reasonKept = "kept"

// closedBefore says whether an update leaves nothing to close.
func closedBefore(command event.BitrixCommand, e callfile.Entry) bool {
	return e.Task != nil && e.Task.Closed || keeps(command, crm.FieldClosed)
}

// reject passes a refusal on to what depends on it.
func (c *Call) reject(command event.BitrixCommand) {
	c.Journal[command.Role] = c.refused(command, c.Journal[command.Role], "dependency", dependencyRefused)
}

func (c *Call) refused(command event.BitrixCommand, e callfile.Entry, reason string, words event.Texts) callfile.Entry {
	e.Command, e.Kind, e.Plan = command.ID, command.Kind, command.Plan
	e.State, e.Reason, e.Error, e.ErrorIn = callfile.Rejected, reason, words.In(c.lang), words
	return e
}

var dependencyRefused = event.Texts{
	"uk": "Не створено, бо портал відмовив у тому, до чого це прив’язується.",
	"ru": "Не создано, потому что портал отказал в том, к чему это привязывается.",
	"en": "Not made, because the portal refused what it is bound to.",
}

// createdID reads the id of what an answer says was made.
func createdID(c event.BitrixCommand, raw []byte) (int, error) {
	if c.Task != nil {
		task, ok, err := bitrix.DecodeTask(raw)
		if err == nil && !ok {
			err = &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonUnreadable}
		}
		return task.ID, err
	}
	item, err := bitrix.DecodeItem(kinds[c.Kind], raw)
	return item.ID, err
}
