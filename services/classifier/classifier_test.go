package classifier

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// reports are what one call brings: two hooks of its beginning, one of its end, one
// with its recording, and a leg that rang out.
func reports() []*event.CallReceived {
	before := form(url.Values{"call_id": {"call-a"}, "type": {"in"}, "caller": {"380671112233"}, "callee": {"380441112233"}, "utm_source": {"google"}})
	before.Query = "event=before"
	answer := form(url.Values{"call_id": {"call-a"}, "type": {"in"}, "caller": {"380671112233"}, "callee": {"380441112233"}, "staffid": {"101"}})
	answer.Query = "event=answer"
	return []*event.CallReceived{
		before, answer, form(answered(nil)),
		form(answered(url.Values{"recording": {"https://records.example/a.ogg"}})),
		form(answered(url.Values{"status": {"NO ANSWER"}, "dialog": {"0"}, "staffid": {"102"}, "connected_with": {"380501110102"}})),
	}
}

func TestReportsFoldIntoOnePictureInAnyOrder(t *testing.T) {
	r := openReader(t)
	var want event.Call
	for n, order := range permutations(len(reports())) {
		if n%11 != 0 {
			continue // each eleventh of 120 puts every report in every place
		}
		all := reports()
		for _, i := range order {
			p := all[i]
			id := fmt.Sprintf("call-%d", n)
			p.Body = []byte(strings.Replace(string(p.Body), "call_id=call-a", "call_id="+id, 1))
			r.gives(r.store(p))
		}
		_, events := stored[event.CallClassified](r, event.TypeCallClassified)
		got := events[len(events)-1].Call
		got.ID = "call-a"
		if n == 0 {
			want = got
			if want.Outcome != event.Answered || want.Employee == nil || want.Employee.BitrixUser != 7 || want.Recording == "" || want.Traffic.Source != "google" || !want.Final {
				t.Fatalf("folded %+v, want answered by user 7 with recording and source", want)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order %v (-want +got):\n%s", order, diff)
		}
	}
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			out = append(out, append(append(append([]int{}, shorter[:at]...), n-1), shorter[at:]...))
		}
	}
	return out
}

func TestAReportThatTellsNothingNewSaysSo(t *testing.T) {
	r := openReader(t)
	for _, p := range []*event.CallReceived{form(answered(nil)), form(answered(nil)), form(answered(url.Values{"colour": {"red"}}))} {
		r.gives(r.store(p))
	}
	_, events := stored[event.CallClassified](r, event.TypeCallClassified)
	var got []bool
	for _, e := range events {
		got = append(got, e.Changed)
	}
	if want := []bool{true, false, true}; !reflect.DeepEqual(got, want) {
		t.Errorf("changed %v, want %v: the first, the same again, one that says more", got, want)
	}
}

func TestARequestGivenAgainMakesNoSecondEvent(t *testing.T) {
	r := openReader(t)
	core, logs := observer.New(zap.InfoLevel)
	r.Log = zap.New(core)
	e := r.store(form(answered(nil)))
	r.gives(e)
	first, _ := stored[event.CallClassified](r, event.TypeCallClassified)
	r.gives(e)
	// The broker would swallow a second one for a while only, so it must not be made.
	if got := logs.FilterMessage("call classified").Len(); got != 1 {
		t.Errorf("classified %d times, want once", got)
	}
	again, _ := stored[event.CallClassified](r, event.TypeCallClassified)
	if len(again) != 1 || !reflect.DeepEqual(first, again) {
		t.Errorf("after handling it twice %d events, want the first one only", len(again))
	}
}

// TestAnEventThatACrashSwallowedIsMadeAfterTheStart lets the process die between storing
// the call's file and its event.
func TestAnEventThatACrashSwallowedIsMadeAfterTheStart(t *testing.T) {
	r := openReader(t)
	e := r.store(form(answered(nil)))
	swallowed, err := r.handle(t.Context(), e)
	if err != nil || len(swallowed) != 1 {
		t.Fatalf("handled with %d events and %v, want one event", len(swallowed), err)
	}
	r.gives(e)
	again, _ := stored[event.CallClassified](r, event.TypeCallClassified)
	if len(again) != 1 || again[0].ID != swallowed[0].ID {
		t.Errorf("after the start there are events %v, want the one that was swallowed, %s", again, swallowed[0].ID)
	}
}

// TestALostFileMakesTheSameEventAgain takes the file away after the event
// was stored.
func TestALostFileMakesTheSameEventAgain(t *testing.T) {
	r := openReader(t)
	e := r.store(form(answered(nil)))
	r.gives(e)
	written, err := r.Files.Get(t.Context(), "shop", "call-a")
	if err != nil {
		t.Fatal(err)
	}
	first, _ := stored[event.CallClassified](r, event.TypeCallClassified)
	if _, err := r.Files.Change(t.Context(), "shop", "call-a", func(f *callfile.File) (bool, error) {
		*f = callfile.File{}
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	r.gives(e)
	again, _ := stored[event.CallClassified](r, event.TypeCallClassified)
	if len(again) != 1 {
		t.Errorf("after a crash and a second try %d events, want 1: the id comes from the request", len(again))
	}
	file, err := r.Files.Get(t.Context(), "shop", "call-a")
	if err != nil || !reflect.DeepEqual(file, written) {
		t.Errorf("the file after the second try: %+v, %v; want it as the first try wrote it", file, err)
	}
	// The broker forgets ids after a while: the second try then is stored too, and must
	// say the same.
	other := openReader(t)
	if _, err := other.Bus.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	other.gives(e)
	if made, _ := stored[event.CallClassified](other, event.TypeCallClassified); !reflect.DeepEqual(made, first) {
		t.Errorf("made again: %+v\nwant        %+v", made, first)
	}
}

func TestARetryIsMarked(t *testing.T) {
	r := openReader(t)
	r.gives(r.store(form(answered(nil))))
	again := form(answered(nil))
	again.RetryOf = "a parked thing"
	r.gives(r.store(again))
	_, events := stored[event.CallClassified](r, event.TypeCallClassified)
	if len(events) != 2 || events[0].Retry || !events[1].Retry || events[1].Changed {
		t.Errorf("events %+v, want the second marked as a retry that changes nothing", events)
	}
}

func TestAFileNamesTheNewestRequestsOnly(t *testing.T) {
	r := openReader(t)
	var last event.Envelope
	for n := range maxReceived + 5 {
		last = r.store(form(answered(url.Values{"colour": {fmt.Sprint(n)}})))
		r.gives(last)
	}
	file, err := r.Files.Get(t.Context(), "shop", "call-a")
	if err != nil || len(file.Received) != maxReceived || file.Received[maxReceived-1] != last.ID {
		t.Errorf("the file names %d requests (%v), want %d with the newest at the end", len(file.Received), err, maxReceived)
	}
}

func TestAnUnreadableRequestIsParked(t *testing.T) {
	r := openReader(t)
	router, err := r.Bus.Router()
	if err != nil {
		t.Fatal(err)
	}
	r.Router = router
	if err := Start(t.Context(), r.Env); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- router.Run(t.Context()) }()
	<-router.Running()
	bad := r.store(form(url.Values{"status": {"ANSWERED"}}))
	gone := form(answered(nil))
	gone.Project = "closed"
	r.store(gone)
	good := r.store(form(answered(nil)))
	bustest.Eventually(t, 20*time.Second, "one call classified and two requests parked", func() bool {
		_, parked := stored[event.CallParked](r, event.TypeCallParked)
		_, read := stored[event.CallClassified](r, event.TypeCallClassified)
		return len(parked) == 2 && len(read) == 1
	})
	if err := router.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	_, parked := stored[event.CallParked](r, event.TypeCallParked)
	for _, p := range parked {
		if p.State != event.ParkedWaiting || p.Step != "classify" || p.Reason == "" || p.Remedy == "" || len(p.Received) != 1 || p.ID == "" {
			t.Errorf("parked %+v; want a reason, a remedy and the request", p)
		}
		if p.Project == "shop" && p.Received[0] != bad.ID {
			t.Errorf("parked request %s, want %s", p.Received[0], bad.ID)
		}
		if p.Project == "closed" && !strings.Contains(p.Reason, "closed") {
			t.Errorf("reason %q, want one that names the project", p.Reason)
		}
	}
	if _, read := stored[event.CallClassified](r, event.TypeCallClassified); read[0].Received != good.ID {
		t.Errorf("classified %s, want the request behind the unreadable one, %s", read[0].Received, good.ID)
	}
}
