package bus_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// feed runs a feed of the events that numbered makes; what it takes comes out of the
// channel.
func feed(t *testing.T, b *bus.Bus, tune ...func(*bus.Feed)) (taken <-chan bus.Delivery, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c, ended := make(chan bus.Delivery, 100), make(chan error, 1)
	f := bus.Feed{Name: "feed", Project: "demo", Types: []event.Type{event.TypeCallParked}, Take: func(d bus.Delivery) { c <- d }}
	for _, t := range tune {
		t(&f)
	}
	go func() { ended <- b.Feed(ctx, f) }()
	return c, func() {
		cancel()
		if err := receive(t, ended, "the feed ends with its context"); err != nil {
			t.Errorf("the feed ended with %v, want nil", err)
		}
	}
}

func TestAFeedHandsOverEverythingAtOnceAndIsSettledInAnyOrder(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	for n := 1; n <= 4; n++ {
		publish(t, b, numbered(t, "a", n))
	}
	if err := b.PublishRaw(t.Context(), bus.Subject("demo", event.TypeCallParked), nil, []byte("not an event")); err != nil {
		t.Fatal(err)
	}
	publish(t, b, numbered(t, "a", 5))
	taken, stop := feed(t, b)
	var deliveries []bus.Delivery
	for n := 1; n <= 5; n++ {
		d := receive(t, taken, "the feed hands over without waiting")
		if got := number(t, d.Envelope); got != n {
			t.Errorf("handed over event %d, want %d", got, n)
		}
		deliveries = append(deliveries, d)
	}
	for _, i := range []int{4, 0, 2} {
		deliveries[i].Settle()
	}
	bustest.Eventually(t, limit, "two events are unsettled", func() bool {
		unread, unsettled, err := b.Lag(t.Context(), "feed")
		return err == nil && unread == 0 && unsettled == 2
	})
	stop()
	shut(t, b)

	b = open(t, dir)
	defer shut(t, b)
	publish(t, b, numbered(t, "a", 6))
	taken, stop = feed(t, b)
	var again []int
	for !slices.Contains(again, 6) {
		d := receive(t, taken, "what was unsettled comes again at once")
		again = append(again, number(t, d.Envelope))
		d.Settle()
	}
	// What was settled beyond the first gap may come again too; what was before it may not.
	if !slices.Contains(again, 2) || !slices.Contains(again, 4) || slices.Contains(again, 1) || !slices.IsSorted(again) {
		t.Errorf("events %v came after the restart, want 2, 4 and 6, not 1, in their order", again)
	}
	settled(t, b, "feed")
	stop()
}

func TestWhatAFeedHoldsIsNotGivenASecondTime(t *testing.T) {
	b := bustest.Open(t)
	beats, err := b.Heartbeats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	taken, stop := feed(t, b, func(f *bus.Feed) { f.SetAckWait(150 * time.Millisecond) })
	const held = 10
	var deliveries []bus.Delivery
	for n := range held {
		publish(t, b, numbered(t, "a", n))
		deliveries = append(deliveries, receive(t, taken, "the feed hands over"))
	}
	// Three heartbeats of each are one AckWait: nine outlast the broker's patience three times.
	for beat := 0; beat < 9*held; {
		select {
		case <-beats:
			beat++
		case d := <-taken:
			t.Fatalf("event %d was given again while it was held, after %d heartbeats", number(t, d.Envelope), beat)
		case <-time.After(limit):
			t.Fatalf("after %s the broker was told %d times that an event is worked on, want %d", limit, beat, 9*held)
		}
	}
	for _, d := range deliveries {
		d.Settle()
	}
	settled(t, b, "feed")
	if n, err := b.Deliveries(t.Context(), "feed"); err != nil || n != held {
		t.Errorf("the broker delivered %d times (%v), want %d", n, err, held)
	}
	stop()
}
