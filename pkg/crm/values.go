package crm

import (
	"html"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// The fields of entities and tasks, as they are spoken of where what was written is
// compared with what is there and what is wanted. A custom field goes by its name in the
// portal. FieldAll stands for each of them.
const (
	FieldAll         = "*"
	FieldTitle       = "title"
	FieldName        = "name"
	FieldPhone       = "phone"
	FieldResponsible = "responsible"
	FieldSource      = "source"
	FieldSourceNote  = "source_note"
	FieldStage       = "stage"
	FieldCategory    = "category" // a deal's pipeline, by its id
	FieldContact     = "contact"
	FieldCompany     = "company"
	FieldComments    = "comments"
	FieldUTMSource   = "utm_source"
	FieldUTMMedium   = "utm_medium"
	FieldUTMCampaign = "utm_campaign"
	FieldUTMContent  = "utm_content"
	FieldUTMTerm     = "utm_term"
	FieldDescription = "description"
	FieldDeadline    = "deadline"
	FieldClosed      = "closed"
	FieldBoundTo     = "bound_to"
)

// LookSubject is where a project's questions about what is there now are put.
func LookSubject(project string) string { return "ask." + project + ".look" }

// MostTouched is how many entities one [Look] may ask for: their texts have to fit into
// one answer.
const MostTouched = 100

// Look asks what the portal holds of entities and tasks by now.
type Look struct {
	Touched []Touched `json:"touched"`
}

// Touched is one of them, with the custom fields that matter.
type Touched struct {
	Kind   event.Kind `json:"kind"`
	ID     int        `json:"id"`
	Custom []string   `json:"custom,omitempty"`
}

// Seen answers a [Look], in its order.
type Seen struct {
	Items []SeenItem `json:"items"`
	// Refused says why the portal will not answer.
	Refused string `json:"refused,omitempty"`
}

// SeenItem is what is there. A field that the portal did not show is absent.
type SeenItem struct {
	Gone   bool              `json:"gone,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
}

// EntityValues are the fields of an entity as texts; id finds what a link leads to, 0
// where that is not there. Empty fields are left out.
func EntityValues(kind event.Kind, e event.Entity, id func(event.Link) int) map[string]string {
	v := map[string]string{}
	maps.Copy(v, e.Custom)
	t := e.Traffic
	for name, text := range map[string]string{
		FieldTitle: e.Title, FieldName: e.Name, FieldPhone: e.Phone, FieldSource: e.Source, FieldSourceNote: e.SourceNote, FieldStage: e.Stage,
		FieldComments: e.Comments, FieldUTMSource: t.Source, FieldUTMMedium: t.Medium, FieldUTMCampaign: t.Campaign, FieldUTMContent: t.Content, FieldUTMTerm: t.Term,
		FieldResponsible: number(e.Responsible),
	} {
		v[name] = text
	}
	if kind == event.KindContact {
		delete(v, FieldTitle)
		delete(v, FieldStage)
	}
	for name, l := range map[string]*event.Link{FieldContact: e.Contact, FieldCompany: e.Company} {
		if l != nil {
			v[name] = number(id(*l))
		}
	}
	if kind == event.KindDeal {
		v[FieldCategory] = strconv.Itoa(e.Category) // 0 is a pipeline too
	}
	maps.DeleteFunc(v, func(_, text string) bool { return text == "" })
	return v
}

// TaskValues are the fields of a task as texts.
func TaskValues(t event.Task, id func(event.Link) int) map[string]string {
	v := map[string]string{
		FieldTitle: t.Title, FieldDescription: t.Description, FieldResponsible: number(t.Responsible), FieldClosed: Closed(t.Closed),
	}
	if t.Deadline != nil {
		v[FieldDeadline] = Moment(*t.Deadline)
	}
	var bound []string
	for _, l := range t.Links {
		if n := id(l); n != 0 {
			bound = append(bound, string(l.Kind)+" "+strconv.Itoa(n))
		}
	}
	v[FieldBoundTo] = Bound(bound)
	maps.DeleteFunc(v, func(_, text string) bool { return text == "" })
	return v
}

// Closed is a task's state as a text.
func Closed(closed bool) string {
	if closed {
		return "yes"
	}
	return "no"
}

// Moment is a time as a text, the same in every zone.
func Moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Bound is what a task is bound to as a text, in any order the same.
func Bound(to []string) string {
	slices.Sort(to)
	return strings.Join(slices.Compact(to), ", ")
}

// Normal is a text without what portals change by themselves: escapes, blanks, characters
// that they can't store, the pipeline in front of a stage, the end of a long title.
func Normal(field, text string) string {
	text = strings.Map(func(r rune) rune {
		if r > 0xFFFF || r == '\uFE0F' {
			return -1
		}
		return r
	}, html.UnescapeString(text))
	text = strings.Join(strings.Fields(strings.NewReplacer("<br>", " ", "<br />", " ", "<br/>", " ").Replace(text)), " ")
	if _, stage, ok := strings.Cut(text, ":"); ok && field == FieldStage {
		return stage
	}
	if runes := []rune(text); len(runes) > 250 && field != FieldDescription && field != FieldComments {
		text = strings.TrimSpace(string(runes[:250]))
	}
	return text
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
