package resolver

import (
	"cmp"
	"context"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// Choose says which of the things found a call belongs to. Of several open ones: the
// one whose responsible is on the call, then a deal before a lead, then the most
// recently active, then the lowest id. The same holds for contacts and companies, a
// contact before a company. The others are named in the task, so that a person can
// see that there was a choice. known is false when the number is hidden.
func Choose(found crm.Found, known bool, onTheCall int) event.Client {
	if !known {
		return event.Client{State: "anonymous"}
	}
	by := func(a, b crm.Item) int { return better(a, b, onTheCall) }
	open := slices.SortedFunc(slices.Values(found.Open), by)
	contacts := slices.SortedFunc(slices.Values(found.Contacts), by)
	companies := slices.SortedFunc(slices.Values(found.Companies), by)

	c := event.Client{State: "new"}
	if len(companies) > 0 {
		c.State, c.Company, c.Owner = "contact", &companies[0].Ref, companies[0].Responsible
	}
	if len(contacts) > 0 {
		c.State, c.Contact, c.Owner = "contact", &contacts[0].Ref, contacts[0].Responsible
	}
	if len(open) > 0 {
		chosen := open[0]
		c.State, c.Open, c.Owner = "open", &chosen.Ref, chosen.Responsible
		c.Contact, c.Company = linked(c.Contact, contacts, chosen.Contact, "contact"), linked(c.Company, companies, chosen.Company, "company")
		if len(open) > 1 {
			c.ChosenBecause = reason(open[0], open[1], onTheCall)
		}
	}
	c.Others = others(c, open, contacts, companies)
	return c
}

// linked is the contact or company of the chosen entity, where it has one.
func linked(found *event.Ref, all []crm.Item, id int, kind string) *event.Ref {
	if id == 0 {
		return found
	}
	for _, item := range all {
		if item.ID == id {
			return &item.Ref
		}
	}
	return &event.Ref{Kind: kind, ID: id}
}

func better(a, b crm.Item, onTheCall int) int {
	return cmp.Or(
		yesFirst(onTheCall != 0 && a.Responsible == onTheCall, onTheCall != 0 && b.Responsible == onTheCall),
		yesFirst(a.Kind == "deal", b.Kind == "deal"),
		b.Active.Compare(a.Active),
		cmp.Compare(a.ID, b.ID),
	)
}

func reason(a, b crm.Item, onTheCall int) string {
	switch {
	case a.Responsible == onTheCall && b.Responsible != onTheCall:
		return "responsible_on_call"
	case a.Kind == "deal" && b.Kind != "deal":
		return "deal_before_lead"
	case !a.Active.Equal(b.Active):
		return "most_recently_active"
	}
	return "lowest_id"
}

func others(c event.Client, lists ...[]crm.Item) []event.Ref {
	var out []event.Ref
	for _, list := range lists {
		for _, item := range list {
			if !is(c.Open, item) && !is(c.Contact, item) && !is(c.Company, item) {
				out = append(out, item.Ref)
			}
		}
	}
	return out
}

func is(r *event.Ref, item crm.Item) bool { return r != nil && r.Kind == item.Kind && r.ID == item.ID }

func yesFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// answererOf says who was on the call, seen from the client's responsible.
func answererOf(c event.Call, owner int) string {
	switch {
	case c.Direction == event.Inbound && c.Outcome != event.Answered:
		return "nobody"
	case c.Employee == nil:
		return "unmapped"
	case owner != 0 && c.Employee.BitrixUser == owner:
		return "owner"
	}
	return "employee"
}

func userOf(e *event.Employee) int {
	if e == nil {
		return 0
	}
	return e.BitrixUser
}

// people picks the users that a decision about this call may name.
func people(found crm.Found, r event.CallResolved, c event.Call, s service.Revision) map[int]event.Person {
	if found.People == nil {
		return nil
	}
	out := map[int]event.Person{}
	for _, id := range []int{s.Senior, r.Client.Owner, userOf(c.Employee), r.Turn} {
		if id != 0 {
			out[id] = found.People[id]
		}
	}
	return out
}

// turn gives missed calls of new clients to the employees in turn, where the settings
// say so. It is asked once a call and remembered with the answer of the CRM.
func (r resolver) turn(ctx context.Context, s service.Revision, c event.Call, client event.Client, known map[int]event.Person) (int, error) {
	if s.Scenarios.MissedNewClient != "distribute" || client.State != "new" || c.Direction != event.Inbound || c.Outcome == event.Answered {
		return 0, nil
	}
	var takers []int
	for _, e := range s.Employees {
		if e.TakesMissed && (known == nil || known[e.BitrixUser].Active) && !slices.Contains(takers, e.BitrixUser) {
			takers = append(takers, e.BitrixUser)
		}
	}
	if len(takers) == 0 {
		return 0, nil
	}
	next, err := bus.Change(ctx, r.turns, s.ID, func(n *int) (bool, error) { *n++; return true, nil })
	if err != nil {
		return 0, err
	}
	return takers[(next-1)%len(takers)], nil
}
