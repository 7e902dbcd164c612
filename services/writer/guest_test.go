package writer

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/crm"
)

// TestAGuestHasHisPlaceInThePaceBeforeAllThatWaits lets somebody look at the portal while
// the burst is used up and a hundred requests wait.
func TestAGuestHasHisPlaceInThePaceBeforeAllThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, ctx := opened(t, w, 2, 50)
		var all sync.WaitGroup
		for range 150 {
			all.Go(func() {
				u := one("a")
				u.company = 1 // in a request of its own
				if _, err := g.send(ctx, u); err != nil {
					t.Errorf("send: %v", err)
				}
			})
		}
		time.Sleep(10 * time.Second) // the burst is used up
		for range 3 {
			asked := time.Now()
			if err := g.place(ctx); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(asked); took > 600*time.Millisecond {
				t.Errorf("a guest waited %s, want not longer than until the next request leaves, half a second", took)
			}
			w.mu.Lock()
			w.at = append(w.at, time.Now()) // his request
			w.mu.Unlock()
		}
		all.Wait()
		w.overruns(t, 2, 50)
	})
}

func TestAGuestIsLetInWhileThePortalIsLeftAloneAndGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, ctx := opened(t, &wire{}, 2, 50)
		g.mu.Lock()
		g.pause, g.failures = time.Now().Add(time.Hour), 5
		g.mu.Unlock()
		if err := g.place(ctx); err != nil {
			t.Errorf("after faults: %v, want a place: people look at what does not work", err)
		}
		for range 3 {
			g.mu.Lock()
			g.bucket.Refused(time.Now())
			g.mu.Unlock()
			time.Sleep(5 * time.Second)
		}
		g.mu.Lock()
		g.bucket.Refused(time.Now())
		g.mu.Unlock()
		began := time.Now()
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		_, err := (&desk{gateway: g}).turn(ctx, crm.Turn{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > guestWaits || len(g.guests) != 0 {
			t.Errorf("while the portal refuses: %v after %s with %d guests left, want an end in time and none", err, time.Since(began), len(g.guests))
		}
	})
}
