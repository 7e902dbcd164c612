package reconciler

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/ringostat/ringostattest"
)

func TestARowComesInAsTheRequestThatItIs(t *testing.T) {
	h := openHouse(t)
	h.log.Add(ringostattest.Call("1.1", noon.Add(-time.Hour), nil))
	h.reads()
	h.wantBrought(1, "after a reading")
	r := h.brought()[0]
	if r.Source != event.FromReconciliation || r.Method != http.MethodGet || r.Headers["Content-Type"] != "application/json" || !r.ReceivedAt.Equal(noon) {
		t.Errorf("it came as %+v", r)
	}
	report, err := ringostat.Parse(ringostat.Request{ContentType: r.Headers["Content-Type"], Body: r.Body}, ringostat.Options{})
	if err != nil || report.CallID != "1.1" || report.Outcome != ringostat.Answered {
		t.Errorf("it reads as %+v (%v), want the call", report, err)
	}
}

func TestTheSameRowIsOneEventHoweverOftenItIsRead(t *testing.T) {
	h := openHouse(t)
	h.log.Add(ringostattest.Call("1.1", noon.Add(-time.Hour), nil))
	h.reads()
	h.after(5 * time.Minute)
	h.restart()
	h.after(5 * time.Minute)
	h.wantBrought(1, "read again and after a restart")

	// A crash between the event and the memory: the row is brought under the same id.
	if _, err := bus.Change(t.Context(), h.memories, "shop", func(m *memory) (bool, error) { *m = nil; return true, nil }); err != nil {
		t.Fatal(err)
	}
	h.after(5 * time.Minute)
	h.wantBrought(1, "after its memory was lost")
}

func TestTwoProcessesBringOneEvent(t *testing.T) {
	h := openHouse(t)
	for _, id := range []string{"1.1", "1.2", "1.3", "1.4"} {
		h.log.Add(ringostattest.Call(id, noon.Add(-time.Hour), nil))
	}
	one := h.desk
	h.restart()
	var both sync.WaitGroup
	for _, d := range []*desk{one, h.desk} {
		both.Go(func() {
			if err := d.pass(t.Context()); err != nil {
				t.Errorf("read: %v", err)
			}
		})
	}
	both.Wait()
	h.wantBrought(4, "read by two at once")
}

// Legs of a call that was passed on may stand in the log under one id.
func TestTwoRowsOfOneCallDoNotTakeTurns(t *testing.T) {
	h := openHouse(t)
	h.log.Fill([]ringostattest.Row{
		ringostattest.Call("1.1", noon.Add(-time.Hour), nil),
		ringostattest.Call("1.1", noon.Add(-59*time.Minute), ringostattest.Row{"call_type": "transitin", "employee_number": 102}),
	})
	for range 4 {
		h.after(5 * time.Minute)
	}
	h.wantBrought(2, "after four readings")
}

func TestARowThatSaysMoreLaterIsBroughtAgain(t *testing.T) {
	h := openHouse(t)
	at := noon.Add(-time.Hour)
	h.log.Add(ringostattest.Call("1.1", at, ringostattest.Row{"recording": "", "has_recording": "0"}))
	h.reads()
	h.webhook(event.Call{ID: "1.1", Event: "after", Final: true, Outcome: event.Answered, Status: "ANSWERED"}) // the classifier read it
	h.log.Add(ringostattest.Call("1.1", at, nil))
	h.after(5 * time.Minute)
	h.wantBrought(2, "when the recording appeared")
	h.log.Add(ringostattest.Call("1.1", at, ringostattest.Row{"disposition": "PROPER"}))
	h.after(5 * time.Minute)
	h.after(5 * time.Minute)
	h.wantBrought(3, "when the status changed")
}

func TestACallThatItsWebhookBroughtIsNotBroughtAgain(t *testing.T) {
	h := openHouse(t)
	h.webhook(ended("1.1"))
	h.log.Add(ringostattest.Call("1.1", noon.Add(-time.Hour), nil))
	h.reads()
	h.wantBrought(0, "known by its webhook")
}

func TestARowThatNobodyCanReadIsBroughtOnceToBeParked(t *testing.T) {
	h := openHouse(t)
	broken := ringostattest.Row{"calldate": noon.Add(-time.Hour).Format("2006-01-02T15:04:05-0700"), "disposition": "BUSY", "caller": "380671112233"}
	h.log.Fill([]ringostattest.Row{broken})
	for range 3 {
		h.after(5 * time.Minute)
	}
	h.wantBrought(1, "a row without a call id")
}

func TestARowThatIsTooLargeStopsNothing(t *testing.T) {
	h := openHouse(t)
	h.log.Add(
		ringostattest.Call("1.1", noon.Add(-time.Hour), ringostattest.Row{"landing": strings.Repeat("x", maxRow)}),
		ringostattest.Call("1.2", noon.Add(-time.Hour), nil),
	)
	h.reads()
	h.wantBrought(1, "beside a row that is too large")
	if n := h.told.FilterMessageSnippet("larger than a request").Len(); n != 1 {
		t.Errorf("the log was told %d times, want once", n)
	}
}

// imports asks for an import and returns the code and the answer.
func (h *house) imported(project, body string) (int, string) {
	h.t.Helper()
	return serve(h.api, "/api/v1/projects/"+project+"/imports", body)
}

func TestAnImportAnswersWithWhatBecameOfTheRows(t *testing.T) {
	h := openHouse(t)
	old := noon.Add(-240 * time.Hour)
	h.webhook(ended("1.1"))
	h.log.Add(
		ringostattest.Call("1.1", old, nil), ringostattest.Call("1.2", old, nil), ringostattest.Call("1.3", old, nil),
		ringostattest.Going(ringostattest.Call("1.4", old, nil)), ringostattest.Call("1.5", old.Add(time.Hour), nil),
	)
	body := `{"since": "` + old.Format(time.RFC3339) + `", "until": "` + old.Add(time.Hour).Format(time.RFC3339) + `"}`
	for _, want := range []tally{{Rows: 4, Brought: 2, Known: 1, Waiting: 1}, {Rows: 4, Known: 3, Waiting: 1}} {
		code, answer := h.imported("shop", body)
		var got tally
		if err := json.Unmarshal([]byte(answer), &got); err != nil || code != http.StatusOK || got != want {
			t.Errorf("answered %d %s, want 200 %+v; the call at the very end belongs to the next span", code, answer, want)
		}
	}
	for _, r := range h.brought() {
		if r.Source != event.FromImport {
			t.Errorf("it came from the %s, want from an import", r.Source)
		}
	}
	if s := h.state(); !s.LastComplete.IsZero() {
		t.Errorf("an import by hand made the log complete up to %s", s.LastComplete)
	}
}

func TestAnImportSaysWhatIsWrong(t *testing.T) {
	h := openHouse(t)
	good := `{"since": "2026-06-30T00:00:00Z"}`
	h.log.Break(ringostattest.Answer(http.StatusForbidden, "text/html", h.log.Key))
	for _, c := range []struct {
		project, body string
		code          int
		word          string
	}{
		{"nobody", good, http.StatusNotFound, "unknown project"},
		{"nokey", good, http.StatusConflict, "ringostat.api_key"},
		{"shop", "since yesterday", http.StatusBadRequest, "since"},
		{"shop", `{}`, http.StatusBadRequest, "since"},
		{"shop", `{"since": "2026-07-02T00:00:00Z"}`, http.StatusBadRequest, "before now"},
		{"shop", `{"since": "2026-06-30T00:00:00Z", "until": "2026-06-29T00:00:00Z"}`, http.StatusBadRequest, "before until"},
		{"shop", `{"since": "2026-01-01T00:00:00Z"}`, http.StatusBadRequest, "31 days"},
		{"shop", good, http.StatusBadGateway, "API key"},
	} {
		code, answer := h.imported(c.project, c.body)
		if code != c.code || !strings.Contains(answer, c.word) || strings.Contains(answer, h.log.Key) {
			t.Errorf("project %s, %s: answered %d %s, want %d with %q and no key", c.project, c.body, code, answer, c.code, c.word)
		}
	}
}

// A leg under another id stands in the file of the talk that it is a part of.
func TestALegThatIsKnownAsAPartOfItsTalkIsNotBroughtAgain(t *testing.T) {
	h := openHouse(t)
	h.webhook(ended("1.1"))
	leg := ended("1.1")
	leg.Leg, leg.Transit = "1.2", true
	h.webhook(leg)
	if _, err := h.files.Change(t.Context(), "shop", "1.2", func(f *callfile.File) (bool, error) { f.LegOf = "1.1"; return true, nil }); err != nil {
		t.Fatal(err)
	}
	h.log.Add(ringostattest.Call("1.2", noon.Add(-time.Hour), ringostattest.Row{"call_type": "transitin"}))
	for range 3 {
		h.after(5 * time.Minute)
	}
	h.wantBrought(0, "a leg that its webhook brought")
}
