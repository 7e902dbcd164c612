package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// This file watches the sessions and claims of all processes, and ends the sessions of
// those that fell silent.

// judge ends the sessions of processes that fell silent.
func (l *leases) judge(ctx context.Context) {
	tick := time.NewTicker(l.length / 10)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l.mu.Lock()
		silent := l.seen.silent(time.Now(), l.length)
		if l.mine != nil {
			delete(silent, l.mine.id)
		}
		l.mu.Unlock()
		for id, revision := range silent {
			once, cancel := context.WithTimeout(ctx, l.length/3)
			_, err := l.write(once, sessionKey(id), beat{Over: true}, revision, lastWordKept)
			cancel()
			// On a conflict it lives, or somebody else was quicker: the picture will show.
			if err != nil && !errors.Is(err, ErrConflict) {
				l.log.Debug("a silent session could not be ended", zap.Error(err))
			}
		}
	}
}

// watch keeps the picture up to date until the broker ends it or ctx is over.
func (l *leases) watch(ctx context.Context) error {
	stream, err := l.bus.js.Stream(ctx, "KV_"+leaseBucket)
	if err != nil {
		return fmt.Errorf("find the leases: %w", err)
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy})
	if err != nil {
		return fmt.Errorf("read the leases: %w", err)
	}
	l.change(func() { l.seen = newPicture() }) // what was missed meanwhile must not be concluded from
	consuming, err := consumer.Consume(l.observe)
	if err != nil {
		return fmt.Errorf("read the leases: %w", err)
	}
	defer func() { consuming.Stop(); <-consuming.Closed() }()
	select {
	case <-ctx.Done():
	case <-consuming.Closed():
		return errors.New("the broker ended the read")
	}
	return nil
}

// observe notes one entry of the bucket.
func (l *leases) observe(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		return
	}
	key := strings.TrimPrefix(m.Subject(), l.prefix)
	removed := len(m.Data()) == 0
	l.change(func() {
		if id, is := strings.CutPrefix(key, sessionKey("")); is {
			var b beat
			if removed {
				l.seen.gone(id)
			} else if json.Unmarshal(m.Data(), &b) == nil {
				l.seen.session(id, b, meta.Sequence.Stream, time.Now())
			}
		} else if name, is := strings.CutPrefix(key, leaseKey("")); is {
			c := claim{revision: meta.Sequence.Stream}
			if removed || json.Unmarshal(m.Data(), &c) == nil {
				l.seen.claim(name, c, time.Now())
			}
		}
		l.seen.whole = l.seen.whole || meta.NumPending == 0
	})
}
