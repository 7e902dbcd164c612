package bus

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// follower reads a stream from its first message on, in order.
type follower struct {
	stream  string
	about   string
	handle  jetstream.Stream
	arrived chan jetstream.Msg
	stop    func()
	seq     uint64
}

func (b *Bus) followStream(ctx context.Context, name string) (*follower, error) {
	stream, err := b.js.Stream(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", name, err)
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	f := &follower{stream: name, about: stream.CachedInfo().Config.Description, handle: stream, arrived: make(chan jetstream.Msg, 256)}
	ctx, over := context.WithCancel(ctx)
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		select {
		case f.arrived <- m:
		case <-ctx.Done():
		}
	})
	if err != nil {
		over()
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	f.stop = func() {
		over()
		consuming.Stop()
		<-consuming.Closed()
	}
	return f, nil
}

// silence is how long a message that is there may take to arrive.
const silence = 10 * time.Second

// drain reads what the stream holds now. A message that is replaced before it was read
// does not come; the one that replaced it does.
func (f *follower) drain(ctx context.Context, each func(stored) error) error {
	info, err := f.handle.Info(ctx)
	if err != nil {
		return fmt.Errorf("ask for the last message: %w", err)
	}
	if info.State.Msgs == 0 {
		return nil
	}
	patience := time.NewTimer(silence)
	defer patience.Stop()
	for f.seq < info.State.LastSeq {
		patience.Reset(silence) // not counting how long each took
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			return fmt.Errorf("the broker gave no message after %d of %d for %s", f.seq, info.State.LastSeq, silence)
		case m := <-f.arrived:
			s, err := storedOf(m)
			if err != nil {
				return err
			}
			f.seq = s.Seq
			if err := each(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// storedOf is a message without what only its sender asked of the broker.
func storedOf(m jetstream.Msg) (stored, error) {
	meta, err := m.Metadata()
	if err != nil {
		return stored{}, fmt.Errorf("a message has no place in the stream: %w", err)
	}
	s := stored{Seq: meta.Sequence.Stream, Subject: m.Subject(), ID: m.Headers().Get(nats.MsgIdHdr), Data: m.Data()}
	s.Header = nats.Header(maps.Clone(map[string][]string(m.Headers())))
	maps.DeleteFunc(s.Header, func(name string, _ []string) bool {
		return name == nats.MsgIdHdr || strings.HasPrefix(name, "Nats-Expected-") || strings.HasPrefix(name, "Nats-Batch-")
	})
	if len(s.Header) == 0 {
		s.Header = nil
	}
	return s, nil
}
