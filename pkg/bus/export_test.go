package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// SetAckWait shortens the broker's patience, so that a test can outlast it.
func (r *Router) SetAckWait(d time.Duration) { r.timing.ackWait = d }

// SetAckWait shortens the broker's patience, so that a test can outlast it.
func (f *Feed) SetAckWait(d time.Duration) { f.ackWait = d }

// SetGrace shortens how long handlers may take after a stop.
func (r *Router) SetGrace(d time.Duration) { r.timing.grace = d }

// SetRetry replaces the wait after a handler's error that names none.
func (r *Router) SetRetry(d time.Duration) { r.timing.retry = func(int) time.Duration { return d } }

// Deliveries is how many times the broker has handed an event to a durable reader.
func (b *Bus) Deliveries(ctx context.Context, durable string) (uint64, error) {
	c, err := b.stream.Consumer(ctx, durable)
	if err != nil {
		return 0, fmt.Errorf("find reader %s: %w", durable, err)
	}
	info, err := c.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask about reader %s: %w", durable, err)
	}
	return info.Delivered.Consumer, nil
}

// PublishRaw stores what a foreign program might: any headers, any bytes.
func (b *Bus) PublishRaw(ctx context.Context, subject string, header nats.Header, data []byte) error {
	m := &nats.Msg{Subject: subject, Header: header, Data: data}
	_, err := b.js.PublishMsg(ctx, m, jetstream.WithExpectStream(b.name))
	return err
}

// Heartbeats passes on each "still at it" that a reader tells the broker.
func (b *Bus) Heartbeats(ctx context.Context) (<-chan struct{}, error) {
	beats := make(chan struct{}, 1000)
	sub, err := b.nc.Subscribe("$JS.ACK.>", func(m *nats.Msg) {
		if string(m.Data) == "+WPI" {
			beats <- struct{}{}
		}
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() })
	return beats, b.nc.FlushTimeout(publishTimeout)
}

// Connected says whether the connection that all readers share is open.
func (b *Bus) Connected() bool { return b.nc.IsConnected() }

// DeleteReader takes a durable away from a running reader, as a person with the
// broker's own tools can.
func DeleteReader(ctx context.Context, b *Bus, durable string) error {
	return b.stream.DeleteConsumer(ctx, durable)
}

// BackupOf makes a backup that holds events at these places only, as one of a stream
// that lost some.
func BackupOf(w io.Writer, events map[uint64]event.Envelope) error {
	archive, err := newArchiveWriter(w)
	if err != nil {
		return err
	}
	sum, end := newDigest(), archiveEnding{Events: uint64(len(events))}
	for _, seq := range slices.Sorted(maps.Keys(events)) {
		m, err := toMessage(events[seq])
		if err != nil {
			return err
		}
		s := stored{Seq: seq, Subject: subjectOf(topicEvents, m), ID: m.UUID, Data: m.Payload}
		line, err := json.Marshal(s)
		if err := errors.Join(err, sum.add(s), archive.add(Stream, line)); err != nil {
			return err
		}
	}
	end.EventSum = sum.String()
	return archive.finish(end)
}

// Stores names the key/value stores that the broker keeps.
func (b *Bus) Stores(ctx context.Context) ([]string, error) {
	names := b.js.KeyValueStoreNames(ctx)
	var out []string
	for name := range names.Name() {
		out = append(out, name)
	}
	return out, names.Error()
}

// AskForEvents leaves a request for events at the broker, as a reader that is paused
// does. It returns how many came until the request was over.
func (b *Bus) AskForEvents(ctx context.Context, durable string, most int, wait time.Duration) (<-chan int, error) {
	c, err := b.stream.Consumer(ctx, durable)
	if err != nil {
		return nil, err
	}
	batch, err := c.Fetch(most, jetstream.FetchMaxWait(wait))
	if err != nil {
		return nil, err
	}
	came := make(chan int, 1)
	go func() {
		n := 0
		for range batch.Messages() {
			n++
		}
		came <- n
	}()
	return came, nil
}

// Gather makes what is published from when it returns gather, until the returned
// function is called. It waits for what is on its way.
func (b *Bus) Gather() (release func()) {
	for start := time.Now(); time.Since(start) < 10*time.Second; runtime.Gosched() {
		b.groups.mu.Lock()
		if !b.groups.busy {
			b.groups.busy = true
			b.groups.mu.Unlock()
			return b.groups.next
		}
		b.groups.mu.Unlock()
	}
	panic("something is still on its way")
}

// Waiting is how many events have gathered.
func (b *Bus) Waiting() int {
	b.groups.mu.Lock()
	defer b.groups.mu.Unlock()
	return len(b.groups.wait)
}

// Groups says whether events that come at the same time go together.
func (b *Bus) Groups() bool { return b.groups != nil }

// InABatch says whether the event stored at seq came together with others.
func (b *Bus) InABatch(ctx context.Context, seq uint64) (bool, error) {
	m, err := b.stream.GetMsg(ctx, seq)
	if err != nil {
		return false, err
	}
	return m.Header.Get("Nats-Batch-Id") != "", nil
}

// ForbidBatches makes the stream what an earlier version made.
func (b *Bus) ForbidBatches(ctx context.Context) error {
	config := b.stream.CachedInfo().Config
	config.AllowAtomicPublish = false
	_, err := b.js.UpdateStream(ctx, config)
	return err
}
