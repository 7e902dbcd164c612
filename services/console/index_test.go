package console

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/view"
)

// TestACallEndsWhereItsCommandsEnd walks every way from waiting to an end.
func TestACallEndsWhereItsCommandsEnd(t *testing.T) {
	const (
		executed = event.Executed
		adopted  = event.Adopted
		already  = event.AlreadyTrue
		refused  = event.Refused
		doubt    = event.InDoubt
	)
	cases := []struct {
		name     string
		roles    []string
		outcomes []event.OutcomeState // per role; empty: none yet
		want     string
	}{
		{"nothing planned yet", nil, nil, "waiting"},
		{"planned, nothing written", []string{"lead", "task:done"}, []event.OutcomeState{"", ""}, "waiting"},
		{"one of two written", []string{"lead", "task:done"}, []event.OutcomeState{executed, ""}, "waiting"},
		{"the second one first", []string{"lead", "task:done"}, []event.OutcomeState{"", executed}, "waiting"},
		{"both written", []string{"lead", "task:done"}, []event.OutcomeState{executed, executed}, "done"},
		{"found after a lost answer", []string{"lead"}, []event.OutcomeState{adopted}, "done"},
		{"true before", []string{"task:done"}, []event.OutcomeState{already}, "done"},
		{"one refused", []string{"lead", "task:done"}, []event.OutcomeState{executed, refused}, "parked"},
		{"one refused, the other waits", []string{"lead", "task:done"}, []event.OutcomeState{refused, ""}, "waiting"},
		{"an answer lost", []string{"lead", "task:done"}, []event.OutcomeState{doubt, ""}, "in_doubt"},
		{"doubt beside a refusal", []string{"lead", "task:done"}, []event.OutcomeState{doubt, refused}, "in_doubt"},
		{"the rule wants nothing", []string{"nothing"}, []event.OutcomeState{already}, "ignored"},
	}
	d := openDesk(t)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id := number(i)
			facts := aCall(id, i)
			classified := d.classified(d.received(), facts)
			resolved := d.resolved(classified, facts, 1)
			for j, command := range d.planned(resolved, id, c.roles...) {
				if c.outcomes[j] != "" {
					d.outcome(command, c.outcomes[j])
				}
			}
			if got := d.state(id); got != c.want {
				t.Errorf("outcomes %v of %v: state %q, want %q", c.outcomes, c.roles, got, c.want)
			}
		})
	}
	waiting := 0
	for _, c := range cases {
		if c.want == "waiting" || c.want == "in_doubt" {
			waiting++
		}
	}
	if got := d.status().Waiting; got != waiting {
		t.Errorf("status says %d waiting, want the %d calls that are not settled", got, waiting)
	}
}

func TestADoubtThatIsResolvedEndsTheCall(t *testing.T) {
	d := openDesk(t)
	c := aCall("1", 0)
	classified := d.classified(d.received(), c)
	command := d.planned(d.resolved(classified, c, 1), "1", "lead")[0]
	d.outcome(command, event.InDoubt)
	if got := d.state("1"); got != "in_doubt" {
		t.Fatalf("after a lost answer: %q, want in_doubt", got)
	}
	d.outcome(command, event.Adopted)
	story := get[callStory](d, shop+"/calls/1")
	if story.State != "done" || story.Commands[0].State != "adopted" || story.Commands[0].BitrixID != 512 {
		t.Errorf("after the search: %q with %+v, want done, adopted, 512", story.State, story.Commands)
	}
}

func TestARepeatedWebhookDoesNotWakeASettledCall(t *testing.T) {
	d := openDesk(t)
	d.settled("1", 0, event.Executed)
	d.classified(d.received(), aCall("1", 0), nothingNew)
	if got, s := d.state("1"), d.status(); got != "done" || s.Waiting != 0 {
		t.Errorf("state %q, waiting %d; want done and 0: the report told nothing new", got, s.Waiting)
	}
}

func TestAReportThatTellsMoreMakesTheCallWaitUntilItIsAmended(t *testing.T) {
	d := openDesk(t)
	d.settled("1", 0, event.Executed)
	more := aCall("1", 0)
	more.Recording = "https://records.example/1.wav"
	classified := d.classified(d.received(), more)
	if got := d.state("1"); got != "waiting" {
		t.Fatalf("after a report that told more: %q, want waiting", got)
	}
	commands := d.planned(d.resolved(classified, more, 2), "1", "lead")
	if got := d.state("1"); got != "waiting" {
		t.Fatalf("the outcome of the first plan must not settle the second: %q, want waiting", got)
	}
	d.outcome(commands[0], event.AlreadyTrue)
	if got := d.state("1"); got != "done" {
		t.Errorf("amended: %q, want done", got)
	}
}

func TestALateOutcomeOfAnOldPlanChangesNothing(t *testing.T) {
	d := openDesk(t)
	c := aCall("1", 0)
	classified := d.classified(d.received(), c)
	old := d.planned(d.resolved(classified, c, 1), "1", "lead")
	again := d.classified(d.received(), c, byHand)
	d.planned(d.resolved(again, c, 2), "1", "lead")
	d.outcome(old[0], event.Executed)
	if got := d.state("1"); got != "waiting" {
		t.Errorf("an outcome of the plan before the retry: state %q, want waiting", got)
	}
}

func TestAnUnreadRequestWaits(t *testing.T) {
	d := openDesk(t)
	first := d.received()
	d.received()
	if got := d.status().Waiting; got != 2 {
		t.Fatalf("two requests that nobody read: %d waiting, want 2", got)
	}
	d.parkedAt(first, "classify", "", first.ID)
	if s := d.status(); s.Waiting != 1 || s.Parked != 1 {
		t.Errorf("one of them unreadable: %d waiting and %d parked, want 1 and 1", s.Waiting, s.Parked)
	}
}

func TestACallThatGoesOnIsNotListedAndDoesNotWait(t *testing.T) {
	d := openDesk(t)
	ringing := event.Call{ID: "1", Event: "before", Direction: event.Inbound, Client: client}
	d.classified(d.received(), ringing)
	if got := get[list[callItem]](d, shop+"/calls"); len(got.Items) != 0 {
		t.Errorf("a ringing call is listed: %+v", got.Items)
	}
	if got := d.status().Waiting; got != 0 {
		t.Errorf("a ringing call: %d waiting, want 0", got)
	}
	story := get[callStory](d, shop+"/calls/1")
	if story.State != "unfinished" || story.StartedAt != "" || len(story.Events) != 2 {
		t.Errorf("story of a ringing call: state %q, started %q, %d events; want unfinished, empty, 2", story.State, story.StartedAt, len(story.Events))
	}
	d.classified(d.received(), aCall("1", 0))
	if got, s := d.state("1"), d.status(); got != "waiting" || s.Waiting != 1 {
		t.Errorf("when it is over: %q, %d waiting; want waiting, 1", got, s.Waiting)
	}
}

func TestAPartOfATalkThatWasToldOfWhileItWentOnIsNoCallOfItsOwn(t *testing.T) {
	d := openDesk(t)
	d.classified(d.received(), event.Call{ID: "part", Event: "answer", Direction: event.Inbound, Client: client})
	whole := aCall("whole", 0)
	whole.Legs = []event.Leg{{ID: "whole", Talk: 40}, {ID: "part", Talk: 20}}
	d.classified(d.received(), whole)
	if got := d.asked("unfinished=too"); !slices.Equal(got, []string{"whole"}) {
		t.Errorf("listed are %v, want the talk alone", got)
	}
	if w := d.ask(http.MethodGet, shop+"/calls/part", ""); w.Code != http.StatusNotFound {
		t.Errorf("the part's own story: %d, want 404 where no file says whose part it is", w.Code)
	}
	if got := get[callStory](d, shop+"/calls/whole").Events; len(got) != 4 {
		t.Errorf("the talk's story has %d events, want both requests and what was read from each", len(got))
	}
	d.settled("one", 10, event.Executed)
	other := aCall("other", 11)
	other.Legs = []event.Leg{{ID: "other", Talk: 40}, {ID: "one", Talk: 20}}
	d.classified(d.received(), other)
	if got := d.state("one"); got != "done" {
		t.Errorf("a call that was settled before: %q, want it to stay", got)
	}
}

func TestOneProjectDoesNotSeeAnother(t *testing.T) {
	d := openDesk(t)
	d.settled("1", 0, event.Executed)
	const other = "/api/v1/projects/other"
	if got := get[list[callItem]](d, other+"/calls"); len(got.Items) != 0 {
		t.Errorf("the other project lists %+v", got.Items)
	}
	if w := d.ask(http.MethodGet, other+"/calls/1", ""); w.Code != http.StatusNotFound {
		t.Errorf("the other project's story of the call: %d, want 404", w.Code)
	}
}

// every is every event of a small history, in the stream's order.
func (d *desk) every() []event.Envelope {
	d.t.Helper()
	last, err := d.bus.Last(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	var out []event.Envelope
	for seq := uint64(1); seq <= last; seq++ {
		e, err := d.bus.Get(d.t.Context(), seq)
		if err != nil {
			d.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func (d *desk) history() {
	d.t.Helper()
	d.settled("done", 0, event.Executed, event.Executed)
	classified, _ := d.settled("refused", 1, event.Refused)
	d.parkedAt(classified, "write", "refused", classified.Cause)
	unread := d.received()
	id := d.parkedAt(unread, "classify", "", unread.ID)
	if w := d.ask(http.MethodPost, shop+"/parked/"+id+"/drop", `{"why":"a test call"}`); w.Code != http.StatusOK {
		d.t.Fatalf("drop: %d %s", w.Code, w.Body)
	}
}

// picture is what the index says of all calls, and of who changed what.
func (d *desk) picture() (calls, parked string) {
	d.t.Helper()
	s := d.ask(http.MethodGet, shop+"/status", "").Body.String() + d.ask(http.MethodGet, "/api/v1/audit", "").Body.String()
	return d.ask(http.MethodGet, shop+"/calls", "").Body.String() + s, d.ask(http.MethodGet, shop+"/parked", "").Body.String()
}

func TestEventsThatAreStoredTwiceChangeNothing(t *testing.T) {
	d := openDesk(t)
	d.history()
	calls, parked := d.picture()
	d.group.Stop() // the index is then this test's
	all := d.every()
	i := openIndex(t, filepath.Join(d.data, "views"))
	for n, e := range all {
		d.again(i, e, uint64(len(all)+1+n))
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	// The console takes the index up as one of this stream.
	edit(fmt.Sprintf("UPDATE progress SET seq = %d, id = '%s'", len(all), all[len(all)-1].ID))(t, filepath.Join(d.data, "views", "console.db"))
	d.start()
	gotCalls, gotParked := d.picture()
	if gotCalls != calls || gotParked != parked {
		t.Errorf("after every event once more:\n%s%s\nwant\n%s%s", gotCalls, gotParked, calls, parked)
	}
}

// openIndex opens the index in dir as it is, for a test that feeds it by itself.
func openIndex(t testing.TB, dir string) index {
	t.Helper()
	v, err := view.Open(t.Context(), dir, model, func(uint64, string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return index{v}
}

// edit changes an index that nobody has open.
func edit(query string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		db, err := sql.Open("sqlite", "file:"+path)
		if err == nil {
			_, err = db.Exec(query)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheIndexIsBuiltAgain(t *testing.T) {
	cases := map[string]func(t *testing.T, path string){
		"when it is deleted": func(t *testing.T, path string) {
			if err := os.RemoveAll(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		},
		"when it is of another version":  edit("DELETE FROM calls; PRAGMA user_version = 99"),
		"when it is half made":           edit("DROP TABLE calls; PRAGMA user_version = 0"),
		"when it is ahead of the stream": edit("DELETE FROM calls; UPDATE progress SET seq = 9000"),
		"when it is of another stream":   edit("DELETE FROM calls; UPDATE progress SET id = 'an event of another stream'"),
		"when its progress has gone":     edit("DELETE FROM calls; DELETE FROM progress"),
		"when the file is no database any more": func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("a text that somebody saved here, long enough to be no header of SQLite"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, harm := range cases {
		t.Run(name, func(t *testing.T) {
			d := openDesk(t)
			d.history()
			calls, parked := d.picture()
			d.group.Stop()
			harm(t, filepath.Join(d.data, "views", "console.db"))
			d.start()
			gotCalls, gotParked := d.picture()
			if gotCalls != calls || gotParked != parked {
				t.Errorf("built again:\n%s%s\nwant\n%s%s", gotCalls, gotParked, calls, parked)
			}
		})
	}
}

func TestAnIndexThatFitsIsNotBuiltAgain(t *testing.T) {
	d := openDesk(t)
	d.history()
	d.status()
	d.group.Stop()
	path := filepath.Join(d.data, "views", "console.db")
	edit("UPDATE calls SET employee = 'a mark of this file'")(t, path)
	d.start()
	if got := get[callStory](d, shop+"/calls/done").Employee; got != "a mark of this file" {
		t.Errorf("employee %q: the index was built again although it fits the stream", got)
	}
}
