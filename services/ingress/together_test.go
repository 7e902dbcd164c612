package ingress

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// openDurableDoor is a door whose requests share an fsync.
func openDurableDoor(t *testing.T) *door {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return openDoorOn(t, b)
}

// TestWebhooksAtTheSameTimeEachGetTheirOwnAnswer has requests that are refused among those
// that are stored together.
func TestWebhooksAtTheSameTimeEachGetTheirOwnAnswer(t *testing.T) {
	const senders, each = 24, 20
	d := openDurableDoor(t)
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for n := range each {
				body, want := []byte(fmt.Sprintf("call_id=%d.%d", s, n)), http.StatusOK
				if n%7 == 3 {
					body, want = append(body, bytes.Repeat([]byte("x"), maxBody)...), http.StatusRequestEntityTooLarge
				}
				w := d.knock(http.MethodPost, address, bytes.NewReader(body))
				if w.Code != want {
					t.Errorf("sender %d, request %d of %d bytes: %d, want %d", s, n, len(body), w.Code, want)
				}
			}
		})
	}
	all.Wait()
	_, requests := d.stored()
	stored := map[string]int{}
	for _, r := range requests {
		stored[string(r.Body)]++
	}
	for s := range senders {
		for n := range each {
			want := 1
			if n%7 == 3 {
				want = 0
			}
			if body := fmt.Sprintf("call_id=%d.%d", s, n); stored[body] != want {
				t.Errorf("%s is stored %d times, want %d", body, stored[body], want)
			}
			delete(stored, fmt.Sprintf("call_id=%d.%d", s, n))
		}
	}
	if len(stored) != 0 {
		t.Errorf("%d requests are stored that nobody sent", len(stored))
	}
}

// TestASenderThatGoesAwayTakesNobodyAlong has every second sender hang up right after
// its request. What arrived whole is stored all the same.
func TestASenderThatGoesAwayTakesNobodyAlong(t *testing.T) {
	const senders, each = 16, 20
	d := openDurableDoor(t)
	arrived := make(chan struct{}, senders*each)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mux.ServeHTTP(w, r)
		arrived <- struct{}{}
	}))
	defer server.Close()
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for n := range each {
				body := fmt.Sprintf("call_id=%d.%d", s, n)
				if s%2 == 1 {
					hangUpAfter(t, server.Listener.Addr().String(), body)
					continue
				}
				response, err := http.Post(server.URL+address, "text/plain", strings.NewReader(body))
				if err != nil {
					t.Errorf("%s: %v", body, err)
					continue
				}
				if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
					t.Errorf("%s: %d (%v), want 200", body, response.StatusCode, err)
				}
			}
		})
	}
	all.Wait()
	for range senders * each {
		<-arrived
	}
	_, requests := d.stored()
	stored := map[string]bool{}
	for _, r := range requests {
		stored[string(r.Body)] = true
	}
	if len(stored) != senders*each || len(requests) != senders*each {
		t.Errorf("%d requests, %d different ones are stored, want each of %d once", len(requests), len(stored), senders*each)
	}
}

// hangUpAfter sends a request and does not wait for its answer.
func hangUpAfter(t *testing.T, to, body string) {
	c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", address, len(body), body); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
