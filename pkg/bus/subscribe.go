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
)

// reading says how a durable reader reads. Zero values are the defaults.
type reading struct {
	durable string
	filters []string
	// lane names the queue of a message: strict order within, parallel between.
	lane func(*message.Message) string
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
// that a lane keeps its order.
type subscriber struct {
	bus  *Bus
	read reading

	mu     sync.Mutex
	open   []*subscription
	closed bool
}

var _ message.Subscriber = (*subscriber)(nil)

func newSubscriber(b *Bus, r reading) *subscriber {
	if r.ackWait == 0 {
		r.ackWait = 30 * time.Second
	}
	if r.held == 0 {
		r.held = 1000
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

// Subscribe starts reading. The topic is a subject; where the reading names filters,
// those are used instead.
func (s *subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	consumer, err := s.consumer(ctx, topic, fresh)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	handling, abandon := context.WithCancel(context.WithoutCancel(ctx))
	sub := &subscription{
		reading: s.read, log: s.bus.log.With(zap.String("reader", s.read.durable)), stop: stop, handling: handling,
		abandon: abandon, out: make(chan *message.Message), lanes: map[string][]*delivery{},
		held: map[*delivery]struct{}{}, done: make(chan struct{}), stopping: ctx.Done(),
	}
	consuming, err := sub.consume(consumer)
	if err != nil {
		stop()
		abandon()
		return nil, fmt.Errorf("read as %s: %w", s.read.durable, err)
	}
	go sub.heartbeat()
	go sub.finish(ctx, consuming, func() (jetstream.ConsumeContext, error) {
		consumer, err := s.consumer(ctx, topic, again)
		if err != nil {
			return nil, err
		}
		return sub.consume(consumer)
	})
	s.open = append(s.open, sub)
	return sub.out, nil
}

// beginning says whether a read begins in this process, or goes on after the broker
// ended it: then what was delivered is still being worked on here.
type beginning bool

const (
	fresh beginning = true
	again beginning = false
)

// consumer makes or finds the durable. With the embedded broker this process is the
// only reader, so whatever was delivered and not settled before the start is ours to
// do again now, not when the broker loses patience.
func (s *subscriber) consumer(ctx context.Context, topic string, begin beginning) (jetstream.Consumer, error) {
	filters := s.read.filters
	if len(filters) == 0 {
		filters = []string{topic}
	}
	c, err := s.bus.stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: s.read.durable, FilterSubjects: filters, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: s.read.ackWait, MaxAckPending: s.read.held, MaxDeliver: -1, DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return nil, fmt.Errorf("make reader %s: %w", s.read.durable, err)
	}
	if begin == fresh && s.bus.Embedded() && c.CachedInfo().NumAckPending > 0 {
		if _, err := s.bus.js.ResetConsumer(ctx, s.bus.name, s.read.durable); err != nil {
			return nil, fmt.Errorf("take up the unfinished work of %s: %w", s.read.durable, err)
		}
	}
	return c, nil
}

// Close stops reading and waits until the running handlers are through, at most the
// grace. What was not settled is read again at the next start.
func (s *subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for _, sub := range open {
		sub.stop()
	}
	for _, sub := range open {
		<-sub.done
	}
	return nil
}
