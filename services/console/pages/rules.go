package pages

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
)

var rulesPages = []page{
	{"GET /console/p/{project}/rules", service.Viewer, (*visit).rules},
	{"POST /console/p/{project}/rules", service.Admin, (*visit).changeRules},
}

// rulesData is the decision table and what changes it, as typed until it is taken.
type rulesData struct {
	Look     look
	Revision string
	Wrong    wrong

	Rules []ruleRow

	NewClient, Missed, ReviewDue, CallbackDue, PhoneMatch, Compensate string
	Category                                                          int
	Stage, Source                                                     string
	Fields                                                            []fieldGroup
}

// ruleRow is a row of the table in the reader's language.
type ruleRow struct {
	ID, When, Source string
	Cited            bool // the source is a heading of the article, as printed
	Then             []string
	On               bool
}

// fieldGroup is which fields of one kind are filled.
type fieldGroup struct {
	Kind string
	Rows []fieldRow
	Know []portalField // what the portal has to choose from
}

type fieldRow struct{ Field, Parameter string }

// Knows tells whether the portal has the field.
func (g fieldGroup) Knows(name string) bool {
	return slices.ContainsFunc(g.Know, func(f portalField) bool { return f.Name == name })
}

// filledKinds are what calls make and whose fields can be filled.
var filledKinds = []string{"lead", "deal", "contact"}

// spareRows are empty rows at the end of the fields, to fill in without JavaScript.
const spareRows = 2

func (v *visit) rulesData() rulesData {
	p, s := v.Project, v.Project.Scenarios
	d := rulesData{
		Look: v.lookAtPortal(), Revision: strconv.Itoa(p.Number), NewClient: s.NewClient, Missed: s.MissedNewClient, ReviewDue: s.ReviewDue.String(),
		CallbackDue: s.CallbackDue.String(), PhoneMatch: s.PhoneMatch, Compensate: s.Compensate, Category: s.Pipeline.Category, Stage: s.Pipeline.Stage, Source: s.Pipeline.Source,
	}
	d.Rules = v.table(func(id string) bool { return !slices.Contains(s.Off, id) })
	for _, kind := range filledKinds {
		g := fieldGroup{Kind: kind, Know: d.Look.Portal.Fields[kind]}
		for _, name := range slices.Sorted(maps.Keys(p.Fields[kind])) {
			g.Rows = append(g.Rows, fieldRow{name, p.Fields[kind][name]})
		}
		d.Fields = append(d.Fields, g)
	}
	return d
}

func (v *visit) table(on func(id string) bool) (out []ruleRow) {
	for _, r := range rules.Table() {
		when, then := r.Words(v.Lang)
		out = append(out, ruleRow{ID: r.ID, When: when, Then: then, Source: r.Source.Words(v.Lang), Cited: !r.Source.Silent(), On: on(r.ID)})
	}
	return out
}

func (v *visit) rules() {
	d := v.rulesData()
	if v.May(service.Admin) {
		d.addSpare()
	}
	v.show("rules", d)
}

func (d *rulesData) addSpare() {
	for i := range d.Fields {
		d.Fields[i].Rows = append(d.Fields[i].Rows, make([]fieldRow, spareRows)...)
	}
}

// Parameters are our names of what a call carries, to fill fields with.
func (rulesData) Parameters() []string { return slices.Concat(neededParameters, usefulParameters) }

func (v *visit) changeRules() {
	f := v.form()
	d := v.rulesData()
	d.typed(f)
	d.Rules = v.table(func(id string) bool { return slices.Contains(f["on"], id) })
	err := v.change(d.edit)
	if err == nil {
		v.saved("rules", "rules")
		return
	}
	var code int
	code, d.Wrong = v.wrongOf(err, among("scenarios", "fields"))
	d.addSpare()
	v.renderForm(code, "rules", d)
}

// typed takes over what the form holds.
func (d *rulesData) typed(f url.Values) {
	d.Revision = f.Get("revision")
	d.NewClient, d.Missed, d.PhoneMatch, d.Stage, d.Source = f.Get("new_client"), f.Get("missed"), f.Get("phone_match"), f.Get("stage"), f.Get("source")
	d.Compensate = f.Get("compensate")
	d.ReviewDue, d.CallbackDue = span(f.Get("review_due")), span(f.Get("callback_due"))
	d.Category, _ = strconv.Atoi(f.Get("category"))
	for i, g := range d.Fields {
		n, _ := strconv.Atoi(f.Get("fields-" + g.Kind))
		d.Fields[i].Rows = nil
		for k := range min(n, maxRows) {
			row := fieldRow{f.Get("field-" + g.Kind + "-" + strconv.Itoa(k)), f.Get("parameter-" + g.Kind + "-" + strconv.Itoa(k))}
			if row != (fieldRow{}) {
				d.Fields[i].Rows = append(d.Fields[i].Rows, row)
			}
		}
	}
}

// span reads a whole number of hours or minutes as people write it: 3 год, 90 хв, 2 h.
// What is none of these is left to the API, which says what a right one looks like.
func span(text string) string {
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) != 2 {
		return text
	}
	if _, err := strconv.Atoi(fields[0]); err != nil {
		return text
	}
	for unit, words := range map[string]string{"h": "h год год. година години годин ч час часа часов hour hours", "m": "m min хв хв. хвилин мин мин. минут minutes"} {
		if slices.Contains(strings.Fields(words), fields[1]) {
			return fields[0] + unit
		}
	}
	return text
}

// Due writes a due time of whole hours or minutes in the reader's words; any other
// stays as it is written in the settings.
func (v *visit) Due(text string) string {
	if n := len(text) - 1; n > 0 && (text[n] == 'h' || text[n] == 'm') {
		if number, err := strconv.Atoi(text[:n]); err == nil {
			return v.T("span."+text[n:], number)
		}
	}
	return text
}

// edit writes what the form is about into the project's block.
func (d *rulesData) edit(b block) {
	off := []string{}
	for _, r := range d.Rules {
		if !r.On {
			off = append(off, r.ID)
		}
	}
	s := b.under("scenarios")
	s["off"] = off
	if s["new_client"] = d.NewClient; d.NewClient == "" {
		delete(s, "new_client")
	}
	s["missed_new_client"], s["phone_match"] = d.Missed, d.PhoneMatch
	if d.Compensate != "" {
		s["compensate"] = d.Compensate
	}
	s["review_due"], s["callback_due"] = d.ReviewDue, d.CallbackDue
	s["pipeline"] = map[string]any{"category": d.Category, "stage": d.Stage, "source": d.Source}
	fields := b.under("fields")
	for _, g := range d.Fields {
		filled := map[string]any{}
		for _, row := range g.Rows {
			filled[row.Field] = row.Parameter
		}
		if fields[g.Kind] = filled; len(filled) == 0 {
			delete(fields, g.Kind)
		}
	}
}

// StageKnown tells whether the portal has the stage.
func (d rulesData) StageKnown() bool {
	known := func(e portalEntry) bool { return e.ID == d.Stage }
	return slices.ContainsFunc(d.Look.Portal.LeadStages, known) ||
		slices.ContainsFunc(d.Look.Portal.Funnels, func(f portalFunnel) bool { return slices.ContainsFunc(f.Stages, known) })
}

// SourceKnown tells whether the portal has the source.
func (d rulesData) SourceKnown() bool {
	return slices.ContainsFunc(d.Look.Portal.Sources, func(e portalEntry) bool { return e.ID == d.Source })
}

// FunnelKnown tells whether the portal has the funnel.
func (d rulesData) FunnelKnown() bool {
	return slices.ContainsFunc(d.Look.Portal.Funnels, func(f portalFunnel) bool { return f.ID == d.Category })
}

// StageOfDeals tells whether the stage is one that only deals have: the first stages of
// leads and of deals often share their id, and then the leads' is shown as chosen.
func (d rulesData) StageOfDeals() bool {
	return !slices.ContainsFunc(d.Look.Portal.LeadStages, func(e portalEntry) bool { return e.ID == d.Stage })
}

// NewClients are what a new client can become; "" is the default of the portal.
func (rulesData) NewClients() []string {
	return []string{"", "lead", "deal", "contact", "contact+lead", "contact+deal", "nothing"}
}

// MissedWays are to whom a missed call of a new client can go.
func (rulesData) MissedWays() []string { return []string{"senior", "distribute"} }

// Compensations are what a replay does with what should not exist.
func (rulesData) Compensations() []string { return []string{"close", "tag"} }

// Matches are the ways to compare numbers.
func (rulesData) Matches() []string { return []string{"all_spellings", "exact"} }
