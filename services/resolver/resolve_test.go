package resolver

import (
	"testing"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// decidedFile is the file of a call that was decided because of the event "first".
func decidedFile() callfile.File {
	return callfile.File{
		Resolved:   &event.CallResolved{Decision: 1, Client: event.Client{State: "new"}},
		ResolvedAs: &event.Envelope{ID: "plan", Cause: "first"},
	}
}

func TestALaterReportIsDecidedOnTheSameGround(t *testing.T) {
	got, again := Again(decidedFile(), event.CallClassified{}, "second")
	if !again || !got.Amends || got.Decision != 2 || got.Client.State != "new" {
		t.Errorf("again %v: %+v; want the first ground, amended", again, got)
	}
}

// TestADecisionOfAnotherSituationRemembersTheOneBefore: what only that one wanted stays as
// it wrote it, and a replay has to know what that was.
func TestADecisionOfAnotherSituationRemembersTheOneBefore(t *testing.T) {
	f := decidedFile()
	f.Resolved.Facts, f.Resolved.Answerer = event.Call{Direction: event.Inbound, Outcome: event.Missed}, "nobody"
	told := []event.Call{
		{Direction: event.Inbound, Outcome: event.Answered, Talk: 10},
		{Direction: event.Inbound, Outcome: event.Answered, Talk: 20},
		{Direction: event.Outbound, Outcome: event.Answered, Talk: 30},
		{Direction: event.Outbound, Outcome: event.Answered, Talk: 40},
	}
	for i, call := range told {
		f.Received = append(f.Received, string(rune('a'+i)))
		r, again := Again(f, event.CallClassified{Call: call}, "report")
		if !again {
			t.Fatalf("report %d is not amended", i)
		}
		f.Resolved = &r
	}
	r := *f.Resolved
	if r.First.Facts.Outcome != event.Missed || len(r.Between) != 1 || r.Between[0].Facts.Talk != 20 || len(r.Between[0].Received) != 2 || r.Facts.Talk != 40 {
		t.Errorf("of the decisions are known the first %+v and between %+v; want the missed one, and the last of the incoming ones", r.First, r.Between)
	}
}

func TestACallOfWhichSomethingWasRefusedAsksTheCRMAgain(t *testing.T) {
	for _, test := range []struct {
		name  string
		entry callfile.Entry
		again bool
	}{
		{"never made", callfile.Entry{State: callfile.Rejected}, false},
		{"made, and only changing it was refused", callfile.Entry{State: callfile.Rejected, BitrixID: 5}, true},
		{"made", callfile.Entry{State: callfile.Confirmed, BitrixID: 5}, true},
	} {
		f := decidedFile()
		f.Journal = map[string]callfile.Entry{"lead": test.entry}
		if _, again := Again(f, event.CallClassified{}, "second"); again != test.again {
			t.Errorf("%s: decided on the old ground: %v, want %v", test.name, again, test.again)
		}
	}
}

func TestARetryIsObeyedOnce(t *testing.T) {
	f, retry := decidedFile(), event.CallClassified{Retry: true}
	if !Fresh(f, retry, "retry") {
		t.Fatal("a retry asks for no decision")
	}
	Note(&f, retry, &event.CallResolved{Decision: 2}, &event.Envelope{ID: "plan 2", Cause: "retry"})
	Note(&f, event.CallClassified{}, &event.CallResolved{Decision: 3}, &event.Envelope{ID: "plan 3", Cause: "late report"})
	if Fresh(f, retry, "retry") {
		t.Error("a retry that is given again after a restart asks for another decision")
	}
	if !Fresh(f, retry, "another retry") {
		t.Error("a second retry asks for no decision")
	}
}

func TestAReportThatANewerOneFollowedDecidesNothingMore(t *testing.T) {
	f := decidedFile()
	f.Reports = []event.Call{{ID: "call", Talk: 30}}
	f.Classified = &event.Envelope{ID: "newest"}
	c := event.CallClassified{Call: event.Fold(f.Reports)}
	if Fresh(f, c, "older, given again") {
		t.Error("a report that is given again goes before a newer one, and before other calls of its client")
	}
	if !Fresh(f, c, "newest") {
		t.Error("the newest report tells more and asks for no decision")
	}
	f.Resolved, f.ResolvedAs = nil, nil
	if !Fresh(f, c, "older") {
		t.Error("a call that was never decided waits for its newest report")
	}
}
