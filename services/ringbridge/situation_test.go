package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/rules"
)

// strangeLine is a number of ours that the settings give to nobody.
const strangeLine = "380509990000"

// began is when calls of tests begin whose texts are kept in files.
const began = "2026-03-02T09:30:00+02:00"

// visit is what Ringostat knows of a visit to the site.
var visit = url.Values{
	"utm_source": {"google"}, "utm_medium": {"cpc"}, "utm_campaign": {"spring"}, "utm_content": {"banner"}, "utm_term": {"oak chair"},
	"client_id": {"1166788451.1557843310"}, "landing": {"https://shop.example/chairs"}, "referrer": {"https://search.example/"},
	"visitor_ip": {"192.0.2.7"}, "user_agent": {"Browser/1"},
}

// with joins parameters; later ones win.
func with(lists ...url.Values) url.Values {
	all := url.Values{}
	for _, list := range lists {
		for name, value := range list {
			all[name] = value
		}
	}
	return all
}

// seeded is what the portal held before the call.
type seeded struct {
	owner               int // responsible of what there is; 0 where there is nothing
	contact, lead, deal int
}

// seed makes the portal hold what a situation says of the client. A client whose
// responsible is not on the call is Petro's.
func (h *house) seed(s rules.Situation, open string) seeded {
	if s.Client != rules.ContactOnly && s.Client != rules.OpenClient {
		return seeded{}
	}
	e := seeded{owner: petro}
	if s.Answerer == rules.ByOwner {
		e.owner = olena
	}
	if open == "lead" {
		e.lead = h.portal.AddLead(bitrixtest.Entity{Title: "An oak table", Phones: []string{client}, ResponsibleID: e.owner})
		return e
	}
	e.contact = h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", LastName: "Melnyk", Phones: []string{client}, ResponsibleID: e.owner})
	if open == "deal" {
		e.deal = h.portal.AddDeal(bitrixtest.Entity{Title: "Six oak chairs", ContactID: e.contact, ResponsibleID: e.owner})
	}
	return e
}

// webhook is the call of a situation as Ringostat reports it. Whoever takes or makes it
// is Olena, unless the line belongs to nobody.
func (h *house) webhook(id string, s rules.Situation) url.Values {
	over := with(visit, url.Values{"date": {began}})
	line, code := "380501110101", "101"
	if s.Answerer == rules.ByUnmapped {
		line, code = strangeLine, ""
	}
	over["connected_with"], over["staffid"] = []string{line}, []string{code}
	theirs := "caller"
	if s.Direction == rules.Outbound {
		theirs = "callee"
		over = with(over, url.Values{
			"type": {"out"}, "caller": {line}, "callee": {client}, "outbound_number": {"380441234567"}, "connected_with": {""},
		})
	}
	if s.Direction == rules.Internal {
		over = with(over, url.Values{"caller": {"shop_petro"}, "callee": {"101"}, "connected_with": {"shop_olena"}})
	}
	if s.Client == rules.Anonymous && s.Direction != rules.Internal {
		over[theirs] = []string{"anonymous"}
	}
	switch s.Outcome {
	case rules.Missed:
		over = with(over, url.Values{"status": {"NO ANSWER"}, "dialog": {"0"}, "recording": {""}, "has_recording": {"0"}, "call_duration": {"20"}})
	case rules.Voicemail:
		over["status"] = []string{"VOICEMAIL"}
	}
	if s.Answerer == rules.ByNobody {
		over["connected_with"], over["staffid"] = []string{""}, []string{""}
	}
	return h.call(id, over)
}

var names = map[int]string{senior: "the senior manager", olena: "Olena", petro: "Petro", 0: "nobody"}

// ours says whether ringbridge made an entity.
func ours(e bitrixtest.Entity) bool { return e.OriginatorID == "ringbridge" }

// made lists the entities that ringbridge made.
func made(all []bitrixtest.Entity) []bitrixtest.Entity {
	return slices.DeleteFunc(slices.Clone(all), func(e bitrixtest.Entity) bool { return !ours(e) })
}

// render tells what ringbridge made, one line each, without ids and dates: what a
// person would see in the portal.
func (h *house) render() string {
	var b strings.Builder
	p := h.portal
	label := map[string]string{}
	for _, list := range []struct {
		prefix string
		all    []bitrixtest.Entity
	}{{"C_", p.Contacts()}, {"L_", p.Leads()}, {"D_", p.Deals()}} {
		number := 0
		for _, e := range list.all {
			name := "the " + e.Kind.String() + " that was there"
			if ours(e) {
				name = "the new " + e.Kind.String()
				if number++; number > 1 {
					name += fmt.Sprintf(" no. %d", number)
				}
			}
			label[fmt.Sprint(list.prefix, e.ID)] = name
		}
	}
	for _, list := range [][]bitrixtest.Entity{p.Contacts(), p.Leads(), p.Deals(), p.Companies()} {
		for _, e := range made(list) {
			b.WriteString(entityLine(e, label) + "\n")
		}
	}
	for _, t := range p.Tasks() {
		b.WriteString(taskLine(t, label) + "\n")
	}
	if b.Len() == 0 {
		return "nothing was made\n"
	}
	return b.String()
}

func entityLine(e bitrixtest.Entity, label map[string]string) string {
	parts := []string{fmt.Sprintf("%s %q on %s", e.Kind, strings.TrimSpace(e.Title+e.Name+e.LastName), names[e.ResponsibleID])}
	if e.StageID != "" {
		parts = append(parts, "stage "+e.StageID)
	}
	if e.SourceID != "" {
		parts = append(parts, "source "+e.SourceID)
	}
	if len(e.Phones) > 0 {
		parts = append(parts, "phone "+strings.Join(e.Phones, " "))
	}
	if e.ContactID != 0 {
		parts = append(parts, "of "+label[fmt.Sprint("C_", e.ContactID)])
	}
	for _, name := range []string{"source", "medium", "campaign", "content", "term"} {
		if v := e.UTM[name]; v != "" {
			parts = append(parts, "utm "+name+" "+v)
		}
	}
	var fields []string
	for name, v := range e.Custom {
		if v != "" {
			fields = append(fields, name+" "+v)
		}
	}
	slices.Sort(fields)
	parts = append(parts, fields...)
	parts = append(parts, "comments about the visit "+yes(strings.Contains(e.Comments, "[B]Visit[/B]")))
	return strings.Join(parts, ", ")
}

func taskLine(t bitrixtest.Task, label map[string]string) string {
	parts := []string{fmt.Sprintf("task %q on %s", t.Title, names[t.ResponsibleID]), "open"}
	if t.Status == 5 {
		parts[1] = "closed"
	}
	var bound []string
	for _, id := range t.CRM {
		name := label[id]
		if name == "" {
			name = "something unknown: " + id
		}
		bound = append(bound, name)
	}
	if len(bound) == 0 {
		bound = []string{"nothing"}
	}
	parts = append(parts, "bound to "+strings.Join(bound, " and "))
	if due, ok := dueAfter(t); ok {
		parts = append(parts, fmt.Sprintf("due +%s after the call", due))
	}
	for _, has := range []struct{ what, sign string }{
		{"recording", "[B]Recording:[/B] [URL="}, {"voicemail", "[B]Voicemail recording:[/B] [URL="}, {"visit", "[B]Visit[/B]"},
	} {
		parts = append(parts, has.what+" "+yes(strings.Contains(t.Description, has.sign)))
	}
	if strings.HasPrefix(t.Description, "Not needed:") {
		parts = append(parts, "marked as not needed")
	}
	for _, row := range []string{"Through line", "Line", "Call status"} {
		for line := range strings.Lines(t.Description) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), "[B]"+row+":[/B] "); ok {
				parts = append(parts, strings.ToLower(row)+" "+v)
			}
		}
	}
	return strings.Join(parts, ", ")
}

// dueAfter is the time from the end of a call that began at began to the deadline.
func dueAfter(t bitrixtest.Task) (time.Duration, bool) {
	if t.Deadline.IsZero() {
		return 0, false
	}
	at, err := time.Parse(time.RFC3339, began)
	if err != nil {
		panic(err)
	}
	end := at.Add(50 * time.Second)
	if strings.Contains(t.Description, "missed") {
		end = at.Add(20 * time.Second) // nobody talked
	}
	return t.Deadline.Sub(end), true
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// only is the single element of a list.
func only[T any](t testing.TB, what string, list []T) T {
	t.Helper()
	if len(list) != 1 {
		t.Fatalf("there are %d %s, want 1: %+v", len(list), what, list)
	}
	return list[0]
}
