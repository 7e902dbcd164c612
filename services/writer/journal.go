package writer

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// This file is the protocol that keeps a write from being lost or done twice, as a
// pure function: what a call's journal says and the time of day in, what to do next
// out. Bitrix24 has no idempotency key for leads, deals and tasks, so a request whose
// answer was lost is waited out (the portal may still be carrying it out), searched
// for by its external id, and then adopted or sent again; never the other way round.

// action is what one command needs next.
type action string

const (
	// actDone: nothing more; the outcome is known.
	actDone action = "done"
	// actSkip: an amendment of something that was never made.
	actSkip action = "skip"
	// actCreate: make it; its intent is stored first.
	actCreate action = "create"
	// actUpdate: bring what exists up to date. Safe to repeat once the portal is surely
	// done with the one before: a change that lands late undoes what came after it.
	actUpdate action = "update"
	// actClose: close a task that was made open. Safe to repeat.
	actClose action = "close"
	// actLook: look at a task that the portal would not close or change.
	actLook action = "look"
	// actSearch: look for what a lost request may have made.
	actSearch action = "search"
	// actWait: nothing may be done before a moment, see need.until.
	actWait action = "wait"
	// actBlocked: a command that it depends on is not made yet.
	actBlocked action = "blocked"
	// actReject: a command that it depends on was refused.
	actReject action = "reject"
)

// need is an action and, for actWait, until when.
type need struct {
	act   action
	until time.Time
}

// patience is how long a lost request may still take effect, and how long its effect
// may stay invisible to a search.
type patience struct{ execution, settle time.Duration }

// age is how old an intent may be when its request leaves.
func (p patience) age() time.Duration { return min(maxIntentAge, p.execution) }

// over is when an intent's effect, if it has one, is to be seen. The request may have
// left as late as the intent's age allows.
func (p patience) over(sent time.Time) time.Time {
	age := p.age()
	switch {
	case fault.Wrong("no-waiting"):
		p, age = patience{}, 0
	case fault.Wrong("waiting-10s"):
		p = patience{execution: 10 * time.Second}
	case fault.Wrong("settle-forgotten"):
		p.settle, age = 0, 0
	}
	return sent.Add(age + p.execution + p.settle)
}

// next says what a command of a call needs now.
func next(c event.BitrixCommand, journal map[string]callfile.Entry, all []event.BitrixCommand, p patience, now time.Time) need {
	if c.Kind == event.KindNothing {
		return need{act: actDone}
	}
	e, known := journal[c.Role]
	if !known && c.Amends {
		return need{act: actSkip}
	}
	if !e.ChangedAt.IsZero() {
		if until := e.ChangedAt.Add(p.age() + p.execution); now.Before(until) {
			return need{actWait, until}
		}
		return need{act: actUpdate}
	}
	switch e.State {
	case callfile.Intent, callfile.InDoubt:
		if until := p.over(e.SentAt); now.Before(until) {
			return need{actWait, until}
		}
		if dependencies(c, journal, all) == actBlocked {
			return need{act: actBlocked} // what it is bound to is found first, and tells where to look
		}
		if fault.Wrong("search-skipped") {
			return need{act: actCreate}
		}
		return need{act: actSearch}
	case callfile.Made:
		return need{act: actClose}
	case callfile.Confirmed:
		if upToDate(c, e) {
			return need{act: actDone}
		}
		if dependencies(c, journal, all) == actBlocked {
			return need{act: actBlocked}
		}
		return need{act: actUpdate}
	case callfile.Rejected:
		switch {
		case e.Plan == c.Plan:
			return need{act: actDone}
		case e.BitrixID == 0: // nothing was made: a new plan tries again
		case !upToDate(c, e):
			return need{act: actUpdate}
		case c.Task != nil && c.Task.Closed:
			return need{act: actClose}
		default:
			return need{act: actDone}
		}
	}
	return need{act: dependencies(c, journal, all)}
}

// dependencies says whether what a command refers to is there.
func dependencies(c event.BitrixCommand, journal map[string]callfile.Entry, all []event.BitrixCommand) action {
	for _, id := range c.DependsOn {
		for _, other := range all {
			if other.ID != id {
				continue
			}
			switch e := journal[other.Role]; {
			case fault.Wrong("dependency-ignored"):
			case e.State == callfile.Rejected && e.Plan == c.Plan && e.BitrixID == 0:
				return actReject
			case e.State == callfile.Intent, e.State == callfile.InDoubt:
				return actBlocked
			}
		}
	}
	return actCreate
}

// upToDate compares what should be true with what was last written: an update would
// have nothing to say. What a thing is bound to does not change after the fact.
func upToDate(c event.BitrixCommand, e callfile.Entry) bool {
	if c.Entity == nil && c.Task == nil || event.SameEntity(c.Entity, e.Entity) && event.SameTask(c.Task, e.Task) {
		return true
	}
	if c.Replay != "" || c.Task != nil && e.Task != nil && c.Task.Closed != e.Task.Closed {
		return false
	}
	return update(c, e, func(l event.Link) bitrix.Link { return bitrix.Link{ID: l.ID} }).Method == ""
}

// intend is the entry that is stored before a create leaves.
func intend(c event.BitrixCommand, e callfile.Entry, now time.Time) callfile.Entry {
	intent := callfile.Entry{
		Command: c.ID, Plan: c.Plan, Kind: c.Kind, State: callfile.Intent, Attempt: e.Attempt + 1, SentAt: now,
		Entity: c.Entity, Task: c.Task,
	}
	if fault.Wrong("mark-before-call") {
		intent.State = callfile.Confirmed
	}
	return intent
}

// changing is the entry that is stored before a change leaves.
func changing(e callfile.Entry, now time.Time) callfile.Entry {
	e.ChangedAt = now
	return e
}

// made is the entry after the portal gave the thing an id.
func made(c event.BitrixCommand, e callfile.Entry, id int, closed bool) callfile.Entry {
	e.Command, e.Plan, e.Kind, e.BitrixID, e.Reason, e.Error, e.ErrorIn = c.ID, c.Plan, c.Kind, id, "", "", nil
	e.State, e.ChangedAt = callfile.Confirmed, time.Time{}
	if c.Task != nil && c.Task.Closed && !closed && !fault.Wrong("unclosed-task") {
		e.State = callfile.Made
	}
	return e
}

// outcome is what is said of a command that needs no more.
func outcome(c event.BitrixCommand, journal map[string]callfile.Entry, before map[string]callfile.Entry) event.BitrixOutcome {
	e, known := journal[c.Role]
	o := event.BitrixOutcome{
		Command: c.ID, Project: c.Project, Call: c.Call, Plan: c.Plan, Role: c.Role, Kind: c.Kind,
		BitrixID: e.BitrixID, Attempt: e.Attempt, Reason: e.Reason, Error: e.Error, ErrorIn: e.ErrorIn,
	}
	old, had := before[c.Role]
	switch {
	case !known, had && old.State == callfile.Confirmed && old.Plan != c.Plan && upToDate(c, old):
		o.State = event.AlreadyTrue
	case e.State == callfile.Rejected:
		o.State = event.Refused
	case e.Reason == reasonKept:
		o.State = event.AlreadyTrue
	case e.Adopted:
		o.State = event.Adopted
	case e.State == callfile.Intent, e.State == callfile.InDoubt:
		o.State = event.InDoubt
	default:
		o.State = event.Executed
	}
	return o
}
