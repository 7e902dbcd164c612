package replay

import (
	"slices"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// world is what the plan so far makes of the CRM: calls are decided in their order, and
// each sees what the plan does for those before it.
type world struct {
	// moved are things that get another responsible, or got one since they were made.
	moved map[event.Ref]move
	// made are things that the plan makes, by client.
	made map[string][]making
	// pending counts placeholders for their ids, downwards from unmade.
	pending int
}

// move is from whom, by what was ever written, and to whom.
type move struct {
	was []int
	now int
}

type making struct {
	need
	item crm.Item
}

func key(kind string, id int) event.Ref { return event.Ref{Kind: kind, ID: id} }

// adjust shows an answer of then what the plan does: things are on those who should have
// had them, and what an earlier call should have made is there. It says whether that
// made a difference.
func (w *world) adjust(found *crm.Found, v *verdict, mayBelong bool) (touched bool) {
	for _, list := range []*[]crm.Item{&found.Open, &found.Contacts, &found.Companies} {
		for i, item := range *list {
			if m, ok := w.moved[key(item.Kind, item.ID)]; ok && item.Responsible != m.now && slices.Contains(m.was, item.Responsible) {
				*list = slices.Clone(*list)
				(*list)[i].Responsible, touched = m.now, true
			}
		}
	}
	if !mayBelong || len(found.Open) > 0 {
		return touched
	}
	for _, m := range w.made[v.Lane] {
		v.Needs[m.item.ID] = m.need
		list := &found.Open
		if m.item.Kind == string(event.KindContact) {
			list = &found.Contacts
		}
		*list, touched = append(slices.Clone(*list), m.item), true
	}
	return touched
}

// note remembers what a verdict changes for the calls that follow.
func (w *world) note(v *verdict, commands []event.BitrixCommand, journal map[string]callfile.Entry) {
	if w.moved == nil {
		w.moved, w.made, w.pending = map[event.Ref]move{}, map[string][]making{}, unmade
	}
	contact := 0
	for _, c := range commands {
		if c.Entity == nil || c.Unwanted {
			continue
		}
		e := journal[c.Role]
		if e.BitrixID != 0 {
			if e.Entity != nil && (e.Entity.Responsible != c.Entity.Responsible || len(e.Former) > 0) {
				w.moved[key(string(c.Kind), e.BitrixID)] = move{append(slices.Clone(e.Former), e.Entity.Responsible), c.Entity.Responsible}
			}
			continue
		}
		if e.State == callfile.Rejected || v.phone == "" {
			continue
		}
		w.pending--
		item := crm.Item{Ref: event.Ref{Kind: string(c.Kind), ID: w.pending, Title: titleOf(c.Entity, nil), Responsible: c.Entity.Responsible}, Active: v.Ground.Facts.End()}
		if c.Kind == event.KindContact {
			contact = item.ID
		} else {
			item.Contact = contact
		}
		w.made[v.Lane] = append(w.made[v.Lane], making{need{v.Call, c.Role}, item})
	}
}

// fill puts the ids of what was made meanwhile into a ground.
func fill(r *event.CallResolved, ids map[int]int) {
	for _, ref := range []*event.Ref{r.Client.Open, r.Client.Contact, r.Client.Company} {
		if ref != nil && ids[ref.ID] != 0 {
			ref.ID = ids[ref.ID]
		}
	}
	for i, o := range r.Client.Others {
		if ids[o.ID] != 0 {
			r.Client.Others[i].ID = ids[o.ID]
		}
	}
	if r.Found == nil {
		return
	}
	for _, list := range [][]event.Item{r.Found.Open, r.Found.Contacts, r.Found.Companies} {
		for i := range list {
			for _, id := range []*int{&list[i].ID, &list[i].Contact, &list[i].Company} {
				if ids[*id] != 0 {
					*id = ids[*id]
				}
			}
		}
	}
}
