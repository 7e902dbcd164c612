package replay

import (
	"maps"
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
	// undone are things that the plan takes away from a client, or an earlier plan took.
	undone map[event.Ref]bool
	// made are things that the plan makes, or that stand in for what is undone, by client.
	made map[string][]making
	// joined are contacts that a call makes for what it made before, by that.
	joined map[event.Ref]making
	// pending counts placeholders for their ids, downwards from unmade.
	pending int
	// rested are what calls were decided on, and missed what they did without.
	rested, missed map[event.Ref]bool
	hindsight
}

// hindsight is what a pass over the calls shows too late for some of them: what a later
// call does without from now on, and what can't be undone because a person works on it.
type hindsight struct{ undoes, stays map[event.Ref]bool }

// newWorld begins a pass that knows what the one before it learned too late.
func newWorld(h hindsight) world {
	w := world{
		moved: map[event.Ref]move{}, undone: map[event.Ref]bool{}, made: map[string][]making{},
		joined: map[event.Ref]making{}, pending: unmade,
		rested: map[event.Ref]bool{}, missed: map[event.Ref]bool{},
		hindsight: hindsight{map[event.Ref]bool{}, map[event.Ref]bool{}},
	}
	maps.Copy(w.undoes, h.undoes)
	maps.Copy(w.stays, h.stays)
	for r := range h.undoes {
		w.undone[r] = !h.stays[r]
	}
	return w
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
// had them, what is undone is not there, and who gets a contact has it. It says whether
// that made a difference.
func (w *world) adjust(found *crm.Found, v *verdict) (touched bool) {
	gone := func(kind string, id int) bool {
		r := key(kind, id)
		if w.undone[r] {
			w.missed[r] = true
		}
		return w.undone[r]
	}
	for _, list := range []*[]crm.Item{&found.Open, &found.Contacts, &found.Companies} {
		*list = slices.Clone(*list)
		had := len(*list)
		*list = slices.DeleteFunc(*list, func(i crm.Item) bool { return gone(i.Kind, i.ID) })
		touched = touched || len(*list) < had
		for i := range *list {
			item := &(*list)[i]
			if m, ok := w.moved[key(item.Kind, item.ID)]; ok && item.Responsible != m.now && slices.Contains(m.was, item.Responsible) {
				item.Responsible, touched = m.now, true
			}
			if item.Contact != 0 && gone(string(event.KindContact), item.Contact) {
				item.Contact, touched = 0, true
			}
		}
	}
	for i, item := range found.Open {
		if m, ok := w.joined[key(item.Kind, item.ID)]; ok && item.Contact == 0 {
			found.Open[i].Contact, touched = m.item.ID, true
			m.show(&found.Contacts, v)
		}
	}
	return touched
}

// show adds a thing to a list that it is not in.
func (m making) show(list *[]crm.Item, v *verdict) (added bool) {
	if slices.ContainsFunc(*list, func(i crm.Item) bool { return i.Kind == m.item.Kind && i.ID == m.item.ID }) {
		return false
	}
	if m.item.ID < 0 {
		v.Needs[m.item.ID] = m.need
	}
	*list = append(slices.Clone(*list), m.item)
	return true
}

// offer shows a client without anything open what an earlier call of his should have made,
// and says whether there is such a thing.
func (w *world) offer(found *crm.Found, v *verdict) (touched bool) {
	if len(found.Open) > 0 {
		return false
	}
	for _, m := range w.made[v.Lane] {
		list := &found.Open
		if m.item.Kind == string(event.KindContact) {
			list = &found.Contacts
		}
		touched = m.show(list, v) || touched
	}
	return touched
}

// note remembers what a verdict changes for the calls that follow.
func (w *world) note(v *verdict, commands []event.BitrixCommand, f callfile.File) {
	for _, r := range []*event.Ref{v.Ground.Client.Open, v.Ground.Client.Contact} {
		if r != nil {
			w.rested[key(r.Kind, r.ID)] = true
		}
	}
	replaces := w.undo(commands, f)
	var contact making
	for _, c := range commands {
		if c.Entity == nil || c.Unwanted {
			continue
		}
		e := f.Journal[c.Role]
		if e.BitrixID != 0 && e.Entity != nil && (e.Entity.Responsible != c.Entity.Responsible || len(e.Former) > 0) {
			w.moved[key(string(c.Kind), e.BitrixID)] = move{append(slices.Clone(e.Former), e.Entity.Responsible), c.Entity.Responsible}
		}
		id := e.BitrixID
		switch {
		case v.phone == "" || id == 0 && e.State == callfile.Rejected:
			continue
		case id == 0:
			w.pending--
			id = w.pending
		case !replaces && wantedBefore(f, c.Role, e):
			if contact.item.ID != 0 {
				w.joined[key(string(c.Kind), id)] = contact
			}
			continue // later calls found it, if they belong to it
		}
		item := crm.Item{Ref: event.Ref{Kind: string(c.Kind), ID: id, Title: titleOf(c.Entity, nil), Responsible: c.Entity.Responsible}, Active: v.Ground.Facts.End()}
		item.Contact = contact.item.ID
		m := making{need{v.Call, c.Role}, item}
		if c.Kind == event.KindContact {
			contact = m
		}
		w.made[v.Lane] = append(w.made[v.Lane], m)
	}
}

// undo notes what a call made and does without from now on, and says whether there is
// any. What an earlier decision left behind is the client's like anything else.
func (w *world) undo(commands []event.BitrixCommand, f callfile.File) (any bool) {
	for role, e := range f.Journal {
		r := key(string(e.Kind), e.BitrixID)
		switch {
		case e.BitrixID == 0 || e.Entity == nil:
		case slices.ContainsFunc(commands, func(c event.BitrixCommand) bool { return c.Role == role && !c.Unwanted }):
			delete(w.undone, r)
		case !w.stays[r] && (wantedBefore(f, role, e) || markedUndone(e)):
			w.undone[r], w.undoes[r], any = true, true, true
		}
	}
	return any
}

// stay notes a thing that should be undone and that a person works on.
func (w *world) stay(r event.Ref) { w.stays[r] = true }

// late says whether the pass learned something that would have mattered to a call it had
// decided by then.
func (w *world) late(before hindsight) bool {
	for r := range w.undoes {
		if w.rested[r] && !before.undoes[r] && !w.stays[r] {
			return true
		}
	}
	for r := range w.stays {
		if w.missed[r] && !before.stays[r] {
			return true
		}
	}
	return false
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
