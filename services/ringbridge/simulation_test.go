package main

import (
	"cmp"
	"container/heap"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/planner"
	"github.com/ringbridge/ringbridge/services/resolver"
	"github.com/ringbridge/ringbridge/services/writer"
)

var (
	histories = flag.Int("histories", 1500, "how many histories the simulation runs")
	simSeed   = flag.Uint64("seed", 0, "the first history's seed; 0 takes one from the clock")
)

// TestSimulation runs the real thinking of every stage (fold, choice, decision table,
// plan, journal) against a faulty portal under a virtual clock, with the process dying
// at any point. One seed is one history; a failing one is printed and repeats exactly:
// go test ./services/ringbridge -run TestSimulation -histories 1 -seed N
func TestSimulation(t *testing.T) {
	first := *simSeed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	var total tally
	for i := range *histories {
		seed := first + uint64(i)
		w := newWorld(seed)
		if problem := w.run(); problem != "" {
			t.Fatalf("seed %d: %s", seed, problem)
		}
		total.add(w.tally)
	}
	t.Logf("%d histories from seed %d: %d calls, %d requests, %d faults, %d deaths, 0 lost, 0 doubled", *histories, first, total.calls, total.requests, total.faults, total.deaths)
	if *histories >= 1000 && (total.faults < *histories || total.deaths < *histories/2) {
		t.Errorf("the simulation is too kind: %+v", total)
	}
}

type tally struct{ calls, requests, faults, deaths int }

func (t *tally) add(o tally) {
	t.calls += o.calls
	t.requests += o.requests
	t.faults += o.faults
	t.deaths += o.deaths
}

// Assumptions about the portal, as in the settings: how long a lost request may still be
// carried out, and how long a write may be invisible to a search.
const (
	lateness  = 60 * time.Second
	blindness = 5 * time.Second
)

// world is one history: calls of few clients, a portal, and a process that may die.
type world struct {
	tally
	dice     *rand.Rand
	now      time.Time
	begun    time.Time
	agenda   agenda
	order    int
	settings service.Revision
	portal   fakePortal

	// What is on disk: it outlives the process.
	files   map[string]callfile.File
	inbox   []request        // call.received that the classifier has not settled, in the stream's order
	log     []event.Envelope // call.classified, in the stream's order
	settled map[string]bool  // events that were acknowledged

	// What is in memory.
	life   int // the process's number; what a dead one wanted to do is void
	down   bool
	lanes  map[string][]event.Envelope
	busy   map[string]bool
	faults int // faults still to come
	deaths int
}

// agenda is what happens when, in the order of time.
type agenda []appointment

type appointment struct {
	at    time.Time
	order int
	do    func()
}

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return cmp.Or(a[i].at.Compare(a[j].at), cmp.Compare(a[i].order, a[j].order)) < 0
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func newWorld(seed uint64) *world {
	begun := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p := settings.Project{ID: "shop", Locale: "en", TimeZone: "Europe/Kyiv", Country: "UA", Senior: senior}
	p.Scenarios.CallbackDue, p.Scenarios.ReviewDue = settings.Duration(time.Hour), settings.Duration(3*time.Hour)
	w := &world{
		dice: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)), now: begun, begun: begun,
		settings: service.Revision{Project: p, Number: 1},
		files:    map[string]callfile.File{}, settled: map[string]bool{},
		lanes: map[string][]event.Envelope{}, busy: map[string]bool{},
	}
	w.faults, w.deaths = w.dice.IntN(10), w.dice.IntN(4)
	w.portal = fakePortal{world: w, ever: map[string]int{}}
	calls := 2 + w.dice.IntN(6)
	w.calls = calls
	for i := range calls {
		w.schedule(i)
	}
	for range w.deaths {
		w.at(w.within(3*time.Minute), w.die)
	}
	return w
}

func (w *world) at(in time.Duration, do func()) {
	w.order++
	heap.Push(&w.agenda, appointment{w.now.Add(in), w.order, do})
}

// soon is at, forgotten when the process dies before.
func (w *world) soon(in time.Duration, do func()) {
	life := w.life
	w.at(in, func() {
		if life == w.life {
			do()
		}
	})
}

func (w *world) within(d time.Duration) time.Duration { return time.Duration(w.dice.Int64N(int64(d))) }

// schedule sends the reports of a call: an early one, the final one, now and then a
// second final one that knows the recording, in any order and some twice.
func (w *world) schedule(i int) {
	id := fmt.Sprintf("17724366%02d.%d", i, i)
	started := w.begun.Add(w.within(time.Minute))
	call := event.Call{
		ID: id, Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Status: "ANSWERED",
		Client: fmt.Sprintf("+38067111220%d", w.dice.IntN(3)), StartedAt: &started, Duration: 40, Waiting: 10, Talk: 30,
		Employee: &event.Employee{Name: "Olena Koval", BitrixUser: []int{olena, petro}[w.dice.IntN(2)]}, AnsweredOn: "line",
	}
	switch w.dice.IntN(5) {
	case 0:
		call.Outcome, call.Status, call.Talk, call.Employee, call.AnsweredOn = event.Missed, "NO ANSWER", 0, nil, ""
	case 1:
		call.Direction, call.Event = event.Outbound, "after_outgoing"
	}
	early := call
	early.Event, early.Final, early.Outcome, early.Status, early.Employee, early.Talk = "before", false, "", "", nil, 0
	reports := []event.Call{early, call}
	if w.dice.IntN(3) == 0 {
		late := call
		late.Recording = "https://records.example/" + id
		reports = append(reports, late)
	}
	if w.dice.IntN(3) == 0 {
		reports = append(reports, call)
	}
	for n, r := range reports {
		w.at(w.within(90*time.Second), func() {
			w.inbox = append(w.inbox, request{r, fmt.Sprintf("%s/%d", id, n)})
			w.classifyAll()
		})
	}
}

// request is a stored webhook and what it says.
type request struct {
	report event.Call
	id     string
}

// classifyAll is the classifier: it takes the requests in their order.
func (w *world) classifyAll() {
	for !w.down && len(w.inbox) > 0 {
		life := w.life
		w.classify(w.inbox[0].report, w.inbox[0].id)
		if life == w.life {
			w.inbox = w.inbox[1:]
		}
	}
}

// classify folds, stores, publishes. It may die in between, and then the request is read
// again after the start.
func (w *world) classify(report event.Call, received string) {
	file := w.files[report.ID]
	e := file.Classified
	if e == nil || e.Cause != received {
		if slices.Contains(file.Received, received) {
			return
		}
		after := event.Fold(event.With(file.Reports, report))
		next, _ := event.Next(event.Envelope{ID: received}, "classifier", w.now, &event.CallClassified{
			Project: "shop", Received: received, Revision: 1, Call: after,
			Changed: len(file.Reports) == 0 || !event.Same(event.Fold(file.Reports), after),
		})
		e = &next
		file.Reports, file.Received, file.Classified = event.With(file.Reports, report), append(file.Received, received), e
		w.files[report.ID] = file
		if w.dice.IntN(20) == 0 && w.deaths > 0 {
			w.deaths--
			w.die()
			return
		}
	}
	if !slices.ContainsFunc(w.log, func(o event.Envelope) bool { return o.ID == e.ID }) {
		w.log = append(w.log, *e)
		w.deliver(*e)
	}
}

func (w *world) deliver(e event.Envelope) {
	c, _ := event.As[event.CallClassified](e)
	lane := c.Lane()
	w.lanes[lane] = append(w.lanes[lane], e)
	w.workLane(lane)
}

// die ends the process: memory is gone, requests that are out go on at the portal. After
// a while it starts again and is given what was not acknowledged, and some of what was.
func (w *world) die() {
	w.tally.deaths++
	w.life++
	w.down = true
	w.lanes, w.busy = map[string][]event.Envelope{}, map[string]bool{}
	w.soon(w.within(20*time.Second), func() {
		w.down = false
		life := w.life
		for _, e := range slices.Clone(w.log) {
			if w.life != life {
				return // died again over one of them
			}
			if !w.settled[e.ID] || w.dice.IntN(8) == 0 {
				w.deliver(e)
			}
		}
		w.classifyAll()
	})
}

// workLane takes the next report of a client when nothing of his is being worked on.
func (w *world) workLane(lane string) {
	if w.busy[lane] || len(w.lanes[lane]) == 0 {
		return
	}
	w.busy[lane] = true
	e := w.lanes[lane][0]
	w.lanes[lane] = w.lanes[lane][1:]
	w.resolve(e, func() {
		w.settled[e.ID] = true
		w.busy[lane] = false
		w.workLane(lane)
	})
}

// resolve is the resolver's handler: decide where the report asks for it, then wait until
// the writer settled the plan.
func (w *world) resolve(e event.Envelope, done func()) {
	c, _ := event.As[event.CallClassified](e)
	if !c.Final {
		done()
		return
	}
	file := w.files[c.Call.ID]
	c.Call = resolver.Facts(file, c)
	if !resolver.Fresh(file, c, e.ID) {
		w.write(*file.ResolvedAs, done)
		return
	}
	resolved, again := resolver.Again(file, c, e.ID)
	decide := func() {
		if !again {
			resolved = resolver.Resolve(file, c, e.ID, w.settings, w.portal.found(c.Client), 0)
		}
		published, _ := event.Next(e, "resolver", w.now, &resolved)
		file := w.files[c.Call.ID]
		file.Resolved, file.ResolvedAs = &resolved, &published
		w.files[c.Call.ID] = file
		w.write(published, done)
	}
	if again {
		decide()
		return
	}
	w.requests++
	// A look-up is repeated until it is answered, and waits out what a restart forgot.
	w.soon(blindness+w.within(time.Second), decide)
}

// write is the planner and the writer of one plan.
func (w *world) write(e event.Envelope, done func()) {
	resolved, _ := event.As[event.CallResolved](e)
	commands, err := planner.Plan(e.ID, resolved, w.settings)
	if err != nil {
		panic(err)
	}
	id := resolved.Facts.ID
	if w.files[id].Settled == e.ID {
		done()
		return
	}
	call := writer.NewCall(commands, copyJournal(w.files[id].Journal), writer.Patience(lateness, blindness), "en")
	store := func(settled string) {
		f := w.files[id]
		f.Journal = copyJournal(call.Journal)
		if settled != "" {
			f.Settled = settled
		}
		w.files[id] = f
	}
	var step func()
	step = func() {
		switch m := call.Next(w.now); m.Step {
		case writer.Settled:
			store(e.ID)
			done()
		case writer.Wait:
			w.soon(m.Until.Sub(w.now), step)
		default:
			if m.Step == writer.Send {
				if w.dice.IntN(2) == 0 {
					m = call.Round(m) // travels with the commands of other calls
				}
				call.Begin(m, w.now)
				store("")
			}
			w.request(m, func(answer bitrix.BatchAnswer, err *bitrix.Error) {
				call.Answered(m, answer, err)
				call.TakeMade()
				store("")
				w.soon(w.within(2*time.Second), step)
			})
		}
	}
	step()
}

func copyJournal(j map[string]callfile.Entry) map[string]callfile.Entry {
	out := map[string]callfile.Entry{}
	for k, v := range j {
		out[k] = v
	}
	return out
}

// request sends a move to the portal and meets the fault that is due.
func (w *world) request(m writer.Move, answered func(bitrix.BatchAnswer, *bitrix.Error)) {
	w.requests++
	lost := &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonTimeout}
	fault := 0
	if w.faults > 0 {
		if fault = w.dice.IntN(9); fault > 0 {
			w.faults--
			w.tally.faults++
		}
	}
	latency := 20*time.Millisecond + w.within(2*time.Second)
	switch fault {
	case 1: // refused for its pace: surely not run
		w.soon(latency, func() {
			answered(bitrix.BatchAnswer{}, &bitrix.Error{Class: bitrix.Wait, Reason: bitrix.ReasonQueryLimit})
		})
	case 2: // never arrived, and nobody says so
		w.soon(75*time.Second, func() { answered(bitrix.BatchAnswer{}, lost) })
	case 3: // carried out, the answer lost
		w.at(latency, func() { w.portal.run(m, 99) })
		w.soon(latency+w.within(time.Second), func() { answered(bitrix.BatchAnswer{}, lost) })
	case 4: // the connection breaks at once, and the portal carries it out later
		w.at(w.within(lateness), func() { w.portal.run(m, 99) })
		w.soon(latency, func() { answered(bitrix.BatchAnswer{}, lost) })
	case 5: // carried out in part, then cut
		w.at(latency, func() { w.portal.run(m, 1+w.dice.IntN(2)) })
		w.soon(latency+w.within(time.Second), func() { answered(bitrix.BatchAnswer{}, lost) })
	case 6: // one command fails for a reason that passes
		w.soon(latency, func() {
			w.portal.failNext = &bitrix.Error{Class: bitrix.Wait, Reason: bitrix.ReasonMethodBudget}
			answered(w.portal.run(m, 99), nil)
		})
	case 7: // the process dies while the request is out
		w.at(latency, func() { w.portal.run(m, 99) })
		w.die()
	case 8: // the portal answers with a page instead of an answer, after the write
		w.soon(latency, func() {
			w.portal.run(m, 99)
			answered(bitrix.BatchAnswer{}, &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonUnreadable})
		})
	default:
		life := w.life
		w.at(latency, func() {
			if answer := w.portal.run(m, 99); life == w.life {
				answered(answer, nil)
			}
		})
	}
}

// run lets the history happen and then holds it against what must be true.
func (w *world) run() string {
	for len(w.agenda) > 0 {
		next := heap.Pop(&w.agenda).(appointment)
		w.now = next.at
		if w.now.Sub(w.begun) > 3*time.Hour {
			return "not quiet after three hours"
		}
		next.do()
	}
	return w.judge()
}

// judge holds the end of a history against the promises: every call is settled, nothing
// exists twice or ever did, everything that is said to exist does, one client has one
// lead, and what should be closed is closed.
func (w *world) judge() string {
	for id, n := range w.portal.ever {
		if n > 1 {
			return fmt.Sprintf("%s was made %d times", id, n)
		}
	}
	leads := map[string]int{}
	for _, t := range w.portal.things {
		if t.method == "lead" {
			leads[t.phone]++
		}
		if t.method == "task" && t.wantClosed && !t.closed {
			return fmt.Sprintf("task %d of %s stayed open", t.id, t.external)
		}
	}
	for phone, n := range leads {
		if n > 1 {
			return fmt.Sprintf("client %s has %d leads", phone, n)
		}
	}
	for id, f := range w.files {
		final := event.Fold(f.Reports)
		if !final.Final {
			return fmt.Sprintf("call %s never became final", id)
		}
		if f.ResolvedAs == nil || f.Settled != f.ResolvedAs.ID {
			return fmt.Sprintf("call %s is not settled", id)
		}
		if !event.Same(f.Resolved.Facts, final) {
			return fmt.Sprintf("call %s was decided without all that is known of it", id)
		}
		rule, _ := rules.Decide(planner.Situation(*f.Resolved))
		for role, e := range f.Journal {
			if e.State != callfile.Confirmed || w.portal.ever[e.Command] != 1 {
				return fmt.Sprintf("call %s, rule %s: %s ends as %s, made %d times", id, rule.ID, role, e.State, w.portal.ever[e.Command])
			}
			if e.Task != nil && strings.Contains(e.Task.Description, "Recording") != (final.Recording != "" && final.Outcome == event.Answered) {
				return fmt.Sprintf("call %s: the task does not show what is known of the recording", id)
			}
		}
	}
	return ""
}
