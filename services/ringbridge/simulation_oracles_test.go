package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/services/planner"
)

// What must be true of every history. Each oracle is a sentence, and says what it found
// instead. I4 is noticeRefusal and is asked at every request; that a client has one lead
// is noticeDouble and is asked at every making; I5 is endsEqual and is asked of two
// histories. Not asked here: I7, no secret and no number leaves the program (see
// TestNoSecretAppearsAnywhere); I9, one poisonous message holds up nobody else (see
// TestAnUnreadableMessageIsDroppedAndDoesNotStopTheOthers and
// TestALaneKeepsItsOrderAcrossErrorsWhileOthersGoOn); and the half of I11 that counts
// goroutines and files. Of I6 the half about a replay under other settings is the
// replay's own.
var oracles = []struct {
	name  string
	holds func(*world) string
}{
	{"I1: every report that was taken is read exactly once, and every finished call has an end", everyCallEnds},
	{"I2: nothing exists twice, or ever did", nothingWasMadeTwice},
	{"I3: what the sender brought again after a refusal is not lost", everyReportCounts},
	{"the portal holds what the last plan of every call says", thePortalHoldsThePlans},
	{"what the portal refused waits for a person, and nothing else does", whatWasRefusedIsParked},
	{"I8: a doubt ends within ten minutes of the last trouble", doubtsEnd},
	{"I10: all is quiet within fifteen minutes of the last trouble", itGetsQuiet},
	{"I11: nothing is left in memory", nothingIsHeld},
	{"I6: to be given everything once more changes nothing", doingItAgainChangesNothing},
}

// run lets the history happen and asks every oracle.
func (w *world) run() string {
	if problem := w.happens(); problem != "" {
		return problem
	}
	w.longestQuiet = w.now.Sub(w.trouble)
	for _, o := range oracles {
		if problem := o.holds(w); problem != "" {
			return o.name + "; but " + problem
		}
	}
	return ""
}

func everyCallEnds(w *world) string {
	for _, s := range []*stream{&w.received, &w.classified, &w.resolved, &w.plans} {
		for _, e := range s.entries {
			if !e.acked {
				return fmt.Sprintf("event %s of call %s is not settled", e.ID, e.call)
			}
		}
	}
	for id, facts := range w.facts {
		f := w.file(id)
		switch {
		case !facts.Final && f.ResolvedAs != nil:
			return fmt.Sprintf("call %s was decided before it was over", id)
		case facts.Final && (f.ResolvedAs == nil || f.Settled != f.ResolvedAs.ID):
			return fmt.Sprintf("call %s is not settled", id)
		}
	}
	return ""
}

func nothingWasMadeTwice(w *world) string {
	for id, n := range w.portal.ever {
		if n > 1 {
			return fmt.Sprintf("%s was made %d times", id, n)
		}
	}
	return ""
}

// noticeDouble watches for a second open lead of a client while it is being made: one
// client has one, however many calls he makes and however they overlap. A deal whose
// contact a person deleted belongs to nobody.
func (p *fakePortal) noticeDouble(t *thing) {
	contact := p.find(t.contact)
	if t.kind == "task" || contact != nil && contact.deleted {
		return
	}
	for _, other := range p.things {
		if other.kind == t.kind && !other.deleted && other.external != t.external &&
			(t.phone != "" && other.phone == t.phone || t.kind == "deal" && other.contact == t.contact) {
			p.world.broken(fmt.Sprintf("one client has one %s; but %d is made beside %d", t.kind, t.id, other.id))
		}
	}
}

// noticeRefusal is I4: the portal never has to refuse a request for its pace, unless
// another program uses the allowance or a slow disk or a pause bunches requests up.
func (w *world) noticeRefusal() {
	other := slices.ContainsFunc(w.script.troubles, func(i interval) bool { return i.trouble == otherClient })
	if !other && w.now.After(w.bunched) {
		w.broken("I4: no request is refused for its pace; but one was, and nobody else used the portal")
	}
}

func everyReportCounts(w *world) string {
	for _, a := range w.base {
		r, known := a.report, event.Fold(w.file(a.report.ID).Reports)
		if r.Recording != "" && known.Recording == "" || r.ClientName != "" && known.ClientName == "" || r.Traffic.Source != "" && known.Traffic.Source == "" {
			return fmt.Sprintf("call %s: of %+v only %+v is known", r.ID, *r, known)
		}
	}
	for id, want := range w.facts {
		if got := event.Fold(w.file(id).Reports); !event.Same(got, want) {
			return fmt.Sprintf("call %s: known %+v, reported %+v", id, got, want)
		}
		if f := w.file(id); want.Final && !event.Same(f.Resolved.Facts, want) {
			return fmt.Sprintf("call %s was decided without all that is known of it", id)
		}
	}
	return ""
}

func thePortalHoldsThePlans(w *world) string {
	by := map[string]*thing{}
	for _, t := range w.portal.things {
		by[t.external] = t
	}
	for _, id := range slices.Sorted(maps.Keys(w.files)) {
		f := w.file(id)
		if f.Resolved == nil {
			continue
		}
		commands, err := planner.Plan(f.ResolvedAs.ID, *f.Resolved, w.settings)
		if err != nil {
			return err.Error()
		}
		for _, c := range commands {
			e, tried := f.Journal[c.Role]
			switch {
			case c.Kind == event.KindNothing, c.Amends && !tried, e.State == callfile.Rejected:
				continue
			case e.State != callfile.Confirmed || by[c.ID] == nil:
				return fmt.Sprintf("call %s, rule %s: %s ends as %q, made %d times", id, c.Rule, c.Role, e.State, w.portal.ever[c.ID])
			}
			if problem := asPlanned(c, by[c.ID], w.anew[id]); problem != "" {
				return fmt.Sprintf("call %s, rule %s: %s %s", id, c.Rule, c.Role, problem)
			}
		}
		for role, e := range f.Journal {
			if e.State == callfile.Intent || e.State == callfile.InDoubt || e.State == callfile.Made {
				return fmt.Sprintf("call %s: %s is left as %s", id, role, e.State)
			}
		}
	}
	return ""
}

// asPlanned compares a thing with what it should be. What a person changed is his. A call
// that is tried again is decided on another ground, and then its task keeps its bindings
// and its deadline: an update adds no binding and takes no deadline away.
func asPlanned(c event.BitrixCommand, t *thing, anew bool) string {
	if t.touched {
		return ""
	}
	if c.Entity != nil {
		e := c.Entity
		if c.Kind == event.KindContact {
			return differs("name", t.title, e.Name) + differs("responsible", t.responsible, e.Responsible)
		}
		return differs("title", t.title, e.Title) + differs("comments", t.text, e.Comments) + differs("responsible", t.responsible, e.Responsible)
	}
	var due time.Time
	if c.Task.Deadline != nil {
		due = *c.Task.Deadline
	}
	problem := differs("title", t.title, c.Task.Title) + differs("description", t.text, strings.TrimSpace(c.Task.Description)) +
		differs("responsible", t.responsible, c.Task.Responsible) + differs("closed", t.closed, c.Task.Closed)
	if !anew && !c.Amends {
		problem += differs("deadline", t.deadline.Unix(), due.Unix()) + differs("number of bindings", len(t.links), len(c.Task.Links))
	}
	return problem
}

func differs[T comparable](field string, got, want T) string {
	if got == want {
		return ""
	}
	return fmt.Sprintf("has the %s %v, want %v. ", field, got, want)
}

func whatWasRefusedIsParked(w *world) string {
	for id, f := range w.files {
		rejected := false
		for role, e := range f.Journal {
			if e.State != callfile.Rejected || f.ResolvedAs == nil || e.Plan != f.ResolvedAs.ID {
				continue
			}
			rejected = true
			if !w.portal.refused[e.Command] && e.Reason != "dependency" {
				return fmt.Sprintf("call %s: %s counts as refused (%s), and the portal never did", id, role, e.Reason)
			}
		}
		if rejected && !w.parked[id] {
			return fmt.Sprintf("call %s is not parked", id)
		}
		if w.parked[id] && len(w.portal.refused) == 0 {
			return fmt.Sprintf("call %s is parked, and the portal refused nothing", id)
		}
	}
	return ""
}

func doubtsEnd(w *world) string {
	if len(w.doubts) > 0 {
		return fmt.Sprintf("%v are still in doubt", w.doubts)
	}
	if w.longestDoubt > 10*time.Minute {
		return fmt.Sprintf("one took %v", w.longestDoubt)
	}
	return ""
}

func itGetsQuiet(w *world) string {
	if w.longestQuiet > 15*time.Minute {
		return fmt.Sprintf("it took %v", w.longestQuiet)
	}
	return ""
}

func nothingIsHeld(w *world) string {
	g := &w.gateway
	if g.inFlight != 0 || len(g.queue) != 0 || len(w.lanes) != 0 || len(w.queues) != 0 || len(w.waiters) != 0 {
		return fmt.Sprintf("%d requests are out, %d wait, %d lanes, %d calls and %d waiters are held", g.inFlight, len(g.queue), len(w.lanes), len(w.queues), len(w.waiters))
	}
	return ""
}

// doingItAgainChangesNothing forgets every acknowledgement, as a broker that was
// restored does, and starts once more.
func doingItAgainChangesNothing(w *world) string {
	if w.dice.IntN(2) != 0 {
		return ""
	}
	writes := w.portal.writes
	w.script.faults, w.script.deaths, w.script.lostAcks, w.script.troubles = 0, 0, false, nil
	w.forget(time.Time{})
	w.life++
	w.start()
	if problem := w.happens(); problem != "" {
		return problem
	}
	if n := w.portal.writes - writes; n > 0 {
		return fmt.Sprintf("it wrote %d times", n)
	}
	return everyCallEnds(w)
}

// endsEqual is I5: the same reports in another order, repeated, and whatever goes wrong
// on the way, end in an equal portal. A call that was ignored and is decided anew asks the
// CRM at another moment, so then they may not.
func endsEqual(a, b *world) string {
	if a.again || b.again {
		return ""
	}
	x, y := a.portal.summary(), b.portal.summary()
	for id, want := range y {
		if got := x[id]; got != want {
			return fmt.Sprintf("I5: the same reports end in an equal portal; but %s is\n%s, and on a calm day\n%s", id, cmpOr(got, "not there"), want)
		}
	}
	for id, got := range x {
		if y[id] == "" {
			return fmt.Sprintf("I5: the same reports end in an equal portal; but there is %s:\n%s", id, got)
		}
	}
	return ""
}

// summary is what a portal holds, without its own ids and times.
func (p *fakePortal) summary() map[string]string {
	out := map[string]string{}
	for i, t := range p.things {
		contact := ""
		if c := p.find(t.contact); c != nil {
			contact = cmpOr(c.external, fmt.Sprint(c.id))
		}
		out[cmpOr(t.external, fmt.Sprint("known before ", i))] = fmt.Sprintf("%s %q %q %s user %d, contact %q, bound to %q, due %v, closed %v",
			t.kind, t.title, t.text, t.phone, t.responsible, contact, t.links, t.deadline.UTC(), t.closed)
	}
	return out
}
