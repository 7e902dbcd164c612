package replay

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// This file makes the rows of what differs, once it is known what people changed since.

// settle makes the rows of a draft, now that it is known what is there, and says which
// fields belong to a person. there is nil where nothing had to be looked at; how is the
// project's way to compensate.
func (d draft) settle(there *crm.SeenItem, how string) (rows []replayplan.Row, keep []string) {
	base := replayplan.Row{Entity: string(d.kind), BitrixID: d.entry.BitrixID}
	switch {
	case d.what == replayplan.Create:
		base.Kind, base.New = replayplan.Create, d.title
		return []replayplan.Row{base}, nil
	case d.what == replayplan.Same:
		base.Kind = replayplan.Same
		base.Explain(d.stays...)
		return []replayplan.Row{base}, nil
	case there == nil || there.Gone:
		base.Kind, base.Old = replayplan.Conflict, d.title
		base.Explain(replayplan.Because(replayplan.Deleted))
		return []replayplan.Row{base}, []string{crm.FieldAll}
	case d.what == replayplan.Compensate:
		return d.compensate(base, *there, how)
	}
	moved := d.moved(*there)
	var changes, conflicts []replayplan.Change
	for _, c := range d.changes {
		now, shown := there.Fields[c.Field]
		switch {
		case !shown, crm.Normal(c.Field, now) == crm.Normal(c.Field, c.Old) && (!moved || !slices.Contains(place, c.Field)):
			changes = append(changes, c)
		case crm.Normal(c.Field, now) == crm.Normal(c.Field, c.New):
			keep = append(keep, c.Field) // a person put it right
		default:
			conflicts, keep = append(conflicts, replayplan.Change{Field: c.Field, Old: now, New: c.New}), append(keep, c.Field)
		}
	}
	if moved {
		keep = append(keep, place...) // the stages of another pipeline mean nothing in this one
	}
	keep = slices.Compact(slices.Sorted(slices.Values(keep)))
	if len(changes) > 0 {
		row := base
		row.Kind = replayplan.Update
		row.Explain(append(notes(changes), d.stays...)...)
		if slices.ContainsFunc(changes, func(c replayplan.Change) bool { return c.Field == crm.FieldResponsible }) {
			row.Kind = replayplan.Reassign
		}
		rows = append(rows, with(row, changes))
	}
	if len(conflicts) > 0 {
		row := base
		row.Kind = replayplan.Conflict
		row.Explain(replayplan.Because(replayplan.Edited))
		rows = append(rows, with(row, conflicts))
	}
	if len(rows) == 0 {
		base.Kind = replayplan.Same
		base.Explain(replayplan.Because(replayplan.PutRight))
		rows = []replayplan.Row{base}
	}
	return rows, keep
}

// place are the fields that say where a deal stands: they are written together or not at
// all.
var place = []string{crm.FieldCategory, crm.FieldStage}

// moved says whether a deal stands elsewhere than where it was put.
func (d draft) moved(there crm.SeenItem) bool {
	written := values(d.kind, d.entry.Entity, d.entry.Task, func(event.Link) int { return 0 })
	return d.kind == event.KindDeal && slices.ContainsFunc(place, func(f string) bool {
		now, shown := there.Fields[f]
		return shown && crm.Normal(f, now) != crm.Normal(f, written[f])
	})
}

// notes say of changes what the two values of a field don't.
func notes(changes []replayplan.Change) (out []replayplan.Reason) {
	moves := slices.ContainsFunc(changes, func(c replayplan.Change) bool { return c.Field == crm.FieldCategory })
	for _, c := range changes {
		switch {
		case c.Field == crm.FieldPhone && c.Old != "":
			out = append(out, replayplan.Because(replayplan.PhoneAdded))
		case c.Field == crm.FieldClosed && c.New == crm.Closed(false):
			out = append(out, replayplan.Because(replayplan.Reopened))
		case c.Field == crm.FieldCategory:
			out = append(out, replayplan.Because(replayplan.PipelineMoved))
		case c.Field == crm.FieldStage && !moves:
			out = append(out, replayplan.Because(replayplan.StageMoved))
		}
	}
	return out
}

// tagged is how a project wants things marked that should not exist: in the title and
// left open. Otherwise they are closed where that can be, with a note.
const tagged = "tag"

// compensate undoes a thing that nobody touched since; what a person worked on stays.
func (d draft) compensate(base replayplan.Row, there crm.SeenItem, how string) (rows []replayplan.Row, keep []string) {
	written := values(d.kind, d.entry.Entity, d.entry.Task, func(event.Link) int { return 0 })
	for _, f := range slices.Sorted(maps.Keys(written)) {
		now, shown := there.Fields[f]
		if shown && f != crm.FieldClosed && f != crm.FieldBoundTo && crm.Normal(f, now) != crm.Normal(f, written[f]) {
			base.Kind = replayplan.Conflict
			base.Explain(replayplan.Because(replayplan.EditedUnused))
			return []replayplan.Row{with(base, []replayplan.Change{{Field: f, Old: now}})}, []string{crm.FieldAll}
		}
	}
	base.Kind, base.Old = replayplan.Compensate, d.title
	switch {
	case how == tagged && d.kind != event.KindContact:
		base.New = "marked as not needed in its title"
	case d.kind != event.KindTask:
		base.New = "marked as not needed in its comments"
	case there.Fields[crm.FieldClosed] == crm.Closed(true):
		base.New = "marked as not needed; it is closed already"
	default:
		base.New = "closed as not needed"
	}
	return []replayplan.Row{base}, nil
}

// undo is a thing that should not have been made, as it is to look from now on. A task
// that somebody else closed is not ours to open again later.
func undo(d draft, there *crm.SeenItem, how, call, plan, locale string) event.Undo {
	u := event.Undo{Role: d.role, Kind: d.kind}
	note, tag := fmt.Sprintf(notNeeded[locale], call, plan), ""
	if how == tagged && d.kind != event.KindContact { // a contact's title is a person's name
		note, tag = "", notNeededTag[locale]+" "
	}
	if d.entry.Task != nil {
		t := *d.entry.Task
		t.Title, t.Description = tag+t.Title, join(note, t.Description)
		t.Closed = t.Closed || tag == "" && there.Fields[crm.FieldClosed] != crm.Closed(true)
		u.Task = &t
	} else if d.entry.Entity != nil {
		e := *d.entry.Entity
		e.Title, e.Comments = tag+e.Title, join(note, e.Comments)
		u.Entity = &e
	}
	return u
}

// markedUndone says whether a thing was undone, and by what was last written of it is so
// still.
func markedUndone(e callfile.Entry) bool {
	if e.Entity == nil {
		return false
	}
	for locale, note := range notNeeded {
		note, _, _ = strings.Cut(note, "%")
		if strings.HasPrefix(e.Entity.Comments, note) || strings.HasPrefix(e.Entity.Title, notNeededTag[locale]) {
			return true
		}
	}
	return false
}

func join(note, text string) string {
	if note == "" {
		return text
	}
	return strings.TrimSpace(note + "\n\n" + text)
}

// notNeeded is the note on what was made by mistake: the call, and the plan.
var notNeeded = map[string]string{
	"uk": "Не потрібно: створено через помилку в налаштуваннях інтеграції. Дзвінок %s, перерахунок %s.",
	"ru": "Не нужно: создано из-за ошибки в настройках интеграции. Звонок %s, пересчёт %s.",
	"en": "Not needed: made by a mistake in the integration's settings. Call %s, replay %s.",
}

// notNeededTag stands in front of a title.
var notNeededTag = map[string]string{"uk": "[Не потрібно]", "ru": "[Не нужно]", "en": "[Not needed]"}

// with tells of changes: of one in the row itself.
func with(r replayplan.Row, changes []replayplan.Change) replayplan.Row {
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
