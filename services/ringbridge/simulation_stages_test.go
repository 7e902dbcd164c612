package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/services/planner"
	"github.com/ringbridge/ringbridge/services/resolver"
)

// The services as their drivers are: what each stores, publishes and waits for, in the
// same order, with a chance to die at every step in between.

// maxReceived is how many requests of a call its file names, as in the classifier.
const maxReceived = 32

// request is a stored webhook and what it says.
type request struct {
	report *event.Call
	retry  bool
}

// arrive brings a report to the ingress. One that finds the process away is brought
// again, by the sender or by the reconciliation.
func (w *world) arrive(a arrival, n int) {
	w.at(a.at, func() { w.receive(fmt.Sprintf("%s/%d", a.report.ID, n), request{report: a.report}) })
}

func (w *world) receive(id string, r request) {
	again := func(in time.Duration) { w.at(in, func() { w.receive(id, r) }) }
	w.troubleUntil(w.now)
	switch {
	case w.down:
		again(w.within(5*time.Minute) + time.Second)
	case w.frozen.After(w.now):
		again(w.frozen.Sub(w.now))
	default:
		e := &entry{call: r.report.ID, payload: &r}
		e.ID = id
		w.tell("call %s is reported: %s, final %v, client %s, recording %v, retry %v", r.report.ID, r.report.Event, r.report.Final, r.report.Client, r.report.Recording != "", r.retry)
		w.publish(&w.received, e)
		w.classifyAll()
	}
}

// classifyAll is the classifier: it takes the requests in their order.
func (w *world) classifyAll() {
	life := w.life
	for _, e := range w.received.pending() {
		if w.down || w.life != life {
			return
		}
		w.classify(e)
	}
}

// classify folds, stores, publishes.
func (w *world) classify(e *entry) {
	r := payloadOf[request](e)
	file := w.file(e.call)
	var out *entry
	switch {
	case file.Classified != nil && file.Classified.Cause == e.ID:
		c := event.CallClassified{
			Project: "shop", Received: e.ID, Revision: 1, Retry: r.retry, Changed: true, Call: event.Fold(file.Reports),
		}
		out = w.derived(e.ID, e.call, &c)
	case slices.Contains(file.Received, e.ID):
		w.ack(e, w.classify)
		return
	default:
		reports := event.With(file.Reports, *r.report)
		after := event.Fold(reports)
		c := event.CallClassified{
			Project: "shop", Received: e.ID, Revision: 1, Retry: r.retry, Call: after,
			Changed: len(file.Reports) == 0 || !event.Same(event.Fold(file.Reports), after),
		}
		out = w.derived(e.ID, e.call, &c)
		w.change(e.call, func(f *callfile.File) {
			f.Reports, f.Classified = reports, &out.Envelope
			f.Received = append(slices.Clone(f.Received), e.ID)[max(0, len(f.Received)+1-maxReceived):]
		})
	}
	if w.dies() {
		return
	}
	published := w.publish(&w.classified, out)
	if w.dies() {
		return
	}
	w.ack(e, w.classify)
	if published {
		w.takeClassified(out)
	}
}

// takeClassified puts a report into the lane of its client.
func (w *world) takeClassified(e *entry) {
	c := payloadOf[event.CallClassified](e)
	if !c.Final {
		w.ack(e, w.takeClassified)
		return
	}
	lane := c.Lane()
	queue, busy := w.lanes[lane]
	if busy {
		w.lanes[lane] = append(queue, e)
		return
	}
	w.lanes[lane] = nil
	w.resolve(lane, e)
}

// leave goes on with the next report of a lane.
func (w *world) leave(lane string, e *entry) {
	w.ack(e, w.takeClassified)
	queue := w.lanes[lane]
	if len(queue) == 0 {
		delete(w.lanes, lane)
		return
	}
	w.lanes[lane] = queue[1:]
	w.resolve(lane, queue[0])
}

// resolve is the resolver's handler: decide where the report asks for it, then wait until
// the writer settled the plan.
func (w *world) resolve(lane string, e *entry) {
	c, file := *payloadOf[event.CallClassified](e), w.file(e.call)
	c.Call = resolver.Facts(file, c)
	if !resolver.Fresh(file, c, e.ID) {
		out := w.derived(file.ResolvedAs.Cause, e.call, file.Resolved)
		w.publishResolved(lane, e, out)
		return
	}
	if resolved, again := resolver.Again(file, c, e.ID); again {
		w.decided(lane, e, c, resolved)
		return
	}
	w.again = w.again || file.Resolved != nil && !c.Retry
	if c.Direction == event.Internal {
		w.decided(lane, e, c, resolver.Resolve(file, c, e.ID, w.settings, found{}, 0))
		return
	}
	w.lookup(c.Client, e.Time, func(f found) {
		w.decided(lane, e, c, resolver.Resolve(w.file(e.call), c, e.ID, w.settings, f, 0))
	})
}

func (w *world) decided(lane string, e *entry, c event.CallClassified, resolved event.CallResolved) {
	out := w.derived(e.ID, e.call, &resolved)
	if w.file(e.call).Resolved != nil && !resolved.Amends {
		w.anew[e.call] = true
	}
	w.tell("call %s is resolved: client %s, amends %v, plan %.8s", e.call, resolved.Client.State, resolved.Amends, out.ID)
	w.change(e.call, func(f *callfile.File) { resolver.Note(f, c, &resolved, &out.Envelope) })
	if w.dies() {
		return
	}
	w.publishResolved(lane, e, out)
}

func (w *world) publishResolved(lane string, e, out *entry) {
	life := w.life
	if w.file(e.call).Settled != out.ID {
		if w.publish(&w.resolved, out) {
			w.soon(0, func() { w.planResolved(out) })
		}
		if w.dies() {
			return
		}
	}
	if w.life != life {
		return
	}
	if w.file(e.call).Settled == out.ID {
		w.leave(lane, e)
		return
	}
	w.waiters[out.ID] = append(w.waiters[out.ID], func() { w.leave(lane, e) })
}

// planResolved is the planner.
func (w *world) planResolved(e *entry) {
	commands, err := planner.Plan(e.ID, *payloadOf[event.CallResolved](e), w.settings)
	if err != nil {
		w.broken(fmt.Sprintf("call %s has no plan: %v", e.call, err))
		return
	}
	out := w.derived(e.ID, e.call, &commands[0])
	out.payload = w.overTheWire(commands)
	published := w.publish(&w.plans, out)
	if w.dies() {
		return
	}
	w.ack(e, w.planResolved)
	if published {
		w.takePlan(out)
	}
}

// overTheWire is the commands as the writer reads them.
func (w *world) overTheWire(commands []event.BitrixCommand) []event.BitrixCommand {
	if !w.wire {
		return commands
	}
	data, err := json.Marshal(commands)
	if err != nil {
		panic(err)
	}
	var out []event.BitrixCommand
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}
