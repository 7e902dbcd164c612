package reconciler

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/reconciliation"
	"github.com/ringbridge/ringbridge/pkg/ringostat/ringostattest"
	"github.com/ringbridge/ringbridge/pkg/service"
)

func serve(api *http.ServeMux, path, body string) (int, string) {
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestAfterAStopItIsReadBackToWhereItWasComplete(t *testing.T) {
	h := openHouse(t)
	h.reads()
	if s := h.state(); !s.LastComplete.Equal(noon) {
		t.Fatalf("complete up to %s, want %s", s.LastComplete, noon)
	}
	h.log.Add(
		ringostattest.Call("before", noon.Add(-3*time.Hour), nil),  // older than two hours at the very first reading
		ringostattest.Call("late", noon.Add(-90*time.Minute), nil), // the log showed it only after the reading
		ringostattest.Call("first", noon.Add(time.Minute), nil),
		ringostattest.Call("border", noon.Add(22*time.Hour), nil), // where two steps of the reading meet
		ringostattest.Call("last", noon.Add(70*time.Hour), nil),
	)
	h.restart()
	h.after(72 * time.Hour)
	var got []string
	for _, r := range h.brought() {
		for _, id := range []string{"before", "late", "first", "border", "last"} {
			if strings.Contains(string(r.Body), `"`+id+`"`) {
				got = append(got, id)
			}
		}
	}
	if want := []string{"late", "first", "border", "last"}; !slices.Equal(got, want) {
		t.Errorf("brought %v, want %v", got, want)
	}
}

func TestWhatWasReadBeforeAFailureIsNotReadAgain(t *testing.T) {
	h := openHouse(t)
	h.reads()
	n := 0
	h.log.Break(func(w http.ResponseWriter, r *http.Request) {
		if n++; n > 2 {
			ringostattest.Answer(http.StatusBadGateway, "text/html", "")(w, r)
			return
		}
		ringostattest.Answer(http.StatusOK, "application/json", "[]")(w, r)
	})
	h.after(96 * time.Hour)
	s := h.state()
	if want := noon.Add(46 * time.Hour); !s.LastComplete.Equal(want) || s.Error == "" {
		t.Errorf("complete up to %s, error %q; want two steps of a day, %s, and an error", s.LastComplete, s.Error, want)
	}
	h.log.Break(nil)
	h.after(5 * time.Minute)
	if s := h.state(); !s.LastComplete.Equal(h.now) || s.Error != "" {
		t.Errorf("complete up to %s, error %q; want %s and none", s.LastComplete, s.Error, h.now)
	}
}

func TestACallLongerThanTheDepthIsNotForgotten(t *testing.T) {
	h := openHouse(t)
	at := noon.Add(-time.Minute)
	h.log.Add(ringostattest.Going(ringostattest.Call("1.1", at, nil)))
	for range 7 {
		h.after(time.Hour)
	}
	if s := h.state(); !s.LastComplete.Equal(h.now) {
		t.Errorf("complete up to %s, want now, %s: a call that goes on is no trouble", s.LastComplete, h.now)
	}
	h.log.Add(ringostattest.Call("1.1", at, ringostattest.Row{"duration": 7 * 3600, "billsec": 7 * 3600}))
	h.reads()
	h.wantBrought(0, "right after its end")
	h.after(5 * time.Minute)
	h.wantBrought(1, "when its webhook had its time")
}

func TestARowThatNeverEndsIsGivenUpAfterADay(t *testing.T) {
	h := openHouse(t)
	h.log.Add(ringostattest.Going(ringostattest.Call("1.1", noon.Add(-time.Minute), nil)))
	h.reads()
	for range 5 {
		h.after(5 * time.Hour)
	}
	if s := h.state(); !s.OpenSince.IsZero() || !s.from(h.now, 2*time.Hour).Equal(h.now.Add(-2*time.Hour)) {
		t.Errorf("read from %s on at %s, want two hours back", s.from(h.now, 2*time.Hour), h.now)
	}
}

func TestAFirstReadingThatFailsForDaysLosesNoneOfThem(t *testing.T) {
	h := openHouse(t)
	h.log.Break(ringostattest.Answer(http.StatusUnauthorized, "application/json", "{}"))
	h.reads()
	h.log.Add(ringostattest.Call("1.1", noon.Add(time.Hour), nil))
	h.after(36 * time.Hour)
	h.restart()
	h.after(36 * time.Hour)
	h.log.Break(nil)
	h.after(5 * time.Minute)
	h.wantBrought(1, "when the key was right at last")
}

func TestAClockThatWentBackReadsTwoHours(t *testing.T) {
	s := state{Status: reconciliation.Status{LastComplete: noon.Add(24 * time.Hour)}}
	if from := s.from(noon, 2*time.Hour); !from.Equal(noon.Add(-2 * time.Hour)) {
		t.Errorf("read from %s on, want two hours before %s", from, noon)
	}
}

func TestATroubleIsToldOncePerKind(t *testing.T) {
	h := openHouse(t)
	for _, c := range []struct {
		how  http.HandlerFunc
		word string
		told int
	}{
		{ringostattest.Answer(http.StatusUnauthorized, "application/json", "{}"), "API key", 1},
		{ringostattest.Answer(http.StatusForbidden, "application/json", "{}"), "API key", 1},
		{ringostattest.Answer(http.StatusOK, "text/html", "<html>"), "not the call log", 2},
		{ringostattest.Answer(http.StatusOK, "application/json", "[{"), "not the call log", 2},
		{ringostattest.Answer(http.StatusServiceUnavailable, "text/plain", ""), "can't be reached", 3},
		{nil, "", 3},
		{ringostattest.Answer(http.StatusServiceUnavailable, "text/plain", ""), "can't be reached", 4},
	} {
		h.log.Break(c.how)
		h.after(5 * time.Minute)
		if s := h.state(); !strings.Contains(s.Error, c.word) || (s.Error == "") != (c.word == "") {
			t.Errorf("the state says %q, want something about %q", s.Error, c.word)
		}
		if s := h.state(); s.Error != s.ErrorIn["en"] || s.Error != "" && s.ErrorIn["uk"] == "" || s.Error == "" && s.ErrorIn != nil {
			t.Errorf("the state says %q and in other languages %v", s.Error, s.ErrorIn)
		}
		if n := h.told.FilterMessageSnippet("the call log can't be read").Len(); n != c.told {
			t.Errorf("at %q: told %d times, want %d", c.word, n, c.told)
		}
	}
	if n := h.told.FilterMessageSnippet("can be read again").Len(); n != 1 {
		t.Errorf("that it is over was told %d times, want once", n)
	}
}

func TestASilentLogIsWorthAWordOnlyWhenWebhooksCome(t *testing.T) {
	h := openHouse(t)
	day := func(webhooks bool) {
		if webhooks {
			h.hooks.first, h.hooks.last = h.now, h.now.Add(time.Hour)
		}
		h.after(24 * time.Hour)
	}
	warned := func(want bool, when string) {
		t.Helper()
		if s := h.state(); (s.Warning != "") != want || s.Error != "" {
			t.Errorf("%s: warning %q, error %q; want a warning: %v", when, s.Warning, s.Error, want)
		}
	}
	for range 10 {
		day(false)
	}
	warned(false, "ten quiet days")
	day(true)
	for range 5 {
		day(false)
	}
	warned(false, "one webhook and five quiet days")
	h.log.Add(ringostattest.Call("1.1", h.now.Add(-time.Hour), nil))
	h.reads()
	h.after(3 * time.Hour) // the row is out of sight
	day(true)
	day(true)
	warned(false, "two days with webhooks")
	h.restart()
	day(true)
	warned(true, "three days with webhooks and no row")
	day(true)
	if n := h.told.FilterMessageSnippet("although webhooks come").Len(); n != 1 {
		t.Errorf("the log was told %d times, want once", n)
	}
	h.log.Add(ringostattest.Call("1.2", h.now.Add(-time.Hour), nil))
	h.reads()
	warned(false, "a row")
}

func TestOnlyWebhooksCountAsWebhooks(t *testing.T) {
	h := openHouse(t)
	group := service.NewGroup(t.Context(), h.desk.log)
	defer group.Stop()
	group.Go("webhooks", h.countWebhooks)
	publish := func(project string, source event.Source, at time.Time) {
		e, err := event.First("test", at, &event.CallReceived{Project: project, Source: source, Method: "POST", ReceivedAt: at})
		if err == nil {
			_, err = h.bus.Publish(t.Context(), e)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var first, newest time.Time
	n := 0
	bustest.Eventually(t, 10*time.Second, "a webhook is seen", func() bool {
		// It reads from its start on, so what is published before does not count.
		n++
		publish("shop", event.FromReconciliation, noon.Add(-time.Hour))
		publish("nokey", event.FromWebhook, noon.Add(-time.Hour))
		publish("shop", event.FromWebhook, noon.Add(time.Duration(n)*time.Second))
		first, newest = h.hooks.take()
		return !first.IsZero()
	})
	if first.Before(noon) || newest.Before(first) {
		t.Errorf("webhooks from %s to %s, want only those of the project's webhook, from %s on", first, newest, noon)
	}
}

func TestTheStatusIsAnsweredWhileTheLogIsWatched(t *testing.T) {
	h := openHouse(t)
	group := service.NewGroup(t.Context(), h.desk.log)
	defer group.Stop()
	group.Go("watch", h.watch)
	bustest.Eventually(t, 10*time.Second, "the log is complete", func() bool {
		s, err := bus.Ask[reconciliation.StatusQuestion, reconciliation.Status](t.Context(), h.bus, reconciliation.StatusSubject("shop"), reconciliation.StatusQuestion{})
		return err == nil && s.LastComplete.Equal(noon)
	})
}
