package console

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func ids(items []callItem) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = item.ID
	}
	return out
}

// asked lists the calls of a query, by id.
func (d *desk) asked(query string) []string {
	d.t.Helper()
	return ids(get[list[callItem]](d, shop+"/calls?"+query).Items)
}

func TestFiltersNarrowTheList(t *testing.T) {
	d := openDesk(t)
	d.settled("early", 0, event.Executed)  // 09:00 UTC, 11:00 in Kyiv
	d.settled("later", 30, event.Refused)  // 09:30
	d.settled("latest", 59, event.InDoubt) // 09:59
	stranger := aCall("stranger", 45)      // 09:45
	stranger.Client = "+380932223344"
	stranger.Direction, stranger.Outcome, stranger.Employee = event.Outbound, event.Missed, nil
	d.classified(d.received(), stranger)
	cases := []struct {
		name, query string
		want        []string
	}{
		{"without a filter all, the newest first", "", []string{"latest", "stranger", "later", "early"}},
		{"by number in E.164, + escaped", "phone=%2B380671112233", []string{"latest", "later", "early"}},
		{"by number, + not escaped", "phone=+380671112233", []string{"latest", "later", "early"}},
		{"by number without +", "phone=380671112233", []string{"latest", "later", "early"}},
		{"by number the national way", "phone=0671112233", []string{"latest", "later", "early"}},
		{"by number as people write it", "phone=" + url.QueryEscape("(067) 111-22-33"), []string{"latest", "later", "early"}},
		{"by another number", "phone=0932223344", []string{"stranger"}},
		{"by a number that never called", "phone=0509999999", nil},
		{"by state", "state=done", []string{"early"}},
		{"by state parked", "state=parked", []string{"later"}},
		{"by state in doubt", "state=in_doubt", []string{"latest"}},
		{"by state waiting", "state=waiting", []string{"stranger"}},
		{"by state and number", "state=waiting&phone=0671112233", nil},
		{"by employee", "employee=Olena+Koval", []string{"latest", "later", "early"}},
		{"by an employee who never called", "employee=Olena", nil},
		{"by outcome", "outcome=missed", []string{"stranger"}},
		{"by direction", "direction=inbound", []string{"latest", "later", "early"}},
		{"by what the CRM knew", "client=new", []string{"latest", "later", "early"}},
		{"by employee, outcome and state", "employee=Olena+Koval&outcome=answered&state=parked", []string{"later"}},
		{"by employee, settled, in a span", "employee=Olena+Koval&state=done&since=2h", []string{"early"}},
		{"by things that no call has together", "employee=Olena+Koval&outcome=missed", nil},
		{"since a moment, which belongs to it", "since=2026-01-02T09:30:00Z", []string{"latest", "stranger", "later"}},
		{"until a moment, which doesn't", "until=2026-01-02T09:30:00Z", []string{"early"}},
		{"since with an offset, + escaped", "since=2026-01-02T11:45:00%2B02:00", []string{"latest", "stranger"}},
		{"since with an offset, + not escaped", "since=2026-01-02T11:45:00+02:00", []string{"latest", "stranger"}},
		{"since a span: the clock says 10:00", "since=20m", []string{"latest", "stranger"}},
		{"between two spans", "since=40m&until=10m", []string{"stranger", "later"}},
		{"since a date in the project's zone", "since=2026-01-02", []string{"latest", "stranger", "later", "early"}},
		{"until a date", "until=2026-01-02", nil},
		{"until the day after", "until=2026-01-03", []string{"latest", "stranger", "later", "early"}},
		{"the first two", "limit=2", []string{"latest", "stranger"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := d.asked(c.query); !slices.Equal(got, c.want) {
				t.Errorf("calls?%s: %v, want %v", c.query, got, c.want)
			}
		})
	}
}

// goingOn is a call that still goes on, which did not say when it began.
func goingOn(id, number string) event.Call {
	return event.Call{ID: id, Event: "before", Direction: event.Inbound, Client: number}
}

func TestCallsThatGoOnAreListedWhereTheyAreAskedFor(t *testing.T) {
	d := openDesk(t)
	d.settled("early", -30, event.Executed)
	talks := goingOn("talks", "+380932223344")
	began := morning.Add(20 * time.Minute)
	talks.StartedAt = &began
	d.classified(d.received(), talks)
	d.classified(d.received(), goingOn("rings", client)) // told of at 09:00
	d.classified(d.received(), aCall("waits", 30))
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", []string{"waits", "early"}},
		{"unfinished=too", []string{"waits", "talks", "rings", "early"}},
		{"unfinished=only", []string{"talks", "rings"}},
		{"unfinished=too&phone=0671112233", []string{"waits", "rings", "early"}},
		{"unfinished=only&phone=0932223344", []string{"talks"}},
		{"unfinished=too&direction=inbound", []string{"waits", "talks", "rings", "early"}},
		{"unfinished=too&outcome=answered", []string{"waits", "early"}},
		{"unfinished=too&employee=Olena+Koval", []string{"waits", "early"}},
		{"unfinished=too&state=waiting", []string{"waits"}},
		{"unfinished=too&since=2026-01-02T09:00:00Z", []string{"waits", "talks", "rings"}},
		{"unfinished=too&until=2026-01-02T09:10:00Z", []string{"rings", "early"}},
	} {
		if got := d.asked(c.query); !slices.Equal(got, c.want) {
			t.Errorf("calls?%s: %v, want %v", c.query, got, c.want)
		}
	}
	rings := get[list[callItem]](d, shop+"/calls?unfinished=only&phone=0671112233").Items[0]
	if want := (callItem{ID: "rings", ToldAt: "2026-01-02T09:00:00Z", Direction: "inbound", Phone: client, State: "unfinished"}); rings != want {
		t.Errorf("the ringing call is %+v, want %+v", rings, want)
	}
	// When it is over it is the same call, at its place.
	d.classified(d.received(), aCall("rings", 40))
	if got := d.asked("unfinished=too"); !slices.Equal(got, []string{"rings", "waits", "talks", "early"}) {
		t.Errorf("when it is over: %v, want it once, where it began", got)
	}
	if got := get[callStory](d, shop+"/calls/rings"); got.State != "waiting" || got.ToldAt != "" || got.StartedAt == "" {
		t.Errorf("when it is over: %+v, want when it began instead of when it was told of", got.callItem)
	}
}

func TestADateBeginsInTheProjectsZone(t *testing.T) {
	d := openDesk(t)
	d.classified(d.received(), aCall("late", 13*60-30)) // 21:30 UTC is 23:30 in Kyiv
	d.classified(d.received(), aCall("next", 13*60+30)) // 22:30 UTC is 00:30 in Kyiv
	if got := d.asked("since=2026-01-03"); !slices.Equal(got, []string{"next"}) {
		t.Errorf("since 3 January: %v, want the call after midnight in Kyiv only", got)
	}
}

func TestWrongParametersAreNamed(t *testing.T) {
	d := openDesk(t)
	cursor := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for query, word := range map[string]string{
		"state=unfinished": "state", "outcome=ANSWERED": "outcome", "direction=in": "direction", "client=old": "client", "state=DONE": "state", "unfinished=yes": "unfinished", "unfinished=only&state=done": "unfinished", "limit=0": "limit", "limit=501": "limit", "limit=-1": "limit", "limit=many": "limit",
		"phone=nobody": "phone", "since=yesterday": "time", "until=2026-13-01": "time", "since=-5m": "time", "since=2h&until=3h": "before until",
		"cursor=!": "cursor", "cursor=" + cursor("12"): "cursor", "cursor=" + cursor("x|1"): "cursor",
	} {
		w := d.ask(http.MethodGet, shop+"/calls?"+query, "")
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), word) {
			t.Errorf("calls?%s: %d %s, want 400 and a word about %q", query, w.Code, w.Body, word)
		}
	}
}

// TestPagesHaveNoGapAndNoDouble reads 1,000 calls page by page, many of which began
// in the same second.
func TestPagesHaveNoGapAndNoDouble(t *testing.T) {
	d := openDesk(t)
	d.group.Stop()
	const calls = 1000
	i := fill(t, d.data, calls)
	everyThirdGoesOn(t, d.data)
	for _, limit := range []int{1, 7, 100, 333, 500} {
		var got []string
		f := filter{project: "shop", limit: limit, unfinished: "too"}
		for {
			items, next, err := i.calls(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) > limit {
				t.Fatalf("a page of %d has %d", limit, len(items))
			}
			if got = append(got, ids(items)...); len(got) > calls {
				t.Fatalf("pages of %d: more than the %d calls there are", limit, calls)
			}
			if f.cursor = next; next == "" {
				break
			}
		}
		unique := slices.Compact(slices.Sorted(slices.Values(got)))
		if len(got) != calls || len(unique) != calls {
			t.Errorf("pages of %d: %d calls, %d different; want %d of each", limit, len(got), len(unique), calls)
		}
	}
}

// TestASearchThatFindsLittleGoesOnPageByPage looks for one in five hundred calls, spread
// over more calls than one page looks through.
func TestASearchThatFindsLittleGoesOnPageByPage(t *testing.T) {
	d := openDesk(t)
	d.group.Stop()
	const calls = 2*depth + 500
	i := fill(t, d.data, calls)
	everyThirdGoesOn(t, d.data)
	f := filter{project: "shop", direction: "inbound", client: "contact", limit: 50, unfinished: "too"}
	var got []string
	for pages := 1; ; pages++ {
		items, next, err := i.calls(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(items)...)
		if f.cursor = next; next == "" {
			if pages != 3 {
				t.Errorf("%d pages, want 3 for %d calls at %d a page", pages, calls, depth)
			}
			break
		}
	}
	var want []string
	for k := calls - 1; k >= 0; k-- {
		if k%500 == 0 {
			want = append(want, number(k))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d calls found, want each of the %d once", len(got), len(want))
	}
}

func TestACallThatArrivesBetweenPagesMovesNothing(t *testing.T) {
	d := openDesk(t)
	for n := range 4 {
		d.classified(d.received(), aCall(number(n), n))
	}
	first := get[list[callItem]](d, shop+"/calls?limit=2")
	d.classified(d.received(), aCall("new", 30))
	second := get[list[callItem]](d, shop+"/calls?limit=2&cursor="+first.Next)
	if got := append(ids(first.Items), ids(second.Items)...); !slices.Equal(got, []string{number(3), number(2), number(1), number(0)}) {
		t.Errorf("two pages: %v, want the four calls that were there", got)
	}
	if second.Next != "" {
		t.Errorf("the last page has a next: %q", second.Next)
	}
}

func everyThirdGoesOn(t *testing.T, dir string) {
	t.Helper()
	edit("UPDATE calls SET final = 0 WHERE CAST(substr(id, 12) AS INTEGER) % 3 = 0")(t, filepath.Join(dir, model.Name+".db"))
}

// fill makes an index of n calls, ten per minute's first second.
func fill(t testing.TB, dir string, n int) index {
	t.Helper()
	i := openIndex(t, dir)
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Errorf("close the index: %v", err)
		}
	})
	states := []event.OutcomeState{event.Executed, event.Executed, event.Executed, event.Executed, event.Refused}
	clients := []string{"contact", "new"}
	var batch []bus.Recorded
	seq := uint64(0)
	add := func(e event.Envelope, err error) event.Envelope {
		if err != nil {
			t.Fatal(err)
		}
		seq++
		batch = append(batch, bus.Recorded{Envelope: e, Seq: seq})
		return e
	}
	for k := range n {
		id := number(k)
		c := aCall(id, k/10)
		c.Employee = &event.Employee{Name: fmt.Sprintf("Employee %d", k%20), BitrixUser: k%20 + 1}
		if k%10 == 3 {
			c.Outcome = event.Missed
		}
		c.Client = "+38067" + number(1000000 + k%5000)[len("1767348000."):]
		received := add(event.First("ingress", morning, aRequest()))
		classified := add(event.Next(received, "classifier", morning, &event.CallClassified{Project: "shop", Received: received.ID, Revision: 1, Changed: true, Call: c}))
		plan := add(event.Next(classified, "resolver", morning, &event.CallResolved{Project: "shop", Classified: classified.ID, Client: event.Client{State: clients[min(1, k%500)]}, Decision: 1, Facts: c}))
		command := &event.BitrixCommand{ID: event.CommandID("shop", id, "lead"), Project: "shop", Call: id, Role: "lead", Kind: event.KindLead, Rule: "answered/new", Plan: plan.ID, Index: 1, Of: 1}
		asked := add(event.Next(plan, "planner", morning, command))
		add(event.Next(asked, "writer", morning, &event.BitrixOutcome{
			Command: command.ID, Project: "shop", Call: id, Plan: plan.ID, Role: "lead", Kind: event.KindLead, State: states[k%len(states)], BitrixID: k + 1,
		}))
		if len(batch) >= 500 || k == n-1 {
			if err := i.Apply(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	return i
}
