package writer

import (
	"context"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// This file makes up for what a backup can't hold: what was written to the portal
// after it was taken. The journal of a call from before the restore may lack that, so
// "not tried yet" means "in doubt" there: it is waited out, searched for and adopted
// like a write whose answer was lost.

// longBefore is how much earlier than a call's start its tasks are searched for:
// reports may carry a time without its zone.
const longBefore = 24 * time.Hour

// oldest is where a search begins for a call of which nobody knows when it was.
const oldest = 90 * 24 * time.Hour

// doubtRestored puts commands that the journal would have made into doubt, where the
// call is from before the restore. It says whether there are any.
func doubtRestored(c *Call, started *time.Time, restored time.Time) bool {
	since := restored.Add(-oldest)
	if started != nil {
		if started.After(restored) {
			return false
		}
		since = started.Add(-longBefore)
	}
	doubts := false
	for _, command := range c.Commands {
		e, known := c.Journal[command.Role]
		made := known && e.State != callfile.Planned && (e.State != callfile.Rejected || e.Plan == command.Plan)
		if made || command.Kind == event.KindNothing || !known && command.Amends {
			continue
		}
		e.Command, e.Plan, e.Kind = command.ID, command.Plan, command.Kind
		e.State, e.SentAt, e.Reason, e.Error, e.ErrorIn = callfile.InDoubt, since, "restored", "", nil
		c.Journal[command.Role] = e
		doubts = true
	}
	return doubts
}

// outlast waits until the portal has surely finished what was sent before the restore
// and shows it to a search.
func (j *job) outlast(ctx context.Context) error {
	return sleep(ctx, j.patience.over(j.restored).Sub(j.now()))
}
