package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func open(t *testing.T, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir, Fast: true, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatalf("open the broker: %v", err)
	}
	return b
}

func shut(t *testing.T, b *bus.Bus) {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatalf("close the broker: %v", err)
	}
}

func TestADurableOutlivesACleanStopAndARestart(t *testing.T) {
	dir := t.TempDir()
	handled := make(chan int, 100)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		handled <- number(t, e)
		return nil, nil
	})
	b := open(t, dir)
	publish(t, b, numbered(t, "a", 1), numbered(t, "b", 2), numbered(t, "a", 3))
	stop := run(t, b, nil, work)
	for range 3 {
		receive(t, handled, "the first run handles its events")
	}
	stop()
	shut(t, b)

	for n := 4; n < 6; n++ {
		b = open(t, dir)
		// The new event comes after all old ones, so what is handled before it came again.
		publish(t, b, numbered(t, "a", n))
		stop = run(t, b, nil, work)
		if got := receive(t, handled, "the next run handles the new event"); got != n {
			t.Errorf("after a restart event %d was handled first, want the new one, %d", got, n)
		}
		stop()
		shut(t, b)
	}
	if len(handled) != 0 {
		t.Errorf("%d events were handled again after a clean restart, want none", len(handled))
	}
}

func TestWhatWasUnsettledAtACrashIsDoneAgainAtOnce(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	publish(t, b, numbered(t, "a", 1), numbered(t, "a", 2), numbered(t, "b", 3))
	started, release := make(chan int, 10), make(chan struct{})
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		started <- number(t, e)
		<-release
		return nil, nil
	})
	stop := run(t, b, nil, work)
	for range 2 {
		receive(t, started, "both lanes start")
	}
	// The process dies: the broker goes away under the running handlers.
	shut(t, b)

	b = open(t, dir)
	defer shut(t, b)
	again := make(chan int, 10)
	work.Handle = func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		again <- number(t, e)
		return nil, nil
	}
	begin := time.Now()
	stopAgain := run(t, b, nil, work)
	got := map[int]bool{}
	for len(got) < 3 {
		got[receive(t, again, "the unsettled events are handled again")] = true
	}
	// The broker itself would wait 30 s for the reader that is gone.
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the unfinished work was taken up after %s, want at once", took)
	}
	if want := map[int]bool{1: true, 2: true, 3: true}; !cmp.Equal(got, want) {
		t.Errorf("handled again %v, want %v", got, want)
	}
	stopAgain()
	close(release)
	stop()
}

func TestCloseWaitsForTheHandlerAndStoresWhatItReturned(t *testing.T) {
	b := bustest.Open(t)
	started, release := make(chan struct{}), make(chan struct{})
	follow := numbered(t, "a", 2)
	stop := run(t, b, nil, parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		if number(t, e) != 1 {
			return nil, nil
		}
		close(started)
		<-release
		return []event.Envelope{follow}, nil
	}))
	publish(t, b, numbered(t, "a", 1))
	receive(t, started, "the handler starts")
	closed := make(chan struct{})
	go func() { stop(); close(closed) }()
	// Close has begun when the reader no longer takes events; the handler still runs.
	select {
	case <-closed:
		t.Fatal("Close returned while a handler was running")
	case <-time.After(200 * time.Millisecond):
	}
	close(release)
	receive(t, closed, "Close returns after the handler")
	e, err := b.Get(t.Context(), 2)
	if err != nil || e.ID != follow.ID {
		t.Errorf("the event after the handled one is %q (%v), want what the handler returned, %q", e.ID, err, follow.ID)
	}
	if _, unsettled, err := b.Lag(t.Context(), "reader"); err != nil || unsettled > 0 {
		t.Errorf("%d events unsettled after Close (%v), want 0: the handler was through", unsettled, err)
	}
}

func TestAHandlerThatIgnoresTheStopIsLeftBehindAfterTheGrace(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	started, release := make(chan context.Context, 1), make(chan struct{})
	stop := run(t, b, func(r *bus.Router) { r.SetGrace(50 * time.Millisecond) },
		parkedWork("reader", func(ctx context.Context, _ event.Envelope) ([]event.Envelope, error) {
			started <- ctx
			<-release
			return nil, nil
		}))
	publish(t, b, numbered(t, "a", 1))
	ctx := receive(t, started, "the handler starts")
	closed := make(chan struct{})
	go func() { stop(); close(closed) }()
	receive(t, bus.Stopping(ctx), "the handler is told to stop")
	receive(t, ctx.Done(), "the handler's context ends after the grace")
	close(release)
	receive(t, closed, "Close returns")
	shut(t, b)
	b = open(t, dir)
	defer shut(t, b)
	again := make(chan int, 1)
	defer run(t, b, nil, parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		again <- number(t, e)
		return nil, nil
	}))()
	if got := receive(t, again, "its event comes again"); got != 1 {
		t.Errorf("event %d came again, want 1", got)
	}
}

func TestStoppingFires(t *testing.T) {
	b := bustest.Open(t)
	waiting, told := make(chan struct{}), make(chan bool, 1)
	stop := run(t, b, nil, parkedWork("reader", func(ctx context.Context, _ event.Envelope) ([]event.Envelope, error) {
		close(waiting)
		<-bus.Stopping(ctx)
		told <- ctx.Err() == nil
		return nil, bus.RetryIn(time.Hour, context.Canceled)
	}))
	publish(t, b, numbered(t, "a", 1))
	receive(t, waiting, "the handler waits")
	stop()
	if alive := receive(t, told, "the handler is told"); !alive {
		t.Error("the handler's context was over when it was told to stop, want it alive during the grace")
	}
	if _, unsettled, err := b.Lag(t.Context(), "reader"); err != nil || unsettled != 1 {
		t.Errorf("%d events unsettled (%v), want the one that was given back", unsettled, err)
	}
}

func TestStoppingOfAPlainContextNeverFires(t *testing.T) {
	if c := bus.Stopping(t.Context()); c != nil {
		t.Errorf("Stopping of a context without a reader is %v, want nil, which blocks for ever", c)
	}
}

func TestAReadThatTheBrokerEndedIsTakenUpAgain(t *testing.T) {
	b := bustest.Open(t)
	handled := make(chan int, 100)
	run(t, b, nil, parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		handled <- number(t, e)
		return nil, nil
	}))
	publish(t, b, numbered(t, "a", 1))
	receive(t, handled, "the event before is handled")
	if err := bus.DeleteReader(t.Context(), b, "reader"); err != nil {
		t.Fatalf("delete the reader behind its back: %v", err)
	}
	publish(t, b, numbered(t, "a", 2))
	for receive(t, handled, "the event after is handled") != 2 {
		// A reader made anew reads from the start: the first event may come again.
	}
}
