package main

import (
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// slots, maxIntentAge and ahead are the writer's.
const (
	slots        = 4
	maxIntentAge = 2 * time.Second
	ahead        = 8
)

// bunching is how long requests that a slow disk or a pause held between their turn and
// their leaving may come closer together than the bucket let them: a known weakness.
const bunching = 10 * time.Second

// unit is something to send as one request.
type unit struct {
	batch    []bitrix.Command
	halt     bool
	writes   bool
	priority int
	since    time.Time
	prepare  func()
	stale    func()
	// look is what a look-up reads, at the moment at which the portal carries it out.
	look     func()
	answered func(bitrix.BatchAnswer, *bitrix.Error)
}

// gateway is the one door to the portal as the writer keeps it, with the real bucket and
// the real budget.
type gateway struct {
	bucket   bitrix.Bucket
	budget   bitrix.Budget
	queue    []*unit
	inFlight int
	failures int
	pause    time.Time
	waking   time.Time
}

// paceState is the stored pace.
type paceState struct{ bitrix.BucketState }

func newGateway(w *world) gateway {
	g := gateway{bucket: bitrix.NewBucket(w.script.portal.perSecond, w.script.portal.burst, false, w.now), budget: bitrix.NewBudget(0)}
	if w.pace != nil {
		g.bucket.Restore(w.pace.BucketState, w.now)
	}
	return g
}

func (w *world) send(u *unit) {
	w.gateway.queue = append(w.gateway.queue, u)
	w.pump()
}

// pump lets out what may leave now, and comes back when more may.
func (w *world) pump() {
	g := &w.gateway
	for len(g.queue) > 0 && g.inFlight < slots && (g.failures == 0 || g.inFlight == 0) {
		wait := g.pause.Sub(w.now)
		if wait <= 0 {
			wait = g.bucket.Take(w.now)
		}
		if wait > 0 {
			if at := w.now.Add(wait); g.waking.IsZero() || at.Before(g.waking) {
				g.waking = at
				w.soon(wait, func() {
					w.gateway.waking = time.Time{}
					w.pump()
				})
			}
			return
		}
		best := 0
		for i, u := range g.queue {
			if u.priority < g.queue[best].priority || u.priority == g.queue[best].priority && u.since.Before(g.queue[best].since) {
				best = i
			}
		}
		u := g.queue[best]
		g.queue = slices.Delete(g.queue, best, best+1)
		g.inFlight++
		life := w.life
		w.carry(u)
		if w.life != life {
			return
		}
	}
}

// carry stores the intent and lets the request leave, unless too long passes in between.
func (w *world) carry(u *unit) {
	intended, life := w.now, w.life
	if u.prepare != nil {
		if u.prepare(); w.life != life {
			return
		}
	}
	leave := func() {
		if w.now.Sub(intended) > maxIntentAge {
			w.gateway.inFlight--
			u.stale()
			if w.life == life {
				w.pump()
			}
			return
		}
		w.reserve()
		w.requests++
		w.portal.receive(u, func(answer bitrix.BatchAnswer, err *bitrix.Error) {
			w.gateway.inFlight--
			w.learn(u, answer, err)
			u.answered(answer, err)
			if w.life == life {
				w.pump()
			}
		})
	}
	switch {
	case u.prepare == nil:
		leave()
	case w.script.faults > 0 && w.dice.IntN(12) == 0:
		w.script.faults--
		w.tally.faults[pausedBeforeLeaving]++
		w.freeze(w.within(5 * time.Minute))
		w.soon(0, leave)
	case w.dice.IntN(4) == 0:
		held := w.within(2200 * time.Millisecond)
		w.tell("a slow disk takes %v", held)
		w.bunched = later(w.bunched, w.now.Add(held+bunching))
		w.soon(held, leave)
	default:
		leave()
	}
}

// reserve stores a pace some requests ahead of the real one.
func (w *world) reserve() {
	state := w.gateway.bucket.State()
	if w.pace != nil {
		stored := bitrix.NewBucket(w.script.portal.perSecond, w.script.portal.burst, false, w.now)
		stored.Restore(w.pace.BucketState, w.now)
		if s := stored.State(); state.Level <= s.Level && !state.Until.After(s.Until) {
			return
		}
	}
	state.Level += ahead
	w.pace = &paceState{state}
}

// learn notes how the portal is doing, and how long to leave it alone.
func (w *world) learn(u *unit, answer bitrix.BatchAnswer, err *bitrix.Error) {
	g := &w.gateway
	for i := range answer.Outcomes {
		o := &answer.Outcomes[i]
		g.budget.Observe(u.batch[i].Method, o.Time)
		if o.Error != nil && o.Error.Reason == bitrix.ReasonMethodBudget {
			o.Error.RetryAt = g.budget.Refused(u.batch[i].Method, o.Error.RetryAt, w.now)
		}
		if err == nil && o.Error != nil && !o.NotRun && o.Error.Class == bitrix.Wait {
			err = o.Error
		}
	}
	if err == nil {
		g.failures = 0
		return
	}
	pause := min(time.Second<<min(g.failures, 6), time.Minute)
	switch err.Reason {
	case bitrix.ReasonQueryLimit:
		g.bucket.Refused(w.now)
		pause = 0
	case bitrix.ReasonMethodBudget:
		pause = 0
	case bitrix.ReasonTimeout:
		pause = time.Second
	case bitrix.ReasonCredentials:
		pause = min(5*time.Second<<min(g.failures, 6), 5*time.Minute)
	}
	if pause > 0 {
		g.failures++
		g.pause = w.now.Add(pause)
	}
}

// pauseOf is how long a job waits after an error.
func (w *world) pauseOf(e *bitrix.Error) time.Duration {
	switch {
	case e == nil, e.Reason == bitrix.ReasonQueryLimit:
		return 0 // the bucket knows
	case !e.RetryAt.IsZero():
		return max(time.Second, e.RetryAt.Sub(w.now))
	}
	return time.Second
}

type found = crm.Found

// memory is what was made for a client lately: a search may not show it yet.
type memory struct {
	event.Ref
	at time.Time
}

const memoryAge = 10 * time.Minute

func (w *world) remembered(c event.BitrixCommand, id int) {
	if c.Entity != nil {
		w.memory[c.Lane] = append(w.memory[c.Lane], memory{event.Ref{Kind: string(c.Kind), ID: id, Title: c.Entity.Title, Responsible: c.Entity.Responsible}, w.now})
	}
}

// lookup asks what the CRM knows of a number: who has it, and then what is open for
// those. Reading again is harmless, so it is repeated until it is answered.
func (w *world) lookup(number string, since time.Time, then func(found)) {
	if number == "" {
		then(found{})
		return
	}
	if wait := w.visible.Sub(w.now); wait > 0 {
		w.soon(wait, func() { w.lookup(number, since, then) })
		return
	}
	var ids []int
	w.read(since, func() { ids = w.portal.byPhone(number) }, func() {
		for _, m := range w.memory[number] {
			if w.now.Sub(m.at) <= memoryAge && !slices.Contains(ids, m.ID) {
				ids = append(ids, m.ID)
			}
		}
		if len(ids) == 0 {
			then(found{})
			return
		}
		var f found
		asked := w.now
		w.read(since, func() { f = w.portal.details(ids) }, func() {
			for _, m := range w.memory[number] {
				if asked.Sub(m.at) > blindness {
					continue
				}
				list := &f.Open
				if m.Kind == "contact" {
					list = &f.Contacts
				}
				if !slices.ContainsFunc(*list, func(i crm.Item) bool { return i.Kind == m.Kind && i.ID == m.ID }) {
					*list = append(*list, crm.Item{Ref: m.Ref, Active: m.at})
				}
			}
			then(f)
		})
	})
}

// read sends a question until it is answered.
func (w *world) read(since time.Time, look, then func()) {
	w.send(&unit{since: since, look: look, answered: func(_ bitrix.BatchAnswer, err *bitrix.Error) {
		if err == nil {
			then()
			return
		}
		w.soon(w.pauseOf(err), func() { w.read(since, look, then) })
	}})
}
