package classifier

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// row is a final report of a client: which, from when, for how long.
func row(id string, from, length int, transit bool, outcome event.Outcome) event.Call {
	at := noon.Add(time.Duration(from) * time.Second)
	return event.Call{ID: id, Final: true, Client: "+380671112233", StartedAt: &at, Duration: length, Transit: transit, Outcome: outcome}
}

func TestOnlyTheLegsOfATalkAreOneCall(t *testing.T) {
	const answered, missed = event.Answered, event.Missed
	for _, c := range []struct {
		name string
		rows []event.Call
		want string // calls with their rows, when they come in this order
	}{
		{"a leg that overlaps", []event.Call{row("a", 0, 60, false, answered), row("b", 50, 60, true, answered)}, "a+b"},
		{"a leg that adjoins", []event.Call{row("a", 0, 60, false, answered), row("b", 60, 60, true, answered)}, "a+b"},
		{"a leg that rang out", []event.Call{row("a", 0, 60, false, answered), row("b", 65, 20, true, missed)}, "a+b"},
		{"a leg of a leg", []event.Call{row("a", 0, 60, false, answered), row("b", 60, 60, true, answered), row("c", 121, 60, true, answered)}, "a+b+c"},
		{"the leg is told of first", []event.Call{row("b", 50, 60, true, answered), row("a", 0, 60, false, answered)}, "b+a"},
		{"legs of which the talk's own row is missing", []event.Call{row("b", 0, 60, true, answered), row("c", 60, 60, true, answered)}, "b+c"},
		{"a leg much later", []event.Call{row("a", 0, 60, false, answered), row("b", 600, 60, true, answered)}, "a b"},
		{"a row that is no leg, right after", []event.Call{row("a", 0, 60, false, answered), row("b", 60, 60, false, answered)}, "a b"},
		{"a row that is no leg, at the same time", []event.Call{row("a", 0, 60, false, answered), row("b", 10, 60, false, answered)}, "a b"},
		{"a row that is no leg, after a leg", []event.Call{row("a", 0, 60, false, answered), row("b", 60, 60, true, answered), row("c", 120, 60, false, answered)}, "a+b c"},
		{"a leg next to a call that nobody took", []event.Call{row("a", 0, 60, false, missed), row("b", 60, 60, true, answered)}, "a b"},
		{"a missed call next to a leg", []event.Call{row("b", 60, 60, true, answered), row("a", 0, 60, false, missed)}, "b a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var talks []talk
			var calls []string
			rows := map[string][]string{}
			for _, r := range append(slices.Clone(c.rows), c.rows...) { // all given again
				span, _ := event.SpanOf(r)
				var of string
				talks, of, _ = join(talks, r, span, false)
				if !slices.Contains(calls, of) {
					calls = append(calls, of)
				}
				if !slices.Contains(rows[of], r.ID) {
					rows[of] = append(rows[of], r.ID)
				}
			}
			for i, id := range calls {
				calls[i] = strings.Join(rows[id], "+")
			}
			if got := strings.Join(calls, " "); got != c.want {
				t.Errorf("calls: got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAClientsTalksAreBounded(t *testing.T) {
	var talks []talk
	for i := range 100 {
		r := row(fmt.Sprint(i), 1000*i, 10, false, event.Answered)
		span, _ := event.SpanOf(r)
		talks, _, _ = join(talks, r, span, false)
	}
	if len(talks) != most || talks[most-1].Call != "99" {
		t.Errorf("%d talks are kept, the last is %+v, want the newest %d", len(talks), talks[len(talks)-1], most)
	}
}

func TestALegGoesIntoTheFileOfItsTalkAlsoWhenItIsGivenAgain(t *testing.T) {
	r := openReader(t)
	leg := r.store(form(answered(url.Values{"call_id": {"call-b"}, "type": {"transitin"}, "date": {"2026-01-02 11:55:40"}, "staffid": {"102"}, "connected_with": {"380501110102"}})))
	r.gives(r.store(form(answered(nil))))
	r.gives(leg)
	r.gives(leg)
	late := r.store(form(answered(url.Values{"call_id": {"call-b"}, "type": {"transitin"}, "date": {"2026-01-02 11:55:40"}, "staffid": {"102"}, "recording": {"https://records.example/b.wav"}})))
	r.gives(late)
	file, err := r.Files.Find(t.Context(), "shop", "call-b")
	if err != nil {
		t.Fatal(err)
	}
	call := event.Fold(file.Reports)
	if call.ID != "call-a" || len(call.Legs) != 2 || call.Employee.BitrixUser != 8 || call.Legs[1].Recording == "" {
		t.Errorf("the leg leads to call %s of %d parts on %v: %+v; want call-a of two parts on Petro, with the leg's recording", call.ID, len(call.Legs), call.Employee, call.Legs)
	}
	_, said := stored[event.CallClassified](r, event.TypeCallClassified)
	for _, c := range said {
		if c.Call.ID != "call-a" {
			t.Errorf("an event speaks of call %s, want call-a only", c.Call.ID)
		}
	}
}
