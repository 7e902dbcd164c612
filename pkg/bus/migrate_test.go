package bus_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// TestWhatABrokerCannotChangeInPlaceIsLeftAndSaid makes a stream in memory, which loses
// everything with the power, and a reader that leaves out what is stored already.
func TestWhatABrokerCannotChangeInPlaceIsLeftAndSaid(t *testing.T) {
	url := bustest.Serve(t)
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: bus.Stream, Subjects: []string{"event.>"}, Storage: jetstream.MemoryStorage, MaxAge: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateConsumer(t.Context(), bus.Stream, jetstream.ConsumerConfig{Durable: "planner", AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverNewPolicy}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.>"}}); err != nil {
		t.Fatal(err)
	}
	options := bus.Options{URL: url, Replicas: 1}
	wanted := bus.Wanted{
		Stores:  []bus.WantedStore{{Name: "calls", About: "files"}},
		Readers: []bus.WantedReader{{Name: "planner", Types: []event.Type{event.TypeCallResolved}}},
	}
	before, err := bus.Inspect(t.Context(), options, wanted)
	if err != nil {
		t.Fatal(err)
	}
	again, err := bus.Inspect(t.Context(), options, wanted)
	if err != nil || !slices.Equal(before.Differences, again.Differences) {
		t.Errorf("inspected twice: %v, then %v (%v); want nothing changed in between", before.Differences, again.Differences, err)
	}
	if !slices.Equal(before.Strangers, []string{"stream ORDERS"}) {
		t.Errorf("strangers %v, want the stream of orders", before.Strangers)
	}
	left, err := bus.Adjust(t.Context(), options, wanted)
	if err != nil {
		t.Fatal(err)
	}
	var stay []string
	for _, d := range left.Differences {
		if d.Setting == "storage" || d.Setting == "begins with" {
			if d.InPlace || !strings.Contains(d.Says, "can't be changed in place") {
				t.Errorf("%s %s: in place %v, says %q; want that a person has to do it, and how", d.What, d.Setting, d.InPlace, d.Says)
			}
		}
		stay = append(stay, d.What+" "+d.Setting)
	}
	// The broker takes a reader's changes together or not at all.
	if want := []string{"stream EVENTS storage", "reader planner begins with", "reader planner filters"}; !slices.Equal(stay, want) {
		t.Errorf("left are %q, want %q", stay, want)
	}
	stream, err := js.Stream(t.Context(), bus.Stream)
	if err != nil {
		t.Fatal(err)
	}
	if c := stream.CachedInfo().Config; c.MaxAge != 0 || c.Storage != jetstream.MemoryStorage || !c.DenyDelete {
		t.Errorf("the stream forgets after %s, is kept in %s, denies deletes %v; want all changed but the storage", c.MaxAge, c.Storage, c.DenyDelete)
	}
}
