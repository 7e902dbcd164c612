package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// storePrefix begins the names of the streams that are stores.
const storePrefix = "KV_"

// pauseLimit is how long all writing may stand still for a backup.
const pauseLimit = 3 * time.Second

// Summary says what a backup holds.
type Summary struct {
	// TakenAt is the moment whose state it is.
	TakenAt time.Time `json:"taken_at"`
	// Events is how many events there are.
	Events uint64 `json:"events"`
	// Stores is how many keys each store has.
	Stores map[string]int `json:"stores"`
}

func (e archiveEnding) summary() Summary {
	s := Summary{TakenAt: e.TakenAt, Events: e.Events, Stores: map[string]int{}}
	for name, store := range e.Stores {
		s.Stores[name] = store.Keys
	}
	return s
}

// Backup writes the whole state of the embedded broker while everything goes on: the
// events, every store, and how far each reader is. What it writes is the state of one
// moment, the same that the disk would hold had the process been killed then; so what
// makes a restart right makes a restore right, and no order of the parts has to.
//
// For that it reads everything while calls flow, then lets no write begin for the
// milliseconds it takes to read what came meanwhile. (The broker's own snapshots would
// not do: they are taken block by block beside the writing, so a store can lose a key
// that is rewritten meanwhile, and a reader can be further than the events.)
//
// A backup without its end is refused by [Restore], so an error may leave a part behind.
func (b *Bus) Backup(ctx context.Context, w io.Writer) (Summary, error) {
	if !b.Embedded() {
		return Summary{}, errors.New("only an embedded broker can be backed up here; back a cluster up with its own tools")
	}
	ctx, over := context.WithCancel(ctx)
	defer over()
	archive, err := newArchiveWriter(w)
	if err != nil {
		return Summary{}, err
	}
	run := &backup{bus: b, archive: archive, events: newDigest(), end: archiveEnding{Stores: map[string]archiveStore{}, Next: map[string]uint64{}}}
	if err := run.follow(ctx); err != nil {
		return Summary{}, err
	}
	defer run.stop()
	for _, f := range run.followed {
		if err := f.drain(ctx, func(m stored) error { return run.add(f.stream, m) }); err != nil {
			return Summary{}, fmt.Errorf("back up %s: %w", f.stream, err)
		}
	}
	late, err := run.pause(ctx)
	if err != nil {
		return Summary{}, err
	}
	for _, l := range late {
		if err := run.add(l.stream, l.message); err != nil {
			return Summary{}, err
		}
	}
	run.finishCounts()
	return run.end.summary(), archive.finish(run.end)
}

// backup is one that is being written.
type backup struct {
	bus      *Bus
	archive  *archiveWriter
	followed []*follower
	keys     map[string]map[string]bool // by stream, the keys that are not deleted
	events   digest
	end      archiveEnding
}

// follow begins to read every stream.
func (r *backup) follow(ctx context.Context) error {
	names := r.bus.js.StreamNames(ctx)
	var streams []string
	for name := range names.Name() {
		streams = append(streams, name)
	}
	if err := names.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return fmt.Errorf("ask for the streams: %w", err)
	}
	slices.Sort(streams) // EVENTS comes before the stores
	r.keys = map[string]map[string]bool{}
	for _, name := range streams {
		if name != r.bus.name && !strings.HasPrefix(name, storePrefix) {
			return fmt.Errorf("the broker holds the stream %s, which a backup does not know", name)
		}
		r.keys[name] = map[string]bool{}
		f, err := r.bus.followStream(ctx, name)
		if err != nil {
			r.stop()
			return err
		}
		r.followed = append(r.followed, f)
	}
	return nil
}

func (r *backup) stop() {
	for _, f := range r.followed {
		f.stop()
	}
}

func (r *backup) add(stream string, m stored) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message %d of %s: %w", m.Seq, stream, err)
	}
	if stream == r.bus.name {
		r.end.Events, r.end.LastSeq = r.end.Events+1, m.Seq
		if err := r.events.add(m); err != nil {
			return err
		}
	} else if m.Header.Get("KV-Operation") != "" {
		delete(r.keys[stream], m.Subject)
	} else {
		r.keys[stream][m.Subject] = true
	}
	return r.archive.add(stream, line)
}

type lateMessage struct {
	stream  string
	message stored
}

// pause lets no write begin, waits for those that are out, and reads what the streams
// and the readers hold then. It writes nothing itself: whoever takes the backup may be
// slow, and nobody should wait for them.
func (r *backup) pause(ctx context.Context) (late []lateMessage, err error) {
	r.bus.writes.Lock()
	defer r.bus.writes.Unlock()
	ctx, cancel := context.WithTimeout(ctx, pauseLimit)
	defer cancel()
	r.end.TakenAt = time.Now().UTC().Truncate(time.Millisecond)
	for _, f := range r.followed {
		err := f.drain(ctx, func(m stored) error {
			late = append(late, lateMessage{f.stream, m})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("back up %s: %w", f.stream, err)
		}
	}
	for _, f := range r.followed {
		if f.stream != r.bus.name {
			r.end.Stores[strings.TrimPrefix(f.stream, storePrefix)] = archiveStore{About: f.about}
		}
	}
	readers := r.bus.stream.ListConsumers(ctx)
	for info := range readers.Info() {
		if info.Config.Durable == "" {
			continue
		}
		r.end.Readers = append(r.end.Readers, info.Config)
		r.end.Next[info.Config.Durable] = info.AckFloor.Stream + 1
	}
	if err := readers.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return nil, fmt.Errorf("ask for the readers: %w", err)
	}
	return late, nil
}

func (r *backup) finishCounts() {
	for name, s := range r.end.Stores {
		s.Keys = len(r.keys[storePrefix+name])
		r.end.Stores[name] = s
	}
	r.end.EventSum = r.events.String()
}

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
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			return fmt.Errorf("the broker gave no message after %d of %d for %s", f.seq, info.State.LastSeq, silence)
		case m := <-f.arrived:
			patience.Reset(silence)
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
		return name == nats.MsgIdHdr || strings.HasPrefix(name, "Nats-Expected-")
	})
	if len(s.Header) == 0 {
		s.Header = nil
	}
	return s, nil
}
