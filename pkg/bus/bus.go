// Package bus carries events: Publish appends one, Work does something about each of
// them once settled, a View reads them all again from the start. It is the only
// importer of nats.go and watermill (beside the writer's feed, which must not
// prefetch).
//
// Promises, each with a contract test in this package:
//   - an event is on disk before Publish returns (embedded broker: an fsync, shared by
//     those that come at the same time);
//   - publishing the same id again is harmless, here and downstream;
//   - one lane's events are handled one after the other, in their order, also across
//     errors and restarts; other lanes go on meanwhile;
//   - a handler that takes long is not given the event a second time;
//   - a message nobody can read never stops the others;
//   - with an outside broker each durable is read by one process at a time, and another
//     takes over where that one dies.
//
// Start reading at [Open], [Bus.Publish] and [Work]; takeover at lease.go.
package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Stream is the name of the one stream that keeps every event.
const Stream = "EVENTS"

// topicEvents is the watermill topic of all events: the subject of each is worked out
// from its headers.
const topicEvents = "event"

// Options say which broker. Without URL one runs inside this process.
type Options struct {
	// Dir keeps the embedded broker's files.
	Dir string
	// Fast leaves out the fsync of the embedded broker: for tests of behaviour that
	// don't cut the power.
	Fast bool
	// MaxStore limits the embedded broker's files in bytes, so that a full disk is a
	// refusal and not a hang. Default: what the disk has room for, at most 16 GiB.
	MaxStore int64
	// Memory is a folder of a file system in memory. Where it is one, events that are
	// published at the same time share an fsync. Default: /dev/shm.
	Memory string
	// URL, Credentials and Replicas describe an outside cluster.
	URL, Credentials string
	Replicas         int
	// Lease is how long a process of an outside cluster may be silent before another takes
	// over what only one may do. Default 10 s; a takeover of a process that died takes
	// about as long.
	Lease time.Duration
	Log   *zap.Logger
}

// Bus is a connection to the broker. It is safe for concurrent use.
type Bus struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	stream   jetstream.Stream
	name     string // the stream's
	server   *server.Server
	unlock   func() error
	log      *zap.Logger
	replicas int
	stopping chan struct{}
	// writes is held for reading by every write, and for writing while a backup looks.
	writes *sync.RWMutex
	disk   *disk // of the embedded broker
	leases *leases
	stage  *stage
	groups *groups // nil where each event is stored alone
}

// ErrUnavailable is returned when the broker did not say that it stored an event.
// The event may or may not be stored: publish it again under the same id.
var ErrUnavailable = errors.New("the broker did not confirm")

// Open connects to the broker, starting the embedded one where Options name no other,
// and makes the stream.
func Open(ctx context.Context, o Options) (*Bus, error) {
	b, err := dial(o)
	if err != nil {
		return nil, err
	}
	if err := b.makeStream(ctx, topicEvents+".>"); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if b.leases, err = openLeases(ctx, b, o.Lease); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	fault.Point("bus", "stream made")
	b.openGroups(o)
	return b, nil
}

// dial connects and makes nothing.
func dial(o Options) (*Bus, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	b := &Bus{name: Stream, log: o.Log.Named("bus"), replicas: max(o.Replicas, 1), stopping: make(chan struct{}), writes: &sync.RWMutex{}}
	if err := b.connect(o); err != nil {
		return nil, err
	}
	fault.Point("bus", "connected")
	js, err := jetstream.New(b.nc)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open jetstream: %w", err), b.Close())
	}
	b.js = js
	return b, nil
}

// Embedded says whether the broker runs in this process, which then is its only user.
func (b *Bus) Embedded() bool { return b.server != nil }

// Healthy returns nil when the broker is reachable and stores what it is given.
func (b *Bus) Healthy(ctx context.Context) error {
	if b.server != nil {
		if err := errors.Join(b.stuck(), b.disk.room()); err != nil {
			return err
		}
	}
	if _, err := b.stream.Info(ctx); err != nil {
		return fmt.Errorf("ask the broker for its stream: %w", plainly(err))
	}
	return nil
}

// Last is the sequence of the newest event stored.
func (b *Bus) Last(ctx context.Context) (uint64, error) {
	info, err := b.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask the broker for its newest event: %w", plainly(err))
	}
	return info.State.LastSeq, nil
}

// Size tells how many events are stored and how many bytes they take.
func (b *Bus) Size(ctx context.Context) (events, bytes uint64, err error) {
	info, err := b.stream.Info(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the stream's size: %w", err)
	}
	return info.State.Msgs, info.State.Bytes, nil
}

// Get reads the event stored at seq.
func (b *Bus) Get(ctx context.Context, seq uint64) (event.Envelope, error) {
	m, err := b.stream.GetMsg(ctx, seq)
	if err != nil {
		return event.Envelope{}, fmt.Errorf("read event %d: %w", seq, err)
	}
	return event.Read(m.Data)
}

// LastOf reads the newest event of a type and a project; ok is false where there is none.
func (b *Bus) LastOf(ctx context.Context, project string, t event.Type) (e event.Envelope, ok bool, err error) {
	m, err := b.stream.GetLastMsgForSubject(ctx, Subject(project, t))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("read the newest %s of %s: %w", t, project, err)
	}
	e, err = event.Read(m.Data)
	return e, err == nil, err
}

// Lag is the number of events that a durable reader has not been given yet, and how
// many it was given and has not settled. Nought and nought means that every event
// stored before the question is settled.
func (b *Bus) Lag(ctx context.Context, durable string) (unread, unsettled int, err error) {
	c, err := b.stream.Consumer(ctx, durable)
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the lag of %s: %w", durable, err)
	}
	info := c.CachedInfo()
	if info.NumPending > 0 {
		return int(info.NumPending), info.NumAckPending, nil
	}
	// The broker counts what is unread a moment after it has stored it: measured, it
	// said nought with 25 events stored. So nought is believed only where the stream
	// has nothing after the last event given.
	for _, subject := range append(info.Config.FilterSubjects, info.Config.FilterSubject) {
		if subject == "" {
			continue
		}
		_, err := b.stream.GetMsg(ctx, info.Delivered.Stream+1, jetstream.WithGetMsgSubject(subject))
		switch {
		case err == nil:
			return 1, info.NumAckPending, nil
		case !errors.Is(err, jetstream.ErrMsgNotFound):
			return 0, 0, fmt.Errorf("ask what %s has not read: %w", durable, err)
		}
	}
	return 0, info.NumAckPending, nil
}

// Close drains the connection and stops the embedded broker. Stop the readers first.
func (b *Bus) Close() error {
	var errs []error
	if b.leases != nil {
		b.leases.close()
	}
	if b.nc != nil && !b.nc.IsClosed() {
		closed := make(chan struct{})
		b.nc.SetClosedHandler(func(*nats.Conn) { close(closed) })
		if err := b.nc.Drain(); err != nil {
			errs = append(errs, fmt.Errorf("drain the broker connection: %w", err))
			b.nc.Close()
		}
		select {
		case <-closed:
		case <-time.After(5 * time.Second):
			b.nc.Close()
		}
	}
	fault.Point("bus", "drained")
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
		fault.Point("bus", "broker stopped")
	}
	if b.stage != nil {
		errs = append(errs, b.stage.close())
	}
	if b.unlock != nil {
		errs = append(errs, b.unlock())
	}
	return errors.Join(errs...)
}
