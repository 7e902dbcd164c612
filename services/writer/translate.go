package writer

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// originator marks everything this program makes (ORIGINATOR_ID); with the command's
// id (ORIGIN_ID, a task's XML_ID) a lost write is found again.
const originator = "ringbridge"

var kinds = map[event.Kind]bitrix.Kind{
	event.KindLead: bitrix.Lead, event.KindDeal: bitrix.Deal, event.KindContact: bitrix.Contact, "company": bitrix.Company,
}

// commandKey names a command inside its batch.
func commandKey(c event.BitrixCommand) string {
	return "c" + keyCharacters.Replace(c.ID)
}

var keyCharacters = strings.NewReplacer("-", "", ":", "_")

// create is the portal's command that makes c. What it refers to is in the journal or
// earlier in the same batch.
func create(c event.BitrixCommand, journal map[string]callfile.Entry, all []event.BitrixCommand) bitrix.Command {
	link, key := func(l event.Link) bitrix.Link { return resolveLink(l, journal, all) }, commandKey(c)
	if n := journal[c.Role].Attempt; n > 1 && fault.Wrong("attempt-in-external-id") {
		c.ID = fmt.Sprintf("%s-%d", c.ID, n)
	}
	if c.Task != nil {
		return bitrix.AddTask(taskFields(c, *c.Task, link)).As(key)
	}
	return bitrix.AddItem(kinds[c.Kind], entityFields(c, *c.Entity, link)).As(key)
}

// update is the portal's command that changes what differs from what was written.
// Links don't change after the fact.
func update(c event.BitrixCommand, e callfile.Entry) bitrix.Command {
	none := func(event.Link) bitrix.Link { return bitrix.Link{} }
	target := bitrix.Link{ID: e.BitrixID}
	if c.Task != nil {
		want, was := *c.Task, orZero(e.Task)
		f := taskFields(c, want, none)
		f.CRM, f.XMLID = nil, ""
		dropSame(&f.Title, was.Title)
		dropSame(&f.Description, was.Description)
		dropSame(&f.ResponsibleID, was.Responsible)
		if was.Deadline != nil && f.Deadline.Equal(*was.Deadline) {
			f.Deadline = time.Time{}
		}
		return bitrix.UpdateTask(target, f).As(commandKey(c))
	}
	want, was := *c.Entity, orZero(e.Entity)
	f := entityFields(c, want, none)
	f.Phone, f.OriginatorID, f.OriginID = "", "", ""
	dropSame(&f.Title, was.Title)
	dropSame(&f.Name, was.Name)
	dropSame(&f.ResponsibleID, was.Responsible)
	dropSame(&f.Source, was.Source)
	dropSame(&f.SourceDescription, was.SourceNote)
	dropSame(&f.Comments, was.Comments)
	dropSame(&f.Stage, stage(c.Kind, was))
	f.Category = nil
	dropSame(&f.UTM.Source, was.Traffic.Source)
	dropSame(&f.UTM.Medium, was.Traffic.Medium)
	dropSame(&f.UTM.Campaign, was.Traffic.Campaign)
	dropSame(&f.UTM.Content, was.Traffic.Content)
	dropSame(&f.UTM.Term, was.Traffic.Term)
	f.Custom = maps.Clone(f.Custom)
	maps.DeleteFunc(f.Custom, func(k, v string) bool { return was.Custom[k] == v })
	return bitrix.UpdateItem(kinds[c.Kind], target, f).As(commandKey(c))
}

func entityFields(c event.BitrixCommand, e event.Entity, link func(event.Link) bitrix.Link) bitrix.EntityFields {
	f := bitrix.EntityFields{
		Title: e.Title, Name: e.Name, Phone: e.Phone, ResponsibleID: e.Responsible,
		Source: e.Source, SourceDescription: e.SourceNote, Stage: stage(c.Kind, e), Comments: e.Comments, Custom: e.Custom,
		UTM: bitrix.UTM{
			Source: e.Traffic.Source, Medium: e.Traffic.Medium, Campaign: e.Traffic.Campaign,
			Content: e.Traffic.Content, Term: e.Traffic.Term,
		},
		OriginatorID: originator, OriginID: c.ID,
	}
	if c.Kind == event.KindDeal {
		f.Category = &e.Category
	}
	if c.Kind == event.KindContact {
		f.Title = "" // a contact has a name, not a title
	}
	if e.Contact != nil {
		f.Contact = link(*e.Contact)
	}
	if e.Company != nil {
		f.Company = link(*e.Company)
	}
	return f
}

// stage is the stage's id in its funnel: a deal's stages outside the general funnel
// carry the funnel's number in front ("C9:NEW").
func stage(kind event.Kind, e event.Entity) string {
	switch {
	case kind == event.KindDeal && e.Category != 0 && e.Stage != "" && !strings.Contains(e.Stage, ":"):
		return fmt.Sprintf("C%d:%s", e.Category, e.Stage)
	case kind == event.KindLead && strings.Contains(e.Stage, ":"):
		return "" // a stage of a deal's funnel; the portal's default is right for a lead
	case kind == event.KindContact:
		return ""
	}
	return e.Stage
}

func taskFields(c event.BitrixCommand, t event.Task, link func(event.Link) bitrix.Link) bitrix.TaskFields {
	f := bitrix.TaskFields{Title: t.Title, Description: t.Description, ResponsibleID: t.Responsible, XMLID: c.ID}
	if t.Deadline != nil {
		f.Deadline = *t.Deadline
	}
	for _, l := range t.Links {
		f.CRM = append(f.CRM, bitrix.Binding{Kind: kinds[l.Kind], Link: link(l)})
	}
	return f
}

// resolveLink finds the id of what a link means: given, in the journal, or made by an
// earlier command of the same batch.
func resolveLink(l event.Link, journal map[string]callfile.Entry, all []event.BitrixCommand) bitrix.Link {
	if l.ID != 0 {
		return bitrix.Link{ID: l.ID}
	}
	for _, other := range all {
		if other.ID == l.Command {
			if e := journal[other.Role]; e.BitrixID != 0 {
				return bitrix.Link{ID: e.BitrixID}
			}
			return bitrix.Link{Ref: bitrix.Ref(commandKey(other), "item", "id")}
		}
	}
	return bitrix.Link{}
}

func dropSame[T comparable](field *T, was T) {
	if *field == was {
		var zero T
		*field = zero
	}
}

func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
