package bus_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// TestATakeoverDoesTheUnfinishedFirstAndInOrder has a reader cut off in the middle of
// three lanes. Its successor must begin with what was given to it, before what is newer.
func TestATakeoverDoesTheUnfinishedFirstAndInOrder(t *testing.T) {
	url := bustest.Serve(t)
	line := bustest.Lay(t, url)
	cut, _ := process(t, line.URL)
	other, _ := process(t, url)
	started := make(chan string, 100)
	stuck := parkedWork("reader", func(ctx context.Context, e event.Envelope) ([]event.Envelope, error) {
		started <- fmt.Sprint(e.Call, number(t, e))
		<-bus.Stopping(ctx)
		return nil, context.Canceled
	})
	for n := 1; n <= 3; n++ {
		publish(t, other, numbered(t, "a", n), numbered(t, "b", n))
	}
	run(t, cut, nil, stuck)
	for range 2 {
		receive(t, started, "the first of each lane is worked on")
	}
	var done list[string]
	finish := stuck
	finish.Handle = func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		done.add(fmt.Sprint(e.Call, number(t, e)))
		return nil, nil
	}
	stop := run(t, other, nil, finish) // standing by is being ready
	if got := done.all(); len(got) > 0 {
		t.Fatalf("standing by, the second process handled %q", got)
	}
	line.Die()
	publish(t, other, numbered(t, "a", 4), numbered(t, "b", 4))
	begin := time.Now()
	bustest.Eventually(t, limit, "the successor handled everything", func() bool { return len(done.all()) >= 8 })
	t.Logf("all was done %s after the line died", time.Since(begin))
	for _, lane := range []string{"a", "b"} {
		var got []string
		for _, s := range done.all() {
			if s[:1] == lane {
				got = append(got, s)
			}
		}
		if want := []string{lane + "1", lane + "2", lane + "3", lane + "4"}; !slices.Equal(got, want) {
			t.Errorf("lane %s was handled as %q, want %q", lane, got, want)
		}
	}
	line.Mend()
	settled(t, other, "reader")
	if len(started) > 0 {
		t.Errorf("after the line was mended the loser went on with %s", <-started)
	}
	stop()
}

func TestAFeedOnAnOutsideBrokerNeedsALease(t *testing.T) {
	b, _ := process(t, bustest.Serve(t))
	if err := b.Feed(t.Context(), bus.Feed{Name: "feed", Types: []event.Type{event.TypeCallParked}}); err == nil {
		t.Error("a feed without a lease was read, want it refused")
	}
	ctx, cancel := context.WithCancel(t.Context())
	taken := make(chan bus.Delivery, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- b.Hold(ctx, "feed", func(ctx context.Context) error {
			return b.Feed(ctx, bus.Feed{Name: "feed", Types: []event.Type{event.TypeCallParked}, Take: func(d bus.Delivery) { taken <- d }})
		})
	}()
	publish(t, b, numbered(t, "a", 1))
	receive(t, taken, "a feed under a lease is read").Settle()
	cancel()
	if err := receive(t, ended, "the feed ends"); err != nil {
		t.Errorf("the feed ended with %v, want nil", err)
	}
}

// TestWhatAPausedReaderAskedForIsOutlasted leaves a request for events at the broker, as
// one does who stands still: events are given to it, and nobody settles them.
func TestWhatAPausedReaderAskedForIsOutlasted(t *testing.T) {
	url := bustest.Serve(t)
	paused, _ := process(t, url)
	other, _ := process(t, url)
	done := make(chan int, 100)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		done <- number(t, e)
		return nil, nil
	})
	run(t, paused, nil, work)() // makes the reader
	came, err := paused.AskForEvents(t.Context(), "reader", 3, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	run(t, other, nil, work)
	bustest.Eventually(t, limit, "the other process has taken over", func() bool {
		leases := other.Leases()
		return len(leases) == 1 && leases[0].Here
	})
	for n := 1; n <= 6; n++ {
		publish(t, other, numbered(t, "a", n))
	}
	for n := 1; n <= 6; n++ {
		if got := receive(t, done, "every event is handled"); got != n {
			t.Fatalf("event %d was handled, want %d", got, n)
		}
	}
	if n := receive(t, came, "the request ends"); n != 3 {
		t.Errorf("%d events came to the paused reader, want 3: else this test shows nothing", n)
	}
}

// TestABriefCutCostsNoLease closes a holder's connection: it is made anew well before the
// lease is lost.
func TestABriefCutCostsNoLease(t *testing.T) {
	line := bustest.Lay(t, bustest.Serve(t))
	const lease = 4 * time.Second
	b, _ := connect(t, line.URL, 1, lease)
	held, _ := hold(t, b, "one")
	ctx := receive(t, held, "the lease is held")
	line.Cut()
	select {
	case <-ctx.Done():
		t.Error("the lease was lost, want it kept")
	case <-time.After(lease): // longer than it is good for without a renewal
	}
	if err := bus.Held(ctx); err != nil {
		t.Errorf("held: %v, want nil", err)
	}
}

// TestAClusterOfThreeServesTakeoversToo does the same as above where every write is
// agreed on by servers: a holder falls silent, and then one of the servers is stopped.
func TestAClusterOfThreeServesTakeoversToo(t *testing.T) {
	urls, stop := bustest.ServeThree(t)
	const lease = 4 * time.Second // outlasts the election of a leader
	line := bustest.Lay(t, strings.Split(urls, ",")[0])
	cut, _ := connect(t, line.URL, 3, lease)
	other, _ := connect(t, urls, 3, lease)
	started, done := make(chan int, 100), make(chan int, 100)
	work := parkedWork("reader", func(ctx context.Context, e event.Envelope) ([]event.Envelope, error) {
		started <- number(t, e)
		<-bus.Stopping(ctx)
		return nil, context.Canceled
	})
	run(t, cut, nil, work)
	publish(t, other, numbered(t, "a", 1), numbered(t, "a", 2))
	receive(t, started, "the first process works")
	finish := work
	finish.Handle = func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		done <- number(t, e)
		return nil, nil
	}
	run(t, other, nil, finish)
	line.Die()
	publish(t, other, numbered(t, "a", 3))
	for want := 1; want <= 3; want++ {
		if got := receive(t, done, "the successor works"); got != want {
			t.Errorf("event %d was handled, want %d", got, want)
		}
	}
	s, err := other.Store(t.Context(), "words", "of the test")
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 5 {
				if _, err := bus.Change(t.Context(), s, "key", func(n *int) (bool, error) { *n++; return true, nil }); err != nil {
					t.Errorf("count up: %v", err)
				}
			}
		})
	}
	writers.Wait()
	var n int
	if _, err := s.Get(t.Context(), "key", &n); err != nil || n != 40 {
		t.Errorf("eight that counted to five each made %d (%v), want 40", n, err)
	}
	line.Mend()
	stop(2)
	e := numbered(t, "a", 4)
	bustest.Eventually(t, limit, "the two servers that are left store an event", func() bool {
		_, err := other.Publish(t.Context(), e)
		return err == nil
	})
	if got := receive(t, done, "it is handled"); got != 4 {
		t.Errorf("event %d was handled, want 4", got)
	}
}
