package event_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// aReport draws from few values, so that reports often agree, differ in one thing, or
// contradict each other.
func aReport(t *rapid.T) event.Call {
	some := func(label string, values ...string) string {
		return rapid.SampledFrom(append(values, "")).Draw(t, label)
	}
	c := event.Call{
		ID:        "c1",
		Event:     rapid.SampledFrom([]string{"before", "answer", "after", "after_outgoing", "forward", "rating", "new_kind"}).Draw(t, "event"),
		Final:     rapid.Bool().Draw(t, "final"),
		Direction: event.Direction(some("direction", "inbound", "outbound")),
		Outcome:   rapid.SampledFrom([]event.Outcome{event.Answered, event.Missed, event.Voicemail, ""}).Draw(t, "outcome"),
		Status:    some("status", "ANSWERED", "NO ANSWER"),
		Transit:   rapid.Bool().Draw(t, "transit"),
		Callback:  rapid.Bool().Draw(t, "callback"),
		Client:    some("client", "+380671112233", "+380671112244"),
		Line:      some("line", "+380441112233"),
		Recording: some("recording", "https://calls.example/1.ogg", "https://calls.example/1.wav"),
		Talk:      rapid.IntRange(0, 3).Draw(t, "talk"),
		Duration:  rapid.IntRange(0, 3).Draw(t, "duration"),
		Waiting:   rapid.IntRange(0, 2).Draw(t, "waiting"),
		Rating:    some("rating", "good"),
		Traffic:   event.Traffic{Source: some("source", "google", "bing"), Landing: some("landing", "https://shop.example/")},
	}
	if rapid.Bool().Draw(t, "has employee") {
		c.Employee = &event.Employee{Name: "Olena", BitrixUser: rapid.IntRange(7, 8).Draw(t, "user")}
	}
	if rapid.Bool().Draw(t, "has start") {
		at := now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "start")) * time.Second)
		c.StartedAt = &at
	}
	if rapid.Bool().Draw(t, "has extra") {
		c.Extra = map[string]string{some("key", "city"): some("value", "Lviv", "Odesa")}
	}
	return c
}

var now = time.Date(2026, 3, 2, 9, 15, 0, 0, time.UTC)

func someReports(t *rapid.T) []event.Call {
	return rapid.SliceOfN(rapid.Custom(aReport), 1, 8).Draw(t, "reports")
}

func TestFoldDoesNotDependOnTheOrderOrOnRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := someReports(t)
		want := event.Fold(reports)
		shuffled := rapid.Permutation(reports).Draw(t, "shuffled")
		for range rapid.IntRange(0, 4).Draw(t, "repeats") {
			shuffled = append(shuffled, rapid.SampledFrom(reports).Draw(t, "repeated"))
		}
		if diff := cmp.Diff(want, event.Fold(shuffled)); diff != "" {
			t.Fatalf("another order of the same reports tells another story (-want +got):\n%s", diff)
		}
	})
}

func TestFoldLeavesItsReportsAsTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := someReports(t)
		before := fmt.Sprintf("%#v", values(reports))
		event.Fold(reports)
		if after := fmt.Sprintf("%#v", values(reports)); after != before {
			t.Fatalf("Fold changed its reports from\n%s\nto\n%s", before, after)
		}
	})
}

// values shows what the reports hold, without the addresses of what they point to.
func values(reports []event.Call) []string {
	out := make([]string, len(reports))
	for i, r := range reports {
		out[i] = fmt.Sprint(r, r.Employee, r.StartedAt, r.Extra)
	}
	return out
}

func TestFoldingStepByStepGivesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := someReports(t)
		var known []event.Call
		for _, r := range rapid.Permutation(reports).Draw(t, "arrival") {
			known = event.With(known, r)
		}
		if diff := cmp.Diff(event.Fold(reports), event.Fold(known)); diff != "" {
			t.Fatalf("the kept reports tell another story than all (-all +kept):\n%s", diff)
		}
	})
}

func TestAnAnswerBeatsAMiss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answered, missed := aReport(t), aReport(t)
		answered.Final, answered.Outcome, answered.Status = true, event.Answered, "ANSWERED"
		answered.Employee = &event.Employee{Name: "Olena", BitrixUser: 7}
		missed.Final, missed.Outcome, missed.Status = true, event.Missed, "NO ANSWER"
		got := event.Fold([]event.Call{missed, answered})
		if got.Outcome != event.Answered || got.Status != "ANSWERED" || got.Talk != answered.Talk || got.Employee.BitrixUser != 7 {
			t.Fatalf("an answered leg and a missed one make %s (%s) of %d s by %v, want the answered one",
				got.Outcome, got.Status, got.Talk, got.Employee)
		}
	})
}

func TestALateEarlyReportNeverUndoesAFinalOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		final, late := aReport(t), aReport(t)
		final.Final = true
		late.Final, late.Outcome = false, ""
		got := event.Fold([]event.Call{final, late})
		if !got.Final || got.Outcome != final.Outcome || got.Event != final.Event || got.Talk != final.Talk {
			t.Fatalf("got final %v, %s by %q, %d s of talk; want what the final report said: %s by %q, %d s",
				got.Final, got.Outcome, got.Event, got.Talk, final.Outcome, final.Event, final.Talk)
		}
		if final.Client != "" && got.Client != final.Client {
			t.Fatalf("the client became %s, want the final report's %s", got.Client, final.Client)
		}
	})
}

func TestAnEarlierReportFillsWhatTheFinalOneLeftOpen(t *testing.T) {
	before := event.Call{ID: "c1", Event: "before", Direction: event.Inbound, Client: "+380671112233", Traffic: event.Traffic{Source: "google"}}
	after := event.Call{ID: "c1", Event: "after", Final: true, Outcome: event.Missed}
	want := event.Call{ID: "c1", Event: "after", Final: true, Outcome: event.Missed, Direction: event.Inbound, Client: "+380671112233", Traffic: event.Traffic{Source: "google"}}
	if diff := cmp.Diff(want, event.Fold([]event.Call{before, after})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhateverOnlyOneReportNamesIsKept(t *testing.T) {
	started := time.Date(2026, 3, 2, 9, 15, 0, 0, time.UTC)
	telling := event.Call{
		ID: "c1", Event: "answer", Direction: event.Inbound, Callback: true, Client: "+380671112233", ClientName: "Halyna", Line: "+380441112233",
		Employee: &event.Employee{Name: "Olena Koval", BitrixUser: 7}, AnsweredOn: "+380501110101", Extension: "101", StartedAt: &started,
		Duration: 50, Waiting: 20, Recording: "https://records.example/c1", Card: "https://cards.example/c1", Rating: "5",
		Traffic: event.Traffic{
			Source: "google", Medium: "cpc", Campaign: "spring", Content: "chairs", Term: "chair", ClientID: "1.2", Landing: "https://shop.example/",
			Referrer: "https://search.example/", VisitorIP: "192.0.2.1", UserAgent: "a browser",
		},
		Department: "sales", Scheme: "day", Pool: "web", InsertionType: "dynamic", Extra: map[string]string{"branch": "centre"},
	}
	final := event.Call{ID: "c1", Event: "after", Final: true, Outcome: event.Answered, Status: "ANSWERED", Talk: 30}
	want := telling
	want.Event, want.Final, want.Outcome, want.Status, want.Talk = final.Event, true, final.Outcome, final.Status, final.Talk
	if diff := cmp.Diff(want, event.Fold([]event.Call{telling, final})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// How the telling report itself ended is not the call's end, and the legs of a talk that
	// was passed on are put together elsewhere; all else must be tried here.
	elsewhere := []string{"StatusUnknown", "Transit", "Leg", "Legs"}
	for _, part := range []any{want, want.Traffic} {
		v := reflect.ValueOf(part)
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !slices.Contains(elsewhere, name) {
				t.Errorf("this test says nothing of %s.%s", v.Type(), name)
			}
		}
	}
}

func TestAMissedCallHasNoEmployeeOfAnotherReport(t *testing.T) {
	ringing := event.Call{ID: "c1", Event: "forward", Employee: &event.Employee{Name: "Olena", BitrixUser: 7}}
	for _, outcome := range []event.Outcome{event.Missed, event.Voicemail} {
		got := event.Fold([]event.Call{ringing, {ID: "c1", Event: "after", Final: true, Outcome: outcome}})
		if got.Employee != nil {
			t.Errorf("a call that ended as %s is on %v, want nobody: the phone only rang", outcome, got.Employee)
		}
	}
}

func TestNoReportsMakeNoCall(t *testing.T) {
	if diff := cmp.Diff(event.Call{}, event.Fold(nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAReportThatSaysNothingNewIsNotKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var known []event.Call
		reports := someReports(t)
		for _, r := range reports {
			known = event.With(known, r)
		}
		again := rapid.SampledFrom(reports).Draw(t, "again")
		if diff := cmp.Diff(known, event.With(known, again)); diff != "" {
			t.Fatalf("a repeated report changed what is kept (-want +got):\n%s", diff)
		}
	})
}

func TestTheReportsKeptAreBoundedAndTheMostTelling(t *testing.T) {
	var known []event.Call
	best := event.Call{ID: "c1", Event: "after", Final: true, Outcome: event.Answered, Talk: 1000}
	known = event.With(known, best)
	for i := range 500 {
		known = event.With(known, event.Call{ID: "c1", Event: "before", Extra: map[string]string{"changing": fmt.Sprint(i)}})
	}
	if len(known) > 16 {
		t.Errorf("%d reports are kept of 501, want at most 16", len(known))
	}
	if got := event.Fold(known); got.Talk != best.Talk || !got.Final {
		t.Errorf("the call became final %v with %d s of talk, want the most telling report kept", got.Final, got.Talk)
	}
}

func TestTheSameStoryIsRecognised(t *testing.T) {
	a := event.Call{ID: "c1", Employee: &event.Employee{Name: "Olena"}, Extra: map[string]string{"a": "1", "b": "2"}}
	b := event.Call{ID: "c1", Employee: &event.Employee{Name: "Olena"}, Extra: map[string]string{"b": "2", "a": "1"}}
	if !event.Same(a, b) {
		t.Errorf("%v and %v tell the same story, Same says no", a, b)
	}
	b.Talk = 1
	if event.Same(a, b) {
		t.Errorf("%v and %v differ, Same says they don't", a, b)
	}
}

func TestACallEndsAfterItsLongerLength(t *testing.T) {
	for _, c := range []struct {
		call event.Call
		want time.Time
	}{
		{event.Call{}, time.Time{}},
		{event.Call{StartedAt: &now, Duration: 50, Waiting: 9, Talk: 30}, now.Add(50 * time.Second)},
		{event.Call{StartedAt: &now, Waiting: 9, Talk: 30}, now.Add(39 * time.Second)},
		{event.Call{StartedAt: &now}, now},
	} {
		if got := c.call.End(); !got.Equal(c.want) {
			t.Errorf("a call of %d s, waiting %d, talk %d ends at %s, want %s", c.call.Duration, c.call.Waiting, c.call.Talk, got, c.want)
		}
	}
}

func TestCallsWithoutANumberDoNotShareALane(t *testing.T) {
	for _, c := range []struct {
		call event.Call
		want string
	}{
		{event.Call{ID: "c1", Client: "+380671112233"}, "+380671112233"},
		{event.Call{ID: "c2", Client: "+380671112233"}, "+380671112233"},
		{event.Call{ID: "c3"}, "call:c3"},
	} {
		if got := c.call.Lane(); got != c.want {
			t.Errorf("call %s of client %q is in lane %q, want %q", c.call.ID, c.call.Client, got, c.want)
		}
	}
}
