package main

import (
	"fmt"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/services/writer"
)

// takePlan is the writer's desk: one plan of a call at a time.
func (w *world) takePlan(e *entry) {
	queue, busy := w.queues[e.call]
	if busy {
		w.queues[e.call] = append(queue, e)
		return
	}
	w.queues[e.call] = nil
	w.work(e)
}

// job carries one plan out.
type job struct {
	*writer.Call
	w     *world
	entry *entry
	plan  string
}

func (w *world) work(e *entry) {
	commands := e.payload.([]event.BitrixCommand)
	j := &job{w: w, entry: e, plan: commands[0].Plan}
	file := w.file(e.call)
	if writer.Done(file, j.plan) {
		j.done()
		return
	}
	j.Call = writer.NewCall(commands, copyJournal(file.Journal), writer.Patience(lateness, blindness), "en")
	for _, c := range j.MadeLately(w.now) {
		w.remembered(c, j.Journal[c.Role].BitrixID)
	}
	j.step()
}

// step does what comes next.
func (j *job) step() {
	w := j.w
	switch move := j.Next(w.now); move.Step {
	case writer.Settled:
		j.settle()
	case writer.Wait:
		w.lastOutcome = w.now // the doubt is told
		w.soon(move.Until.Sub(w.now), j.step)
	default:
		j.carryOut(move)
	}
}

func (j *job) carryOut(move writer.Move) {
	w := j.w
	w.tell("call %s: plan %.8s wants to %s %s", j.entry.call, j.plan, move.Step, methods(move.Batch))
	u := &unit{batch: move.Batch, halt: move.Halt, priority: 1, since: j.entry.Time}
	if move.Step == writer.Send {
		u.priority, u.writes = 0, true
		u.prepare = func() {
			j.Begin(move, w.now)
			j.keep()
		}
	}
	u.stale = func() {
		w.stale++
		j.Unsent(move)
		if !j.keep() {
			j.step()
		}
	}
	u.answered = func(answer bitrix.BatchAnswer, err *bitrix.Error) {
		if w.dies() { // before the answer is stored
			return
		}
		w.tell("call %s: answered %v%s", j.entry.call, err, outcomes(answer))
		later := j.Answered(move, answer, err)
		for _, c := range j.TakeMade() {
			w.remembered(c, j.Journal[c.Role].BitrixID)
			if j.Journal[c.Role].Adopted {
				w.adopted++
			}
		}
		if j.keep() {
			return
		}
		if wait := w.pauseOf(later); wait > 0 {
			w.soon(wait, j.step)
			return
		}
		j.step()
	}
	w.send(u)
}

func methods(batch []bitrix.Command) (out []string) {
	for _, c := range batch {
		out = append(out, c.Method+" "+c.Key[:9])
	}
	return out
}

func outcomes(a bitrix.BatchAnswer) (out string) {
	for _, o := range a.Outcomes {
		if out += fmt.Sprintf(" %.60s", o.Result); o.Error != nil {
			out += fmt.Sprintf("%s %s", o.Error.Class, o.Error.Reason)
		}
	}
	return out
}

// keep stores the journal, and lets the process die right after it.
func (j *job) keep() (died bool) {
	w := j.w
	w.change(j.entry.call, func(f *callfile.File) { f.Journal = copyJournal(j.Journal) })
	for role, e := range j.Journal {
		key := j.entry.call + " " + role
		doubt := e.State == callfile.Intent || e.State == callfile.InDoubt
		since, known := w.doubts[key]
		switch {
		case doubt && !known:
			w.doubts[key] = w.now
		case !doubt && known:
			delete(w.doubts, key)
			w.longestDoubt = max(w.longestDoubt, w.now.Sub(later(since, w.trouble)))
		}
	}
	return w.dies()
}

// settle tells the outcomes, parks what was refused and closes the plan.
func (j *job) settle() {
	w := j.w
	w.lastOutcome = w.now
	if w.dies() {
		return
	}
	for _, o := range j.Outcomes() {
		if o.State == event.Refused {
			w.park(j.entry.call)
			break
		}
	}
	w.tell("call %s: plan %.8s is settled", j.entry.call, j.plan)
	w.change(j.entry.call, func(f *callfile.File) { writer.Settle(f, copyJournal(j.Journal), j.plan) })
	if w.dies() {
		return
	}
	j.done()
}

func (j *job) done() {
	w := j.w
	w.ack(j.entry, w.takePlan)
	if queue := w.queues[j.entry.call]; len(queue) > 0 {
		w.queues[j.entry.call] = queue[1:]
		w.soon(0, func() { w.work(queue[0]) })
	} else {
		delete(w.queues, j.entry.call)
	}
	waiting := w.waiters[j.plan]
	delete(w.waiters, j.plan)
	for _, waiter := range waiting {
		w.soon(0, waiter)
	}
}

// park keeps a call for a person, who tries it again after a while.
func (w *world) park(call string) {
	if w.parked[call] {
		return
	}
	w.parked[call] = true
	if w.dice.IntN(2) == 0 {
		return
	}
	in := w.within(5 * time.Minute)
	w.at(in, func() {
		w.retries++
		w.parked[call] = false
		w.receive(call+"/retry", request{report: &w.file(call).Reports[0], retry: true})
	})
}
