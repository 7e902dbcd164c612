package bitrixtest

import (
	"fmt"
	"slices"
	"time"
)

// AddLead puts a lead in the portal as a person would and returns its id: no webhook request, no
// limits, no conversion. Zero fields get Bitrix24's defaults.
func (p *Portal) AddLead(e Entity) int { return p.seed(Lead, e) }

// AddDeal puts a deal in the portal; see AddLead.
func (p *Portal) AddDeal(e Entity) int { return p.seed(Deal, e) }

// AddContact puts a contact in the portal; see AddLead.
func (p *Portal) AddContact(e Entity) int { return p.seed(Contact, e) }

// AddCompany puts a company in the portal; see AddLead.
func (p *Portal) AddCompany(e Entity) int { return p.seed(Company, e) }

// Leads returns every lead by id.
func (p *Portal) Leads() []Entity { return p.look(Lead) }

// Deals returns every deal by id.
func (p *Portal) Deals() []Entity { return p.look(Deal) }

// Contacts returns every contact by id.
func (p *Portal) Contacts() []Entity { return p.look(Contact) }

// Companies returns every company by id.
func (p *Portal) Companies() []Entity { return p.look(Company) }

func (p *Portal) look(k Kind) []Entity {
	p.lock()
	defer p.mu.Unlock()
	out := []Entity{}
	for _, r := range byID(p.records[k]) {
		out = append(out, r.entity())
	}
	return out
}

func (p *Portal) seed(k Kind, e Entity) int {
	p.lock()
	defer p.mu.Unlock()
	id := e.ID
	if id == 0 {
		id = p.nextID(k.String())
	} else if p.records[k][id] != nil {
		panic(fmt.Sprintf("bitrixtest: %v %d exists already", k, id))
	}
	p.lastID[k.String()] = max(p.lastID[k.String()], id)
	r := newRecord(k, id)
	p.records[k][id] = r
	p.fill(r, e)
	p.defaults(r)
	p.settle(r, p.owner().ID, "")
	p.keepDates(r, e)
	p.remember(nil, Added, k.String(), id, r.external())
	return id
}

// Edit changes an object as a person would: f gets it and changes what it likes; stage, semantics and
// dates follow. Updated and LastActivity become now unless f sets them. f must not call the portal.
// Edit panics when there is no such object.
func (p *Portal) Edit(k Kind, id int, f func(*Entity)) {
	p.lock()
	defer p.mu.Unlock()
	r := p.records[k][id]
	if r == nil {
		panic(fmt.Sprintf("bitrixtest: there is no %v %d to edit", k, id))
	}
	before := r.entity()
	after := r.entity()
	f(&after)
	stage := r.str(stageField(k))
	p.fill(r, after)
	p.defaults(r)
	p.settle(r, p.owner().ID, stage)
	if after.Updated.Equal(before.Updated) {
		after.Updated = time.Time{}
	}
	if after.LastActivity.Equal(before.LastActivity) {
		after.LastActivity = time.Time{}
	}
	if after.ClosedAt.Equal(before.ClosedAt) {
		after.ClosedAt = time.Time{}
	}
	p.keepDates(r, after)
	p.remember(nil, Updated, k.String(), id, r.external())
}

// Delete removes an object as a person would; links to it are taken out. Deleting what is not there
// does nothing.
func (p *Portal) Delete(k Kind, id int) {
	p.lock()
	defer p.mu.Unlock()
	p.drop(nil, k, id)
}

// Merge moves what is linked to one object to another of the same kind, adds its phones there, and
// deletes it, as joining duplicates does.
func (p *Portal) Merge(k Kind, from, into int) {
	p.lock()
	defer p.mu.Unlock()
	source, target := p.records[k][from], p.records[k][into]
	if source == nil || target == nil {
		panic(fmt.Sprintf("bitrixtest: %v %d cannot be merged into %d", k, from, into))
	}
	for _, typ := range multiTypes {
		for _, m := range source.multi[typ] {
			if !slices.ContainsFunc(target.multi[typ], func(o multifield) bool { return o.value == m.value }) {
				target.multi[typ] = append(target.multi[typ], m)
			}
		}
	}
	for _, other := range []Kind{Lead, Deal, Contact} {
		for _, r := range p.records[other] {
			if k == Contact && slices.Contains(r.contacts, from) {
				moved := slices.Clone(r.contacts)
				moved[slices.Index(moved, from)] = into
				r.link(moved)
			}
			if k == Company && r.int("COMPANY_ID") == from {
				r.values["COMPANY_ID"] = into
			}
		}
	}
	p.settle(target, p.owner().ID, target.str(stageField(k)))
	p.remember(nil, Updated, k.String(), into, target.external())
	p.drop(nil, k, from)
}

func (p *Portal) drop(c *call, k Kind, id int) {
	gone := p.records[k][id]
	if gone == nil {
		return
	}
	delete(p.records[k], id)
	for _, other := range []Kind{Lead, Deal, Contact} {
		for _, r := range p.records[other] {
			if k == Contact && slices.Contains(r.contacts, id) {
				r.link(slices.DeleteFunc(slices.Clone(r.contacts), func(c int) bool { return c == id }))
			}
			if k == Company && r.int("COMPANY_ID") == id {
				delete(r.values, "COMPANY_ID")
			}
		}
	}
	p.remember(c, Deleted, k.String(), id, gone.external())
}
