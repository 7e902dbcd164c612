package bus_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// follow runs a view until the test ends or stop is called.
func follow(t *testing.T, b *bus.Bus, v bus.View) (p *bus.Progress, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p = new(bus.Progress)
	ended := make(chan error, 1)
	go func() { ended <- b.Follow(ctx, v, p) }()
	var once atomic.Bool
	stop = func() {
		if once.Swap(true) {
			return
		}
		cancel()
		if err := receive(t, ended, "the view ends with its context"); err != nil {
			t.Errorf("the view ended with %v, want nil", err)
		}
	}
	t.Cleanup(stop)
	return p, stop
}

func wait(t *testing.T, p *bus.Progress, seq uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := p.Wait(ctx, seq); err != nil {
		t.Fatalf("wait for event %d (the view is at %d): %v", seq, p.Seq(), err)
	}
}

func TestAViewReadsEverythingFromTheStartThenLive(t *testing.T) {
	b := bustest.Open(t)
	const before, live = 1200, 30
	var last uint64
	for n := range before {
		last = publish(t, b, numbered(t, "a", n))
	}
	var got list[uint64]
	var batches, largest atomic.Int64
	p, _ := follow(t, b, bus.View{Name: "view", Apply: func(_ context.Context, events []bus.Recorded) error {
		batches.Add(1)
		largest.Store(max(largest.Load(), int64(len(events))))
		for _, e := range events {
			if n := number(t, e.Envelope); uint64(n+1) != e.Seq {
				t.Errorf("event %d has sequence %d, want %d", n, e.Seq, n+1)
			}
			got.add(e.Seq)
		}
		return nil
	}})
	wait(t, p, last)
	if n := largest.Load(); n < 2 {
		t.Errorf("while catching up at most %d event at once in %d batches, want many", n, batches.Load())
	}
	for n := range live {
		last = publish(t, b, numbered(t, "a", before+n))
		wait(t, p, last)
	}
	if p.Seq() != last {
		t.Errorf("the view is at %d, want %d", p.Seq(), last)
	}
	seqs := got.all()
	if len(seqs) != before+live || !slices.IsSorted(seqs) {
		t.Errorf("applied %d events, sorted %v; want %d in their order", len(seqs), slices.IsSorted(seqs), before+live)
	}
}

func TestAViewStartsAgainFromItsLastGoodBatch(t *testing.T) {
	b := bustest.Open(t)
	const events = 1500
	var last uint64
	for n := range events {
		last = publish(t, b, numbered(t, "a", n))
	}
	var applied list[uint64]
	var refused atomic.Uint64
	p, _ := follow(t, b, bus.View{Name: "view", Apply: func(_ context.Context, events []bus.Recorded) error {
		if len(events) > 1 && refused.CompareAndSwap(0, events[0].Seq) {
			return errors.New("the disk is full")
		}
		for _, e := range events {
			applied.add(e.Seq)
		}
		return nil
	}})
	wait(t, p, last)
	if refused.Load() == 0 {
		t.Fatal("no batch was refused, so nothing is shown")
	}
	got := applied.all()
	for i, seq := range got {
		if seq != uint64(i+1) {
			t.Fatalf("after the error at %d the view applied event %d in place %d, want every event once", refused.Load(), seq, i+1)
		}
	}
	if len(got) != events {
		t.Errorf("applied %d events, want %d", len(got), events)
	}
}

func TestAViewGoesOnAfterWhatItHas(t *testing.T) {
	b := bustest.Open(t)
	for n := range 5 {
		publish(t, b, numbered(t, "a", n))
	}
	var got list[uint64]
	p, _ := follow(t, b, bus.View{Name: "view", After: 3, Apply: func(_ context.Context, events []bus.Recorded) error {
		for _, e := range events {
			got.add(e.Seq)
		}
		return nil
	}})
	wait(t, p, 3)
	wait(t, p, 5)
	if seqs := got.all(); !slices.Equal(seqs, []uint64{4, 5}) {
		t.Errorf("applied %v, want 4 and 5", seqs)
	}
}

func TestAViewIsGivenItsTypesAndItsProjectAndNothingUnreadable(t *testing.T) {
	b := bustest.Open(t)
	make := func(p event.Payload) event.Envelope {
		e, err := event.First("test", now, p)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	publish(t, b, make(&event.CallParked{ID: "1", Project: "demo"}), make(&event.CallParked{ID: "2", Project: "other"}),
		make(&event.SettingsChanged{Project: "demo", Settings: []byte(`{}`)}))
	if err := b.PublishRaw(t.Context(), bus.Subject("demo", event.TypeCallParked), nil, []byte("not an event")); err != nil {
		t.Fatal(err)
	}
	last := publish(t, b, make(&event.CallParked{ID: "3", Project: "demo"}))
	var narrow, project list[uint64]
	p, _ := follow(t, b, bus.View{Name: "narrow", Project: "demo", Types: []event.Type{event.TypeCallParked},
		Apply: func(_ context.Context, events []bus.Recorded) error {
			if len(events) == 0 {
				t.Error("Apply was given an empty batch")
			}
			for _, e := range events {
				narrow.add(e.Seq)
			}
			return nil
		}})
	q, _ := follow(t, b, bus.View{Name: "project", Project: "demo", Apply: func(_ context.Context, events []bus.Recorded) error {
		for _, e := range events {
			project.add(e.Seq)
		}
		return nil
	}})
	wait(t, p, last)
	wait(t, q, last)
	if got, want := narrow.all(), []uint64{1, 5}; !slices.Equal(got, want) {
		t.Errorf("the view of one type of one project applied %v, want %v", got, want)
	}
	if got, want := project.all(), []uint64{1, 3, 5}; !slices.Equal(got, want) {
		t.Errorf("the view of one project applied %v, want %v", got, want)
	}
}

func TestAStoppedViewEndsAlsoWithMuchUnread(t *testing.T) {
	b := bustest.Open(t)
	for n := range 1500 {
		publish(t, b, numbered(t, "a", n))
	}
	applying := make(chan struct{}, 1)
	_, stop := follow(t, b, bus.View{Name: "view", Apply: func(ctx context.Context, _ []bus.Recorded) error {
		applying <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}})
	receive(t, applying, "the view applies")
	stop()
}

func TestProgressWaitsUntilItsSequenceOrItsContext(t *testing.T) {
	var p bus.Progress
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Wait(ctx, 0); err != nil {
		t.Errorf("Wait for nothing returned %v, want nil", err)
	}
	if err := p.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait for what never comes returned %v, want the context's error", err)
	}
}

func TestAViewLeavesNothingBehindForAnEvent(t *testing.T) {
	b := bustest.Open(t)
	p, _ := follow(t, b, bus.View{Name: "view", Apply: func(context.Context, []bus.Recorded) error { return nil }})
	wait(t, p, publish(t, b, numbered(t, "a", 0)))
	before := runtime.NumGoroutine()
	for n := range 200 {
		wait(t, p, publish(t, b, numbered(t, "a", n+1)))
	}
	if more := runtime.NumGoroutine() - before; more > 50 {
		t.Errorf("%d goroutines more after 200 events, want none", more)
	}
}
