package bus_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestTheSameIDIsStoredOnce(t *testing.T) {
	b := bustest.Open(t)
	first, other := numbered(t, "a", 1), numbered(t, "a", 2)
	seq := publish(t, b, first)
	publish(t, b, other)
	if again := publish(t, b, first); again != seq {
		t.Errorf("publishing again returned sequence %d, want the first one's, %d", again, seq)
	}
	events, bytes, err := b.Size(t.Context())
	if err != nil || events != 2 || bytes == 0 {
		t.Errorf("%d events in %d bytes stored (%v), want 2", events, bytes, err)
	}
	got, err := b.Get(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, got); diff != "" {
		t.Errorf("the stored event differs (-want +got):\n%s", diff)
	}
	if last, err := b.Last(t.Context()); err != nil || last != seq+1 {
		t.Errorf("the newest event is %d (%v), want %d", last, err, seq+1)
	}
}

func TestARepeatedHeaderIsReadable(t *testing.T) {
	b := bustest.Open(t)
	handled := make(chan int, 10)
	run(t, b, nil, parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		handled <- number(t, e)
		return nil, nil
	}))
	data := encode(t, numbered(t, "a", 1))
	header := nats.Header{"Ce-Note": {"one", "two"}, "ce-type": {"call.parked.v1", "call.parked.v1"}}
	if err := b.PublishRaw(t.Context(), bus.Subject("demo", event.TypeCallParked), header, data); err != nil {
		t.Fatal(err)
	}
	publish(t, b, numbered(t, "a", 2))
	for want := 1; want <= 2; want++ {
		if got := receive(t, handled, "both events are handled"); got != want {
			t.Errorf("handled event %d, want %d", got, want)
		}
	}
}

func TestAnUnreadableMessageIsDroppedAndDoesNotStopTheOthers(t *testing.T) {
	b := bustest.Open(t)
	handled := make(chan int, 10)
	dropped := make(chan event.Envelope, 10)
	follow := numbered(t, "follow", 9)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		handled <- number(t, e)
		return nil, nil
	})
	work.Dropped = func(e event.Envelope, err error) []event.Envelope {
		if err == nil {
			t.Error("Dropped was called without an error")
		}
		dropped <- e
		return []event.Envelope{follow}
	}
	run(t, b, nil, work)
	subject := bus.Subject("demo", event.TypeCallParked)
	header := nats.Header{"ce-type": {"call.parked.v1"}, "ce-project": {"demo"}}
	for _, data := range []string{`{"broken`, `{"id":"x"}`, ``} {
		if err := b.PublishRaw(t.Context(), subject, header, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	// One that nobody even knows the project of: there is nobody to park it for.
	if err := b.PublishRaw(t.Context(), subject, nil, []byte(`what is this`)); err != nil {
		t.Fatal(err)
	}
	publish(t, b, numbered(t, "a", 1))
	for range 3 {
		e := receive(t, dropped, "the unreadable messages are dropped")
		if e.Project != "demo" || e.Type != event.TypeCallParked || e.ID == "" {
			t.Errorf("dropped as project %q, type %q, id %q; want demo, call.parked.v1 and an id", e.Project, e.Type, e.ID)
		}
	}
	got := []int{receive(t, handled, "events after it are handled"), receive(t, handled, "what Dropped returned is stored")}
	slices.Sort(got)
	if want := []int{1, 9}; !slices.Equal(got, want) {
		t.Errorf("handled events %v, want %v", got, want)
	}
	settled(t, b, "reader")
}

func TestAPanickingHandlerDropsOnlyItsEvent(t *testing.T) {
	b := bustest.Open(t)
	handled, dropped := make(chan int, 10), make(chan error, 10)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		if n := number(t, e); n != 2 {
			handled <- n
			return nil, nil
		}
		panic("a mistake in the handler")
	})
	work.Dropped = func(_ event.Envelope, err error) []event.Envelope {
		dropped <- err
		return nil
	}
	run(t, b, nil, work)
	publish(t, b, numbered(t, "a", 1), numbered(t, "a", 2), numbered(t, "a", 3))
	for _, want := range []int{1, 3} {
		if got := receive(t, handled, "the other events are handled"); got != want {
			t.Errorf("handled event %d, want %d", got, want)
		}
	}
	if err := receive(t, dropped, "the panic drops its event"); err == nil {
		t.Error("dropped without an error, want the panic's words")
	}
	settled(t, b, "reader")
}

func TestAPanickingLaneEndsNothing(t *testing.T) {
	b := bustest.Open(t)
	handled := make(chan int, 10)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		handled <- number(t, e)
		return nil, nil
	})
	work.Lane = func(e event.Envelope) string {
		if number(t, e) == 1 {
			panic("no lane for this one")
		}
		return e.Call
	}
	run(t, b, nil, work)
	publish(t, b, numbered(t, "a", 1), numbered(t, "a", 2))
	got := []int{receive(t, handled, "an event is handled"), receive(t, handled, "the other is handled")}
	slices.Sort(got)
	if want := []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}

func TestADroppedEventIsNotTriedAgainAndAFailedOneIs(t *testing.T) {
	b := bustest.Open(t)
	var tries [4]atomic.Int64
	dropped, done := make(chan string, 10), make(chan struct{}, 10)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		n := number(t, e)
		try := tries[n].Add(1)
		switch {
		case n == 1:
			return nil, bus.Drop(errors.New("refused for good"))
		case n == 2 && try < 3:
			return nil, errors.New("the portal is down")
		}
		done <- struct{}{}
		return nil, nil
	})
	work.Dropped = func(e event.Envelope, err error) []event.Envelope {
		dropped <- err.Error()
		return nil
	}
	run(t, b, func(r *bus.Router) { r.SetRetry(time.Millisecond) }, work)
	publish(t, b, numbered(t, "a", 1), numbered(t, "a", 2), numbered(t, "a", 3))
	receive(t, done, "the failed event is handled")
	receive(t, done, "the event after it is handled")
	settled(t, b, "reader")
	if got := receive(t, dropped, "Dropped is called"); got != "refused for good" {
		t.Errorf("dropped with %q, want the handler's words", got)
	}
	got := []int64{tries[1].Load(), tries[2].Load(), tries[3].Load()}
	if want := []int64{1, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("events were tried %v times, want %v", got, want)
	}
	if n, err := b.Deliveries(t.Context(), "reader"); err != nil || n != 3 {
		t.Errorf("the broker delivered %d times (%v), want 3: a retry stays inside the reader", n, err)
	}
}

func TestOneStoppedReaderLeavesTheConnectionToTheOthers(t *testing.T) {
	b := bustest.Open(t)
	handled := make(chan int, 10)
	forward := func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		n := number(t, e)
		handled <- n
		if n > 1 {
			return nil, nil
		}
		return []event.Envelope{numbered(t, "a", n+1)}, nil
	}
	stopFirst := run(t, b, nil, parkedWork("first", func(context.Context, event.Envelope) ([]event.Envelope, error) {
		return nil, nil
	}))
	run(t, b, nil, parkedWork("second", forward))
	stopFirst()
	if !b.Connected() {
		t.Fatal("stopping one reader closed the connection of all")
	}
	publish(t, b, numbered(t, "a", 1))
	for want := 1; want <= 2; want++ {
		if got := receive(t, handled, "the other reader goes on and publishes"); got != want {
			t.Errorf("handled event %d, want %d", got, want)
		}
	}
}

func TestAWorkOfOneProjectIsGivenThatProjectOnly(t *testing.T) {
	b := bustest.Open(t)
	handled := make(chan string, 10)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		handled <- e.Project
		return nil, nil
	})
	work.Project = "one"
	run(t, b, nil, work)
	for _, project := range []string{"two", "one"} {
		e, err := event.First("test", now, &event.CallParked{ID: project, Project: project})
		if err != nil {
			t.Fatal(err)
		}
		publish(t, b, e)
	}
	other, err := event.First("test", now, &event.SettingsChanged{Project: "one", Settings: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, other)
	if got := receive(t, handled, "the project's event is handled"); got != "one" {
		t.Errorf("handled an event of project %s, want one", got)
	}
	settled(t, b, "reader")
	if n, err := b.Deliveries(t.Context(), "reader"); err != nil || n != 1 {
		t.Errorf("%d events delivered (%v), want 1: no other project, no other type", n, err)
	}
}

// settled waits until a reader has nothing left to do.
func settled(t *testing.T, b *bus.Bus, durable string) {
	t.Helper()
	bustest.Eventually(t, limit, durable+" has settled everything", func() bool {
		unread, unsettled, err := b.Lag(t.Context(), durable)
		return err == nil && unread == 0 && unsettled == 0
	})
}

func TestAnEventWhoseTraceIsTooLargeIsDroppedAndNotTriedForEver(t *testing.T) {
	b := bustest.Open(t)
	store, err := b.Store(t.Context(), "large", "values that are too large")
	if err != nil {
		t.Fatal(err)
	}
	dropped := make(chan error, 1)
	work := parkedWork("reader", func(ctx context.Context, _ event.Envelope) ([]event.Envelope, error) {
		_, err := store.Set(ctx, "key", strings.Repeat("x", 2<<20), 0)
		return nil, err
	})
	work.Dropped = func(_ event.Envelope, err error) []event.Envelope {
		dropped <- err
		return nil
	}
	run(t, b, nil, work)
	publish(t, b, numbered(t, "a", 1))
	if err := receive(t, dropped, "the event is dropped"); errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("dropped for %v, want its size", err)
	}
}
