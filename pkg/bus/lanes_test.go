package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func encode(t testing.TB, e event.Envelope) []byte {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("encode event %s: %v", e.ID, err)
	}
	return data
}

func TestAHandlerLongerThanTheAckWaitIsStartedOnce(t *testing.T) {
	b := bustest.Open(t)
	beats, err := b.Heartbeats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var starts atomic.Int64
	release := make(chan struct{})
	run(t, b, func(r *bus.Router) { r.SetAckWait(150 * time.Millisecond) },
		parkedWork("reader", func(context.Context, event.Envelope) ([]event.Envelope, error) {
			starts.Add(1)
			<-release
			return nil, nil
		}))
	publish(t, b, numbered(t, "a", 1))
	// Three heartbeats are one AckWait: nine outlast the broker's patience three times.
	for range 9 {
		receive(t, beats, "the broker is told that the event is worked on")
	}
	close(release)
	settled(t, b, "reader")
	if n, err := b.Deliveries(t.Context(), "reader"); err != nil || n != 1 || starts.Load() != 1 {
		t.Errorf("delivered %d times, started %d times (%v), want once", n, starts.Load(), err)
	}
}

func TestAHundredSlowMessagesInOneLaneAreDeliveredAHundredTimes(t *testing.T) {
	b := bustest.Open(t)
	const messages = 100
	work := time.NewTicker(15 * time.Millisecond)
	defer work.Stop()
	var handled list[int]
	run(t, b, func(r *bus.Router) { r.SetAckWait(150 * time.Millisecond) },
		bus.Work{Name: "reader", Types: []event.Type{event.TypeCallParked}, Handle: func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
			<-work.C
			handled.add(number(t, e))
			return nil, nil
		}})
	for n := range messages {
		publish(t, b, numbered(t, "a", n))
	}
	bustest.Eventually(t, limit, "all are handled", func() bool { return len(handled.all()) >= messages })
	settled(t, b, "reader")
	if n, err := b.Deliveries(t.Context(), "reader"); err != nil || n != messages {
		t.Errorf("the broker delivered %d times (%v), want %d: the last one waited ten times its patience", n, err, messages)
	}
	if got := handled.all(); !slices.IsSorted(got) || len(got) != messages {
		t.Errorf("handled %d, want %d in their order: %v", len(got), messages, got)
	}
}

func TestALaneKeepsItsOrderAcrossErrorsWhileOthersGoOn(t *testing.T) {
	for name, failure := range map[string]error{
		"any error":     errors.New("the portal is down"),
		"a named delay": bus.RetryIn(20*time.Millisecond, errors.New("the portal is slow")),
	} {
		t.Run(name, func(t *testing.T) {
			b := bustest.Open(t)
			var blocked, others list[int]
			othersDone := make(chan struct{})
			run(t, b, func(r *bus.Router) { r.SetRetry(5 * time.Millisecond) },
				parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
					n := number(t, e)
					if e.Call != "blocked" {
						others.add(n)
						if len(others.all()) == 20 {
							close(othersDone)
						}
						return nil, nil
					}
					if n == 1 {
						select {
						case <-othersDone:
						default:
							return nil, failure
						}
					}
					blocked.add(n)
					return nil, nil
				}))
			for n := 1; n <= 5; n++ {
				publish(t, b, numbered(t, "blocked", n))
			}
			for n := range 20 {
				publish(t, b, numbered(t, fmt.Sprintf("free-%d", n%3), n))
			}
			settled(t, b, "reader")
			if got, want := blocked.all(), []int{1, 2, 3, 4, 5}; !slices.Equal(got, want) {
				t.Errorf("the blocked lane was handled as %v, want %v", got, want)
			}
		})
	}
}

func TestRetryInWaitsAsLongAsItSays(t *testing.T) {
	b := bustest.Open(t)
	const wait = 150 * time.Millisecond
	times := make(chan time.Time, 2)
	var tries atomic.Int64
	run(t, b, func(r *bus.Router) { r.SetRetry(time.Hour) },
		parkedWork("reader", func(context.Context, event.Envelope) ([]event.Envelope, error) {
			times <- time.Now()
			if tries.Add(1) == 1 {
				return nil, fmt.Errorf("create the lead: %w", bus.RetryIn(wait, errors.New("limit reached")))
			}
			return nil, nil
		}))
	publish(t, b, numbered(t, "a", 1))
	first := receive(t, times, "the first try")
	second := receive(t, times, "the second try")
	if got := second.Sub(first); got < wait {
		t.Errorf("tried again after %s, want at least %s", got, wait)
	}
}

func TestManyKeysInParallelKeepTheirOrder(t *testing.T) {
	b := bustest.Open(t)
	const keys, each, lastKey = 300, 20, "key-299"
	var mu sync.Mutex
	last, busy := map[string]int{}, map[string]bool{}
	behind := make(chan struct{})
	failed := map[string]bool{}
	var total atomic.Int64
	run(t, b, func(r *bus.Router) { r.SetRetry(time.Millisecond) },
		parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
			n := number(t, e)
			mu.Lock()
			if busy[e.Call] {
				t.Errorf("lane %s is worked by two handlers at once", e.Call)
			}
			busy[e.Call] = true
			fail := !failed[e.ID] && rand.IntN(20) == 0
			failed[e.ID] = true
			if !fail && last[e.Call] != n-1 {
				t.Errorf("lane %s: event %d after %d", e.Call, n, last[e.Call])
			}
			mu.Unlock()
			// The first lane waits for the last event of the last one.
			switch {
			case e.Call == "key-0" && n == 1:
				<-behind
			case e.Call == lastKey && n == each && !fail:
				close(behind)
			}
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				busy[e.Call] = false
				if !fail {
					last[e.Call] = n
					total.Add(1)
				}
			}()
			if fail {
				return nil, errors.New("by chance")
			}
			return nil, nil
		}))
	var publishers sync.WaitGroup
	for p := range 10 {
		publishers.Go(func() {
			for n := 1; n <= each; n++ {
				for k := p; k < keys; k += 10 {
					publish(t, b, numbered(t, fmt.Sprintf("key-%d", k), n))
				}
			}
		})
	}
	publishers.Wait()
	bustest.Eventually(t, 2*limit, "all are handled", func() bool { return total.Load() >= keys*each })
	settled(t, b, "reader")
	if got := total.Load(); got != keys*each {
		t.Errorf("handled %d, want %d", got, keys*each)
	}
}

// TestNothingOvertakesWhatIsGivenBackAtAStop: an event that is being worked on when the
// reader stops comes again at the next start, and what is behind it in its lane comes
// after it, even where it arrives during the stop.
func TestNothingOvertakesWhatIsGivenBackAtAStop(t *testing.T) {
	b := bustest.Open(t)
	for round := range 15 {
		client := fmt.Sprintf("client-%d", round)
		working := make(chan struct{})
		var handled list[int]
		given := parkedWork(fmt.Sprintf("reader-%d", round), func(ctx context.Context, e event.Envelope) ([]event.Envelope, error) {
			if e.Call != client {
				return nil, nil
			}
			if n := number(t, e); n > 1 {
				handled.add(n)
				return nil, nil
			}
			select {
			case <-working:
				handled.add(1)
				return nil, nil
			default:
			}
			close(working)
			<-bus.Stopping(ctx)
			return nil, errors.New("given back")
		})
		stop := run(t, b, nil, given)
		publish(t, b, numbered(t, client, 1))
		receive(t, working, "the first event is being worked on")
		var arriving sync.WaitGroup
		arriving.Go(func() {
			for n := 2; n <= 30; n++ {
				publish(t, b, numbered(t, client, n))
			}
		})
		stop()
		arriving.Wait()
		early := len(handled.all())
		stop = run(t, b, nil, given)
		bustest.Eventually(t, limit, "all are handled", func() bool { return len(handled.all()) >= 30 })
		stop()
		if got := handled.all(); early != 0 || !slices.IsSorted(got) {
			t.Fatalf("round %d: %d were handled during the stop, in all %v; want none, then 1 to 30", round, early, got)
		}
	}
}

// TestWhatIsUrgentDoesNotWaitBehindWhatIsNot fills every place with events that don't
// end, and lets many more wait.
func TestWhatIsUrgentDoesNotWaitBehindWhatIsNot(t *testing.T) {
	b := bustest.Open(t)
	const old, places = 200, 8
	urgent := func(e event.Envelope) bool { return number(t, e) >= old }
	release := make(chan struct{})
	var working, most atomic.Int64
	var done list[int]
	w := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		if !urgent(e) {
			most.Store(max(most.Load(), working.Add(1)))
			<-release
			working.Add(-1)
		}
		done.add(number(t, e))
		return nil, nil
	})
	w.AtOnce, w.Urgent = places, urgent
	run(t, b, nil, w)
	for n := range old {
		publish(t, b, numbered(t, fmt.Sprint("lane-", n%100), n))
	}
	bustest.Eventually(t, limit, "all places are taken", func() bool { return working.Load() == places*3/4 })
	for n := range 20 {
		publish(t, b, numbered(t, fmt.Sprint("new-", n), old+n))
	}
	bustest.Eventually(t, limit, "what is urgent is done", func() bool { return len(done.all()) == 20 })
	close(release)
	bustest.Eventually(t, limit, "all are done", func() bool { return len(done.all()) == old+20 })
	if most.Load() > places*3/4 {
		t.Errorf("%d that are not urgent were worked at once, want at most %d", most.Load(), places*3/4)
	}
	lanes := map[int]int{}
	for _, n := range done.all() {
		if n < old {
			if lanes[n%100] > n+1 {
				t.Errorf("event %d came after a later one of its lane", n)
			}
			lanes[n%100] = n + 1
		}
	}
}
