package bus_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// BenchmarkPublish says what safety costs: fsync or none, with one publisher that waits
// for each event, and with 32 that share the fsync.
func BenchmarkPublish(b *testing.B) {
	for _, safety := range []struct {
		name string
		fast bool
	}{{"fsync", false}, {"fast", true}} {
		for _, publishers := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/%d", safety.name, publishers), func(b *testing.B) {
				bench := benchBus(b, safety.fast)
				events := benchEvents(b, b.N, 1)
				b.ResetTimer()
				spread(publishers, events, func(e event.Envelope) { publish(b, bench, e) })
				perSecond(b)
			})
		}
	}
}

// BenchmarkWork says how many events a second a reader settles that publishes one for
// each, with few and with many lanes.
func BenchmarkWork(b *testing.B) {
	for _, lanes := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("lanes=%d", lanes), func(b *testing.B) {
			bench := benchBus(b, true)
			spread(32, benchEvents(b, b.N, lanes), func(e event.Envelope) { publish(b, bench, e) })
			var left sync.WaitGroup
			left.Add(b.N)
			b.ResetTimer()
			stop := run(b, bench, nil, parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
				defer left.Done()
				out, err := event.Next(e, "bench", now, &event.SettingsChanged{Project: "demo", Settings: []byte(`{}`)})
				return []event.Envelope{out}, err
			}))
			left.Wait()
			b.StopTimer()
			stop()
			perSecond(b)
		})
	}
}

// BenchmarkView says how fast a view catches up.
func BenchmarkView(b *testing.B) {
	bench := benchBus(b, true)
	events := benchEvents(b, b.N, 16)
	spread(32, events, func(e event.Envelope) { publish(b, bench, e) })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var p bus.Progress
	b.ResetTimer()
	go func() {
		ended <- bench.Follow(ctx, bus.View{Name: "view", Apply: func(context.Context, []bus.Recorded) error { return nil }}, &p)
	}()
	if err := p.Wait(ctx, uint64(b.N)); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	perSecond(b)
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

func benchBus(b *testing.B, fast bool) *bus.Bus {
	b.Helper()
	bench, err := bus.Open(b.Context(), bus.Options{Dir: b.TempDir(), Fast: fast})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := bench.Close(); err != nil {
			b.Error(err)
		}
	})
	return bench
}

func benchEvents(b *testing.B, n, lanes int) []event.Envelope {
	b.Helper()
	events := make([]event.Envelope, n)
	for i := range events {
		events[i] = numbered(b, fmt.Sprintf("lane-%d", i%lanes), i)
	}
	return events
}

func spread(workers int, events []event.Envelope, do func(event.Envelope)) {
	next := make(chan event.Envelope)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for e := range next {
				do(e)
			}
		})
	}
	for _, e := range events {
		next <- e
	}
	close(next)
	wg.Wait()
}

func perSecond(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
