package main

import (
	"math/rand/v2"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
)

// Assumptions about the portal, as in the settings: how long a lost request may still be
// carried out, and how long a write may be invisible to a search.
const (
	lateness  = 60 * time.Second
	blindness = 5 * time.Second
)

// world is one history: a script, a portal, and a process that may die.
type world struct {
	*script
	tally
	dice   *rand.Rand
	now    time.Time
	agenda agenda
	order  int
	portal fakePortal
	// trouble is when the last thing went wrong, or came from outside.
	trouble time.Time
	// again is true once a call of which nothing had been made was decided again: the CRM is
	// asked then, and what it says depends on the other calls of the client meanwhile.
	again bool
	wrong string                           // the first promise that was seen broken on the way
	story func(format string, args ...any) // nil unless somebody reads it

	// What is on disk: it outlives the process.
	files       map[string]*callfile.File
	received    stream
	classified  stream
	resolved    stream
	plans       stream
	pace        *paceState
	lastOutcome time.Time
	parked      map[string]bool      // calls that wait for a person
	anew        map[string]bool      // calls that were decided on another ground than at first
	doubts      map[string]time.Time // since when a command is in doubt

	// What is in memory.
	life   int // the process's number; what a dead one wanted to do is void
	down   bool
	frozen time.Time // the process does nothing before
	// bunched is until when requests may come closer together than the bucket let them.
	bunched time.Time
	alive
}

// alive is what a death forgets.
type alive struct {
	lanes   map[string][]*entry // a key is there while the lane is worked on
	queues  map[string][]*entry // plans of a call that wait for their turn; likewise
	waiters map[string][]func() // who waits for a plan to settle
	memory  map[string][]memory // what was made for a client lately
	visible time.Time           // when a search shows all of the lives before
	gateway gateway
}

func newWorld(s *script, seed uint64) *world {
	copied := *s
	w := &world{
		script: &copied, dice: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)), now: s.begun, trouble: s.begun, life: 1,
		files: map[string]*callfile.File{}, parked: map[string]bool{}, anew: map[string]bool{}, doubts: map[string]time.Time{},
	}
	w.histories, w.tally.calls, w.tally.reports = 1, s.calls, len(s.reports)
	w.portal = fakePortal{world: w, ever: map[string]int{}, refused: map[string]bool{}}
	for _, t := range s.known {
		known := *t
		w.portal.things = append(w.portal.things, &known)
	}
	w.alive = newAlive(w)
	for n, a := range s.reports {
		w.arrive(a, n)
	}
	for range s.deaths {
		w.at(w.within(3*time.Minute), w.die)
	}
	for range s.pauses {
		w.at(w.within(3*time.Minute), func() { w.freeze(w.within(5 * time.Minute)) })
	}
	for range s.people {
		w.at(w.within(10*time.Minute), w.portal.person)
	}
	for _, t := range s.troubles {
		w.tally.troubles[t.trouble]++
		w.trouble = later(w.trouble, s.begun.Add(t.to))
	}
	return w
}

func newAlive(w *world) alive {
	return alive{
		lanes: map[string][]*entry{}, queues: map[string][]*entry{}, waiters: map[string][]func(){}, memory: map[string][]memory{},
		gateway: newGateway(w),
	}
}

func (w *world) at(in time.Duration, do func()) { w.plan(in, 0, do) }

// soon is what the process will do.
func (w *world) soon(in time.Duration, do func()) { w.plan(in, w.life, do) }

func (w *world) plan(in time.Duration, life int, do func()) {
	w.order++
	w.agenda.push(appointment{w.now.Add(in), w.order, life, do})
}

func (w *world) within(d time.Duration) time.Duration { return time.Duration(w.dice.Int64N(int64(d))) }

// upTo is within, and now and then almost all of it: mistakes live at the limits.
func (w *world) upTo(d time.Duration) time.Duration {
	if d > time.Second && w.dice.IntN(4) == 0 {
		return d - 1 - w.within(time.Second)
	}
	return w.within(d + 1)
}

// happens lets the world go on until nothing is left to do. A break of a promise on the
// way ends it.
func (w *world) happens() string {
	for len(w.agenda) > 0 && w.wrong == "" {
		next := w.agenda.pop()
		if next.life != 0 && next.life != w.life {
			continue
		}
		if next.life != 0 && w.frozen.After(next.at) {
			next.at = w.frozen
			w.agenda.push(next)
			continue
		}
		w.now = next.at
		if w.now.Sub(w.begun) > 100*time.Hour {
			return "not quiet after a hundred hours"
		}
		next.do()
	}
	return w.wrong
}

// die ends the process: its memory is gone, requests that are out go on at the portal.
// After a while it starts again. The broker's memory of acknowledgements is older than
// the death by up to half a minute.
func (w *world) die() {
	w.tally.deaths++
	w.tell("the process dies")
	w.life++
	w.down, w.frozen = true, time.Time{}
	w.alive = newAlive(w)
	if w.dice.IntN(2) == 0 {
		w.forget(w.now.Add(-w.within(30 * time.Second)))
	}
	away := w.within(20 * time.Second)
	switch w.dice.IntN(8) {
	case 0:
		away = w.within(10 * time.Minute)
	case 1, 2, 3, 4:
		away = w.within(500 * time.Millisecond)
	}
	w.troubleUntil(w.now.Add(away))
	w.soon(away, w.start)
}

func (w *world) forget(since time.Time) {
	for _, s := range []*stream{&w.received, &w.classified, &w.resolved, &w.plans} {
		w.redelivered += s.forget(since)
	}
}

// start begins a life: every service is given what is not acknowledged, in the order of
// the stream.
func (w *world) start() {
	w.down = false
	w.tell("the process starts")
	w.alive = newAlive(w)
	if !w.lastOutcome.IsZero() {
		w.visible = w.lastOutcome.Add(blindness)
	}
	life := w.life
	give := func(s *stream, to func(*entry)) {
		for _, e := range s.pending() {
			if w.life != life {
				return // it died again over one of them
			}
			to(e)
		}
	}
	give(&w.plans, w.takePlan)
	give(&w.resolved, w.planResolved)
	give(&w.classified, w.takeClassified)
	if w.life == life {
		w.classifyAll()
	}
}

// dies lets the process die here, where the history has a death left for it.
func (w *world) dies() bool {
	if w.script.deaths == 0 || w.dice.IntN(25) != 0 {
		return false
	}
	w.script.deaths--
	w.die()
	return true
}

// freeze stops the process for a while, as SIGSTOP or a paused virtual machine does.
func (w *world) freeze(d time.Duration) {
	if w.down {
		return
	}
	w.tally.pauses++
	w.tell("the process is paused for %v", d)
	w.frozen = later(w.frozen, w.now.Add(d))
	w.troubleUntil(w.frozen)
	w.bunched = later(w.bunched, w.frozen.Add(bunching))
}

func (w *world) troubleUntil(at time.Time) { w.trouble = later(w.trouble, at) }

// tell adds a line to the history's story.
func (w *world) tell(format string, args ...any) {
	if w.story != nil {
		w.story("%12v  "+format, append([]any{w.now.Sub(w.begun).Round(time.Millisecond)}, args...)...)
	}
}

// broken notes the first broken promise.
func (w *world) broken(what string) {
	if w.wrong == "" {
		w.wrong = what
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
