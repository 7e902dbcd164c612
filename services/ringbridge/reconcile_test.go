package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/ringostat/ringostattest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/reconciler"
)

// often makes the reconciliation quick enough to be watched.
var often = reconciler.Options{Every: 20 * time.Millisecond, Pause: 1}

// withLog builds a house whose project has a call log, and starts nothing yet.
func withLog(t *testing.T) (*house, *ringostattest.Log) {
	t.Helper()
	log := ringostattest.Start(t, time.UTC)
	return buildHouse(t, bitrixtest.Options{}, "", "{token: "+hook+"}", "{token: "+hook+", api_key: "+log.Key+", api_url: \""+log.URL+"\"}"), log
}

func (h *house) startReconciling(o reconciler.Options) {
	h.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		h.t.Fatalf("configuration: %v", err)
	}
	log := newLogger(settings.Log{Level: "debug", Format: "json"}, console{err: h.log})
	if h.in, err = start(context.Background(), cfg, options{fast: true, log: log, reconcile: o}); err != nil {
		h.t.Fatalf("start: %v", err)
	}
}

type reconciliationView struct {
	Reconciliation *struct {
		LastComplete   time.Time `json:"last_complete"`
		Error, Warning string
	}
}

func (h *house) reconciliation() (v reconciliationView) {
	h.t.Helper()
	h.api(http.MethodGet, "/api/v1/projects/shop/status", &v)
	return v
}

// readAfter waits until the log was read whole after a time.
func (h *house) readAfter(at time.Time) {
	h.t.Helper()
	h.until("the call log was read", func() bool {
		r := h.reconciliation().Reconciliation
		return r != nil && r.LastComplete.After(at)
	})
}

func (h *house) state(call string) string {
	h.t.Helper()
	var s storyView
	h.api(http.MethodGet, "/api/v1/projects/shop/calls/"+url.PathEscape(call), &s)
	return s.State
}

// made fails the test unless the portal has so many leads and tasks, each once.
func (h *house) made(leads, tasks int) {
	h.t.Helper()
	h.quiet()
	if got := len(h.portal.Leads()); got != leads {
		h.t.Errorf("%d leads, want %d", got, leads)
	}
	if got := len(h.portal.Tasks()); got != tasks {
		h.t.Errorf("%d tasks, want %d", got, tasks)
	}
	for id, n := range h.portal.Duplicates() {
		h.t.Errorf("%s was made %d times", id, n)
	}
}

func TestACallThatNoWebhookBroughtBecomesALeadOnce(t *testing.T) {
	h, log := withLog(t)
	h.started = h.started.Add(-10 * time.Minute)
	log.Add(ringostattest.Call("1767348000.1", h.started, nil))
	h.startReconciling(often)
	h.until("the call is settled", func() bool { return h.state("1767348000.1") == "done" })
	h.made(1, 1)
	if lead := h.portal.Leads()[0]; lead.ResponsibleID != olena {
		t.Errorf("the lead is on user %d, want the answerer %d", lead.ResponsibleID, olena)
	}
	story := h.story("1767348000.1")
	if !strings.Contains(story.Events[0].Words, "reconciliation") {
		t.Errorf("the story begins with %q, want that the reconciliation brought it", story.Events[0].Words)
	}

	// The same row is read again and again; then its webhook comes after all.
	h.readAfter(time.Now())
	h.send(h.call("1767348000.1", nil))
	h.quiet()
	h.readAfter(time.Now())
	h.made(1, 1)

	// And all of it after a restart.
	h.stop()
	h.startReconciling(often)
	h.readAfter(time.Now())
	h.made(1, 1)
	if n := strings.Count(h.log.String(), "call brought from the call log"); n != 1 {
		t.Errorf("the row was brought %d times, want once", n)
	}
	if strings.Contains(h.log.String(), log.Key) {
		t.Error("the key of the call log is in the log of ringbridge")
	}
}

func TestACallThatItsWebhookBroughtIsLeftAlone(t *testing.T) {
	h, log := withLog(t)
	h.started = h.started.Add(-10 * time.Minute)
	h.startReconciling(often)
	h.send(h.call("1767348000.2", nil))
	h.made(1, 1)
	log.Add(ringostattest.Call("1767348000.2", h.started, nil))
	h.readAfter(time.Now())
	h.made(1, 1)
	if strings.Contains(h.log.String(), "call brought from the call log") {
		t.Error("the call was brought again although its webhook told everything")
	}
}

func TestTheWebhookAndTheLogRaceForOneLead(t *testing.T) {
	const calls = 20
	h, log := withLog(t)
	h.started = h.started.Add(-10 * time.Minute)
	h.startReconciling(often)
	for i := range calls {
		id, caller := fmt.Sprintf("1767348000.2%d", i), fmt.Sprintf("+3806711122%02d", i)
		log.Add(ringostattest.Call(id, h.started, ringostattest.Row{"caller": caller, "caller_number": caller}))
		h.send(h.call(id, url.Values{"caller": {caller}}))
	}
	h.readAfter(time.Now())
	h.made(calls, calls)
}

func TestACallThatGoesOnIsBroughtWhenItIsOver(t *testing.T) {
	h, log := withLog(t)
	at := h.started.Add(-10 * time.Minute)
	log.Add(ringostattest.Going(ringostattest.Call("1767348000.3", at, nil)))
	h.startReconciling(often)
	h.readAfter(time.Now())
	if s := h.state("1767348000.3"); s != "" {
		t.Errorf("a call that goes on was brought and is %s", s)
	}
	log.Add(ringostattest.Call("1767348000.3", at, nil))
	h.until("the call is settled", func() bool { return h.state("1767348000.3") == "done" })
	h.made(1, 1)
}

func TestTheStatusSaysWhyTheCallLogCanNotBeReadAndWhenItCanAgain(t *testing.T) {
	h, log := withLog(t)
	log.Break(ringostattest.Answer(http.StatusUnauthorized, "application/json", `{"error":"`+log.Key+`"}`))
	h.startReconciling(often)
	h.until("the status names the key", func() bool {
		r := h.reconciliation().Reconciliation
		return r != nil && strings.Contains(r.Error, "API key") && r.LastComplete.IsZero()
	})
	runLook(h, "status").expect(t, exitNotWell, "call log: never read whole", "API key")
	if code := h.api(http.MethodGet, "/readyz", nil); code != http.StatusOK {
		t.Errorf("readyz answers %d, want 200: webhooks are taken all the same", code)
	}
	_, metrics := h.request(http.MethodGet, "/metrics", "", "")
	if !strings.Contains(metrics, `ringbridge_reconciliation_ok{project="shop"} 0`) {
		t.Error("the metrics don't say that the call log can't be read")
	}
	log.Break(nil)
	h.readAfter(time.Now())
	if r := h.reconciliation().Reconciliation; r.Error != "" {
		t.Errorf("the status still says %q", r.Error)
	}
	if n := strings.Count(h.log.String(), `"trouble":"key"`); n != 1 {
		t.Errorf("the log was told %d times, want once", n)
	}
	_, everything := h.request(http.MethodGet, "/api/v1/projects/shop/settings", "", "")
	for place, text := range map[string]string{"log": h.log.String(), "settings": everything, "metrics": metrics} {
		if strings.Contains(text, log.Key) {
			t.Errorf("the key of the call log is in the %s", place)
		}
	}
}

// TestACorrectedKeyIsTriedAtOnce: whoever corrects it looks at the status next, and does
// not wait for the next reading.
func TestACorrectedKeyIsTriedAtOnce(t *testing.T) {
	h, log := withLog(t)
	h.config = strings.Replace(h.config, log.Key, "another-key-of-the-tests", 1)
	h.startReconciling(reconciler.Options{Every: time.Hour, Pause: 1})
	h.until("the status names the key", func() bool { return strings.Contains(h.reconciliation().Reconciliation.Error, "API key") })
	h.correct(func(block map[string]any) { block["ringostat"].(map[string]any)["api_key"] = log.Key })
	h.readAfter(time.Time{})
	if r := h.reconciliation().Reconciliation; r.Error != "" {
		t.Errorf("with the right key the status still says %q", r.Error)
	}
	runLook(h, "status").expect(t, exitDone)
}

func TestAnImportShowsThatTheCallLogCanBeReadAgain(t *testing.T) {
	h, log := withLog(t)
	log.Break(ringostattest.Answer(http.StatusServiceUnavailable, "text/plain", "later"))
	h.startReconciling(reconciler.Options{Every: time.Hour, Pause: 1})
	h.until("the status says that the log is away", func() bool { return strings.Contains(h.reconciliation().Reconciliation.Error, "tried again") })
	r := runLook(h, "import", "--since", "1h")
	r.expect(t, exitNotWell, "Import again later")
	if strings.Contains(r.err, "is tried again") {
		t.Errorf("an import by hand that failed says\n%swant no promise that it is tried again", r.err)
	}
	log.Break(nil)
	runLook(h, "import", "--since", "1h").expect(t, exitDone)
	if r := h.reconciliation().Reconciliation; r.Error != "" {
		t.Errorf("after an import the status still says %q", r.Error)
	}
}

func TestImportBringsOldCallsByHandAndNothingTwice(t *testing.T) {
	h, log := withLog(t)
	old := h.started.Add(-72 * time.Hour)
	log.Add(
		ringostattest.Call("1767348000.4", old, nil),
		ringostattest.Call("1767348000.5", old.Add(time.Hour), ringostattest.Row{"caller": "380671112244", "caller_number": "380671112244", "disposition": "NO ANSWER", "billsec": 0, "connected_with": "", "employee_number": -1}),
		ringostattest.Call("1767348000.6", h.started.Add(-time.Minute), ringostattest.Row{"caller": "380671112255", "caller_number": "380671112255"}),
	)
	h.startReconciling(reconciler.Options{Every: time.Hour, Pause: 1})
	h.readAfter(time.Time{})
	r := runLook(h, "import", "--project", "shop", "--since", "96h")
	r.expect(t, exitDone, "3 calls in the log, 2 brought, 0 known already, 1 not over or just ended", old.In(mustLoad(t, "Europe/Kyiv")).Format(time.DateOnly)+": ")
	h.made(2, 2)
	runLook(h, "import", "--since", old.Add(-time.Hour).Format(time.RFC3339), "--until", "48h", "--json").expect(t, exitDone, `"brought": 0`, `"known": 2`)
	h.made(2, 2)
	if first := h.story("1767348000.4").Events[0].Words; !strings.Contains(first, "import") {
		t.Errorf("the story begins with %q, want that an import brought it", first)
	}
	runLook(h, "import", "--since", "yesterday").expect(t, exitUsage, "--since", "36h")
	runLook(h, "import", "--since", "1h", "--until", "2h").expect(t, exitUsage, "--until")
	log.Break(ringostattest.Answer(http.StatusOK, "text/html", "<html>"))
	runLook(h, "import", "--since", "1h").expect(t, exitNotWell, "502", "not the call log")
}

func mustLoad(t *testing.T, zone string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestImportWithoutAKeySaysWhereToGetOne(t *testing.T) {
	h := openHouse(t, bitrixtest.Options{}, "")
	runLook(h, "import", "--since", "1h").expect(t, exitNotWell, "409", "api_key")
	if r := h.reconciliation().Reconciliation; r != nil {
		t.Errorf("the status shows %+v for a project without a key, want nothing", r)
	}
}
