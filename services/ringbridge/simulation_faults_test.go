package main

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// mishap is what goes wrong with one request.
type mishap int

const (
	noFault             mishap = iota
	neverArrived               // and nobody says so until the time is up
	answerLost                 // carried out, then the connection breaks
	carriedOutLater            // the connection breaks at once, the portal goes on by itself
	carriedOutInPart           // the first commands only, then the portal dies
	carriedOutInTwo            // some now, some up to a minute later; no answer
	commandFailed              // one command, for a reason that passes
	commandUnknown             // one command, and nobody knows whether it was carried out
	commandRefused             // one create, for good
	diesWhileOut               // the process dies while the request is out
	pageInstead                // a page instead of an answer, after the write or without it
	tooFast                    // refused for its pace: surely not run
	noConnection               // surely not sent
	slowAnswer                 // just in time
	pausedBeforeLeaving        // the process is paused between the intent and the request
	faultKinds
)

func (f mishap) String() string {
	return [...]string{"none", "never arrived", "answer lost", "carried out later", "carried out in part", "carried out in two parts",
		"command failed", "command unknown", "command refused", "died while out", "page", "too fast", "no connection", "slow", "paused before leaving"}[f]
}

// drawFault takes one of the history's faults, or none.
func (w *world) drawFault(u *unit) mishap {
	if w.script.faults == 0 || w.dice.IntN(5) < 2 || !u.writes && w.dice.IntN(3) > 0 {
		return noFault
	}
	f := mishap(1 + w.dice.IntN(int(faultKinds)-2))
	mayRefuse := w.script.refusals > 0 && u.writes
	switch {
	case mayRefuse && w.dice.IntN(3) == 0:
		f = commandRefused
	case f == commandRefused && !mayRefuse:
		f = commandFailed
	}
	if f == commandRefused {
		w.script.refusals--
		w.tally.refusals++
	}
	w.script.faults--
	w.tally.faults[f]++
	return f
}

// receive takes a request and meets the trouble that reigns, or the fault that is due.
func (p *fakePortal) receive(u *unit, answered func(bitrix.BatchAnswer, *bitrix.Error)) {
	w := p.world
	latency := 20*time.Millisecond + w.within([]time.Duration{200 * time.Millisecond, 2 * time.Second}[w.dice.IntN(2)])
	x := p.begin(u)
	fails := func(after time.Duration, class bitrix.Class, reason bitrix.Reason) {
		w.soon(after, func() { answered(bitrix.BatchAnswer{}, &bitrix.Error{Class: class, Reason: reason}) })
	}
	runs := func(after time.Duration, to int) { w.at(after, func() { x.run(to) }) }
	const all = 1 << 20
	for _, kind := range []trouble{portalDown, portalGone} {
		if _, reigns := w.during(kind, w.now); reigns {
			fails(time.Millisecond, bitrix.NotRun, bitrix.ReasonUnreachable)
			return
		}
	}
	if p.count() {
		w.noticeRefusal()
		fails(latency, bitrix.Wait, bitrix.ReasonQueryLimit)
		return
	}
	if _, reigns := w.during(credentials, w.now); reigns {
		fails(latency, bitrix.Wait, bitrix.ReasonCredentials)
		return
	}
	if _, reigns := w.during(portalPages, w.now); reigns {
		if w.dice.IntN(2) == 0 {
			runs(latency, all)
		}
		w.soon(latency, func() { answered(bitrix.BatchAnswer{}, unreadable) })
		return
	}
	f := w.drawFault(u)
	if f != noFault {
		w.tell("fault: %s", f)
		w.troubleUntil(w.now.Add(lateness + 15*time.Second))
	}
	somewhere := func() int { return 1 + w.dice.IntN(max(1, len(u.batch))) }
	switch f {
	case neverArrived:
		fails(75*time.Second, bitrix.Ambiguous, bitrix.ReasonTimeout)
	case answerLost:
		runs(latency, all)
		fails(latency+w.within(time.Second), bitrix.Ambiguous, bitrix.ReasonTimeout)
	case carriedOutLater:
		runs(w.upTo(lateness), all)
		fails(latency, bitrix.Ambiguous, bitrix.ReasonUnreadable)
	case carriedOutInPart:
		runs(latency, somewhere())
		fails(latency+w.within(time.Second), bitrix.Ambiguous, bitrix.ReasonUnreadable)
	case carriedOutInTwo:
		first := w.within(lateness)
		runs(first, somewhere())
		runs(first+w.upTo(lateness-first), all)
		fails([]time.Duration{latency, 75 * time.Second}[w.dice.IntN(2)], bitrix.Ambiguous, bitrix.ReasonTimeout)
	case commandFailed, commandUnknown, commandRefused:
		p.failCommand(x, f)
		w.at(latency, func() { x.run(all) })
		w.soon(latency, func() { answered(x.answer, nil) })
	case diesWhileOut:
		runs(latency, all)
		w.die()
	case pageInstead:
		if w.dice.IntN(2) == 0 {
			runs(latency, all)
		}
		w.soon(latency, func() { answered(bitrix.BatchAnswer{}, unreadable) })
	case tooFast:
		fails(latency, bitrix.Wait, bitrix.ReasonQueryLimit)
	case noConnection:
		fails(latency, bitrix.NotRun, bitrix.ReasonUnreachable)
	default:
		if f == slowAnswer {
			latency = 20*time.Second + w.within(lateness-20*time.Second)
		}
		if f == slowAnswer && w.dice.IntN(2) == 0 {
			runs(w.within(latency), all) // carried out early, answered late
		} else {
			runs(latency, all)
		}
		w.soon(latency, func() { answered(x.answer, nil) })
	}
}

var unreadable = &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonUnreadable}

// failCommand makes one command of a batch fail, at any position.
func (p *fakePortal) failCommand(x *carriedOut, f mishap) {
	if len(x.unit.batch) == 0 {
		return
	}
	w := p.world
	x.failAt = w.dice.IntN(len(x.unit.batch))
	switch f {
	case commandFailed:
		x.failure = &bitrix.Error{Class: bitrix.Wait, Reason: bitrix.ReasonMethodBudget}
	case commandUnknown:
		x.failure, x.effect = &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonUnknown}, w.dice.IntN(2) == 0
	case commandRefused:
		x.failure = &bitrix.Error{Class: bitrix.Refused, Reason: bitrix.ReasonInvalid}
	}
}
