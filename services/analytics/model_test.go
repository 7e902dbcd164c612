package analytics

import (
	"cmp"
	"database/sql"
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
				if ok && rapid.Bool().Draw(t, "corrected") {
					c = corrected(t, known, c)
				}
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

// aMoment is mostly near noon, where many calls are at once, else days, months or a year
// away from there.
func aMoment(t *rapid.T, name string) time.Time {
	days := rapid.SampledFrom([]int{0, 0, 0, 0, 1, -1, 8, -9, 40, 73, 180, -365}).Draw(t, name+", days")
	return noon.AddDate(0, 0, days).Add(time.Duration(rapid.IntRange(-40, 40).Draw(t, name)) * 7 * time.Minute)
}

func factsOf(t *rapid.T, id string) event.Call {
	c := event.Call{
		ID: id, Final: rapid.IntRange(0, 9).Draw(t, "final") > 0,
		Direction: rapid.SampledFrom([]event.Direction{event.Inbound, event.Inbound, event.Outbound, event.Internal}).Draw(t, "direction"),
		Outcome:   rapid.SampledFrom([]event.Outcome{event.Answered, event.Missed, event.Missed, event.Voicemail}).Draw(t, "outcome"),
		Client:    rapid.SampledFrom([]string{"", number(1), number(1), number(2), number(3)}).Draw(t, "phone"),
		Waiting:   rapid.IntRange(0, 60).Draw(t, "waiting"), Talk: rapid.IntRange(0, 600).Draw(t, "talk"),
	}
	if rapid.IntRange(0, 9).Draw(t, "timed") > 0 {
		at := aMoment(t, "at")
		c.StartedAt = &at
	}
	if name := rapid.SampledFrom([]string{"", "Olena Koval", "Petro Bondar"}).Draw(t, "employee"); name != "" {
		c.Employee = &event.Employee{Name: name}
	}
	c.Traffic.Source = rapid.SampledFrom([]string{"", "google", "a\x1f\",'b"}).Draw(t, "source")
	c.Traffic.Campaign = rapid.SampledFrom([]string{"", "winter"}).Draw(t, "campaign")
	return c
}

// corrected is a call that differs from what was known of it in one thing only.
func corrected(t *rapid.T, known, other event.Call) event.Call {
	c := known
	switch rapid.IntRange(0, 7).Draw(t, "what is corrected") {
	case 0:
		c.Final = !c.Final
	case 1:
		c.Direction = other.Direction
	case 2:
		c.Outcome = other.Outcome
	case 3:
		c.Client = other.Client
	case 4:
		c.StartedAt = other.StartedAt
	case 5:
		c.Employee = other.Employee
	case 6:
		c.Traffic.Campaign = other.Traffic.Campaign
	default:
		c.Talk = other.Talk
	}
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
			Source: f.Traffic.Source, Campaign: f.Traffic.Campaign, Waiting: f.Waiting, Talk: f.Talk, Rule: h.rules[id],
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

// TestTheReadModelIsWhatItsCallsComeTo compares the export and the whole report with a
// plain recomputation, over random histories with late facts, calls that become others
// and repeated events, over random spans, and in other time zones as a project may have
// them from one question to the next.
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
		all := h.expected()
		for range 3 {
			since, until := aMoment(rt, "since"), aMoment(rt, "until")
			if len(all) > 0 && rapid.Bool().Draw(rt, "to a call") { // which is not of the span
				until = rapid.SampledFrom(all).Draw(rt, "call").StartedAt
			}
			if rapid.IntRange(0, 3).Draw(rt, "from the beginning") == 0 {
				since = time.Time{}
			}
			if rapid.IntRange(0, 3).Draw(rt, "without an end") == 0 {
				until = time.Time{}
			}
			want := slices.DeleteFunc(slices.Clone(all), func(c Call) bool {
				return c.StartedAt.Before(since) || !until.IsZero() && !c.StartedAt.Before(until)
			})
			zone, err := time.LoadLocation(rapid.SampledFrom(someZones).Draw(rt, "zone"))
			if err != nil {
				rt.Fatal(err)
			}
			q := question{spanOf("shop", since, until), zone, rapid.IntRange(1, 3).Draw(rt, "limit")}
			var got []Call
			var answer any
			err = atOnce(t.Context(), v, func(tx *sql.Tx) (err error) {
				if answer, err = report(t.Context(), tx, q); err != nil {
					return err
				}
				return calls(t.Context(), tx, q.span, q.zone, func(c Call) error {
					c.State = "" // see TestStatesAreThoseOfTheList
					got = append(got, c)
					return nil
				})
			})
			if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				rt.Fatalf("calls from %s to %s (%v) (-want +got):\n%s", since, until, err, diff)
			}
			if diff := gocmp.Diff(asJSON(rt, plainReport(want, q)), asJSON(rt, answer)); diff != "" {
				rt.Fatalf("report from %s to %s in %s (-want +got):\n%s", since, until, q.zone, diff)
			}
		}
	})
}

func TestAReportIsOfOneMomentWhileCallsFlow(t *testing.T) {
	v := openAlone(t, t.TempDir())
	defer v.Close()
	var batches [][]bus.Recorded
	aStream(t, 1000, time.Minute, false, func(batch []bus.Recorded) { batches = append(batches, slices.Clone(batch)) })
	apply := func(batch []bus.Recorded) {
		if err := v.Apply(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	apply(batches[0])
	q := question{spanOf("shop", time.Time{}, time.Time{}), kyiv, 5}
	told := func(tx *sql.Tx) whole {
		answer, err := report(t.Context(), tx, q)
		if err != nil {
			t.Fatal(err)
		}
		return answer.(whole)
	}
	var first, second, third whole
	err := atOnce(t.Context(), v, func(tx *sql.Tx) error {
		first = told(tx)
		apply(batches[1])
		second = told(tx)
		return nil
	})
	err = cmp.Or(err, atOnce(t.Context(), v, func(tx *sql.Tx) error {
		third = told(tx)
		return nil
	}))
	if err != nil || first.Summary.Calls != 500 || third.Summary.Calls != 1000 {
		t.Fatalf("%d calls, then %d (%v), want 500 and 1000", first.Summary.Calls, third.Summary.Calls, err)
	}
	if diff := gocmp.Diff(fmt.Sprintf("%+v", first.Employees), fmt.Sprintf("%+v", second.Employees)); diff != "" || second.Summary.Calls != 500 {
		t.Errorf("a question that is asked twice in one reading, with calls between:\n%s", diff)
	}
}
