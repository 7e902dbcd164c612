package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
)

func TestALeadThatNoSearchShowsYetIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{ReadLag: 2 * time.Second}, "", "settle: 100ms", "settle: 3s")
	for _, id := range []string{"c1", "c2"} {
		h.send(h.call(id, nil))
		h.quiet()
	}
	only(t, "leads", h.portal.Leads())
	if tasks := h.portal.Tasks(); len(tasks) != 2 {
		t.Errorf("two calls made %d tasks, want 2 on the one lead", len(tasks))
	}
}

func TestTheNextCallOfAClientWaitsWhileTheLastOneIsInDoubt(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "", "max_execution: 300ms", "max_execution: 1s")
	h.portal.Inject(bitrixtest.Fault{When: writing, Do: bitrixtest.CutBefore})
	h.send(h.call("c1", nil))
	h.until("the first call is in doubt", func() bool {
		var s statusView
		h.api(http.MethodGet, "/api/v1/projects/shop/status", &s)
		return s.InDoubt == 1
	})
	h.send(h.call("c2", nil))
	h.quiet()
	lead := only(t, "leads", h.portal.Leads())
	for _, task := range h.portal.Tasks() {
		if fmt.Sprint(task.CRM) != fmt.Sprintf("[L_%d]", lead.ID) {
			t.Errorf("task %+v, want it on lead %d", task, lead.ID)
		}
	}
	if first, second := h.story("c1").Rule, h.story("c2").Rule; first != "answered/new" || second != "answered/open/owner" {
		t.Errorf("the calls followed rules %s and %s, want answered/new, and answered/open/owner for the second", first, second)
	}
}

func TestAfterARestartALookUpWaitsForWhatWasWrittenBefore(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{ReadLag: time.Second}, "", "settle: 100ms", "settle: 1500ms")
	h.send(h.call("c1", nil))
	h.quiet()
	h.stop()
	h.start()
	h.send(h.call("c2", nil))
	h.quiet()
	only(t, "leads", h.portal.Leads())
	if tasks := h.portal.Tasks(); len(tasks) != 2 {
		t.Errorf("two calls made %d tasks, want 2 on the one lead", len(tasks))
	}
}

// TestTheIntentIsOnDiskBeforeTheRequestLeaves looks into the call's file at the moment
// when a request arrives at the portal.
func TestTheIntentIsOnDiskBeforeTheRequestLeaves(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	var mu sync.Mutex
	var journal map[string]callfile.Entry
	h.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.CutBefore, When: func(r bitrixtest.Request) bool {
		if writing(r) {
			file, err := h.in.env.Files.Get(context.Background(), "shop", "c1")
			if err != nil {
				t.Errorf("read the call's file: %v", err)
			}
			mu.Lock()
			journal = file.Journal
			mu.Unlock()
		}
		return false // nothing breaks
	}})
	sent := time.Now()
	h.send(h.call("c1", url.Values{"caller": {"380671112244"}}))
	h.quiet()
	mu.Lock()
	defer mu.Unlock()
	for _, role := range []string{"lead", "task:done"} {
		e := journal[role]
		if e.State != callfile.Intent || e.Attempt != 1 || e.Command == "" || e.SentAt.Before(sent.Truncate(time.Second)) {
			t.Errorf("when the request for %s arrived the journal said %+v, want the intent of the first attempt", role, e)
		}
	}
}
