package writer

import (
	"slices"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// This file asks the questions of several clients in the same words.

// together is how many clients' things are listed in one command: with more the page
// of fifty rows may be too short for what they have open.
const together = 20

// finding asks who has a number: of each of these kinds, or of all in one command,
// which may leave some out.
type finding struct {
	spellings []string
	kinds     []bitrix.Kind
	single    bool // not with numbers of others: the answer does not tell them apart
}

// listing asks for contacts and companies by id, and for open leads and deals that are
// these or belong to those.
type listing struct {
	contacts, companies, leads, deals []int
	single                            bool
}

func (l listing) commands(group string) (out []bitrix.Command) {
	if len(l.contacts) > 0 {
		out = append(out, bitrix.ListItems(bitrix.Contact, l.contacts).As(group+"contacts"))
	}
	if len(l.companies) > 0 {
		out = append(out, bitrix.ListItems(bitrix.Company, l.companies).As(group+"companies"))
	}
	if len(l.contacts)+len(l.companies)+len(l.leads) > 0 {
		out = append(out, bitrix.ListOpenLeads(bitrix.By{IDs: l.leads, ContactIDs: l.contacts, CompanyIDs: l.companies}).As(group+"leads"))
	}
	if len(l.contacts)+len(l.companies)+len(l.deals) > 0 {
		out = append(out, bitrix.ListOpenDeals(bitrix.By{IDs: l.deals, ContactIDs: l.contacts, CompanyIDs: l.companies}).As(group+"deals"))
	}
	return out
}

// with is the listing for both, or not ok where one page would be too short.
func (l listing) with(o listing) (both listing, ok bool) {
	both = listing{union(l.contacts, o.contacts), union(l.companies, o.companies), union(l.leads, o.leads), union(l.deals, o.deals), false}
	longest := max(len(both.contacts), len(both.companies), len(both.leads), len(both.deals))
	return both, longest <= bitrix.MaxBatch && !l.single && !o.single
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// question is a question of one unit, or of several in the same words.
type question struct {
	find  *finding
	list  *listing
	name  string
	units []*unit
}

func (q *question) commands() (out []bitrix.Command) {
	if q.list != nil {
		return q.list.commands(q.name)
	}
	if len(q.find.kinds) == 0 {
		return []bitrix.Command{bitrix.FindByPhone("", q.find.spellings).As(q.name + "any")}
	}
	for _, kind := range q.find.kinds {
		out = append(out, bitrix.FindByPhone(kind, q.find.spellings).As(q.name+kind.String()))
	}
	return out
}

// with is the question for one unit more, or nil where they can't be asked together.
func (q *question) with(u *unit) *question {
	more := &question{name: q.name, units: append(slices.Clone(q.units), u)}
	switch {
	case q.find != nil && u.find != nil:
		if q.find.single || u.find.single {
			return nil
		}
		more.find = &finding{spellings: union(q.find.spellings, u.find.spellings)}
		if len(more.find.spellings) > bitrix.MaxSpellings {
			return nil
		}
	case q.list != nil && u.list != nil && len(q.units) < together:
		both, ok := q.list.with(*u.list)
		if !ok {
			return nil
		}
		more.list = &both
	default:
		return nil
	}
	return more
}
