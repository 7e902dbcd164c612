package console

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// TestAStoredRequestIsInTheNextAnswer holds for every request, however quickly the
// question follows: whoever sent a webhook and asks must not be told that all is quiet.
func TestAStoredRequestIsInTheNextAnswer(t *testing.T) {
	d := openDesk(t)
	for n := 1; n <= 100; n++ {
		d.received()
		if got := d.status().Waiting; got != n {
			t.Fatalf("after %d stored requests the status says %d waiting", n, got)
		}
	}
}

// TestNoAnswerIsOlderThanItsQuestion holds the index back, as a busy disk does.
func TestNoAnswerIsOlderThanItsQuestion(t *testing.T) {
	d := openDesk(t)
	d.status() // the index has what was there
	blocker, err := sql.Open("sqlite", "file:"+filepath.Join(d.data, "views", "console.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer blocker.Close()
	blocker.SetMaxOpenConns(1)
	if _, err := blocker.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	d.received()
	for _, path := range []string{"/status", "/calls", "/parked", "/calls/1"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		r := httptest.NewRequest(http.MethodGet, shop+path, nil).WithContext(ctx)
		r.Header.Set("Authorization", "Bearer "+pass)
		w := d.request(r)
		cancel()
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("GET %s while the index is behind: %d %s, Retry-After %q; want 503 and when to come back", path, w.Code, w.Body, w.Header().Get("Retry-After"))
		}
	}
	answered := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		r := httptest.NewRequest(http.MethodGet, shop+"/status", nil)
		r.Header.Set("Authorization", "Bearer "+pass)
		w := httptest.NewRecorder()
		d.mux.ServeHTTP(w, r)
		answered <- w
	}()
	if _, err := blocker.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	select {
	case w := <-answered:
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"waiting":1`) {
			t.Errorf("the question that waited for the index: %d %s, want 200 with one waiting", w.Code, w.Body)
		}
	case <-time.After(20 * time.Second):
		t.Error("the question is not answered although the index goes on")
	}
}

func TestStatusIsTheWritersAndTheIndexs(t *testing.T) {
	d := openDesk(t)
	s := d.status()
	if s.Portal.State != crm.PortalDown || s.Portal.Reason == "" {
		t.Errorf("without a writer: portal %+v, want down with a reason", s.Portal)
	}
	err := bus.Answer(d.group.Context(), d.bus, crm.StatusSubject("shop"), func(context.Context, crm.StatusQuestion) (crm.Status, error) {
		return crm.Status{InFlight: 2, InDoubt: 1, Portal: crm.Portal{State: crm.PortalSlow, Reason: "asked for fewer requests", Since: morning, Requests: 7, PerSecond: 2, Burst: 50,
			Level: 12.5, Limit: 48, Methods: []crm.MethodUse{{Method: "crm.lead.add", Used: 400, Limit: 480, ResetAt: morning, BlockedUntil: morning}}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d.received()
	s = d.status()
	if s.InFlight != 2 || s.InDoubt != 1 || s.Waiting != 1 || s.Portal.State != crm.PortalSlow || s.Revision != 1 {
		t.Errorf("status %+v, want in flight 2, in doubt 1, waiting 1, slow, revision 1", s)
	}
	if len(s.Portal.Methods) != 1 || s.Portal.Methods[0].Used != 400 || s.Portal.Level != 12.5 {
		t.Errorf("portal %+v, want the method's budget and the level as the writer says", s.Portal)
	}
}

func TestStatusNamesWhatIsInDoubt(t *testing.T) {
	d := openDesk(t)
	if s := d.status(); s.Doubtful == nil || len(s.Doubtful) != 0 {
		t.Errorf("at first %v, want an empty list", s.Doubtful)
	}
	d.settled("1", 0, event.Executed, event.InDoubt)
	got := d.status().Doubtful
	if len(got) != 1 || got[0].Call != "1" || got[0].Phone != client || got[0].Command == "" {
		t.Errorf("in doubt: %+v, want the one command of call 1", got)
	}
}

func TestTheStoryTellsEverythingInOrder(t *testing.T) {
	d := openDesk(t)
	const id = "1767348000.7/a b" // callers choose ids
	c := aCall(id, 0)
	classified := d.classified(d.received(), c)
	command := d.planned(d.resolved(classified, c, 1), id, "lead")[0]
	d.outcome(command, event.Refused)
	d.parkedAt(command, "write", id, classified.Cause)
	story := get[callStory](d, shop+"/calls/1767348000.7%2Fa%20b")
	var got []string
	for _, e := range story.Events {
		got = append(got, string(e.Type))
		if e.Words == "" || strings.Contains(e.Words, client) {
			t.Errorf("words of %s: %q; want a sentence without the client's number", e.Type, e.Words)
		}
	}
	want := "call.received.v1 call.classified.v1 call.resolved.v1 bitrix.command.v1 bitrix.outcome.v1 call.parked.v1"
	if strings.Join(got, " ") != want {
		t.Errorf("events %v, want %s", got, want)
	}
	if story.Client != "new" || story.Rule != "answered/new" || story.Employee != "Olena Koval" || story.Phone != client || story.StartedAt != "2026-01-02T09:00:00Z" {
		t.Errorf("the call in short: %+v", story.callItem)
	}
	if len(story.Commands) != 1 || story.Commands[0].State != "refused" || story.Commands[0].Error != "the portal wants a title" {
		t.Errorf("commands %+v, want one refused with the portal's words", story.Commands)
	}
}

func TestProblemsHaveTheirForm(t *testing.T) {
	d := openDesk(t)
	cases := []struct {
		method, path, sign string
		code               int
		header, value      string
	}{
		{"GET", shop + "/status", "", 401, "WWW-Authenticate", `Bearer realm="ringbridge"`},
		{"GET", shop + "/status", "Bearer wrong", 401, "WWW-Authenticate", `Bearer realm="ringbridge"`},
		{"GET", "/api/openapi.yaml", "Basic " + pass, 401, "WWW-Authenticate", `Bearer realm="ringbridge"`},
		{"GET", "/api/v2/nowhere", "", 401, "WWW-Authenticate", `Bearer realm="ringbridge"`}, // nothing is told before the token
		{"GET", "/api/v1/projects/shopp/status", "Bearer " + pass, 404, "", ""},
		{"GET", shop + "/calls/unknown", "Bearer " + pass, 404, "", ""},
		{"GET", "/api/v2/nowhere", "Bearer " + pass, 404, "", ""},
		{"POST", shop + "/parked/unknown/retry", "Bearer " + pass, 404, "", ""},
		{"POST", shop + "/status", "Bearer " + pass, 405, "Allow", "GET, HEAD"},
		{"GET", shop + "/parked/x/retry", "Bearer " + pass, 405, "Allow", "POST"},
	}
	for _, c := range cases {
		r := httptest.NewRequest(c.method, c.path, nil)
		if c.sign != "" {
			r.Header.Set("Authorization", c.sign)
		}
		w := d.request(r)
		if w.Code != c.code || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s with %q: %d %s, want %d as problem+json", c.method, c.path, c.sign, w.Code, w.Header().Get("Content-Type"), c.code)
		}
		if got := w.Header().Get(c.header); c.header != "" && got != c.value {
			t.Errorf("%s %s: %s %q, want %q", c.method, c.path, c.header, got, c.value)
		}
	}
}

func TestSettingsShowNoSecretAndTheirRevision(t *testing.T) {
	d := openDesk(t)
	w := d.ask(http.MethodGet, shop+"/settings", "")
	if w.Code != http.StatusOK || w.Header().Get("ETag") != `"1"` {
		t.Errorf("settings: %d, ETag %s; want 200 and \"1\"", w.Code, w.Header().Get("ETag"))
	}
	if strings.Contains(w.Body.String(), "secret-") || strings.Contains(w.Body.String(), "secretwebhook") || strings.Count(w.Body.String(), `"***"`) != 3 {
		t.Errorf("settings show a secret, or not that there are three: %s", w.Body)
	}
}

func TestTheProgramTellsOfItself(t *testing.T) {
	d := openDesk(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if w := d.request(httptest.NewRequest(http.MethodGet, path, nil)); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s without a token: %d %q, want 200 %q", path, w.Code, w.Body, want)
		}
	}
	if w := d.request(httptest.NewRequest(http.MethodGet, "/metrics", nil)); w.Code != http.StatusOK {
		t.Errorf("/metrics without a token: %d, want 200", w.Code)
	}
	d.ready = errors.New("writer: ended by itself")
	if w := d.request(httptest.NewRequest(http.MethodGet, "/readyz", nil)); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "writer") {
		t.Errorf("/readyz while the writer is not well: %d %q, want 503 that names it", w.Code, w.Body)
	}
	if w := d.ask(http.MethodGet, "/api/openapi.yaml", ""); w.Body.String() != string(openAPI) {
		t.Errorf("the description is served changed")
	}
	p := get[programAnswer](d, "/api/v1/program")
	if !strings.Contains(p.Trouble, "writer") || !p.StartedAt.Equal(morning.Add(time.Hour)) || p.Disk == nil || p.Disk.Limit < p.Disk.Used || p.Disk.Free <= 0 || p.Disk.Reserve <= 0 {
		t.Errorf("the program says %+v, want what is not well, the start and the disk", p)
	}
	type named struct{ ID, Name string }
	if got := get[list[named]](d, "/api/v1/projects").Items; len(got) != 2 || got[0].ID != "other" || got[1].Name != "Shop" {
		t.Errorf("projects %v, want other and shop", got)
	}
	if got := get[list[named]](d, "/api/v1/rules").Items; len(got) < 20 {
		t.Errorf("%d rules, want the whole table", len(got))
	}
}

func TestARetrySendsTheRequestThroughThePipelineAgain(t *testing.T) {
	d := openDesk(t)
	request := d.received()
	id := d.parkedAt(request, "classify", "", request.ID)
	items := get[list[parkedItem]](d, shop+"/parked").Items
	if len(items) != 1 || items[0].ID != id || items[0].Remedy == "" || len(items[0].Raw) != 1 || items[0].Raw[0].Body != "call_id=1\uFFFD" {
		t.Fatalf("parked: %+v, want the one with its request, readable", items)
	}
	before := d.every()
	if w := d.ask(http.MethodPost, shop+"/parked/"+id+"/retry", ""); w.Code != http.StatusOK {
		t.Fatalf("retry: %d %s, want 200", w.Code, w.Body)
	}
	events := d.every()[len(before):]
	if len(events) != 3 || events[2].Type != event.TypeConsoleActed || events[0].Type != event.TypeCallReceived || events[0].Cause != request.ID {
		t.Fatalf("a retry stored %v, want the request again, that it was retried, and who did it", events)
	}
	got, err := event.As[event.CallReceived](events[0])
	if err != nil || got.RetryOf != id || string(got.Body) != "call_id=1\xff" {
		t.Errorf("the request again: %+v, %v; want the same bytes and retry_of %s", got, err, id)
	}
	if s := d.status(); s.Parked != 0 || s.Waiting != 1 {
		t.Errorf("after the retry: %d parked, %d waiting; want 0 and 1", s.Parked, s.Waiting)
	}
	if w := d.ask(http.MethodPost, shop+"/parked/"+id+"/retry", ""); w.Code != http.StatusNotFound {
		t.Errorf("a second retry: %d, want 404: it is not parked any more", w.Code)
	}
	// The pipeline reads it, now with success.
	c := aCall("1", 0)
	classified := d.classified(events[0], c, byHand)
	d.outcome(d.planned(d.resolved(classified, c, 1), "1", "lead")[0], event.Executed)
	if s := d.status(); d.state("1") != "done" || s.Waiting != 0 {
		t.Errorf("after the second way through: %q, %d waiting; want done, 0", d.state("1"), s.Waiting)
	}
}

func TestARetriedCallWaitsAgainAndCanEndWell(t *testing.T) {
	d := openDesk(t)
	classified, _ := d.settled("1", 0, event.Refused)
	id := d.parkedAt(classified, "write", "1", classified.Cause)
	if got := d.state("1"); got != "parked" {
		t.Fatalf("refused: %q, want parked", got)
	}
	d.ask(http.MethodPost, shop+"/parked/"+id+"/retry", "")
	c := aCall("1", 0)
	again := d.classified(d.received(), c, byHand)
	if got := d.state("1"); got != "waiting" {
		t.Fatalf("read again by hand: %q, want waiting", got)
	}
	d.outcome(d.planned(d.resolved(again, c, 2), "1", "lead")[0], event.Executed)
	if got, s := d.state("1"), d.status(); got != "done" || s.Parked != 0 {
		t.Errorf("after the retry: %q, %d parked; want done, 0", got, s.Parked)
	}
}

func TestACallThatWasParkedWithoutItsRequestsCanBeRetried(t *testing.T) {
	d := openDesk(t)
	c := aCall("1", 0)
	request := d.received()
	resolved := d.resolved(d.classified(request, c), c, 1)
	id := d.parkedAt(resolved, "plan", "1")
	if w := d.ask(http.MethodPost, shop+"/parked/"+id+"/retry", ""); w.Code != http.StatusOK {
		t.Fatalf("retry: %d %s, want 200", w.Code, w.Body)
	}
	events := d.every()
	if again := events[len(events)-3]; again.Type != event.TypeCallReceived || again.Cause != request.ID {
		t.Errorf("the retry stored %s caused by %s, want the call's request %s again", again.Type, again.Cause, request.ID)
	}
}

func TestARetryWithoutAnyRequestIsRefused(t *testing.T) {
	d := openDesk(t)
	id := d.parkedAt(d.received(), "classify", "", "a request that is not stored")
	if w := d.ask(http.MethodPost, shop+"/parked/"+id+"/retry", ""); w.Code != http.StatusConflict {
		t.Errorf("retry: %d %s, want 409", w.Code, w.Body)
	}
	if got := d.status().Parked; got != 1 {
		t.Errorf("%d parked after a retry that could not be, want 1", got)
	}
}

func TestDroppingNeedsAReasonAndEndsTheCall(t *testing.T) {
	d := openDesk(t)
	classified, resolved := d.settled("1", 0, event.Refused)
	first := d.parkedAt(classified, "write", "1", classified.Cause)
	second := d.parkedAt(resolved, "plan", "1", classified.Cause)
	for _, body := range []string{"", "{}", `{"why":"  "}`, "why", `{"why":"` + strings.Repeat("x", 70_000) + `"}`} {
		if w := d.ask(http.MethodPost, shop+"/parked/"+first+"/drop", body); w.Code != http.StatusBadRequest {
			t.Errorf("drop with %.20q: %d, want 400", body, w.Code)
		}
	}
	drop := func(id string) {
		t.Helper()
		if w := d.ask(http.MethodPost, shop+"/parked/"+id+"/drop", `{"why":"a test call of our own"}`); w.Code != http.StatusOK {
			t.Fatalf("drop: %d %s", w.Code, w.Body)
		}
	}
	drop(first)
	if got, s := d.state("1"), d.status(); got != "parked" || s.Parked != 1 {
		t.Errorf("one of two dropped: %q, %d parked; want parked, 1", got, s.Parked)
	}
	drop(second)
	story := get[callStory](d, shop+"/calls/1")
	if s := d.status(); story.State != "ignored" || s.Parked != 0 || s.Waiting != 0 {
		t.Errorf("both dropped: %q, %+v; want ignored and nothing parked or waiting", story.State, s)
	}
	if last := story.Events[len(story.Events)-1]; !strings.Contains(last.Words, "a test call of our own") {
		t.Errorf("the story ends with %q, want the reason", last.Words)
	}
}
