package event_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// passedOn are the rows of a talk that Olena began, Petro went on with and a line of
// nobody ended without a word.
func passedOn() []event.Call {
	at := func(s int) *time.Time { t := now.Add(time.Duration(s) * time.Second); return &t }
	row := event.Call{
		ID: "c1", Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Status: "ANSWERED", Client: "+380671112233",
		Line: "+380441112233", Employee: &event.Employee{Name: "Olena Koval", BitrixUser: 7}, AnsweredOn: "101", StartedAt: at(0), Duration: 40, Waiting: 10, Talk: 30,
		Recording: "https://records.example/1.wav",
	}
	petro := row
	petro.Leg, petro.Transit, petro.Direction, petro.Line = "c2", true, event.Outbound, "102"
	petro.Employee, petro.AnsweredOn, petro.StartedAt, petro.Duration, petro.Waiting, petro.Talk = &event.Employee{Name: "Petro Bondar", BitrixUser: 8}, "102", at(35), 65, 5, 60
	petro.Recording = "https://records.example/2.wav"
	rang := row
	rang.Leg, rang.Transit, rang.Outcome, rang.Status, rang.Employee, rang.AnsweredOn, rang.StartedAt, rang.Talk, rang.Recording = "c3", true, event.Missed, "NO ANSWER", nil, "", at(100), 0, ""
	return []event.Call{row, petro, rang}
}

func TestATalkThatWasPassedOnListsItsPartsAndIsOnTheLastWhoTalked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.Permutation(passedOn()).Draw(t, "order")
		got := event.Fold(append(rows, rapid.SampledFrom(rows).Draw(t, "again")))
		if got.ID != "c1" || got.Leg != "" || got.Transit || got.Direction != event.Inbound || got.Outcome != event.Answered || got.Line != "+380441112233" {
			t.Errorf("the call is %+v, want what its own row says", got)
		}
		if got.Employee == nil || got.Employee.BitrixUser != 8 || got.AnsweredOn != "102" {
			t.Errorf("the call is on %v, line %s, want Petro, who talked last", got.Employee, got.AnsweredOn)
		}
		if !got.StartedAt.Equal(now) || got.Duration != 100 {
			t.Errorf("it began at %s and took %d s, want %s and 100 s, until the last word", got.StartedAt, got.Duration, now)
		}
		var recordings []string
		for _, l := range got.Legs {
			recordings = append(recordings, l.ID+" "+l.Recording)
		}
		if diff := cmp.Diff([]string{"c1 https://records.example/1.wav", "c2 https://records.example/2.wav"}, recordings); diff != "" {
			t.Errorf("parts (-want +got):\n%s", diff)
		}
	})
}

func TestOneTalkToldOfTwiceUnderOtherTypesIsOnePart(t *testing.T) {
	row := passedOn()[0]
	twice := row
	twice.Transit = true
	if got := event.Fold([]event.Call{row, twice}); got.Legs != nil {
		t.Errorf("parts are %+v, want none: the same recording is the same talk", got.Legs)
	}
}

func TestSpansAdjoin(t *testing.T) {
	span := func(from, to int) event.Span {
		return event.Span{From: now.Add(time.Duration(from) * time.Second), To: now.Add(time.Duration(to) * time.Second)}
	}
	for _, c := range []struct {
		a, b event.Span
		want bool
	}{
		{span(0, 40), span(35, 60), true},
		{span(0, 40), span(40, 60), true},
		{span(0, 40), span(50, 60), true},
		{span(0, 40), span(51, 60), false},
		{span(0, 100), span(20, 30), true},
	} {
		if got, back := c.a.Adjoins(c.b, 10*time.Second), c.b.Adjoins(c.a, 10*time.Second); got != c.want || back != c.want {
			t.Errorf("%v and %v adjoin: %v and %v, want %v", c.a, c.b, got, back, c.want)
		}
	}
}
