package bus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrNotEmpty is returned by [Restore] when there is something where it should write.
var ErrNotEmpty = errors.New("the data folder is not empty")

// restores is the store that remembers when the broker's files were restored.
const (
	restores      = "restores"
	restoresAbout = "when the files of the broker were restored from a backup"
)

type restoredMark struct {
	TakenAt    time.Time `json:"taken_at"`
	RestoredAt time.Time `json:"restored_at"`
}

// Restored is when the broker's files were last written by a [Restore]; zero if never.
// Whatever was done between the backup and then is not in the stream: who writes to
// the outside must look there before it believes that something was not done yet.
func (b *Bus) Restored(ctx context.Context) (time.Time, error) {
	kv, err := b.js.KeyValue(ctx, restores)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("open store %s: %w", restores, err)
	}
	var mark restoredMark
	_, err = (&Store{restores, kv, b.writes}).Get(ctx, "last", &mark)
	return mark.RestoredAt, err
}

// CheckBackup reads a backup to its end and says what it holds, or why it is none.
func CheckBackup(backup io.Reader) (Summary, error) {
	end, err := readArchive(backup, func(string, stored) error { return nil })
	return end.summary(), err
}

// Restore writes a backup into o.Dir, which must be empty or missing and in nobody's
// use. It reads the backup twice: nothing is written before all of it was found whole,
// and what was written is read back and compared. Until then everything lies beside
// o.Dir, so a restore that is interrupted leaves no half of one.
func Restore(ctx context.Context, o Options, backup io.ReadSeeker) (Summary, error) {
	if err := Vacant(o.Dir); err != nil {
		return Summary{}, err
	}
	end, err := readArchive(backup, func(string, stored) error { return nil })
	if err != nil {
		return Summary{}, err
	}
	if _, err := backup.Seek(0, io.SeekStart); err != nil {
		return Summary{}, fmt.Errorf("read the backup again: %w", err)
	}
	dir := o.Dir
	o.Dir += ".restoring"
	if err := os.RemoveAll(o.Dir); err != nil {
		return Summary{}, fmt.Errorf("clear what an earlier restore left: %w", err)
	}
	if err := restoreInto(ctx, o, backup, end); err != nil {
		return Summary{}, errors.Join(err, os.RemoveAll(o.Dir))
	}
	if err := moveTo(o.Dir, dir); err != nil {
		return Summary{}, err
	}
	return end.summary(), nil
}

func restoreInto(ctx context.Context, o Options, backup io.Reader, end archiveEnding) (err error) {
	o.Fast = true // everything is put on disk at the end, once
	b, err := Open(ctx, o)
	if err != nil {
		return err
	}
	open := true
	defer func() {
		if open {
			err = errors.Join(err, b.Close())
		}
	}()
	for name, s := range end.Stores {
		if _, err := b.Store(ctx, name, s.About); err != nil {
			return err
		}
	}
	r := restoring{Bus: b, filled: map[uint64]bool{}, values: map[string]map[string][sha256.Size]byte{}}
	if _, err := readArchive(backup, func(stream string, m stored) error { return r.put(ctx, stream, m) }); err != nil {
		return err
	}
	if err := r.putReaders(ctx, end); err != nil {
		return err
	}
	if err := r.compare(ctx, end); err != nil {
		return err
	}
	store, err := b.Store(ctx, restores, restoresAbout)
	if err != nil {
		return err
	}
	if _, err := Change(ctx, store, "last", func(m *restoredMark) (bool, error) {
		*m = restoredMark{end.TakenAt, time.Now().UTC()}
		return true, nil
	}); err != nil {
		return err
	}
	open = false
	if err := b.Close(); err != nil {
		return err
	}
	return syncAll(o.Dir)
}

// restoring is a broker that is being filled.
type restoring struct {
	*Bus
	last   uint64
	filled map[uint64]bool // places of events that the backup has not
	values map[string]map[string][sha256.Size]byte
}

// put stores one message, an event at the place it had.
func (r *restoring) put(ctx context.Context, stream string, m stored) error {
	events := stream == r.name
	if events {
		if err := r.fillUp(ctx, m.Seq); err != nil {
			return err
		}
	} else {
		if r.values[stream] == nil {
			r.values[stream] = map[string][sha256.Size]byte{}
		}
		r.values[stream][m.Subject] = sha256.Sum256(m.Data)
	}
	ack, err := r.write(ctx, stream, m)
	if err == nil && ack.Duplicate {
		// The same id again, stored when the broker had forgotten the first.
		m.ID = ""
		ack, err = r.write(ctx, stream, m)
	}
	if err != nil {
		return fmt.Errorf("store message %d of %s: %w", m.Seq, stream, err)
	}
	if events {
		if ack.Sequence != m.Seq {
			return fmt.Errorf("event %d was stored as %d", m.Seq, ack.Sequence)
		}
		r.last = m.Seq
	}
	return nil
}

func (r *restoring) write(ctx context.Context, stream string, m stored) (*jetstream.PubAck, error) {
	wire := &nats.Msg{Subject: m.Subject, Header: nats.Header{}, Data: m.Data}
	for name, v := range m.Header {
		wire.Header[name] = v
	}
	if m.ID != "" {
		wire.Header.Set(nats.MsgIdHdr, m.ID)
	}
	return r.js.PublishMsg(ctx, wire, jetstream.WithExpectStream(stream))
}

// fillUp keeps the places of events that were missing: who refers to a later one by its
// place must find it there. The stream keeps what it is given for good, so these stay.
func (r *restoring) fillUp(ctx context.Context, seq uint64) error {
	for missing := r.last + 1; missing < seq; missing++ {
		_, err := r.write(ctx, r.name, stored{Subject: placeholder})
		if err != nil {
			return fmt.Errorf("keep the place of event %d: %w", missing, err)
		}
		r.last, r.filled[missing] = missing, true
	}
	return nil
}

// placeholder is the subject of a message that stands where an event was missing: of no
// project and no type.
const placeholder = topicEvents + ".-.missing"

// putReaders makes each reader go on with the first event it had not settled. What it
// had settled behind that comes again, as after a crash.
func (r *restoring) putReaders(ctx context.Context, end archiveEnding) error {
	for _, config := range end.Readers {
		if _, err := r.stream.CreateOrUpdateConsumer(ctx, config); err != nil {
			return fmt.Errorf("make reader %s: %w", config.Durable, err)
		}
		next := end.Next[config.Durable]
		if next <= 1 {
			continue
		}
		if _, err := r.js.ResetConsumerToSequence(ctx, r.name, config.Durable, next); err != nil {
			return fmt.Errorf("let reader %s go on with event %d: %w", config.Durable, next, err)
		}
	}
	return nil
}

// compare reads back what was written.
func (r *restoring) compare(ctx context.Context, end archiveEnding) error {
	sum, events := newDigest(), uint64(0)
	err := r.readBack(ctx, r.name, func(m stored) error {
		if r.filled[m.Seq] {
			return nil
		}
		events++
		return sum.add(m)
	})
	if err != nil {
		return err
	}
	if events != end.Events || sum.String() != end.EventSum {
		return fmt.Errorf("%d events were written with the digest %s, the backup has %d with %s", events, sum, end.Events, end.EventSum)
	}
	for stream, want := range r.values {
		err := r.readBack(ctx, stream, func(m stored) error {
			if sha256.Sum256(m.Data) != want[m.Subject] {
				return fmt.Errorf("%s was written as something else", m.Subject)
			}
			delete(want, m.Subject)
			return nil
		})
		if err != nil {
			return err
		}
		for subject := range want {
			return fmt.Errorf("%s of the backup was not written", subject)
		}
	}
	return nil
}

func (r *restoring) readBack(ctx context.Context, stream string, each func(stored) error) error {
	f, err := r.followStream(ctx, stream)
	if err != nil {
		return err
	}
	defer f.stop()
	if err := f.drain(ctx, each); err != nil {
		return fmt.Errorf("read %s back: %w", stream, err)
	}
	return nil
}
