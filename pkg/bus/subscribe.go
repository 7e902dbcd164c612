package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// reading says how a durable reader reads. Zero values are the defaults.
type reading struct {
	durable string
	filters []string
	// lane names the queue of a message: strict order within, parallel between. It also
	// says whether the message is urgent.
	lane func(*message.Message) (lane string, urgent bool)
	// atOnce is how many lanes are worked at the same time; 0 is all.
	atOnce int
	// ackWait is when the broker gives up on a silent reader; the reader says "still at
	// it" three times as often. Default 30 s.
	ackWait time.Duration
	// held is how many messages may be read and not settled. Default 1,000.
	held int
	// grace is how long running handlers may take after a stop. Default 20 s.
	grace time.Duration
	// retry is the wait after a handler's n-th error, where the error names none.
	// Default [backoff].
	retry func(attempt int) time.Duration
}

// subscriber is our side of watermill's Subscriber over one durable pull consumer
// that we make ourselves: it outlives a stop, holds many messages at once in lanes by
// key, says "still at it" for each, survives repeated headers, and retries in place so
// that a lane keeps its order. One process at a time reads a durable: the holder of the
// lease of its name.
type subscriber struct {
	bus  *Bus
	read reading

	mu     sync.Mutex
	open   []opened
	closed bool
}

// opened is a read that runs until stop; done is closed when it is through.
type opened struct {
	stop context.CancelFunc
	done chan struct{}
}

var _ message.Subscriber = (*subscriber)(nil)

func newSubscriber(b *Bus, r reading) *subscriber {
	if r.ackWait == 0 {
		r.ackWait = defaultAckWait
	}
	if r.held == 0 {
		r.held = defaultHeld
	}
	if r.grace == 0 {
		r.grace = 20 * time.Second
	}
	if r.retry == nil {
		r.retry = backoff
	}
	return &subscriber{bus: b, read: r}
}

var errClosed = errors.New("the subscriber is closed")

// Subscribe starts reading, once this process holds the durable's lease. The topic is a
// subject; where the reading names filters, those are used instead.
func (s *subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	// Who reads meanwhile is not disturbed by that, and what is wrong with it shows now.
	if _, err := s.consumer(ctx, topic); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	o, out := opened{stop, make(chan struct{})}, make(chan *message.Message)
	go func() {
		defer close(o.done)
		defer close(out)
		s.keep(ctx, topic, out)
	}()
	s.open = append(s.open, o)
	return out, nil
}

// keep reads whenever it may until ctx is over.
func (s *subscriber) keep(ctx context.Context, topic string, out chan *message.Message) {
	for {
		err := s.bus.Hold(ctx, s.read.durable, func(ctx context.Context) error { return s.term(ctx, topic, out) })
		if ctx.Err() != nil {
			return
		}
		s.bus.log.Error("a read could not be taken up", zap.String("reader", s.read.durable), zap.Error(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(resumeAfter):
		}
	}
}

// term reads from the beginning that a new reader makes until ctx is over.
func (s *subscriber) term(ctx context.Context, topic string, out chan *message.Message) error {
	consumer, err := s.begin(ctx, topic)
	if err != nil {
		return err
	}
	handling, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	sub := &subscription{
		reading: s.read, log: s.bus.log.With(zap.String("reader", s.read.durable)), handling: handling,
		abandon: abandon, out: out, lanes: map[string][]*delivery{},
		held: map[*delivery]struct{}{}, done: make(chan struct{}), stopping: ctx.Done(), pull: s.bus.pull(s.read.held),
	}
	consuming, err := sub.consume(consumer)
	if err != nil {
		return fmt.Errorf("read as %s: %w", s.read.durable, err)
	}
	go sub.heartbeat()
	sub.finish(ctx, consuming, func() (jetstream.ConsumeContext, error) {
		consumer, err := s.consumer(ctx, topic)
		if err != nil {
			return nil, err
		}
		return sub.consume(consumer)
	})
	return nil
}

// consumer makes or finds the durable.
func (s *subscriber) consumer(ctx context.Context, topic string) (jetstream.Consumer, error) {
	filters := s.read.filters
	if len(filters) == 0 {
		filters = []string{topic}
	}
	c, err := s.bus.stream.CreateOrUpdateConsumer(ctx, readerConfig(s.read.durable, filters, s.read.ackWait, s.read.held))
	if err != nil {
		return nil, fmt.Errorf("make reader %s (`ringbridge migrate` says what differs): %w", s.read.durable, err)
	}
	fault.Point("reader", s.read.durable, "made")
	return c, nil
}

// begin takes the durable over: whatever was delivered to an earlier reader and not
// settled is ours to do again now, before what is newer, and not when the broker loses
// patience. This process is the only one that reads: by its lease, or because the
// broker is its own.
func (s *subscriber) begin(ctx context.Context, topic string) (jetstream.Consumer, error) {
	c, err := s.consumer(ctx, topic)
	if err != nil {
		return nil, err
	}
	info := c.CachedInfo()
	// A predecessor that is paused, not dead, still has requests for events waiting at the
	// broker. What came again would be given to it, so they are outlasted: see pull.
	for !s.bus.Embedded() && info.NumWaiting > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(aloneAfter):
		}
		if info, err = c.Info(ctx); err != nil {
			return nil, fmt.Errorf("ask who reads as %s: %w", s.read.durable, err)
		}
	}
	if info.NumAckPending > 0 && !fault.Wrong("unsettled-left-waiting") {
		if _, err := s.bus.js.ResetConsumer(ctx, s.bus.name, s.read.durable); err != nil {
			return nil, fmt.Errorf("take up the unfinished work of %s (needs nats-server 2.14 or newer): %w", s.read.durable, err)
		}
		fault.Point("reader", s.read.durable, "taken up")
	}
	return c, nil
}

// aloneAfter is how often is looked whether a predecessor still waits for events.
const aloneAfter = 50 * time.Millisecond

// pull says how events are asked for. A request of a reader that is paused must not
// outlive its lease by much.
func (b *Bus) pull(held int) []jetstream.PullConsumeOpt {
	opts := []jetstream.PullConsumeOpt{jetstream.PullMaxMessages(max(2, min(held, 500)))}
	if !b.Embedded() {
		opts = append(opts, jetstream.PullExpiry(max(b.leases.length, time.Second)))
	}
	return opts
}

// Close stops reading and waits until the running handlers are through, at most the
// grace. What was not settled is read again at the next start.
func (s *subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for _, o := range open {
		o.stop()
	}
	for _, o := range open {
		<-o.done
	}
	if fault.Wrong("durable-deleted-at-stop") {
		_ = s.bus.stream.DeleteConsumer(context.Background(), s.read.durable)
	}
	return nil
}
