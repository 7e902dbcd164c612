package bus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Feed gives events to a reader that decides by itself what to do next, in any order
// and many at once: the writer. Unlike a [Work] it hands an event over at once and
// learns later, by Settle, that it is done.
type Feed struct {
	Name    string
	Project string
	Types   []event.Type
	// Held is how many events may be handed over and not settled. Default 5,000.
	Held int
	// Take is called for each event, one after the other, and must not block.
	Take func(Delivery)

	// ackWait is when the broker gives up on a silent reader. Default 30 s.
	ackWait time.Duration
}

// Delivery is an event of a feed.
type Delivery struct {
	Recorded
	// Settle says that the event needs no further work. Without it the event comes again
	// at the next start.
	Settle func()
}

// Feed reads until ctx is over, which with an outside broker is that of a [Bus.Hold]: one
// process at a time reads a feed. The broker is told that held events are being worked
// on, so waiting for a slow portal never makes it deliver one twice.
func (b *Bus) Feed(ctx context.Context, f Feed) error {
	if ctx.Value(termKey{}) == nil && !b.Embedded() {
		return fmt.Errorf("read as %s: no lease is held", f.Name)
	}
	if f.Held == 0 {
		f.Held = defaultFeedHeld
	}
	if f.ackWait == 0 {
		f.ackWait = defaultAckWait
	}
	s := newSubscriber(b, reading{durable: f.Name, ackWait: f.ackWait, held: f.Held, filters: subjects(f.Project, f.Types)})
	consumer, err := s.begin(ctx, "")
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	held := &heldMessages{by: map[jetstream.Msg]struct{}{}}
	log := b.log.With(zap.String("reader", f.Name))
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		if Held(ctx) != nil {
			giveBack(m, log)
			return
		}
		batch, seq := b.record(nil, m)
		held.add(m)
		fault.Point("given", f.Name)
		settle := func() {
			held.remove(m)
			fault.Point("settle", f.Name, "before")
			if err := m.Ack(); err != nil {
				log.Warn("the broker was not told that an event is settled; it will come again", zap.Error(err))
			}
			fault.Point("settle", f.Name, "after")
		}
		if len(batch) == 0 {
			log.Error("an event that nobody can read was passed over", zap.Uint64("seq", seq))
			settle()
			return
		}
		f.Take(Delivery{batch[0], settle})
	}, append(b.pull(f.Held), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		log.Warn("reading from the broker stumbled", zap.Error(err))
	}))...)
	if err != nil {
		return fmt.Errorf("read as %s: %w", f.Name, err)
	}
	closed := consuming.Closed()
	defer func() { consuming.Stop(); <-closed }()
	tick := time.NewTicker(f.ackWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-closed:
			return fmt.Errorf("read as %s: the broker ended the read", f.Name)
		case <-tick.C:
			for _, m := range held.all() {
				if fault.Wrong("feed-without-heartbeat") {
					continue
				}
				if err := m.InProgress(); err != nil {
					log.Debug("the broker did not hear that an event is being worked on", zap.Error(err))
				}
			}
		}
	}
}

func subjects(project string, types []event.Type) []string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = Subject(project, t)
	}
	return out
}

type heldMessages struct {
	mu sync.Mutex
	by map[jetstream.Msg]struct{}
}

func (h *heldMessages) add(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.by[m] = struct{}{}
}

func (h *heldMessages) remove(m jetstream.Msg) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.by, m)
}

func (h *heldMessages) all() []jetstream.Msg {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]jetstream.Msg, 0, len(h.by))
	for m := range h.by {
		out = append(out, m)
	}
	return out
}
