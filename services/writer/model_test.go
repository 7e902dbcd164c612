package writer

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// journalModel drives a [Call] as job.go does, against a portal that fails in every way,
// in a process that dies at every moment.
type journalModel struct {
	t      *rapid.T
	now    time.Time
	plan   int
	title  string
	disk   map[string]callfile.Entry // what a restart reads
	call   *Call
	portal *modelPortal
	// faults may still come; the last phase has none.
	faulty bool
}

func (m *journalModel) commands() []event.BitrixCommand {
	plan := fmt.Sprint("plan-", m.plan)
	lead := event.BitrixCommand{ID: "id-lead", Role: "lead", Kind: event.KindLead, Plan: plan, Entity: &event.Entity{Title: m.title, Responsible: 7}}
	task := func(id, role string, closed bool) event.BitrixCommand {
		return event.BitrixCommand{
			ID: id, Role: role, Kind: event.KindTask, Plan: plan, DependsOn: []string{"id-lead"},
			Task: &event.Task{Title: m.title, Responsible: 7, Closed: closed, Links: []event.Link{{Kind: event.KindLead, Command: "id-lead"}}},
		}
	}
	return []event.BitrixCommand{lead, task("id-done", "task:done", true), task("id-review", "task:review", false)}
}

// restart forgets what was in memory.
func (m *journalModel) restart() {
	m.call = NewCall(m.commands(), maps.Clone(m.disk), waited, "en")
}

func (m *journalModel) store() { m.disk = maps.Clone(m.call.Journal) }

// chance draws whether a fault happens now.
func (m *journalModel) chance(what string) bool {
	return m.faulty && rapid.IntRange(0, 9).Draw(m.t, what) == 0
}

// step does the next thing.
func (m *journalModel) step() {
	m.portal.now(m.now)
	move := m.call.Next(m.now)
	switch move.Step {
	case Wait:
		m.now = move.Until
	case Search:
		m.look(move)
	case Send:
		m.send(move)
	case Settled:
		m.store()
	}
}

func (m *journalModel) look(move Move) {
	refuse, failed, _ := m.fault(move)
	var answer bitrix.BatchAnswer
	if failed == nil {
		answer = m.portal.carryOut(move.Batch, move.Halt, m.now, refuse)
	}
	m.call.Answered(move, answer, failed)
	m.store()
	m.now = m.now.Add(time.Second)
}

func (m *journalModel) send(move Move) {
	if m.chance("dies before the intent") {
		m.restart()
		return
	}
	m.call.Begin(move, m.now)
	if m.chance("cannot store the intent") {
		m.restart()
		return
	}
	m.store()
	if m.chance("dies before it leaves") {
		m.restart()
		return
	}
	if m.chance("surely did not leave") {
		m.call.Unsent(move)
		m.store()
		return
	}
	m.check(move)
	refuse, failed, ran := m.fault(move)
	var answer bitrix.BatchAnswer
	switch {
	case ran == late:
		at := m.now.Add(upTo(m.t, "carried out after", waited.execution))
		m.portal.pending = append(m.portal.pending, modelRequest{at, move.Batch})
	case ran > 0:
		m.portal.carryOut(move.Batch[:min(ran, len(move.Batch))], move.Halt, m.now, nil)
	case failed == nil:
		answer = m.portal.carryOut(move.Batch, move.Halt, m.now, refuse)
	}
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(m.t, "the answer takes")) * time.Millisecond)
	if m.chance("dies before the answer is stored") {
		m.restart()
		return
	}
	m.call.Answered(move, answer, failed)
	m.store()
}

// upTo draws a span, often one of the two ends.
func upTo(t *rapid.T, what string, most time.Duration) time.Duration {
	return time.Duration(rapid.OneOf(rapid.Just(int64(0)), rapid.Just(int64(most)), rapid.Int64Range(0, int64(most))).Draw(t, what))
}

// late stands for a request that is carried out after its sender gave up.
const late = -1

// fault draws what goes wrong with a request: a command of it, or all of it; then how
// many of its commands ran.
func (m *journalModel) fault(move Move) (refuse map[int]*bitrix.Error, failed *bitrix.Error, ran int) {
	if !m.chance("something goes wrong") {
		return nil, nil, 0
	}
	class := rapid.SampledFrom([]bitrix.Class{bitrix.Ambiguous, bitrix.Ambiguous, bitrix.Wait, bitrix.NotRun, bitrix.Refused}).Draw(m.t, "class")
	e := &bitrix.Error{Class: class, Reason: bitrix.ReasonUnknown}
	if class == bitrix.Refused {
		e.Reason = bitrix.ReasonInvalid
	}
	if class != bitrix.NotRun && rapid.Bool().Draw(m.t, "one command only") {
		return map[int]*bitrix.Error{rapid.IntRange(0, len(move.Batch)-1).Draw(m.t, "place"): e}, nil, 0
	}
	if class == bitrix.Ambiguous {
		ran = rapid.IntRange(late, len(move.Batch)).Draw(m.t, "commands that ran")
	}
	return nil, e, ran
}

// check holds the promises at the moment a request leaves.
func (m *journalModel) check(move Move) {
	for at, c := range move.Batch {
		outside := makes(c)
		if outside == "" {
			continue
		}
		i := slices.IndexFunc(m.call.Commands, func(b event.BitrixCommand) bool { return b.ID == outside })
		if e := m.disk[m.call.Commands[i].Role]; e.State != callfile.Intent || e.SentAt.IsZero() {
			m.t.Fatalf("%s leaves and the disk says %q, want its intent", outside, e.State)
		}
		if there := m.portal.knows("id-lead") || slices.ContainsFunc(move.Batch[:at], func(b bitrix.Command) bool { return makes(b) == "id-lead" }); outside != "id-lead" && !there {
			m.t.Fatalf("%s leaves before the lead it is bound to", outside)
		}
		if n := m.portal.alive(outside); n != 0 {
			m.t.Fatalf("%s is made again while %d of it exist or may come to exist", outside, n)
		}
	}
}

// TestTheJournalModel: whatever fails, wherever the process dies, however often a person
// retries: nothing is made while it exists or may come to exist, nothing leaves without
// its intent on disk, and in the end everything is there, once, as it should be.
func TestTheJournalModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &journalModel{t: t, now: start, title: "Call", faulty: true}
		m.portal = &modelPortal{t: t, lag: func() time.Duration {
			return upTo(t, "shows after", waited.settle)
		}}
		m.restart()
		deleted := map[string]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"step": func(*rapid.T) { m.step() },
			"more": func(*rapid.T) {
				for range 5 {
					m.step()
				}
			},
			"time passes": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
			},
			"the process dies": func(*rapid.T) { m.restart() },
			"a person retries, or the call is planned anew": func(t *rapid.T) {
				if m.call.Next(m.now).Step != Settled {
					t.Skip("plans of a call come one after the other")
				}
				m.store()
				m.plan++
				m.title = rapid.SampledFrom([]string{"Call", "Call with a recording"}).Draw(t, "title")
				m.restart()
			},
			"a person deletes": func(t *rapid.T) {
				if len(m.portal.things) == 0 {
					t.Skip("nothing is there")
				}
				thing := rapid.SampledFrom(m.portal.things).Draw(t, "thing")
				thing.deleted, deleted[thing.outside] = true, true
			},
			"": func(t *rapid.T) {
				for _, c := range m.call.Commands {
					if n := m.portal.alive(c.ID); n > 1 {
						t.Fatalf("%s exists or may come to exist %d times", c.Role, n)
					}
				}
			},
		})
		m.finish(deleted)
	})
}

// finish lets the faults end, retries once, and looks at the end.
func (m *journalModel) finish(deleted map[string]bool) {
	m.faulty = false
	for round := range 2 {
		for steps := 0; m.call.Next(m.now).Step != Settled; steps++ {
			if steps > 50 {
				move := m.call.Next(m.now)
				m.t.Fatalf("not settled 50 steps after the last fault: it would %s %v; %+v", move.Step, move.Batch, m.call.Journal)
			}
			m.step()
		}
		m.store()
		if round == 0 {
			m.plan++
			m.restart()
		}
	}
	for i, o := range m.call.Outcomes() {
		c := m.call.Commands[i]
		if o.State == event.Refused || o.State == event.InDoubt {
			m.t.Errorf("%s ends as %s (%s) without a fault, want it done", c.Role, o.State, o.Error)
		}
		if deleted[c.ID] {
			continue
		}
		if n := m.portal.alive(c.ID); n != 1 || o.BitrixID == 0 {
			m.t.Errorf("%s is there %d times and known as %d, want once and known", c.Role, n, o.BitrixID)
			continue
		}
		if thing := m.portal.things[o.BitrixID-1]; thing.outside != c.ID || c.Task != nil && thing.closed != c.Task.Closed {
			m.t.Errorf("%s is known as %+v, want its own, closed %v", c.Role, *thing, c.Task != nil && c.Task.Closed)
		}
	}
}
