package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

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
	if err := run.catchUp(ctx); err != nil {
		return Summary{}, err
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

// catchUp reads what there is, and then what came while it read, until that is little.
func (r *backup) catchUp(ctx context.Context) error {
	const little, rounds = 500, 20
	for range rounds {
		read := 0
		for _, f := range r.followed {
			err := f.drain(ctx, func(m stored) error {
				read++
				return r.add(f.stream, m)
			})
			if err != nil {
				return fmt.Errorf("back up %s: %w", f.stream, err)
			}
		}
		if read < little {
			break
		}
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
