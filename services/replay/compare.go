package replay

import (
	"maps"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// This file finds what differs between what should be true and what was written.

// draft is what is known of a thing before anybody looked what people changed.
type draft struct {
	role    string
	kind    event.Kind
	what    string // create, update, compensate or same
	entry   callfile.Entry
	title   string
	changes []replayplan.Change
	stays   []replayplan.Reason // what is left as it is
}

// looks says whether the portal has to be read before this is known for sure.
func (d draft) looks() bool { return d.what == replayplan.Update || d.what == replayplan.Compensate }

// made and pending stand for ids of what is not there yet: what this call makes, and
// below that what an earlier call of the same client makes.
const unmade = -1

// idsOf finds what links lead to in a call's journal; what is still to be made has the id
// unmade, what never will be 0.
func idsOf(journal map[string]callfile.Entry, commands []event.BitrixCommand) func(event.Link) int {
	return func(l event.Link) int {
		if l.ID != 0 {
			return l.ID
		}
		for _, e := range journal {
			if e.Command == l.Command && e.BitrixID != 0 {
				return e.BitrixID
			}
		}
		if slices.ContainsFunc(commands, func(c event.BitrixCommand) bool { return c.ID == l.Command }) {
			return unmade
		}
		return 0
	}
}

// compare drafts a row for each thing that is wanted or was wanted.
func compare(commands []event.BitrixCommand, file callfile.File) (out []draft) {
	wanted := map[string]bool{}
	creates := false
	for _, c := range commands {
		if c.Kind == event.KindNothing {
			continue
		}
		wanted[c.Role] = true
		d := want(c, commands, file.Journal)
		creates = creates || d.what == replayplan.Create
		out = append(out, d)
	}
	for i, d := range out {
		// What the portal refused for the sake of something else comes with that.
		if e := file.Journal[d.role]; creates && e.State == callfile.Rejected && e.Entity == nil && e.Task == nil {
			out[i].what = replayplan.Create
		}
	}
	for _, role := range slices.Sorted(maps.Keys(file.Journal)) {
		e := file.Journal[role]
		if wanted[role] || e.BitrixID == 0 || e.State != callfile.Confirmed && e.State != callfile.Made {
			continue
		}
		d := draft{role: role, kind: e.Kind, what: replayplan.Same, entry: e, title: titleOf(e.Entity, e.Task)}
		if wantedBefore(file, role, e) {
			d.what = replayplan.Compensate
		}
		out = append(out, d)
	}
	return out
}

// wantedBefore says whether the decision in force wants a thing: what earlier ones left
// behind stays where it is.
func wantedBefore(file callfile.File, role string, e callfile.Entry) bool {
	if file.Wanted != nil {
		return slices.Contains(file.Wanted, role)
	}
	// A file of a version that did not note it.
	first := file.Resolved != nil && (file.Resolved.Decision <= 1 || file.Resolved.Amends)
	return first || file.ResolvedAs != nil && e.Plan == file.ResolvedAs.ID
}

func want(c event.BitrixCommand, commands []event.BitrixCommand, journal map[string]callfile.Entry) draft {
	e, known := journal[c.Role]
	d := draft{role: c.Role, kind: c.Kind, what: replayplan.Create, entry: e, title: titleOf(c.Entity, c.Task)}
	if !known {
		return d
	}
	ids := idsOf(journal, commands)
	refused := e.State == callfile.Rejected && e.BitrixID == 0
	if refused && e.Entity == nil && e.Task == nil {
		d.what = replayplan.Same // compare decides
		return d
	}
	old, now := values(c.Kind, e.Entity, e.Task, ids), values(c.Kind, c.Entity, c.Task, ids)
	if e.BitrixID == 0 {
		if maps.Equal(old, now) {
			d.what = replayplan.Same
		}
		return d
	}
	d.what = replayplan.Same
	fields := map[string]bool{}
	for f := range old {
		fields[f] = true
	}
	for f := range now {
		fields[f] = true
	}
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		change := replayplan.Change{Field: f, Old: old[f], New: now[f]}
		switch {
		case change.Old == change.New:
		case change.New == "" && slices.Contains(kept, f):
			d.stays = append(d.stays, replayplan.Because(replayplan.NeverEmptied, "field", f))
		default:
			d.changes = append(d.changes, change)
		}
	}
	if len(d.changes) > 0 {
		d.what = replayplan.Update
	}
	return d
}

// kept are fields that are never emptied: they stay.
var kept = []string{
	crm.FieldDeadline, crm.FieldContact, crm.FieldCompany, crm.FieldStage, crm.FieldBoundTo, crm.FieldPhone, crm.FieldResponsible, crm.FieldTitle, crm.FieldDescription,
}

func values(kind event.Kind, e *event.Entity, t *event.Task, ids func(event.Link) int) map[string]string {
	if t != nil {
		return crm.TaskValues(*t, ids)
	}
	if e != nil {
		return crm.EntityValues(kind, *e, ids)
	}
	return nil
}

func titleOf(e *event.Entity, t *event.Task) string {
	switch {
	case t != nil:
		return t.Title
	case e != nil && e.Title != "":
		return e.Title
	case e != nil:
		return e.Name
	}
	return ""
}
