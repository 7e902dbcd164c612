package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// This file keeps a process' session alive. A process has one session for all its
// leases, so however many projects there are it writes once in a third of the length.

// defaultLease is how long a silent process keeps its leases. Long enough for a broker
// that elects a new leader (half a second, measured), short enough for a call to be
// written while somebody still thinks of it.
const defaultLease = 10 * time.Second

// session is a process' sign of life. It counts as lost, for good, as soon as nobody
// may rely on it any more; the process then begins another one.
type session struct {
	id    string
	valid time.Duration // from the start of the last renewal
	ctx   context.Context
	end   context.CancelFunc

	mu       sync.Mutex
	since    time.Time // when the last renewal that went well began
	revision uint64
	watchdog *time.Timer
}

func newSession(id string, valid time.Duration, began time.Time, revision uint64) *session {
	s := &session{id: id, valid: valid, since: began, revision: revision}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.watchdog = time.AfterFunc(s.left(), func() { s.alive() })
	return s
}

// left is how long the session is still good without another renewal. A machine that
// slept may not count the sleep in one of its clocks, so the one that went further
// counts.
func (s *session) left() time.Duration {
	now := time.Now()
	return s.valid - max(now.Sub(s.since), now.Round(0).Sub(s.since.Round(0)))
}

// alive says whether this process may still rely on its session. Once false, it stays so.
func (s *session) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil && s.left() <= 0 {
		s.end()
	}
	return s.ctx.Err() == nil
}

func (s *session) renewed(began time.Time, revision uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since, s.revision = began, revision
	s.watchdog.Reset(max(s.left(), 0))
}

// close ends the session and its timer.
func (s *session) close() {
	s.end()
	s.watchdog.Stop()
}

// leases keeps the session of this process and the picture of all.
type leases struct {
	bus    *Bus
	log    *zap.Logger
	host   string
	length time.Duration
	prefix string // of the bucket's subjects
	stop   context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	mine    *session // nil while there is none
	seen    picture
	held    map[string]*term // by name, those of this process
	wanted  map[string]int   // by name, how often
	changed chan struct{}    // closed when mine, seen or held changed
}

const leaseBucket = "leases"

// openLeases starts the session. With an embedded broker, whose only process this is,
// there is none: every lease is held, and nothing is written.
func openLeases(ctx context.Context, b *Bus, length time.Duration) (*leases, error) {
	if length == 0 {
		length = defaultLease
	}
	l := &leases{
		bus: b, log: b.log.Named("leases"), length: length, prefix: "$KV." + leaseBucket + ".", stop: func() {},
		seen: newPicture(), held: map[string]*term{}, wanted: map[string]int{}, changed: make(chan struct{}),
	}
	if b.Embedded() {
		return l, nil
	}
	var err error
	if l.host, err = os.Hostname(); err != nil {
		return nil, fmt.Errorf("ask for the name of this machine: %w", err)
	}
	if _, err := b.js.CreateOrUpdateKeyValue(ctx, leaseConfig(b.replicas)); err != nil {
		return nil, fmt.Errorf("open store %s: %w", leaseBucket, err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.work.Go(func() { l.repeat(running, "keep a session", l.keep) })
	l.work.Go(func() { l.repeat(running, "watch the leases", l.watch) })
	l.work.Go(func() { l.judge(running) })
	return l, nil
}

// close gives the session up, so that others need not wait for it to grow old.
func (l *leases) close() {
	l.stop()
	l.work.Wait()
}

// repeat does again what ends before ctx does.
func (l *leases) repeat(ctx context.Context, what string, do func(context.Context) error) {
	for ctx.Err() == nil {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("the leases stumbled; they are taken up again", zap.String("doing", what), zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(l.length / 10):
		}
	}
}

// keep begins a session and renews it until it is lost or ctx is over.
func (l *leases) keep(ctx context.Context) error {
	id, began := rand.Text(), time.Now()
	opening, cancel := context.WithTimeout(ctx, l.length/3)
	revision, err := l.write(opening, sessionKey(id), beat{Host: l.host}, 0, 0)
	cancel()
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	s := newSession(id, l.length*2/3, began, revision)
	defer l.bury(ctx, s)
	defer s.close()
	l.change(func() { l.mine = s })
	defer l.change(func() { l.mine = nil })
	tick := time.NewTicker(l.length / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.ctx.Done():
			return errors.New("the session could not be renewed in time; what it held may be worked elsewhere")
		case <-tick.C:
			l.renew(s)
			l.tidy(ctx, s)
		}
	}
}

// renew tries until it went well or the session is lost.
func (l *leases) renew(s *session) {
	for s.alive() {
		began := time.Now()
		once, cancel := context.WithTimeout(s.ctx, l.length/6)
		revision, err := l.write(once, sessionKey(s.id), beat{Host: l.host}, s.revision, 0)
		cancel()
		if err == nil {
			s.renewed(began, revision)
			return
		}
		if errors.Is(err, ErrConflict) {
			// A renewal whose answer was lost is in the way of the next; the picture shows it.
			// Anything else in the way is somebody's last word.
			l.mu.Lock()
			seen := l.seen.sessions[s.id]
			l.mu.Unlock()
			if seen.over {
				s.end()
				return
			}
			s.revision = max(s.revision, seen.revision)
		}
		l.log.Debug("a session was not renewed; it is tried again", zap.Error(err))
		select {
		case <-s.ctx.Done():
		case <-time.After(l.length / 30):
		}
	}
}

// bury says the last word about the own session. Nobody in this process relies on it
// any more.
func (l *leases) bury(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.length/10)
	defer cancel()
	if _, err := l.write(ctx, sessionKey(s.id), beat{Host: l.host, Over: true}, s.revision, lastWordKept); err != nil {
		l.log.Debug("the end of a session was not told; the others wait until it is old", zap.Error(err))
	}
}

// lastWordKept is how long the last word about a session is kept. What is needed of it
// by then is remembered by those who saw it.
const lastWordKept = time.Hour

// change alters what the leases know and wakes those who wait for that.
func (l *leases) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
	close(l.changed)
	l.changed = make(chan struct{})
}

func sessionKey(id string) string { return "session." + id }
func leaseKey(name string) string { return "lease." + name }

// write is a compare-and-set on a key's last revision, 0 for a key that has none; else
// it returns [ErrConflict]. The key/value client cannot say "none, or nothing at all".
func (l *leases) write(ctx context.Context, key string, v any, revision uint64, ttl time.Duration) (uint64, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", key, err)
	}
	opts := []jetstream.PublishOpt{jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0)}
	if ttl > 0 {
		opts = append(opts, jetstream.WithMsgTTL(ttl))
	}
	ack, err := l.bus.js.PublishMsg(ctx, &nats.Msg{Subject: l.prefix + key, Data: data}, opts...)
	if conflict(err) {
		return 0, fmt.Errorf("write %s: %w", key, ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("write %s: %w: %w", key, ErrUnavailable, err)
	}
	return ack.Sequence, nil
}

// conflict recognises a compare-and-set that came too late: a replicated stream says it
// with another code than a single one.
func conflict(err error) bool {
	api := (*jetstream.APIError)(nil)
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
