package bus

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
	"go.uber.org/zap"
)

// This file lets events share an fsync. The embedded broker does one for each message
// that comes alone and one for each batch (nats-server 2.15, coalesceSync). So an event
// that comes alone goes at once; those that come while one is on its way gather, and go
// together as soon as it is stored. In a crowd that makes two halves by turns: while one
// is written the other comes in. (Waiting a moment after each batch, so that all go
// together, was measured as slower: the processor idles during the fsync.)

const (
	// smallestGroup is from where a batch is cheaper than its messages one by one.
	smallestGroup = 4
	// largestGroup and groupBytes keep a batch within what the broker takes (1,000
	// messages) and the memory it is staged in.
	largestGroup = 256
	groupBytes   = 4 << 20
	// alone is the size from where an event is worth an fsync of its own.
	alone = 512 << 10
)

// groups are the events that wait for those before them to be stored.
type groups struct {
	bus  *Bus
	mu   sync.Mutex
	busy bool // something is on its way; false only while nobody waits
	wait []*waiting
	// unanswered is true once the broker did not say what became of a batch.
	unanswered atomic.Bool
}

// openGroups lets events share an fsync where there is one to share.
func (b *Bus) openGroups(o Options) {
	if b.server == nil || o.Fast {
		return
	}
	st, err := openStage(o.Dir, cmp.Or(o.Memory, memory), b.name)
	if err != nil {
		b.log.Warn("there is no memory to gather events in: each is stored alone, which is slower when many come at once", zap.Error(err))
		return
	}
	b.stage, b.groups = st, &groups{bus: b}
}

type waiting struct {
	ctx  context.Context
	wire *nats.Msg
	done chan outcome
}

type outcome struct {
	seq uint64
	err error
}

// store appends a message to the stream, alone or together with others. Each has its
// own outcome: see [Bus.Publish].
func (b *Bus) store(ctx context.Context, wire *nats.Msg) (uint64, error) {
	if b.groups == nil || len(wire.Data) > alone {
		return b.storeAlone(ctx, wire)
	}
	return b.groups.store(ctx, wire)
}

func (b *Bus) storeAlone(ctx context.Context, wire *nats.Msg) (uint64, error) {
	ack, err := b.js.PublishMsg(ctx, wire, jetstream.WithExpectStream(b.name))
	if err != nil {
		return 0, err
	}
	if ack.Duplicate && b.groups != nil {
		return ack.Sequence, b.groups.onDisk()
	}
	return ack.Sequence, nil
}

func (g *groups) store(ctx context.Context, wire *nats.Msg) (uint64, error) {
	g.mu.Lock()
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		defer g.next()
		return g.bus.storeAlone(ctx, wire)
	}
	w := &waiting{ctx, wire, make(chan outcome, 1)}
	g.wait = append(g.wait, w)
	g.mu.Unlock()
	select {
	case o := <-w.done:
		return o.seq, o.err
	case <-ctx.Done():
		g.forget(w)
		return 0, ctx.Err()
	}
}

// forget takes back what was not sent yet: who was told that it may not be stored must
// not find it stored later than that.
func (g *groups) forget(w *waiting) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.wait, w); i >= 0 {
		g.wait = slices.Delete(g.wait, i, i+1)
	}
}

// next sends those that gathered meanwhile, without keeping the caller.
func (g *groups) next() {
	if group := g.take(); group != nil {
		go func() {
			for group != nil {
				g.send(group)
				group = g.take()
			}
		}()
	}
}

// take returns those that go next, nil when nobody waits.
func (g *groups) take() []*waiting {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, size := 0, 0
	for n < min(len(g.wait), largestGroup) && (n == 0 || size+len(g.wait[n].wire.Data) <= groupBytes) {
		size += len(g.wait[n].wire.Data)
		n++
	}
	if n == 0 {
		g.busy = false
		return nil
	}
	group := slices.Clone(g.wait[:n])
	g.wait = slices.Delete(g.wait, 0, n)
	return group
}

func (g *groups) send(group []*waiting) {
	if len(group) < smallestGroup {
		g.oneByOne(group)
		return
	}
	wires := make([]*nats.Msg, len(group))
	for i, w := range group {
		wires[i] = w.wire
	}
	// No one's context: whoever goes away must not take the others along.
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	ack, err := jetstreamext.PublishMsgBatch(ctx, g.bus.js, wires, jetstreamext.BatchFlowControl{})
	switch {
	case err == nil:
		// The broker stores a batch without anything in between.
		first := ack.Sequence - uint64(len(group)) + 1
		for i, w := range group {
			w.done <- outcome{seq: first + uint64(i)}
		}
	case refused(err):
		for _, wire := range wires {
			wire.Header.Del(jetstreamext.BatchIDHeader)
			wire.Header.Del(jetstreamext.BatchSeqHeader)
			wire.Header.Del(jetstreamext.BatchCommitHeader)
		}
		g.oneByOne(group)
	default:
		g.unanswered.Store(true)
		for _, w := range group {
			w.done <- outcome{err: err}
		}
	}
}

// refused says that nothing of a batch was stored. The broker refuses the whole batch
// for one message in it, such as one whose id it knows; each may well be stored alone.
func refused(err error) bool {
	var answer *jetstream.APIError
	return errors.As(err, &answer) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrMaxPayload)
}

func (g *groups) oneByOne(group []*waiting) {
	var all sync.WaitGroup
	for _, w := range group {
		all.Go(func() {
			seq, err := g.bus.storeAlone(w.ctx, w.wire)
			w.done <- outcome{seq, err}
		})
	}
	all.Wait()
}

// onDisk says whether what the broker calls a duplicate is on disk. Of a batch that
// breaks off half-way the broker remembers the ids, though their fsync never came.
func (g *groups) onDisk() error {
	if g.unanswered.Load() {
		syscall.Sync()
	}
	if err := g.bus.stuck(); errors.Is(err, ErrStuck) {
		return err
	}
	return nil
}
