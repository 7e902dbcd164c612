package writer

import (
	"maps"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Call is the state machine of one call's commands: what its journal says and the time
// of day in, the next request out. It has no clock, no I/O and no goroutine; job.go
// drives it against a portal, the simulation against a faulty one.
//
// A driver does this, over and over: Next; for a Send, Begin and store the journal, and
// only then send; tell what came of it with Answered or Unsent; store the journal. A
// driver that sends for many calls at once takes the Round of a Send in its place.
type Call struct {
	Commands []event.BitrixCommand
	Journal  map[string]callfile.Entry

	waits  patience
	lang   string
	before map[string]callfile.Entry
	// untouched are tasks that the portal would not close or change: they are looked at
	// before that counts as a refusal.
	untouched map[string]untouched
	// found are things made or adopted since the last TakeMade.
	found []event.BitrixCommand
}

// untouched is what was wanted of a task, and why the portal would not.
type untouched struct {
	act action
	why *bitrix.Error
}

// Step says what a driver does next.
type Step string

// The steps.
const (
	// Send has requests that change something: Begin, store, send, Answered.
	Send Step = "send"
	// Search has requests that only look: send, Answered.
	Search Step = "search"
	// Wait has nothing to do before Until.
	Wait Step = "wait"
	// Settled has nothing to do any more: every command has its outcome.
	Settled Step = "settled"
)

// Move is a step with what it needs.
type Move struct {
	Step  Step
	Until time.Time
	// Batch is the request; with Halt the portal stops at the first failure.
	Batch []bitrix.Command
	Halt  bool

	commands []event.BitrixCommand
	acts     map[string]action
}

// Patience is how long a lost request may still take effect, and how long its effect
// may stay invisible to a search.
func Patience(execution, settle time.Duration) patience { return patience{execution, settle} }

// NewCall takes up a call where its journal left it.
func NewCall(commands []event.BitrixCommand, journal map[string]callfile.Entry, p patience, locale string) *Call {
	if journal == nil || fault.Wrong("journal-forgotten") {
		journal = map[string]callfile.Entry{}
	}
	return &Call{
		Commands: commands, Journal: journal, waits: p, lang: locale,
		before: maps.Clone(journal), untouched: map[string]untouched{},
	}
}

// Done says whether a plan needs no work any more: it is settled, or it was before a
// newer one of its call, or the newest is. Commands that the broker gives once more must
// not undo what came after them. (The newest being known is not enough: where it only
// adds to the others, it makes nothing.)
func Done(file callfile.File, plan string) bool {
	return file.Settled == plan || slices.Contains(file.Overtaken, plan) ||
		file.ResolvedAs != nil && file.Settled == file.ResolvedAs.ID
}

// Settle writes into a call's file that a plan is settled.
func Settle(f *callfile.File, journal map[string]callfile.Entry, plan string) {
	if f.Settled != "" && f.Settled != plan {
		f.Overtaken = append(slices.Clone(f.Overtaken), f.Settled)[max(0, len(f.Overtaken)+1-maxOvertaken):]
	}
	f.Journal, f.Settled = journal, plan
}

// maxOvertaken is how many plans of a call are remembered: many times what a call has.
const maxOvertaken = 64

// Next says what to do now: look first, else send what may be sent, else wait.
// Refusals are passed on to what depends on them on the way.
func (c *Call) Next(now time.Time) Move {
	m := Move{Step: Settled, acts: map[string]action{}}
	var look, send []event.BitrixCommand
	for _, command := range c.Commands {
		n := next(command, c.Journal, c.Commands, c.waits, now)
		if n.act == actUpdate && c.update(command).Method == "" {
			c.accept(command)
			n = next(command, c.Journal, c.Commands, c.waits, now)
		}
		if n.act == actReject {
			c.reject(command)
			continue
		}
		if _, refused := c.untouched[command.Role]; refused && (n.act == actClose || n.act == actUpdate) {
			n.act = actLook
		}
		if e := c.Journal[command.Role]; n.act == actDone && e.State == callfile.Rejected && e.Plan != command.Plan {
			// An earlier plan wanted what the portal refused; this one wants what is there.
			c.Journal[command.Role] = made(command, e, e.BitrixID, true)
		}
		m.acts[command.Role] = n.act
		switch n.act {
		case actSearch, actLook:
			look = append(look, command)
		case actCreate, actUpdate, actClose:
			send = append(send, command)
		case actWait:
			if m.Until.IsZero() || n.until.Before(m.Until) {
				m.Step, m.Until = Wait, n.until
			}
		}
	}
	switch {
	case len(look) > 0:
		m.Step, m.commands, m.Batch = Search, look, c.searches(look, m.acts)
	case len(send) > 0:
		m.Step, m.commands, m.Batch, m.Halt = Send, send, c.requests(send, m.acts), true
	}
	return m
}

// requests chain what may be sent: each thing that is to be closed is closed right
// behind its making, and nothing refers to what is not there.
func (c *Call) requests(commands []event.BitrixCommand, acts map[string]action) (batch []bitrix.Command) {
	for _, command := range commands {
		e, key := c.Journal[command.Role], commandKey(command)
		switch acts[command.Role] {
		case actCreate:
			batch = append(batch, create(command, c.Journal, c.Commands))
			if command.Task != nil && command.Task.Closed {
				batch = append(batch, bitrix.CompleteTask(bitrix.Link{Ref: bitrix.Ref(key, "task", "id")}).As(key+closing))
			}
		case actUpdate:
			batch = append(batch, c.update(command))
		case actClose:
			batch = append(batch, bitrix.CompleteTask(bitrix.Link{ID: e.BitrixID}).As(key+closing))
		}
	}
	return batch
}

// update is the portal's command that brings a command's thing up to date, or the zero
// Command where nothing of what differs is to be sent.
func (c *Call) update(command event.BitrixCommand) bitrix.Command {
	return update(command, c.Journal[command.Role], func(l event.Link) bitrix.Link {
		link := resolveLink(l, c.Journal, c.Commands)
		for _, other := range c.Commands {
			if link.ID == 0 && other.ID == l.Command && next(other, c.Journal, c.Commands, c.waits, time.Time{}).act != actCreate {
				return bitrix.Link{} // what is not made is not bound to
			}
		}
		return link
	})
}

// closing marks the command that closes a task.
const closing = "_close"

// Begin writes the intents of a Send into the journal. The driver stores it before the
// request leaves.
func (c *Call) Begin(m Move, now time.Time) {
	for _, command := range m.commands {
		switch m.acts[command.Role] {
		case actCreate:
			c.Journal[command.Role] = intend(command, c.Journal[command.Role], now)
		case actUpdate:
			c.Journal[command.Role] = changing(c.Journal[command.Role], now)
		}
	}
}

// Unsent takes back the intents of a Send that surely did not leave.
func (c *Call) Unsent(m Move) {
	for _, command := range m.commands {
		if e := c.Journal[command.Role]; m.acts[command.Role] == actCreate && e.State == callfile.Intent {
			e.State = callfile.Planned
			c.Journal[command.Role] = e
		}
	}
}

// TakeMade returns what was made or adopted since it was last asked.
func (c *Call) TakeMade() []event.BitrixCommand {
	out := c.found
	c.found = nil
	return out
}

// MadeLately returns what exists of a call's entities and may not show in a search yet,
// also where an earlier life of the process made it.
func (c *Call) MadeLately(now time.Time) (out []event.BitrixCommand) {
	for _, command := range c.Commands {
		if e := c.Journal[command.Role]; command.Entity != nil && e.BitrixID != 0 && now.Before(c.waits.over(e.SentAt)) {
			out = append(out, command)
		}
	}
	return out
}

// Outcomes are what is to be said of the commands now.
func (c *Call) Outcomes() []event.BitrixOutcome {
	out := make([]event.BitrixOutcome, len(c.Commands))
	for i, command := range c.Commands {
		out[i] = outcome(command, c.Journal, c.before)
	}
	return out
}
