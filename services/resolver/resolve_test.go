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

func TestTwoDecisionsBecauseOfOneReportAreTwoEvents(t *testing.T) {
	id := func(decision int) string {
		r := event.CallResolved{Project: "shop", Decision: decision}
		e, err := event.Next(event.Envelope{ID: "report"}, "resolver", event.Envelope{}.Time, &r, What(r)...)
		if err != nil {
			t.Fatal(err)
		}
		return e.ID
	}
	if id(1) == id(2) || id(2) == id(3) {
		t.Errorf("ids %s, %s, %s: want one for each decision", id(1), id(2), id(3))
	}
	if want := event.Derive("report", string(event.TypeCallResolved)); id(1) != want {
		t.Errorf("the first decision's id is %s, want %s as ever", id(1), want)
	}
}
