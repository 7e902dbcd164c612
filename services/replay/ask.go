package replay

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/phone"
)

// This file finds what the CRM said when a call was decided, or asks it again.

// found is what the CRM said when the call was decided; recorded is false where that was
// never asked, or of another number, or a person wants it asked again.
func (p *planning) found(ctx context.Context, f callfile.File, then event.Call) (found crm.Found, recorded bool, err error) {
	old := f.Resolved
	if old != nil {
		asked := old.Facts
		if old.First != nil {
			asked = old.First.Facts
		}
		skipped := asked.Direction == event.Internal && then.Direction != event.Internal
		if !p.request.Fresh && asked.Client == then.Client && !skipped {
			return recordedAnswer(*old), true, nil
		}
	}
	found, err = p.ask(ctx, then.Client)
	for _, list := range []*[]crm.Item{&found.Open, &found.Contacts, &found.Companies} {
		*list = slices.DeleteFunc(*list, func(i crm.Item) bool { return madeBy(f.Journal, i.Ref) })
	}
	return found, false, err
}

func madeBy(journal map[string]callfile.Entry, r event.Ref) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(journal)), func(e callfile.Entry) bool {
		return string(e.Kind) == r.Kind && e.BitrixID == r.ID
	})
}

// recordedAnswer is the answer of then. Decisions of versions that kept only what they
// chose are made up from that.
func recordedAnswer(r event.CallResolved) crm.Found {
	found := crm.Found{People: r.People, WithoutLeads: r.WithoutLeads}
	if r.Found != nil {
		found.Open, found.Contacts, found.Companies = slices.Clone(r.Found.Open), slices.Clone(r.Found.Contacts), slices.Clone(r.Found.Companies)
		return found
	}
	c := r.Client
	var contact, company int
	if c.Contact != nil {
		found.Contacts, contact = append(found.Contacts, crm.Item{Ref: *c.Contact, Active: chosen}), c.Contact.ID
	}
	if c.Company != nil {
		found.Companies, company = append(found.Companies, crm.Item{Ref: *c.Company, Active: chosen}), c.Company.ID
	}
	if c.Open != nil {
		found.Open = append(found.Open, crm.Item{Ref: *c.Open, Contact: contact, Company: company, Active: chosen})
	}
	for _, o := range c.Others {
		switch o.Kind {
		case "contact":
			found.Contacts = append(found.Contacts, crm.Item{Ref: o})
		case "company":
			found.Companies = append(found.Companies, crm.Item{Ref: o})
		default:
			found.Open = append(found.Open, crm.Item{Ref: o})
		}
	}
	return found
}

// chosen marks what was chosen as the most recently active.
var chosen = time.Unix(1, 0).UTC()

// ask asks the CRM today, behind live calls.
func (p *planning) ask(ctx context.Context, client string) (crm.Found, error) {
	q := crm.Lookup{Since: p.Now(), Replay: true}
	if client != "" {
		q.Spellings = phone.Number(client).Spellings(p.settings.Country)
		if p.settings.Scenarios.PhoneMatch == "exact" {
			q.Spellings = []string{client}
		}
	}
	found, err := askPortal[crm.Lookup, crm.Found](ctx, p.replayer, crm.LookupSubject(p.settings.ID), q)
	if err == nil && found.Refused != "" {
		err = fmt.Errorf("the portal refuses: %s", found.Refused)
	}
	return found, err
}

// patience is how long a plan waits for a portal before it gives up.
const patience = 10 * time.Minute

// askPortal asks the writer until it answers.
func askPortal[Q, A any](ctx context.Context, r *replayer, subject string, q Q) (A, error) {
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	for {
		once, over := context.WithTimeout(ctx, time.Minute)
		a, err := bus.Ask[Q, A](once, r.Bus, subject, q)
		over()
		if err == nil {
			return a, nil
		}
		select {
		case <-ctx.Done():
			return a, fmt.Errorf("the portal could not be asked: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// person finds a user of whom nothing was recorded. One who can't be looked up is taken
// for active: the settings name him.
func (p *planning) person(ctx context.Context, id int) event.Person {
	everybody := p.everybody(ctx, nil)
	if person, ok := everybody[id]; ok || everybody != nil {
		return person
	}
	return event.Person{Active: true}
}

// everybody are the portal's users, beside those known.
func (p *planning) everybody(ctx context.Context, known map[int]event.Person) map[int]event.Person {
	if !p.asked {
		p.asked = true
		found, err := p.ask(ctx, "")
		if err != nil {
			p.Log.Warn("the portal's users could not be read for a replay: " + err.Error())
		}
		p.people = found.People
	}
	if known == nil {
		return p.people
	}
	all := maps.Clone(known)
	for id, person := range p.people {
		all[id] = cmp.Or(all[id], person)
	}
	return all
}

// madeLater is an open lead or deal that a later call of the same client made: making
// another one for this call would be a duplicate.
func (p *planning) madeLater(ctx context.Context, in input, call event.Call) (*crm.Item, error) {
	if call.Client == "" {
		return nil, nil
	}
	ids, err := p.archive.later(ctx, call.Client, in.reports[0].seq)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		file, err := p.Files.Get(ctx, p.settings.ID, id)
		if err != nil {
			return nil, err
		}
		for _, role := range []string{"deal", "lead"} {
			e := file.Journal[role]
			if e.BitrixID != 0 && e.Entity != nil && wantedBefore(file, role, e) && !p.world.undone[key(role, e.BitrixID)] {
				return &crm.Item{Ref: event.Ref{Kind: role, ID: e.BitrixID, Title: e.Entity.Title, Responsible: e.Entity.Responsible}, Active: call.End()}, nil
			}
		}
	}
	return nil, nil
}
