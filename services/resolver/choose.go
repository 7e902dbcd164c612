package resolver

import (
	"cmp"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
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
	open, contacts, companies := slices.Clone(found.Open), slices.Clone(found.Contacts), slices.Clone(found.Companies)
	slices.SortFunc(open, by)
	slices.SortFunc(contacts, by)
	slices.SortFunc(companies, by)

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
