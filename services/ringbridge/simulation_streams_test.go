package main

import (
	"cmp"
	"encoding/json"
	"maps"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// What outlives the process (the broker's streams, the files of calls) and what happens
// when.

// entry is an event in the broker's stream. Exactly one service reads each kind.
type entry struct {
	event.Envelope
	call    string
	payload any
	acked   bool
	ackedAt time.Time
}

// stream is the events of one type, in order.
type stream struct {
	entries []*entry
	floor   int // all before are acknowledged
}

// duplicates is how long the broker knows an id again.
const duplicates = 2 * time.Minute

// publish appends an event, unless the broker remembers its id.
func (w *world) publish(s *stream, e *entry) bool {
	for i := len(s.entries) - 1; i >= 0; i-- {
		if s.entries[i].ID == e.ID && w.now.Sub(s.entries[i].Time) < duplicates {
			return false
		}
	}
	e.Time = w.now
	s.entries = append(s.entries, e)
	return true
}

// ack settles an event. Now and then the broker does not hear it, and gives the event
// again later.
func (w *world) ack(e *entry, again func(*entry)) {
	if w.lostAcks && w.dice.IntN(40) == 0 {
		w.soon(30*time.Second, func() {
			if !e.acked {
				w.redelivered++
				again(e)
			}
		})
		return
	}
	e.acked, e.ackedAt = true, w.now
}

// pending are the events that are still to be settled.
func (s *stream) pending() []*entry {
	for s.floor < len(s.entries) && s.entries[s.floor].acked {
		s.floor++
	}
	var out []*entry
	for _, e := range s.entries[s.floor:] {
		if !e.acked {
			out = append(out, e)
		}
	}
	return out
}

// forget loses the acknowledgements since a moment: they are not synced to the disk.
func (s *stream) forget(since time.Time) (lost int) {
	s.floor = 0
	for _, e := range s.entries {
		if e.acked && !e.ackedAt.Before(since) {
			e.acked = false
			lost++
		}
	}
	return lost
}

// derived is the event that a cause led to, as the program makes it. Its data are kept
// beside it, and encoded only where the history says so.
func (w *world) derived(cause, call string, p event.Payload) *entry {
	e := &entry{call: call, payload: p}
	if w.wire {
		e.Envelope, _ = event.Next(event.Envelope{ID: cause}, "simulation", w.now, p)
		e.payload = nil
	} else {
		e.ID, e.Cause, e.Time = event.Derive(cause, string(p.Type())), cause, w.now
	}
	return e
}

func payloadOf[T any](e *entry) *T {
	if e.payload != nil {
		return e.payload.(*T)
	}
	v, err := event.As[T](e.Envelope)
	if err != nil {
		panic(err)
	}
	return &v
}

// file reads the file of a call.
func (w *world) file(call string) callfile.File {
	if f := w.files[call]; f != nil {
		return *f
	}
	return callfile.File{}
}

// change alters a file at once, as compare-and-set does.
func (w *world) change(call string, change func(f *callfile.File)) {
	f := w.file(call)
	change(&f)
	if w.wire {
		data, err := json.Marshal(f)
		if err != nil {
			panic(err)
		}
		f = callfile.File{}
		if err := json.Unmarshal(data, &f); err != nil {
			panic(err)
		}
	}
	w.files[call] = &f
}

// appointment is something that will happen. The process's own are void after its
// death and late while it is frozen; life is 0 for those of the world.
type appointment struct {
	at    time.Time
	order int
	life  int
	do    func()
}

// agenda is what happens when: a heap by time, then by the order of being planned.
type agenda []appointment

func (a agenda) less(i, j int) bool {
	return cmp.Or(a[i].at.Compare(a[j].at), cmp.Compare(a[i].order, a[j].order)) < 0
}

func (a *agenda) push(p appointment) {
	*a = append(*a, p)
	for i := len(*a) - 1; i > 0; {
		parent := (i - 1) / 2
		if !a.less(i, parent) {
			return
		}
		(*a)[i], (*a)[parent] = (*a)[parent], (*a)[i]
		i = parent
	}
}

func (a *agenda) pop() appointment {
	first, last := (*a)[0], len(*a)-1
	(*a)[0], (*a)[last] = (*a)[last], appointment{}
	*a = (*a)[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if child+1 < last && a.less(child+1, child) {
			child++
		}
		if !a.less(child, i) {
			return first
		}
		(*a)[i], (*a)[child] = (*a)[child], (*a)[i]
		i = child
	}
}

func copyJournal(j map[string]callfile.Entry) map[string]callfile.Entry {
	if j == nil {
		return map[string]callfile.Entry{}
	}
	return maps.Clone(j)
}
