package writer

import (
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func keysOf(commands []bitrix.Command) (keys []string) {
	for _, c := range commands {
		keys = append(keys, c.Key)
	}
	return keys
}

func TestARoundHasOnlyWhatNeedsNothingOfTheSameRequest(t *testing.T) {
	contact := event.BitrixCommand{ID: "id-contact", Role: "contact", Kind: event.KindContact, Plan: "plan", Entity: &event.Entity{Title: "Call"}}
	withContact := lead()
	withContact.Entity = &event.Entity{Title: "Call", Contact: &event.Link{Kind: event.KindContact, Command: "id-contact"}}
	after := lead() // depends on the contact without naming it
	after.DependsOn = []string{"id-contact"}
	alone := task()
	alone.ID, alone.Role, alone.DependsOn = "id-other", "task:other", nil
	alone.Task = &event.Task{Title: "Check the call", Closed: true}
	madeLead := map[string]callfile.Entry{"lead": {State: callfile.Confirmed, BitrixID: 5, Plan: "plan", Entity: lead().Entity}}
	madeTask := map[string]callfile.Entry{"lead": madeLead["lead"], "task:done": {State: callfile.Made, BitrixID: 6, Plan: "plan", Task: task().Task}}
	for _, c := range []struct {
		name     string
		commands []event.BitrixCommand
		journal  map[string]callfile.Entry
		want     []string
	}{
		{"a lead goes, its task waits", []event.BitrixCommand{lead(), task()}, nil, []string{"cidlead"}},
		{"the task of a lead that is there goes, and is closed later", []event.BitrixCommand{lead(), task()}, madeLead, []string{"cidtask"}},
		{"a task that is there is closed", []event.BitrixCommand{lead(), task()}, madeTask, []string{"cidtask" + closing}},
		{"a lead waits for its contact", []event.BitrixCommand{contact, withContact}, nil, []string{"cidcontact"}},
		{"what depends on something without a link waits too", []event.BitrixCommand{contact, after}, nil, []string{"cidcontact"}},
		{"what needs nothing goes along", []event.BitrixCommand{lead(), task(), alone}, nil, []string{"cidlead", "cidother"}},
	} {
		call := NewCall(c.commands, c.journal, waited, "en")
		round := call.Round(call.Next(start))
		got := keysOf(round.Batch)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %v, want %v", c.name, got, c.want)
			}
		}
		call.Begin(round, start)
		for role, e := range call.Journal {
			if e.State == callfile.Intent && !containsRole(round, role) {
				t.Errorf("%s: %s has an intent and does not leave", c.name, role)
			}
		}
	}
}

func containsRole(m Move, role string) bool {
	for _, c := range m.commands {
		if c.Role == role {
			return true
		}
	}
	return false
}

func TestOnlyWhatLeftOfARoundHasAnIntent(t *testing.T) {
	other := lead()
	other.ID, other.Role = "id-second", "second"
	call := NewCall([]event.BitrixCommand{lead(), other}, nil, waited, "en")
	round := call.Round(call.Next(start))
	call.Begin(round.Only(round.Batch[1:]), start)
	if _, begun := call.Journal["lead"]; begun || call.Journal["second"].State != callfile.Intent {
		t.Errorf("journal %+v, want an intent of the second only", call.Journal)
	}
}
