package main

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// fakePortal is a portal as far as the commands of these histories go.
type fakePortal struct {
	world   *world
	things  []*thing
	ever    map[string]int  // by external id, whether it still exists or not
	refused map[string]bool // external ids that it refused for good
	writes  int
	// Its counter of requests.
	level   float64
	counted time.Time
}

// thing is a lead, deal, contact or task.
type thing struct {
	id                 int
	kind, external     string
	phone, title, text string
	responsible        int
	contact            int
	links              []string
	deadline           time.Time
	created, visible   time.Time
	closed, deleted    bool
	touched            bool // a person changed it
}

func (p *fakePortal) find(id int) *thing {
	if id < 1 || id > len(p.things) {
		return nil
	}
	return p.things[id-1]
}

func (p *fakePortal) shows(t *thing) bool { return !t.deleted && !p.world.now.Before(t.visible) }

// byPhone is what a search by number shows now.
func (p *fakePortal) byPhone(phone string) (ids []int) {
	for _, t := range p.things {
		if t.phone == phone && (t.kind == "lead" || t.kind == "contact") && p.shows(t) {
			ids = append(ids, t.id)
		}
	}
	return ids
}

// details is what a list shows of these, and of the deals of these contacts.
func (p *fakePortal) details(ids []int) (f found) {
	for _, t := range p.things {
		if !p.shows(t) || t.kind == "task" || !slices.Contains(ids, t.id) && (t.kind != "deal" || !slices.Contains(ids, t.contact)) {
			continue
		}
		item := crm.Item{Ref: event.Ref{Kind: t.kind, ID: t.id, Title: t.title, Responsible: t.responsible}, Contact: t.contact, Active: t.created}
		if t.kind == "contact" {
			f.Contacts = append(f.Contacts, item)
		} else {
			f.Open = append(f.Open, item)
		}
	}
	return f
}

// count counts a request and says whether the portal refuses it for its pace.
func (p *fakePortal) count() (refused bool) {
	w, kind := p.world, p.world.script.portal
	now := w.now
	if kind.leakBySecond {
		now = now.Truncate(time.Second)
	}
	rate := kind.perSecond
	if _, other := w.during(otherClient, w.now); other {
		rate = -3 // it takes more than leaks
	}
	p.level = min(max(0, p.level-rate*now.Sub(p.counted).Seconds()), float64(kind.burst))
	p.counted = now
	if p.level+1 > float64(kind.burst) {
		return true
	}
	p.level++
	return false
}

// carriedOut is a batch that is being carried out, perhaps in parts.
type carriedOut struct {
	portal  *fakePortal
	unit    *unit
	answer  bitrix.BatchAnswer
	results map[string]int
	stopped bool
	// failAt is the place of the command that fails with failure, -1 for none; with
	// effect it is carried out all the same.
	failAt  int
	failure *bitrix.Error
	effect  bool
}

func (p *fakePortal) begin(u *unit) *carriedOut {
	return &carriedOut{portal: p, unit: u, results: map[string]int{}, failAt: -1}
}

// run carries out the commands up to a place.
func (x *carriedOut) run(to int) {
	if x.unit.look != nil {
		x.unit.look()
		return
	}
	for i := len(x.answer.Outcomes); i < min(to, len(x.unit.batch)); i++ {
		c := x.unit.batch[i]
		o := bitrix.Outcome{Key: c.Key}
		switch {
		case x.stopped:
			o.NotRun, o.Error = true, &bitrix.Error{Class: bitrix.NotRun, Reason: bitrix.ReasonHalted}
		case i == x.failAt:
			if x.effect {
				x.portal.command(c, x.results)
			}
			if x.failure.Class == bitrix.Refused {
				x.portal.refused[x.about(c)] = true
			}
			o.Error, x.stopped = x.failure, x.unit.halt
		default:
			o.Result, o.Error = x.portal.command(c, x.results)
			x.stopped = x.unit.halt && o.Error != nil
		}
		x.answer.Outcomes = append(x.answer.Outcomes, o)
	}
}

// about is the external id of what a command makes or changes.
func (x *carriedOut) about(c bitrix.Command) string {
	fields, _ := get(c.Params, "fields").(bitrix.Params)
	for _, name := range []string{"id", "taskId"} {
		if t := x.portal.find(idNumber(get(c.Params, name), x.results)); t != nil {
			return t.external
		}
	}
	return text(get(fields, "originId")) + text(get(fields, "XML_ID"))
}

var (
	notThere   = &bitrix.Error{Class: bitrix.Refused, Reason: bitrix.ReasonNotFound}
	notAllowed = &bitrix.Error{Class: bitrix.Refused, Reason: bitrix.ReasonAccess}
)

// command carries out one command.
func (p *fakePortal) command(c bitrix.Command, results map[string]int) (json.RawMessage, *bitrix.Error) {
	w := p.world
	if i, blocked := w.during(budgetSpent, w.now); blocked && i.method == c.Method {
		e := &bitrix.Error{Class: bitrix.Wait, Reason: bitrix.ReasonMethodBudget}
		if w.script.portal.operatingTold {
			e.RetryAt = w.begun.Add(i.to)
		}
		return nil, e
	}
	switch c.Method {
	case "crm.item.add", "tasks.task.add":
		return p.add(c, results)
	case "crm.item.update":
		t := p.find(idNumber(get(c.Params, "id"), results))
		if t == nil || t.deleted {
			return nil, notThere
		}
		p.write(t, c)
		return raw(`{"item":{"id":`, t.id, `}}`), nil
	case "tasks.task.complete", "tasks.task.update", "tasks.task.get":
		return p.task(c, p.find(idNumber(get(c.Params, "taskId"), results)))
	case "crm.item.list", "tasks.task.list":
		return p.search(c), nil
	}
	panic("the simulated portal does not know " + c.Method)
}

func (p *fakePortal) task(c bitrix.Command, t *thing) (json.RawMessage, *bitrix.Error) {
	there := t != nil && !t.deleted && t.kind == "task"
	switch {
	case c.Method == "tasks.task.get" && !there:
		return json.RawMessage(`[]`), nil
	case !there:
		return nil, notAllowed // the portal's answer for a task that is gone, too
	case c.Method == "tasks.task.complete":
		p.writes++
		if t.closed {
			return nil, notAllowed
		}
		t.closed = true
	case c.Method == "tasks.task.update":
		p.write(t, c)
	}
	return raw(`{"task":{"id":"`, t.id, `","status":"`+status(t)+`"}}`), nil
}

func (p *fakePortal) add(c bitrix.Command, results map[string]int) (json.RawMessage, *bitrix.Error) {
	w := p.world
	fields, _ := get(c.Params, "fields").(bitrix.Params)
	t := &thing{id: len(p.things) + 1, created: w.now, visible: w.now.Add(w.upTo(blindness)), kind: "task"}
	if c.Method == "crm.item.add" {
		t.kind = map[int]string{1: "lead", 2: "deal", 3: "contact"}[idNumber(get(c.Params, "entityTypeId"), nil)]
		t.external = text(get(fields, "originId"))
		t.contact = idNumber(get(fields, "contactId"), results)
		if fm, ok := get(fields, "fm").([]bitrix.Params); ok {
			t.phone = text(get(fm[0], "value"))
		}
	} else {
		t.external = text(get(fields, "XML_ID"))
		t.links = p.bindings(fields, results)
	}
	p.noticeDouble(t)
	p.things = append(p.things, t)
	p.ever[t.external]++
	w.tell("the portal makes %s %d %.8s for %s, to be seen at %v", t.kind, t.id, t.external, t.phone, t.visible.Sub(w.begun))
	results[c.Key] = t.id
	p.write(t, c)
	if t.kind == "task" {
		return raw(`{"task":{"id":"`, t.id, `"}}`), nil
	}
	return raw(`{"item":{"id":`, t.id, `}}`), nil
}

// person lets somebody delete or close something, or change its title: something that
// this program knows to be there, for nobody can tell a deleted thing from one that a
// lost request never made.
func (p *fakePortal) person() {
	w := p.world
	known := map[string]bool{"": true}
	for _, f := range w.files {
		for _, e := range f.Journal {
			known[e.Command] = e.State == callfile.Confirmed || e.State == callfile.Made
		}
	}
	var choice []*thing
	for _, t := range p.things {
		if known[t.external] && !t.deleted {
			choice = append(choice, t)
		}
	}
	if len(choice) == 0 {
		return
	}
	t := choice[w.dice.IntN(len(choice))]
	t.touched = true
	w.tally.people++
	w.troubleUntil(w.now)
	w.tell("a person deletes, closes or changes %s %d %.8s", t.kind, t.id, t.external)
	switch {
	case w.dice.IntN(2) == 0:
		t.deleted = true
	case t.kind == "task":
		t.closed = true
	default:
		t.title = "Chairs for the office"
	}
}
