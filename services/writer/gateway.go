package writer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// slots is how many requests to one portal may be out at once: enough that one slow
// answer does not hold up the others, few enough that a fault hits few. kept of them
// are only for what is live.
const (
	slots = 10
	kept  = 2
)

// maxIntentAge is how old an intent may be when its request leaves, see [patience.age]. A
// process that was paused in between must not send what another may have settled meanwhile.
const maxIntentAge = 2 * time.Second

// gateway is the one door to a portal: reads and writes of all calls wait here for
// their turn, in one bucket.
//
// A unit that finds the portal idle leaves at once, alone. Where many wait they are
// packed, and what is not full leaves at the plan's steady pace, so that the burst is
// there for what is live and for what is full.
type gateway struct {
	client *bitrix.Client
	now    func() time.Time
	log    *zap.Logger
	alarm  func(up bool)
	// intentAge is how old an intent may be when its request leaves.
	intentAge time.Duration
	// keep stores the bucket's state; a restart goes on from it.
	keep func(bitrix.BucketState)

	mu        sync.Mutex
	bucket    bitrix.Bucket
	budget    bitrix.Budget
	durations bitrix.Durations
	stored    bitrix.Bucket // what a restart would go on from
	queue     queue
	guests    []chan struct{} // who sends a request of his own and waits for its place
	inFlight  int
	patient   int           // requests that are out with nothing live in them
	aboard    [2]int        // units that are out: what is not live, and what is
	departed  time.Time     // when the last request left
	began     time.Time     // when those that wait began to come
	crowded   time.Time     // many were answered just now, and most of them come again
	storing   time.Duration // how long storing one intent takes among others
	requests  int
	pause     time.Time // nothing leaves before
	failures  int
	portal    crm.Portal
	wake      chan struct{}
}

// send waits for the unit's turn, sends it and returns what the portal said. The
// request itself is not cut short when ctx ends: a request that was cut may still be
// carried out.
func (g *gateway) send(ctx context.Context, u *unit) (bitrix.BatchAnswer, error) {
	u.done, u.ctx, u.answer, u.err = make(chan struct{}), ctx, bitrix.BatchAnswer{}, nil
	g.mu.Lock()
	if len(g.queue.waiting) == 0 {
		g.began = g.now()
	}
	g.queue.push(u)
	g.mu.Unlock()
	g.nudge()
	select {
	case <-u.done:
		return u.answer, u.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	waited := g.queue.remove(u)
	g.mu.Unlock()
	if waited {
		return u.answer, ctx.Err()
	}
	<-u.done
	return u.answer, u.err
}

func (g *gateway) nudge() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// run lets requests out until ctx is over; those that are out by then are waited for.
func (g *gateway) run(ctx context.Context) error {
	var out sync.WaitGroup
	defer out.Wait()
	stop := context.AfterFunc(ctx, g.nudge)
	defer stop()
	for {
		r, wait := g.next(ctx)
		if ctx.Err() != nil {
			g.abandon(ctx)
			return nil
		}
		if r != nil {
			out.Go(func() { g.carry(r) })
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-g.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// forever is how long to wait where only news can change something.
const forever = time.Hour

// next takes the request whose turn it is, or says how long to wait.
func (g *gateway) next(ctx context.Context) (*request, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if ctx.Err() == nil && len(g.guests) > 0 {
		return nil, g.admit(now)
	}
	if ctx.Err() != nil || len(g.queue.waiting) == 0 || g.inFlight >= slots {
		return nil, forever
	}
	// After a fault one request goes ahead of the others to see whether the portal is back.
	if g.failures > 0 && g.inFlight > 0 {
		return nil, forever
	}
	if wait := max(g.pause.Sub(now), g.bucket.Wait(now)); wait > 0 {
		return nil, wait
	}
	p, wait := g.pack(now)
	if wait > 0 {
		return nil, wait
	}
	g.bucket.Book(now)
	return g.depart(p.close(), now), 0
}

// depart books a request that leaves.
func (g *gateway) depart(r *request, now time.Time) *request {
	g.inFlight++
	if !r.urgent {
		g.patient++
	}
	g.departed = now
	for _, one := range r.passengers {
		g.aboard[live(one)]++
		g.queue.remove(one.unit)
		g.queue.served(one.unit)
	}
	for method, expected := range r.takes {
		g.budget.Reserve(method, expected, r.urgent, now)
	}
	return r
}

// arrive books a request that is over.
func (g *gateway) arrive(r *request, aboard []*passenger) {
	g.mu.Lock()
	if !r.left {
		g.bucket.Cancel()
	}
	g.inFlight--
	if !r.urgent {
		g.patient--
	}
	for method, expected := range r.takes {
		g.budget.Release(method, expected)
	}
	for _, one := range aboard {
		g.aboard[live(one)]--
	}
	if len(aboard) > slots {
		g.began = g.now()
		g.crowded = g.began.Add(g.bucket.Interval())
	}
	g.mu.Unlock()
	g.nudge()
}

// abandon gives the waiting units back when the gateway stops.
func (g *gateway) abandon(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, u := range g.queue.waiting {
		u.err, u.queued = ctx.Err(), false
		close(u.done)
	}
	g.queue = queue{}
}

// carry sends a request and hands out its answer.
func (g *gateway) carry(r *request) {
	aboard := slices.Clone(r.passengers)
	defer func() {
		for _, one := range aboard {
			close(one.done)
		}
	}()
	defer func() { g.arrive(r, aboard) }()
	g.mu.Lock()
	g.reserve()
	g.mu.Unlock()
	if g.prepare(r); len(r.passengers) == 0 {
		return
	}
	if err := bus.Held(aboard[0].ctx); err != nil {
		for _, one := range r.passengers {
			one.err = err
		}
		return
	}
	g.mu.Lock()
	g.requests++
	g.bucket.Leave(g.now())
	r.left = true
	g.mu.Unlock()
	what := aboard[0].what
	ctx := context.WithoutCancel(aboard[0].ctx)
	if fault.Wrong("context-from-message") {
		ctx = aboard[0].ctx
	}
	fault.Point("gateway", what, "leaves")
	answer, err := g.client.Batch(ctx, r.commands, r.halt)
	fault.Point("gateway", what, "is back")
	g.learn(r, answer, err)
	r.deliver(answer, err)
	fault.Point("gateway", what, "is learned from")
}

// prepare lets every unit store what must be on disk before its request leaves, all of
// them at once. Who can't, or whose intent grew old over it, stays behind.
func (g *gateway) prepare(r *request) {
	intended := time.Now()
	var storing sync.WaitGroup
	intents := 0
	for _, one := range r.passengers {
		if one.prepare != nil {
			intents++
			storing.Go(func() { one.err = one.prepare(one.commands, r.halt) })
		}
	}
	if intents == 0 {
		return
	}
	storing.Wait()
	took := time.Since(intended)
	g.mu.Lock()
	g.storing += (took/time.Duration(intents) - g.storing) / 2
	g.mu.Unlock()
	for _, one := range slices.Clone(r.passengers) {
		if one.prepare != nil && one.err == nil && took > g.intentAge && !fault.Wrong("stale-intent-sent") {
			one.err = errStaleIntent
		}
		if one.err != nil {
			r.without(one)
		}
	}
}

// deliver gives every passenger its part of the answer.
func (r *request) deliver(answer bitrix.BatchAnswer, err error) {
	if e := (*bitrix.Error)(nil); errors.As(err, &e) && e.Class == bitrix.Refused && len(r.passengers) > 1 {
		// Something in it was too much for the portal, and it is not said what: nothing
		// ran, and each is to find out in smaller company whether it was he.
		alone := *e
		alone.Class, err = bitrix.NotRun, &alone
	}
	outcomes := make(map[string]bitrix.Outcome, len(answer.Outcomes))
	for _, o := range answer.Outcomes {
		outcomes[o.Key] = o
	}
	for _, one := range r.passengers {
		if one.unit.err = err; err == nil {
			one.unit.answer = one.of(outcomes, answer)
		}
	}
}

// smaller is in how large a company a unit may travel after its requests were lost so
// many times: what upsets a portal soon travels alone.
func smaller(lost int) int { return max(1, bitrix.MaxBatch>>(2*lost)) }

// suspicious says that a whole request failed, perhaps because of one command in it.
func suspicious(e *bitrix.Error) bool {
	return e.Class == bitrix.Ambiguous || e.Class == bitrix.NotRun && e.Stage == bitrix.StageAnswered
}
