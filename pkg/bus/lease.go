package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// What only one process may do, it does while it holds the lease of that name. Nobody
// compares the clocks of two machines:
//
//   - a holder counts from the start of its last renewal and gives up after two thirds of
//     the length;
//   - the others count from when they saw that renewal, and wait the whole length;
//   - they then write the last word about the silent session by compare-and-set, so a
//     renewal that was only late wins or fails, never both.
//
// A holder that was paused in between finds out at its next look: [Held] is asked right
// before every write to the broker and every request to a portal.

// ErrLost is returned for what may only be done under a lease that was lost. The next
// holder does it.
var ErrLost = errors.New("the lease was lost, another process may be doing this")

// term is the time between gaining and losing one lease.
type term struct {
	name     string
	session  *session
	revision uint64
	over     atomic.Bool
}

func (t *term) held() bool { return !t.over.Load() && t.session.alive() }

type termKey struct{}

// Held returns [ErrLost] when ctx is that of a [Bus.Hold] whose lease may be another's
// by now, else nil. A context knows it also when it outlives its cancellation.
func Held(ctx context.Context) error {
	if t, _ := ctx.Value(termKey{}).(*term); t != nil && !t.held() {
		return fmt.Errorf("%s: %w", t.name, ErrLost)
	}
	return nil
}

// Hold waits for the lease of that name and then does work. Its context ends when the
// lease is lost; what was begun under it cannot write to the broker any more. After a
// loss, once work has returned, Hold waits for the lease again.
//
// It returns nil when ctx is over, else what work returned by itself. With the embedded
// broker this process is the only one, and every lease is held.
func (b *Bus) Hold(ctx context.Context, name string, work func(context.Context) error) error {
	l := b.leases
	l.change(func() { l.wanted[name]++ })
	defer l.change(func() {
		if l.wanted[name]--; l.wanted[name] == 0 {
			delete(l.wanted, name)
		}
	})
	if b.Embedded() {
		return work(ctx)
	}
	for {
		t, err := l.take(ctx, name)
		if err != nil {
			return nil // ctx is over
		}
		l.log.Info("a lease was gained", zap.String("lease", name))
		err = l.during(ctx, t, work)
		lost := !t.held()
		l.release(ctx, t)
		if ctx.Err() != nil || !lost {
			return err
		}
		l.log.Warn("a lease was lost; its work stopped here", zap.String("lease", name), zap.NamedError("ended_with", err))
	}
}

func (l *leases) during(ctx context.Context, t *term, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(context.WithValue(ctx, termKey{}, t))
	defer cancel()
	defer context.AfterFunc(t.session.ctx, cancel)()
	return work(ctx)
}

// take waits until the lease is this process'. Its error is ctx's.
func (l *leases) take(ctx context.Context, name string) (*term, error) {
	told := ""
	for {
		l.mu.Lock()
		s, c, changed := l.mine, l.seen.claims[name], l.changed
		revision, free := l.seen.free(name)
		var t *term
		switch {
		case s == nil || l.held[name] != nil:
		case free, c.Owner == s.id:
			// Ours already: an answer was lost, to a claim or to a giving back that may still
			// arrive. A new claim stands in its way.
			t = &term{name: name, session: s, revision: revision}
			t.over.Store(true) // until it is claimed
			l.held[name] = t
		case c.Owner != told:
			told = c.Owner
			l.log.Info("another process works this; this one stands by",
				zap.String("lease", name), zap.String("host", c.Host), zap.Time("since", c.Since))
		}
		l.mu.Unlock()
		if t != nil {
			err := l.claim(ctx, t)
			if err == nil && ctx.Err() == nil {
				return t, nil
			}
			l.log.Debug("a lease was not gained", zap.String("lease", name), zap.Error(err))
			l.release(ctx, t)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-time.After(l.length / 10): // a claim that failed is tried again
		}
	}
}

// claim makes a term valid by compare-and-set. It is not cut short when ctx is over:
// then nobody would know whether the lease is to be given back.
func (l *leases) claim(ctx context.Context, t *term) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.length/3)
	defer cancel()
	c := claim{Owner: t.session.id, Host: l.host, Since: time.Now().UTC()}
	var err error
	if c.revision, err = l.write(ctx, leaseKey(t.name), c, t.revision, 0); err != nil {
		return err
	}
	t.revision = c.revision
	t.over.Store(false)
	l.change(func() { l.seen.claim(t.name, c, time.Now()) })
	return nil
}

// release ends a term and gives the lease back, where it is still ours to give.
func (l *leases) release(ctx context.Context, t *term) {
	alive := t.held()
	t.over.Store(true)
	if alive {
		l.giveBack(ctx, t.name, t.revision)
	}
	l.change(func() { delete(l.held, t.name) })
}

// giveBack lets others have a lease at once. It is repeated by tidy where it fails.
func (l *leases) giveBack(ctx context.Context, name string, revision uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.length/10)
	defer cancel()
	c := claim{}
	var err error
	if c.revision, err = l.write(ctx, leaseKey(name), c, revision, 0); err != nil {
		l.log.Debug("a lease was not given back", zap.String("lease", name), zap.Error(err))
		return
	}
	l.change(func() { l.seen.claim(name, c, time.Now()) })
}

// tidy gives back what this session owns and nobody here works or waits for: the answer
// to a claim may be lost, and the one to a giving back.
func (l *leases) tidy(ctx context.Context, s *session) {
	l.mu.Lock()
	left := map[string]uint64{}
	for name, c := range l.seen.claims {
		if c.Owner == s.id && l.held[name] == nil && l.wanted[name] == 0 {
			left[name] = c.revision
		}
	}
	l.mu.Unlock()
	for name, revision := range left {
		l.giveBack(ctx, name, revision)
	}
}

// Lease says who does what only one process may do.
type Lease struct {
	Name string
	// Host is the holder's machine, empty while nobody holds it, and with the embedded
	// broker, where nobody else can.
	Host  string
	Since time.Time
	// Here says that this process holds it.
	Here bool
	// Wanted says that this process holds it or waits for it.
	Wanted bool
}

// Leases lists the leases that this process knows of, by name.
func (b *Bus) Leases() []Lease {
	l := b.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]Lease{}
	for name := range l.wanted {
		all[name] = Lease{Name: name, Wanted: true, Here: b.Embedded() || l.held[name] != nil && l.held[name].held()}
	}
	for name, c := range l.seen.claims {
		if lease := all[name]; c.Owner != "" && !l.seen.sessions[c.Owner].over {
			lease.Name, lease.Host, lease.Since = name, c.Host, c.Since
			all[name] = lease
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b Lease) int { return cmp.Compare(a.Name, b.Name) })
}
