package writer

import (
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestAfterARestoreWhatTheJournalDoesNotKnowIsSearchedForFirst(t *testing.T) {
	restored := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	before, after := restored.Add(-time.Hour), restored.Add(time.Minute)
	lead := event.BitrixCommand{ID: "command-1", Plan: "plan-2", Role: "lead", Kind: event.KindLead, Entity: &event.Entity{Title: "Call"}}
	amends, nothing := lead, lead
	amends.Amends, nothing.Kind = true, event.KindNothing
	entry := func(state callfile.State, plan string) *callfile.Entry {
		return &callfile.Entry{Command: lead.ID, Plan: plan, State: state, SentAt: before}
	}
	for _, c := range []struct {
		name    string
		command event.BitrixCommand
		entry   *callfile.Entry
		started *time.Time
		want    action
	}{
		{"never tried", lead, nil, &before, actSearch},
		{"never tried, of a call of nobody knows when", lead, nil, nil, actSearch},
		{"never tried, of a call after the restore", lead, nil, &after, actCreate},
		{"surely not carried out", lead, entry(callfile.Planned, "plan-2"), &before, actSearch},
		{"refused under an earlier plan", lead, entry(callfile.Rejected, "plan-1"), &before, actSearch},
		{"refused under this plan", lead, entry(callfile.Rejected, "plan-2"), &before, actDone},
		{"sent", lead, entry(callfile.Intent, "plan-2"), &before, actSearch},
		{"made under an earlier plan", lead, entry(callfile.Confirmed, "plan-1"), &before, actUpdate},
		{"an amendment of nothing", amends, nil, &before, actSkip},
		{"an amendment of what was made", amends, entry(callfile.Confirmed, "plan-1"), &before, actUpdate},
		{"nothing to do", nothing, nil, &before, actDone},
	} {
		journal := map[string]callfile.Entry{}
		if c.entry != nil {
			journal[c.command.Role] = *c.entry
		}
		call := NewCall([]event.BitrixCommand{c.command}, journal, Patience(time.Minute, time.Second), "en")
		doubtRestored(call, c.started, restored)
		got := next(c.command, call.Journal, call.Commands, call.waits, restored.Add(2*time.Minute))
		if got.act != c.want {
			t.Errorf("%s: next is %s, want %s", c.name, got.act, c.want)
		}
		// A task is searched for from a moment on: it must lie before the call.
		if e := call.Journal["lead"]; got.act == actSearch && e.SentAt.After(before) {
			t.Errorf("%s: searched for from %s on, want from before %s", c.name, e.SentAt, before)
		}
	}
}
