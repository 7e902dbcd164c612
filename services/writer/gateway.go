package writer

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Priorities of what waits for the portal, the first served first.
const (
	priorityLive = iota
	prioritySearch
	priorityBacklog
)

// slots is how many requests to one portal may be out at once: enough that one slow
// answer does not hold up the others, few enough that a fault hits few.
const slots = 4

// maxIntentAge is how old an intent may be when its request leaves, see [patience.age]. A
// process that was paused in between must not send what another may have settled meanwhile.
const maxIntentAge = 2 * time.Second

// unit is something to send as one request.
type unit struct {
	what     string // look-up, or the step of the call's move
	commands []bitrix.Command
	halt     bool
	priority int
	// since is when the call came in: among equals the older call goes first.
	since time.Time
	// prepare runs when it is the unit's turn, right before it leaves; an error takes it
	// out of the queue.
	prepare func() error
	ctx     context.Context

	answer bitrix.BatchAnswer
	err    error
	done   chan struct{}
}

// gateway is the one door to a portal: reads and writes wait here for their turn, in
// one bucket. It knows how the portal is doing.
type gateway struct {
	client *bitrix.Client
	now    func() time.Time
	log    *zap.Logger
	alarm  func(up bool)
	// intentAge is how old an intent may be when its request leaves.
	intentAge time.Duration
	// keep stores the bucket's state; a restart goes on from it.
	keep func(bitrix.BucketState)

	mu       sync.Mutex
	bucket   bitrix.Bucket
	budget   bitrix.Budget
	stored   bitrix.Bucket // what a restart would go on from
	queue    units
	inFlight int
	requests int
	pause    time.Time // nothing leaves before
	failures int
	portal   crm.Portal
	wake     chan struct{}
}

// units is a heap by priority and then by the age of the call.
type units []*unit

func (u units) Len() int { return len(u) }
func (u units) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(u[i].priority, u[j].priority), u[i].since.Compare(u[j].since)) < 0
}
func (u units) Swap(i, j int) { u[i], u[j] = u[j], u[i] }
func (u *units) Push(x any)   { *u = append(*u, x.(*unit)) }
func (u *units) Pop() any {
	last := (*u)[len(*u)-1]
	*u = (*u)[:len(*u)-1]
	return last
}

// send waits for the unit's turn, sends it and returns what the portal said. The
// request itself is not cut short when ctx ends: a request that was cut may still be
// carried out.
func (g *gateway) send(ctx context.Context, u *unit) (bitrix.BatchAnswer, error) {
	u.done, u.ctx = make(chan struct{}), ctx
	g.mu.Lock()
	heap.Push(&g.queue, u)
	g.mu.Unlock()
	g.nudge()
	select {
	case <-u.done:
		return u.answer, u.err
	case <-ctx.Done():
	}
	if g.withdraw(u) {
		return u.answer, ctx.Err()
	}
	<-u.done
	return u.answer, u.err
}

// withdraw takes a unit that still waits out of the queue.
func (g *gateway) withdraw(u *unit) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queue, u)
	if i < 0 {
		return false
	}
	heap.Remove(&g.queue, i)
	return true
}

func (g *gateway) nudge() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// run lets units out until ctx is over; requests that are out by then are waited for.
func (g *gateway) run(ctx context.Context) error {
	var out sync.WaitGroup
	defer out.Wait()
	stop := context.AfterFunc(ctx, g.nudge)
	defer stop()
	for {
		u, wait := g.next(ctx)
		if ctx.Err() != nil {
			g.abandon(ctx)
			return nil
		}
		if u != nil {
			out.Go(func() { g.carry(u) })
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

// next takes the unit whose turn it is, or says how long to wait.
func (g *gateway) next(ctx context.Context) (*unit, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if ctx.Err() != nil || len(g.queue) == 0 || g.inFlight >= slots {
		return nil, time.Hour
	}
	// After a fault one request goes ahead of the others to see whether the portal is back.
	if g.failures > 0 && g.inFlight > 0 {
		return nil, time.Hour
	}
	if wait := g.pause.Sub(now); wait > 0 {
		return nil, wait
	}
	if wait := g.bucket.Take(now); wait > 0 {
		return nil, wait
	}
	g.inFlight++
	return heap.Pop(&g.queue).(*unit), 0
}

// abandon gives the waiting units back when the gateway stops.
func (g *gateway) abandon(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, u := range g.queue {
		u.err = ctx.Err()
		close(u.done)
	}
	g.queue = nil
}

func (g *gateway) carry(u *unit) {
	defer close(u.done)
	defer func() {
		g.mu.Lock()
		g.inFlight--
		g.mu.Unlock()
		g.nudge()
	}()
	g.mu.Lock()
	g.reserve()
	g.mu.Unlock()
	intended := time.Now()
	if u.prepare != nil {
		if u.err = u.prepare(); u.err != nil {
			return
		}
	}
	if time.Since(intended) > g.intentAge && !fault.Wrong("stale-intent-sent") {
		u.err = errStaleIntent
		return
	}
	if u.err = bus.Held(u.ctx); u.err != nil {
		return
	}
	g.mu.Lock()
	g.requests++
	g.mu.Unlock()
	ctx := context.WithoutCancel(u.ctx)
	if fault.Wrong("context-from-message") {
		ctx = u.ctx
	}
	fault.Point("gateway", u.what, "leaves")
	u.answer, u.err = g.client.Batch(ctx, u.commands, u.halt)
	fault.Point("gateway", u.what, "is back")
	g.learn(u)
	fault.Point("gateway", u.what, "is learned from")
}

// ahead is how many requests the stored pace is ahead of the real one.
const ahead = 8

// reserve stores a level some requests above the real one, so that a process that dies
// between two stores never comes back thinking that the portal counted fewer.
func (g *gateway) reserve() {
	now, state := g.now(), g.bucket.State()
	g.stored.Restore(g.stored.State(), now) // lets it leak
	if state.Level <= g.stored.State().Level && !state.Until.After(g.stored.State().Until) {
		return
	}
	state.Level += ahead
	g.stored.Restore(state, now)
	g.keep(g.stored.State())
}

// learn notes how the portal is doing from an answer, and how long to leave it alone.
func (g *gateway) learn(u *unit) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.spend(u, now)
	worst := worstError(u)
	if worst == nil {
		if g.portal.State != crm.PortalOK {
			g.log.Info("the portal works again")
			g.turn(crm.PortalOK, "", now)
			g.alarm(true)
		}
		g.failures = 0
		return
	}
	state, pause := crm.PortalDown, min(time.Second<<min(g.failures, 6), time.Minute)
	switch worst.Reason {
	case bitrix.ReasonQueryLimit:
		g.bucket.Refused(now)
		state, pause = crm.PortalSlow, 0
	case bitrix.ReasonMethodBudget:
		state, pause = crm.PortalSlow, 0
		if fault.Wrong("budget-stops-all") {
			pause = time.Minute
		}
	case bitrix.ReasonTimeout:
		state, pause = crm.PortalSlow, time.Second
	case bitrix.ReasonUnreadable, bitrix.ReasonUnknown:
		if g.failures == 0 {
			state = crm.PortalSlow // one lost answer is no outage yet
		}
	case bitrix.ReasonCredentials, bitrix.ReasonScope, bitrix.ReasonPlan, bitrix.ReasonPortalGone, bitrix.ReasonOverload, bitrix.ReasonMoved, bitrix.ReasonForbidden:
		state, pause = crm.PortalRefused, min(5*time.Second<<min(g.failures, 6), 5*time.Minute)
	}
	if pause > 0 {
		g.failures++
		g.pause = now.Add(pause)
	}
	if g.portal.State != state || g.portal.Reason != string(worst.Reason) {
		g.turn(state, worst.Reason, now)
		g.log.Warn("the portal is not well", zap.String("state", string(state)), zap.Error(worst))
		g.alarm(false)
	}
	g.portal.RetryAt = g.pause
}

// turn notes a new state of the portal; what is known of its plan stays.
func (g *gateway) turn(state crm.PortalState, reason bitrix.Reason, now time.Time) {
	g.portal.State, g.portal.Reason, g.portal.Since, g.portal.RetryAt = state, string(reason), now, time.Time{}
}

// spend books what the commands cost, and tells a command whose method is blocked until
// when: the portal says it of whole requests only.
func (g *gateway) spend(u *unit, now time.Time) {
	for i, o := range u.answer.Outcomes {
		method := u.commands[i].Method
		g.budget.Observe(method, o.Time)
		if o.Error != nil && o.Error.Reason == bitrix.ReasonMethodBudget {
			g.budget.Refused(method, o.Error.RetryAt, now)
			o.Error.RetryAt, _ = g.budget.Blocked(method, now)
		}
	}
}

// worstError is what an answer says about the portal as a whole; what it says about
// one command is that command's business.
func worstError(u *unit) *bitrix.Error {
	if u.err != nil {
		return asError(u.err)
	}
	for _, o := range u.answer.Outcomes {
		if o.Error != nil && !o.NotRun && o.Error.Class == bitrix.Wait && !strings.HasPrefix(o.Key, directoryPrefix) {
			return o.Error
		}
	}
	return nil
}

// status is the portal's state and what waits for it.
func (g *gateway) status() crm.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := crm.Status{InFlight: g.inFlight, Waiting: len(g.queue), Portal: g.portal}
	s.Portal.Requests = g.requests
	return s
}
