package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// View reads events again and again: losing its memory is repaired by reading from
// the start. It never changes anything outside.
type View struct {
	Name    string
	Project string
	// Types narrows what is read; empty means every type.
	Types []event.Type
	// After is the last sequence that the view has; 0 reads from the start.
	After uint64
	// Apply takes events in their order, many at once while catching up. An error stops
	// the view; it is started again from the last batch that went well.
	Apply func(context.Context, []Recorded) error
}

// Recorded is an event and its place in the stream.
type Recorded struct {
	event.Envelope
	Seq uint64
}

// viewBatch bounds how many events Apply is given at once.
const viewBatch = 500

// Follow runs a view until ctx is over. It reads in the stream's order and never
// skips; where the broker stumbles it goes on from where it was.
func (b *Bus) Follow(ctx context.Context, v View, p *Progress) error {
	after := v.After
	p.reach(after)
	for ctx.Err() == nil {
		err := b.follow(ctx, v, &after, p)
		if ctx.Err() != nil {
			break
		}
		b.log.Warn("a view stumbled and starts again", zap.String("view", v.Name), zap.Uint64("after", after), zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (b *Bus) follow(ctx context.Context, v View, after *uint64, p *Progress) error {
	cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: *after + 1}
	for _, t := range v.Types {
		cfg.FilterSubjects = append(cfg.FilterSubjects, Subject(v.Project, t))
	}
	if len(v.Types) == 0 {
		cfg.FilterSubjects = []string{Subject(v.Project, "")}
	}
	// What is read and not yet applied goes with this attempt, also its goroutine.
	ctx, over := context.WithCancel(ctx)
	defer over()
	consumer, err := b.stream.OrderedConsumer(ctx, cfg)
	if err != nil {
		return fmt.Errorf("read as view %s: %w", v.Name, err)
	}
	incoming := make(chan jetstream.Msg, viewBatch)
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		select {
		case incoming <- m:
		case <-ctx.Done():
		}
	})
	if err != nil {
		return fmt.Errorf("read as view %s: %w", v.Name, err)
	}
	defer consuming.Stop()
	closed := consuming.Closed() // each call would start a goroutine that stays
	for {
		batch := make([]Recorded, 0, 16)
		var seq uint64
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-closed:
			return errors.New("the broker ended the read")
		case m := <-incoming:
			batch, seq = b.record(batch, m)
		}
		for more := true; more && len(batch) < viewBatch; {
			select {
			case m := <-incoming:
				batch, seq = b.record(batch, m)
			default:
				more = false
			}
		}
		if len(batch) > 0 {
			fault.Point("view", v.Name, "given")
			if err := v.Apply(ctx, batch); err != nil {
				return fmt.Errorf("apply up to event %d: %w", seq, err)
			}
		}
		fault.Point("view", v.Name, "applied")
		*after = max(*after, seq)
		p.reach(seq)
	}
}

// record adds a message to the batch; one that is no event of ours is left out, with
// a word in the log: a view must not stop for it.
func (b *Bus) record(batch []Recorded, m jetstream.Msg) ([]Recorded, uint64) {
	meta, err := m.Metadata()
	if err != nil {
		b.log.Error("a message has no place in the stream", zap.Error(err))
		return batch, 0
	}
	e, err := event.Read(m.Data())
	if err != nil {
		b.log.Error("a stored message is no event", zap.Uint64("seq", meta.Sequence.Stream), zap.Error(err))
		return batch, meta.Sequence.Stream
	}
	return append(batch, Recorded{e, meta.Sequence.Stream}), meta.Sequence.Stream
}

// Progress tells how far a view is. The zero value is ready to use.
type Progress struct {
	mu      sync.Mutex
	seq     uint64
	waiting map[chan struct{}]uint64
}

func (p *Progress) reach(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq = max(p.seq, seq)
	for c, want := range p.waiting {
		if p.seq >= want {
			close(c)
			delete(p.waiting, c)
		}
	}
}

// Seq is the last sequence that the view applied.
func (p *Progress) Seq() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seq
}

// Wait returns when the view has applied seq, or ctx's error.
func (p *Progress) Wait(ctx context.Context, seq uint64) error {
	p.mu.Lock()
	if p.seq >= seq {
		p.mu.Unlock()
		return nil
	}
	c := make(chan struct{})
	if p.waiting == nil {
		p.waiting = map[chan struct{}]uint64{}
	}
	p.waiting[c] = seq
	p.mu.Unlock()
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		delete(p.waiting, c)
		p.mu.Unlock()
		return ctx.Err()
	}
}
