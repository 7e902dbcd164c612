package writer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
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

// update is the portal's command that changes what differs from what was written, except
// what a person changed since; the zero Command where that is nothing.
func update(c event.BitrixCommand, e callfile.Entry, link func(event.Link) bitrix.Link) bitrix.Command {
	if keeps(c, crm.FieldAll) {
		return bitrix.Command{}
	}
	target := bitrix.Link{ID: e.BitrixID}
	if c.Task != nil {
		f := taskUpdate(c, orZero(e.Task), link)
		if f.Empty() {
			return bitrix.Command{}
		}
		return bitrix.UpdateTask(target, f).As(commandKey(c))
	}
	f := entityUpdate(c, orZero(e.Entity), link)
	if f.Empty() {
		return bitrix.Command{}
	}
	return bitrix.UpdateItem(kinds[c.Kind], target, f).As(commandKey(c))
}

func taskUpdate(c event.BitrixCommand, was event.Task, link func(event.Link) bitrix.Link) bitrix.TaskFields {
	f, had := taskFields(c, *c.Task, link), taskFields(c, was, link)
	f.XMLID = ""
	same := func(field string, equal bool) bool { return equal || keeps(c, field) }
	if same(crm.FieldTitle, f.Title == was.Title) {
		f.Title = ""
	}
	if same(crm.FieldDescription, f.Description == was.Description) {
		f.Description = ""
	}
	if same(crm.FieldResponsible, f.ResponsibleID == was.Responsible) {
		f.ResponsibleID = 0
	}
	if same(crm.FieldDeadline, f.Deadline.Equal(had.Deadline)) {
		f.Deadline = time.Time{}
	}
	f.Reopen = was.Closed && !c.Task.Closed && c.Replay != "" && !keeps(c, crm.FieldClosed)
	// Links to what was never made say nothing.
	unbound := func(b bitrix.Binding) bool { return sameLink(b.Link, bitrix.Link{}) }
	f.CRM, had.CRM = slices.DeleteFunc(f.CRM, unbound), slices.DeleteFunc(had.CRM, unbound)
	if same(crm.FieldBoundTo, slices.EqualFunc(f.CRM, had.CRM, func(a, b bitrix.Binding) bool { return a.Kind == b.Kind && sameLink(a.Link, b.Link) })) || c.Replay == "" {
		f.CRM = nil // an amendment leaves the links as the people know them
	}
	return f
}

func entityUpdate(c event.BitrixCommand, was event.Entity, link func(event.Link) bitrix.Link) bitrix.EntityFields {
	f, had := entityFields(c, *c.Entity, link), entityFields(c, was, link)
	f.OriginatorID, f.OriginID = "", ""
	if c.Entity.Category == was.Category || keeps(c, crm.FieldCategory) || c.Replay == "" {
		f.Category = nil
	}
	if c.Replay == "" {
		f.Stage = "" // where a lead or deal stands is people's business once it is there
	}
	custom := map[string]string{}
	for name, v := range f.Custom {
		if had.Custom[name] != v && !keeps(c, name) {
			custom[name] = v
		}
	}
	f.Custom = custom
	for _, t := range []struct {
		field, classic string
		want           *string
		had            string
	}{
		{crm.FieldTitle, "TITLE", &f.Title, had.Title}, {crm.FieldName, "NAME", &f.Name, had.Name},
		{crm.FieldSource, "SOURCE_ID", &f.Source, had.Source}, {crm.FieldSourceNote, "SOURCE_DESCRIPTION", &f.SourceDescription, had.SourceDescription},
		{crm.FieldComments, "COMMENTS", &f.Comments, had.Comments}, {crm.FieldStage, "", &f.Stage, had.Stage}, {crm.FieldPhone, "", &f.Phone, had.Phone},
		{crm.FieldUTMSource, "UTM_SOURCE", &f.UTM.Source, had.UTM.Source}, {crm.FieldUTMMedium, "UTM_MEDIUM", &f.UTM.Medium, had.UTM.Medium},
		{crm.FieldUTMCampaign, "UTM_CAMPAIGN", &f.UTM.Campaign, had.UTM.Campaign}, {crm.FieldUTMContent, "UTM_CONTENT", &f.UTM.Content, had.UTM.Content},
		{crm.FieldUTMTerm, "UTM_TERM", &f.UTM.Term, had.UTM.Term},
	} {
		switch {
		case *t.want == t.had || keeps(c, t.field):
			*t.want = ""
		case *t.want == "" && t.classic != "" && c.Replay != "":
			custom[t.classic] = "" // an empty field is not sent, and this one is to be emptied
		}
	}
	if c.Replay != "" {
		for name := range had.Custom {
			if _, wanted := c.Entity.Custom[name]; !wanted && !keeps(c, name) {
				custom[name] = ""
			}
		}
	} else {
		f.Phone = "" // a portal would keep both numbers
	}
	if f.ResponsibleID == had.ResponsibleID || keeps(c, crm.FieldResponsible) {
		f.ResponsibleID = 0
	}
	for _, l := range []struct {
		field     string
		want, had *bitrix.Link
	}{{crm.FieldContact, &f.Contact, &had.Contact}, {crm.FieldCompany, &f.Company, &had.Company}} {
		if sameLink(*l.want, *l.had) || c.Replay == "" || keeps(c, l.field) {
			*l.want = bitrix.Link{}
		}
	}
	return f
}

func sameLink(a, b bitrix.Link) bool { return a.ID == b.ID && a.Ref.String() == b.Ref.String() }

func keeps(c event.BitrixCommand, field string) bool {
	return slices.Contains(c.Keep, field) || slices.Contains(c.Keep, crm.FieldAll)
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

func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
