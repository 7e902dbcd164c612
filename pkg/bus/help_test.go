package bus_test

import (
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// limit is how long a test waits for what should happen in milliseconds.
const limit = 15 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(powerVariable) != "" {
		os.Exit(storeUntilTheCut())
	}
	goleak.VerifyTestMain(m)
}

var now = time.Date(2026, 3, 2, 9, 15, 0, 0, time.UTC)

// numbered makes the n-th event of a call; n is its reason.
func numbered(t testing.TB, call string, n int) event.Envelope {
	t.Helper()
	e, err := event.First("test", now, &event.CallParked{
		ID: call + "/" + strconv.Itoa(n), Project: "demo", Call: call, State: event.ParkedWaiting,
		Step: "test", Reason: strconv.Itoa(n), Remedy: "none",
	})
	if err != nil {
		t.Fatalf("make event %s/%d: %v", call, n, err)
	}
	return e
}

func number(t testing.TB, e event.Envelope) int {
	t.Helper()
	p, err := event.As[event.CallParked](e)
	if err != nil {
		t.Errorf("read event %s: %v", e.ID, err)
		return -1
	}
	n, err := strconv.Atoi(p.Reason)
	if err != nil {
		t.Errorf("number of event %s: %v", e.ID, err)
	}
	return n
}

func publish(t testing.TB, b *bus.Bus, events ...event.Envelope) uint64 {
	t.Helper()
	var seq uint64
	for _, e := range events {
		var err error
		if seq, err = b.Publish(context.Background(), e); err != nil {
			t.Fatalf("publish %s: %v", e.ID, err)
		}
	}
	return seq
}

// run starts works and waits until they read. The function it returns stops them; it
// may be called again.
func run(t testing.TB, b *bus.Bus, tune func(*bus.Router), works ...bus.Work) (stop func()) {
	t.Helper()
	r, err := b.Router()
	if err != nil {
		t.Fatalf("make a router: %v", err)
	}
	if tune != nil {
		tune(r)
	}
	for _, w := range works {
		r.Add(w)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(context.Background()) }()
	stop = sync.OnceFunc(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close the works: %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("run the works: %v", err)
		}
	})
	select {
	case <-r.Running():
	case err := <-ended:
		t.Fatalf("the works ended at their start: %v", err)
	case <-time.After(limit):
		t.Fatalf("the works did not start within %s", limit)
	}
	t.Cleanup(stop)
	return stop
}

// parkedWork is a work over the events that numbered makes, one lane for each call.
func parkedWork(name string, handle func(context.Context, event.Envelope) ([]event.Envelope, error)) bus.Work {
	return bus.Work{
		Name: name, Types: []event.Type{event.TypeCallParked}, Handle: handle,
		Lane: func(e event.Envelope) string { return e.Call },
	}
}

// receive takes the next value of a channel or fails the test.
func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(limit):
		t.Fatalf("after %s still not: %s", limit, what)
		panic("unreachable")
	}
}

// list is a slice that handlers may fill at the same time.
type list[T any] struct {
	mu    sync.Mutex
	items []T
}

func (l *list[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, v)
}

func (l *list[T]) all() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]T(nil), l.items...)
}
