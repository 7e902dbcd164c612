package analytics

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/view"
)

// openAlone opens a read model that the test feeds by itself.
func openAlone(t testing.TB, dir string) *view.View {
	t.Helper()
	v, err := view.Open(t.Context(), dir, model, func(uint64, string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// history is a random stream of events and what its calls are in the end.
type history struct {
	events []event.Envelope
	facts  map[string]event.Call // by call, as last told
	told   map[string]time.Time  // when it was first told of
	client map[string]string     // by call, as first decided
	rules  map[string]string
}

func histories() *rapid.Generator[history] {
	return rapid.Custom(func(t *rapid.T) history {
		h := history{facts: map[string]event.Call{}, told: map[string]time.Time{}, client: map[string]string{}, rules: map[string]string{}}
		must := func(e event.Envelope, err error) event.Envelope {
			if err != nil {
				t.Fatal(err)
			}
			h.events = append(h.events, e)
			return e
		}
		for n := range rapid.IntRange(1, 60).Draw(t, "events") {
			id := fmt.Sprint(rapid.IntRange(1, 12).Draw(t, "call"))
			at := noon.Add(time.Duration(n) * time.Second)
			known, ok := h.facts[id]
			switch what := rapid.IntRange(0, 9).Draw(t, "what"); {
			case what < 5 || !ok:
				c := factsOf(t, id)
				if _, told := h.told[id]; !told {
					h.told[id] = at
				}
				if c.StartedAt == nil { // a fold keeps what was said once
					c.StartedAt = known.StartedAt
				}
				h.facts[id] = c
				must(event.First("classifier", at, &event.CallClassified{Project: "shop", Changed: !ok || !event.Same(known, c), Call: c}))
			case what < 7:
				state := rapid.SampledFrom([]string{"", "new", "contact", "open", "anonymous"}).Draw(t, "client")
				h.client[id] = cmp.Or(h.client[id], state)
				must(event.First("resolver", at, &event.CallResolved{Project: "shop", Client: event.Client{State: state}, Facts: known}))
			case what < 8:
				rule := rapid.SampledFrom([]string{"answered/new", "missed/open"}).Draw(t, "rule")
				h.rules[id] = rule
				must(event.First("planner", at, &event.BitrixCommand{ID: "lead of " + id, Project: "shop", Call: id, Rule: rule, Plan: "plan", Of: 1}))
			default: // the broker stores something a second time
				h.events = append(h.events, rapid.SampledFrom(h.events).Draw(t, "again"))
			}
		}
		return h
	})
}

func factsOf(t *rapid.T, id string) event.Call {
	c := event.Call{
		ID: id, Final: rapid.IntRange(0, 9).Draw(t, "final") > 0,
		Direction: rapid.SampledFrom([]event.Direction{event.Inbound, event.Inbound, event.Outbound, event.Internal}).Draw(t, "direction"),
		Outcome:   rapid.SampledFrom([]event.Outcome{event.Answered, event.Missed, event.Missed, event.Voicemail}).Draw(t, "outcome"),
		Client:    rapid.SampledFrom([]string{"", number(1), number(1), number(2)}).Draw(t, "phone"),
		Waiting:   rapid.IntRange(0, 60).Draw(t, "waiting"), Talk: rapid.IntRange(0, 600).Draw(t, "talk"),
	}
	if rapid.IntRange(0, 9).Draw(t, "timed") > 0 {
		at := noon.Add(time.Duration(rapid.IntRange(-20, 20).Draw(t, "at")) * 7 * time.Minute)
		c.StartedAt = &at
	}
	if name := rapid.SampledFrom([]string{"", "Olena Koval", "Petro Bondar"}).Draw(t, "employee"); name != "" {
		c.Employee = &event.Employee{Name: name}
	}
	c.Traffic.Source = rapid.SampledFrom([]string{"", "google", "a\x1f\",'b"}).Draw(t, "source")
	return c
}

// expected works the finished calls of a history out from its end, without a database.
func (h history) expected() []Call {
	var out []Call
	for id, f := range h.facts {
		if !f.Final {
			continue
		}
		c := Call{
			ID: id, StartedAt: h.told[id], Direction: string(f.Direction), Outcome: string(f.Outcome), Client: h.client[id], Phone: f.Client,
			Source: f.Traffic.Source, Waiting: f.Waiting, Talk: f.Talk, Rule: h.rules[id],
		}
		if f.StartedAt != nil {
			c.StartedAt = *f.StartedAt
		}
		if f.Employee != nil {
			c.Employee = f.Employee.Name
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Call) int { return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID)) })
	for i, c := range out {
		if c.Phone == "" || c.Direction != "inbound" || c.Outcome == "answered" {
			continue
		}
		for _, later := range out {
			talk := later.Phone == c.Phone && later.Outcome == "answered" && later.Direction != "internal" && later.StartedAt.After(c.StartedAt)
			first := out[i].NextAt == nil || later.StartedAt.Equal(*out[i].NextAt) && later.Direction == "outbound"
			if talk && first {
				at := later.StartedAt
				out[i].NextAt, out[i].NextBy = &at, later.Direction
			}
		}
	}
	return out
}

// TestTheReadModelIsWhatItsCallsComeTo compares whatever can be asked with a plain
// recomputation, over random histories with late facts, repeated events and random
// spans.
func TestTheReadModelIsWhatItsCallsComeTo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := histories().Draw(rt, "history")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		v := openAlone(t, dir)
		defer v.Close()
		for seq, e := range h.events {
			if err := v.Apply(t.Context(), []bus.Recorded{{Envelope: e, Seq: uint64(seq + 1)}}); err != nil {
				rt.Fatal(err)
			}
		}
		db, done := v.Read()
		defer done()
		all := h.expected()
		border := rapid.IntRange(-150, 150)
		since, until := noon.Add(time.Duration(border.Draw(rt, "since"))*time.Minute), noon.Add(time.Duration(border.Draw(rt, "until"))*time.Minute)
		if rapid.Bool().Draw(rt, "from the beginning") {
			since = time.Time{}
		}
		if rapid.Bool().Draw(rt, "without an end") {
			until = time.Time{}
		}
		want := slices.DeleteFunc(slices.Clone(all), func(c Call) bool {
			return c.StartedAt.Before(since) || !until.IsZero() && !c.StartedAt.Before(until)
		})
		s := spanOf("shop", since, until)
		var got []Call
		err = calls(t.Context(), db, s, kyiv, func(c Call) error {
			c.State = "" // see TestStatesAreThoseOfTheList
			got = append(got, c)
			return nil
		})
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
			rt.Fatalf("calls from %s to %s (%v) (-want +got):\n%s", since, until, err, diff)
		}
		for _, k := range []kind{byAll, byEmployee, bySource} {
			sums := map[string]counts{}
			for _, c := range want {
				if key, ok := k.keyOf(c); ok {
					n := sums[key]
					n.add(countOf(c), 1)
					sums[key] = n
				}
			}
			got, err := grouped(t.Context(), db, s, k)
			if k == byAll && got[""] == (counts{}) {
				delete(got, "")
			}
			if diff := gocmp.Diff(sums, got); diff != "" || err != nil {
				rt.Fatalf("sums of kind %d from %s to %s (%v) (-want +got):\n%s", k, since, until, err, diff)
			}
		}
		days := map[string]counts{}
		for _, c := range want {
			n := days[c.StartedAt.In(kyiv).Format(time.RFC3339[:13])]
			n.add(countOf(c), 1)
			days[c.StartedAt.In(kyiv).Format(time.RFC3339[:13])] = n
		}
		timedGot, err := timed(t.Context(), db, s, func(at time.Time) string { return at.In(kyiv).Format(time.RFC3339[:13]) })
		if diff := gocmp.Diff(days, timedGot); diff != "" || err != nil {
			rt.Fatalf("sums by hour (%v) (-want +got):\n%s", err, diff)
		}
		checkFollowed(rt, t, v, s, want)
	})
}

func checkFollowed(rt *rapid.T, t *testing.T, v *view.View, s span, want []Call) {
	db, done := v.Read()
	defer done()
	got, err := followed(t.Context(), db, s, kyiv)
	if err != nil {
		rt.Fatal(err)
	}
	var took []int64
	open := map[string]waiting{}
	byUs, byClient := 0, 0
	for _, c := range want {
		switch {
		case c.NextBy == "outbound":
			byUs++
		case c.NextBy == "inbound":
			byClient++
		case c.Phone != "" && c.Direction == "inbound" && c.Outcome != "answered":
			w, ok := open[c.Phone]
			if !ok {
				w = waiting{Phone: c.Phone, Since: c.StartedAt}
			}
			if !c.StartedAt.Equal(w.Last) || c.Client+" "+c.ID > w.Client+" "+w.Call { // of two at once the greater word
				w.Client, w.Call = c.Client, c.ID
			}
			w.Last, w.Calls = c.StartedAt, w.Calls+1
			open[c.Phone] = w
		}
		if c.NextAt != nil {
			took = append(took, int64(c.NextAt.Sub(c.StartedAt).Seconds()))
		}
	}
	slices.Sort(took)
	gotOpen := map[string]waiting{}
	for _, w := range got.open {
		gotOpen[w.Phone] = w
	}
	if diff := gocmp.Diff(open, gotOpen); diff != "" || got.byUs != byUs || got.byClient != byClient || !slices.Equal(took, got.took) {
		rt.Fatalf("called back %d and again %d after %v, want %d, %d, %v; not yet (-want +got):\n%s", got.byUs, got.byClient, got.took, byUs, byClient, took, diff)
	}
	if m, ok := got.median(); ok != (len(took) > 0) || ok && len(took)%2 == 1 && m != took[len(took)/2] {
		rt.Fatalf("median of %v: %d, %v", took, m, ok)
	}
}
