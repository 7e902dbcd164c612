package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
)

// short is the length of leases in these tests: long enough for a busy machine to renew
// in time.
const short = 1500 * time.Millisecond

// process connects to an outside broker until the test ends, or until it is closed.
func process(t *testing.T, url string) (b *bus.Bus, end func()) {
	t.Helper()
	return connect(t, url, 1, short)
}

func connect(t *testing.T, url string, replicas int, lease time.Duration) (b *bus.Bus, end func()) {
	t.Helper()
	b = bustest.Connect(t, url, replicas, lease)
	end = sync.OnceFunc(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close the connection: %v", err)
		}
	})
	t.Cleanup(end)
	return b, end
}

// hold works under a lease in the background: held gets the context of each term.
func hold(t *testing.T, b *bus.Bus, name string) (held <-chan context.Context, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	terms, ended := make(chan context.Context, 100), make(chan struct{})
	go func() {
		defer close(ended)
		err := b.Hold(ctx, name, func(ctx context.Context) error {
			terms <- ctx
			<-ctx.Done()
			return nil
		})
		if err != nil {
			t.Errorf("hold %s: %v", name, err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); receive(t, ended, "Hold returns when its context is over") })
	t.Cleanup(stop)
	return terms, stop
}

func TestALeaseIsHeldByOneProcessAtATime(t *testing.T) {
	url := bustest.Serve(t)
	var inside, terms, overlaps atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 4 {
		b, _ := process(t, url)
		for range 2 { // the same name twice in one process, too
			all.Go(func() {
				for ctx.Err() == nil {
					_ = b.Hold(ctx, "one", func(ctx context.Context) error {
						if inside.Add(1) > 1 {
							overlaps.Add(1)
						}
						select {
						case <-time.After(time.Millisecond):
						case <-ctx.Done():
						}
						inside.Add(-1)
						terms.Add(1)
						return errors.New("enough")
					})
				}
			})
		}
	}
	bustest.Eventually(t, limit, "the lease went round a hundred times", func() bool { return terms.Load() >= 100 })
	cancel()
	all.Wait()
	if n := overlaps.Load(); n > 0 {
		t.Errorf("%d times two held the lease, want never", n)
	}
}

func TestALeaseThatIsGivenBackIsTakenAtOnce(t *testing.T) {
	url := bustest.Serve(t)
	first, _ := process(t, url)
	second, _ := process(t, url)
	held, stop := hold(t, first, "one")
	receive(t, held, "the first process holds the lease")
	other, _ := hold(t, second, "one")
	bustest.Eventually(t, limit, "the second process knows who holds it", func() bool {
		leases := second.Leases()
		return len(leases) == 1 && leases[0].Host != "" && leases[0].Wanted && !leases[0].Here && !leases[0].Since.IsZero()
	})
	begin := time.Now()
	stop()
	ctx := receive(t, other, "the second process holds the lease")
	if took := time.Since(begin); took > short/2 {
		t.Errorf("the lease was taken %s after it was given back, want at once", took)
	}
	if err := bus.Held(ctx); err != nil {
		t.Errorf("the new holder: %v, want it to hold", err)
	}
	if leases := second.Leases(); !leases[0].Here {
		t.Errorf("the new holder says %+v, want that it is here", leases)
	}
}

func TestTheLeaseOfADeadProcessIsTakenWithinItsLength(t *testing.T) {
	url := bustest.Serve(t)
	line := bustest.Lay(t, url)
	dying, _ := process(t, line.URL)
	other, _ := process(t, url)
	held, _ := hold(t, dying, "one")
	ctx := receive(t, held, "the first process holds the lease")
	next, _ := hold(t, other, "one")

	line.Die() // to the broker this is the same as a process that stands still
	begin := time.Now()
	receive(t, ctx.Done(), "the holder gives up")
	gaveUp := time.Since(begin)
	if err := bus.Held(ctx); !errors.Is(err, bus.ErrLost) {
		t.Errorf("cut off, the holder: %v, want ErrLost", err)
	}
	receive(t, next, "the other process holds the lease")
	took := time.Since(begin)
	// A tenth of the length goes by between two looks, and the machine may be busy.
	if took > short*3/2 || gaveUp > short || gaveUp >= took {
		t.Errorf("given up after %s and taken after %s, want first one, then the other, within about %s", gaveUp, took, short)
	}
	line.Mend()
}

// TestWhatAPausedHolderSaysComesToNothing cuts a holder off in the middle of its work,
// lets another take over and write, and then lets all that was said get through.
func TestWhatAPausedHolderSaysComesToNothing(t *testing.T) {
	url := bustest.Serve(t)
	line := bustest.Lay(t, url)
	paused, _ := process(t, line.URL)
	other, _ := process(t, url)
	held, _ := hold(t, paused, "one")
	ctx := receive(t, held, "the first process holds the lease")
	zombie := context.WithoutCancel(ctx) // deaf to being told
	open := func(b *bus.Bus) *bus.Store {
		s, err := b.Store(t.Context(), "words", "of the test")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	mine, theirs := open(paused), open(other)
	say := func(ctx context.Context, s *bus.Store, what string, between func()) error {
		_, err := bus.Change(ctx, s, "key", func(v *string) (bool, error) {
			between()
			*v = what
			return true, nil
		})
		return err
	}
	if err := say(zombie, mine, "as a holder", func() {}); err != nil {
		t.Fatalf("the holder writes: %v", err)
	}
	answering, over := context.WithCancel(zombie)
	defer over()
	if err := bus.Answer(answering, paused, "ask.demo.who", func(context.Context, question) (string, error) { return "zombie", nil }); err != nil {
		t.Fatal(err)
	}

	// The change was read before the pause, the write comes after it.
	next, _ := hold(t, other, "one")
	err := say(zombie, mine, "as a zombie", sync.OnceFunc(func() {
		line.Die()
		ctx := receive(t, next, "the other process holds the lease")
		if err := say(ctx, theirs, "as the successor", func() {}); err != nil {
			t.Errorf("the successor writes: %v", err)
		}
		if err := bus.Answer(ctx, other, "ask.demo.who", func(context.Context, question) (string, error) { return "successor", nil }); err != nil {
			t.Errorf("the successor answers: %v", err)
		}
		line.Mend()
	}))
	if !errors.Is(err, bus.ErrLost) {
		t.Errorf("the zombie's write: %v, want ErrLost", err)
	}
	before, err := other.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := paused.Publish(zombie, numbered(t, "a", 1)); !errors.Is(err, bus.ErrLost) {
		t.Errorf("the zombie's event: %v, want ErrLost", err)
	}
	for range 20 {
		once, done := context.WithTimeout(t.Context(), limit)
		who, err := bus.Ask[question, string](once, other, "ask.demo.who", question{})
		done()
		if err != nil || who != "successor" {
			t.Fatalf("asked who answers: %q (%v), want the successor", who, err)
		}
	}
	var got string
	if _, err := theirs.Get(t.Context(), "key", &got); err != nil || got != "as the successor" {
		t.Errorf("the key says %q (%v), want the successor's word", got, err)
	}
	if last, err := other.Last(t.Context()); err != nil || last != before {
		t.Errorf("the newest event is %d (%v), want %d as before", last, err, before)
	}
}

// TestARenewalThatIsInDoubtNeverMakesTwoHolders lets a line die and mend at random while
// two processes want the same lease: whoever thinks that he holds it counts up, and
// nobody may read a count that another has not finished.
func TestARenewalThatIsInDoubtNeverMakesTwoHolders(t *testing.T) {
	url := bustest.Serve(t)
	lines := []*bustest.Line{bustest.Lay(t, url), bustest.Lay(t, url)}
	var holder atomic.Int32
	var terms atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i, line := range lines {
		b, _ := process(t, line.URL)
		me := int32(i + 1)
		all.Go(func() {
			_ = b.Hold(ctx, "one", func(ctx context.Context) error {
				terms.Add(1)
				for ctx.Err() == nil && bus.Held(ctx) == nil {
					// Between this and the next look nobody else may come in.
					if was := holder.Swap(me); was != 0 && was != me {
						if bus.Held(ctx) == nil {
							t.Errorf("process %d holds the lease while process %d does", me, was)
						}
					}
					select {
					case <-ctx.Done():
					case <-time.After(5 * time.Millisecond):
					}
				}
				holder.CompareAndSwap(me, 0)
				return nil
			})
		})
	}
	for n := range int32(4) {
		bustest.Eventually(t, limit, fmt.Sprintf("term %d", n+1), func() bool { return terms.Load() > n })
		i := holder.Load() - 1
		if i < 0 {
			i = n % 2
		}
		lines[i].Die()
		bustest.Eventually(t, limit, "the other takes over", func() bool { return terms.Load() > n+1 })
		lines[i].Mend()
	}
	cancel()
	all.Wait()
}

func TestAnEmbeddedBrokerHoldsEveryLeaseAndWritesNothing(t *testing.T) {
	b := bustest.Open(t)
	held, stop := hold(t, b, "one")
	ctx := receive(t, held, "the lease is held at once")
	if err := bus.Held(ctx); err != nil {
		t.Errorf("held: %v, want nil", err)
	}
	if got, want := b.Leases(), []bus.Lease{{Name: "one", Here: true, Wanted: true}}; !slices.Equal(got, want) {
		t.Errorf("leases %+v, want %+v", got, want)
	}
	stores, err := b.Stores(t.Context())
	if err != nil || len(stores) > 0 {
		t.Errorf("the broker keeps %q (%v), want nothing for leases", stores, err)
	}
	stop()
}

// TestAClaimThatNobodyWaitsForAnyMoreIsGivenBack lets a claim arrive after the one who
// made it was stopped: the process lives on, so nobody else could take that lease.
func TestAClaimThatNobodyWaitsForAnyMoreIsGivenBack(t *testing.T) {
	url := bustest.Serve(t)
	line := bustest.Lay(t, url)
	const lease = 4 * time.Second
	late, _ := connect(t, line.URL, 1, lease)
	other, _ := connect(t, url, 1, lease)
	held, stop := hold(t, late, "zero")
	receive(t, held, "the session has begun")
	stop()
	line.Die()
	held, stop = hold(t, late, "one")
	stop() // the claim is out, and its answer does not come
	line.Mend()
	if _, err := late.Last(t.Context()); err != nil { // what was said before has arrived, too
		t.Fatal(err)
	}
	next, _ := hold(t, other, "one")
	receive(t, next, "the other process holds the lease")
	if len(held) > 0 {
		t.Error("the stopped one worked")
	}
}
