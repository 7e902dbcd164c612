package replay

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// This file finds what differs between what should be true and what was written.

// Kinds of rows.
const (
	Create     = "create"
	Update     = "update"
	Reassign   = "reassign"
	Compensate = "compensate"
	Conflict   = "conflict"
	Same       = "same"
)

// Row is what a plan says of one thing of one call.
type Row struct {
	Kind     string `json:"kind"`
	Call     string `json:"call_id"`
	Phone    string `json:"phone"`
	Entity   string `json:"entity"`
	BitrixID int    `json:"bitrix_id"`
	// Field, Old and New tell of the one field that changes; Changes of several.
	Field   string   `json:"field"`
	Old     string   `json:"old"`
	New     string   `json:"new"`
	Changes []Change `json:"changes,omitempty"`
	RuleOld string   `json:"rule_old"`
	RuleNew string   `json:"rule_new"`
	Why     string   `json:"why"`
}

// Change is one field of several.
type Change struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// draft is what is known of a thing before anybody looked what people changed.
type draft struct {
	role    string
	kind    event.Kind
	what    string // create, update, compensate or same
	entry   callfile.Entry
	title   string
	changes []Change
	stuck   []Change // what no request can bring about
}

// looks says whether the portal has to be read before this is known for sure.
func (d draft) looks() bool { return d.what == Update || d.what == Compensate }

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
		creates = creates || d.what == Create
		out = append(out, d)
	}
	for i, d := range out {
		// What the portal refused for the sake of something else comes with that.
		if e := file.Journal[d.role]; creates && e.State == callfile.Rejected && e.Entity == nil && e.Task == nil {
			out[i].what = Create
		}
	}
	for _, role := range slices.Sorted(maps.Keys(file.Journal)) {
		e := file.Journal[role]
		if wanted[role] || e.BitrixID == 0 || e.State != callfile.Confirmed && e.State != callfile.Made {
			continue
		}
		d := draft{role: role, kind: e.Kind, what: Same, entry: e, title: titleOf(e.Entity, e.Task)}
		if wantedBefore(file, role, e) {
			d.what = Compensate
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
	d := draft{role: c.Role, kind: c.Kind, what: Create, entry: e, title: titleOf(c.Entity, c.Task)}
	if !known {
		return d
	}
	ids := idsOf(journal, commands)
	refused := e.State == callfile.Rejected && e.BitrixID == 0
	if refused && e.Entity == nil && e.Task == nil {
		d.what = Same // compare decides
		return d
	}
	old, now := values(c.Kind, e.Entity, e.Task, ids), values(c.Kind, c.Entity, c.Task, ids)
	if maps.Equal(old, now) {
		d.what = Same
		return d
	}
	if e.BitrixID == 0 {
		return d
	}
	d.what = Same
	fields := map[string]bool{}
	for f := range old {
		fields[f] = true
	}
	for f := range now {
		fields[f] = true
	}
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		change := Change{f, old[f], now[f]}
		switch {
		case change.Old == change.New, change.New == "" && slices.Contains(kept, f):
		case f == crm.FieldClosed && change.New == crm.Closed(false):
			d.stuck = append(d.stuck, change)
		default:
			d.changes = append(d.changes, change)
		}
	}
	if len(d.changes)+len(d.stuck) > 0 {
		d.what = Update
	}
	return d
}

// kept are fields that no request can empty: they stay.
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

// settle makes the rows of a draft, now that it is known what is there, and says which
// fields belong to a person. there is nil where nothing had to be looked at.
func (d draft) settle(there *crm.SeenItem) (rows []Row, keep []string) {
	base := Row{Entity: string(d.kind), BitrixID: d.entry.BitrixID}
	switch {
	case d.what == Create:
		base.Kind, base.New = Create, d.title
		return []Row{base}, nil
	case d.what == Same:
		base.Kind = Same
		return []Row{base}, nil
	case there == nil || there.Gone:
		base.Kind, base.Old, base.New, base.Why = Conflict, d.title, "", "it was deleted in the portal"
		return []Row{base}, []string{crm.FieldAll}
	case d.what == Compensate:
		return d.compensate(base, *there)
	}
	var changes, conflicts []Change
	written := values(d.kind, d.entry.Entity, d.entry.Task, idsOf(map[string]callfile.Entry{}, nil))
	for _, c := range d.changes {
		now, shown := there.Fields[c.Field]
		old := c.Old
		if c.Field == crm.FieldBoundTo || c.Field == crm.FieldContact || c.Field == crm.FieldCompany {
			written[c.Field] = old // links are compared as they were found
		}
		switch {
		case !shown, crm.Normal(c.Field, now) == crm.Normal(c.Field, old):
			changes = append(changes, c)
		case crm.Normal(c.Field, now) == crm.Normal(c.Field, c.New):
			keep = append(keep, c.Field) // a person put it right
		default:
			conflicts, keep = append(conflicts, Change{c.Field, now, c.New}), append(keep, c.Field)
		}
	}
	for _, c := range d.stuck {
		conflicts, keep = append(conflicts, c), append(keep, c.Field)
	}
	if len(changes) > 0 {
		row := base
		row.Kind = Update
		if slices.ContainsFunc(changes, func(c Change) bool { return c.Field == crm.FieldResponsible }) {
			row.Kind = Reassign
		}
		rows = append(rows, row.with(changes))
	}
	if len(conflicts) > 0 {
		row := base
		row.Kind, row.Why = Conflict, "a person changed it since it was written"
		if len(d.stuck) == len(conflicts) {
			row.Why = "the task is closed; open it again by hand if it is needed"
		}
		rows = append(rows, row.with(conflicts))
	}
	if len(rows) == 0 {
		base.Kind = Same
		rows = []Row{base}
	}
	return rows, keep
}

// compensate undoes a thing that nobody touched since; what a person worked on stays.
func (d draft) compensate(base Row, there crm.SeenItem) (rows []Row, keep []string) {
	written := values(d.kind, d.entry.Entity, d.entry.Task, func(event.Link) int { return 0 })
	for _, f := range slices.Sorted(maps.Keys(written)) {
		now, shown := there.Fields[f]
		if shown && f != crm.FieldClosed && f != crm.FieldBoundTo && crm.Normal(f, now) != crm.Normal(f, written[f]) {
			base.Kind, base.Why = Conflict, "it is not wanted any more, but a person changed it since it was written"
			return []Row{base.with([]Change{{f, now, ""}})}, []string{crm.FieldAll}
		}
	}
	base.Kind, base.Old, base.New = Compensate, d.title, "marked as not needed"
	if d.kind == event.KindTask {
		base.New = "closed as not needed"
	}
	return []Row{base}, nil
}

// with tells of changes: of one in the row itself.
func (r Row) with(changes []Change) Row {
	for i := range changes {
		if slices.Contains([]string{crm.FieldBoundTo, crm.FieldContact, crm.FieldCompany}, changes[i].Field) {
			changes[i].Old, changes[i].New = shown(changes[i].Old), shown(changes[i].New)
		}
	}
	if len(changes) == 1 {
		r.Field, r.Old, r.New = changes[0].Field, changes[0].Old, changes[0].New
		return r
	}
	r.Changes = changes
	return r
}

var placeholder = regexp.MustCompile(`(\w+) -\d+|^-\d+$`)

// shown says "new lead" where the lead has no id yet.
func shown(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(s string) string {
		if _, err := strconv.Atoi(s); err == nil {
			return "new"
		}
		return "new " + placeholder.FindStringSubmatch(s)[1]
	})
}
