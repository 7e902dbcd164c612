package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// hookPatterns are the reports that a finished call may come with.
var hookPatterns = map[string][]string{
	"after": {"after"}, "before and after": {"before", "after"}, "after and rating": {"after", "rating"},
	"after twice": {"after", "after"}, "all": {"before", "answer", "after", "rating"},
}

// endings are ways in which those calls end.
var endings = map[string]url.Values{
	"answered": nil, "missed": missedCall, "by nobody's line": {"connected_with": {strangeLine}, "staffid": {""}},
}

// report sends a call's webhooks, one for each of the events.
func (h *house) report(id string, events []string, over url.Values) {
	h.t.Helper()
	for _, e := range events {
		v := h.call(id, over)
		if e != "after" {
			v = h.call(id, with(over, url.Values{"status": {""}, "call_duration": {""}, "waiting": {""}, "dialog": {""}, "recording": {""}, "has_recording": {""}}))
		}
		if e == "rating" {
			v.Set("call_rate", "5")
		}
		h.sendTo("?event="+e, v)
	}
}

// reported sends calls of every ending with the reports of each pattern, each of a client
// of its own.
func (h *house) reported() {
	h.t.Helper()
	n := 0
	for _, ending := range sorted(endings) {
		for _, pattern := range sorted(hookPatterns) {
			h.report(ending+", "+pattern, hookPatterns[pattern], with(url.Values{"caller": {fmt.Sprintf("+3806711144%02d", n)}, "date": {began}}, endings[ending]))
			n++
		}
	}
	h.quiet()
}

func sorted[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// needed is what ringbridge made and wants to be there, with every text and by what things
// belong to, without what was marked as not needed.
func (h *house) needed() (lines []string) {
	label := map[string]string{}
	undone := func(text string) bool { return strings.HasPrefix(text, "Not needed:") }
	for _, list := range []struct {
		prefix string
		all    []bitrixtest.Entity
	}{{"C_", h.portal.Contacts()}, {"L_", h.portal.Leads()}, {"D_", h.portal.Deals()}} {
		for _, e := range list.all {
			name := fmt.Sprintf("%s %q", e.Kind, strings.TrimSpace(e.Title+e.Name))
			if undone(e.Comments) || strings.HasPrefix(e.Title, "[Not needed]") {
				continue
			}
			label[fmt.Sprint(list.prefix, e.ID)] = name
			lines = append(lines, fmt.Sprintf("%s %v on %s in %d %s from %s of %s, says %q", name, e.Phones, names[e.ResponsibleID],
				e.CategoryID, e.StageID, e.SourceID, label[fmt.Sprint("C_", e.ContactID)], e.Comments))
		}
	}
	for _, t := range h.portal.Tasks() {
		if undone(t.Description) || strings.HasPrefix(t.Title, "[Not needed]") {
			continue
		}
		var bound []string
		for _, id := range t.CRM {
			if label[id] != "" { // links are never taken away
				bound = append(bound, label[id])
			}
		}
		slices.Sort(bound)
		lines = append(lines, fmt.Sprintf("task %q on %s, closed %t, due %s, of %q, says %q", t.Title, names[t.ResponsibleID], t.Status == 5, t.Deadline.UTC(), bound, t.Description))
	}
	slices.Sort(lines)
	return lines
}

// leads counts the leads that are needed, by client.
func (h *house) leads() map[string]int {
	n := map[string]int{}
	for _, e := range h.portal.Leads() {
		if n[e.Phones[0]] += 0; !strings.HasPrefix(e.Comments, "Not needed:") {
			n[e.Phones[0]]++
		}
	}
	return n
}

// turnarounds are changes of settings that take things away and want others.
var turnarounds = map[string]struct {
	from, to string // YAML of the scenarios
	correct  func(block map[string]any)
	// later is true where a first call gets what a later one made: two of it would be more
	// than right settings make.
	later bool
}{
	"lead to deal":         {"", "new_client: deal", func(b map[string]any) { scenarios(b)["new_client"] = "deal" }, false},
	"lead to deal, tagged": {"compensate: tag", "new_client: deal, compensate: tag", func(b map[string]any) { scenarios(b)["new_client"] = "deal" }, false},
	"deal to lead":         {"new_client: deal", "", func(b map[string]any) { scenarios(b)["new_client"] = "lead" }, false},
	"lead to both":         {"", "new_client: contact+lead", func(b map[string]any) { scenarios(b)["new_client"] = "contact+lead" }, false},
	"both to lead":         {"new_client: contact+lead", "", func(b map[string]any) { scenarios(b)["new_client"] = "lead" }, false},
	"lead to contact+deal": {"", "new_client: contact+deal", func(b map[string]any) { scenarios(b)["new_client"] = "contact+deal" }, false},
	"lead to nothing":      {"", "new_client: nothing", func(b map[string]any) { scenarios(b)["new_client"] = "nothing" }, false},
	"nothing to lead":      {"new_client: nothing", "", func(b map[string]any) { scenarios(b)["new_client"] = "lead" }, true},
	"answered off":         {"", "off: [answered/new]", func(b map[string]any) { scenarios(b)["off"] = []string{"answered/new"} }, false},
	"answered on":          {"off: [answered/new]", "", func(b map[string]any) { delete(scenarios(b), "off") }, true},
	"missed off":           {"", "off: [missed/new]", func(b map[string]any) { scenarios(b)["off"] = []string{"missed/new"} }, false},
	"missed on":            {"off: [missed/new]", "", func(b map[string]any) { delete(scenarios(b), "off") }, true},
}

// houseWith is a house with some scenarios.
func houseWith(t *testing.T, scenarios string) *house {
	t.Helper()
	return openHouse(t, bitrixtest.Options{}, "    scenarios: {"+scenarios+"}\n")
}

// putRight replays a history after a change of the settings: what is in the portal then is
// what right settings make of it, nothing was made twice, and there is nothing left to do.
func putRight(t *testing.T, name string, alone bool, history func(h *house)) {
	t.Helper()
	c := turnarounds[name]
	h, right := houseWith(t, c.from), houseWith(t, c.to)
	history(h)
	history(right)
	h.correct(c.correct)
	p := h.plan("{}", false)
	h.carryOut(p)
	if c.later && !alone {
		for phone, n := range h.leads() {
			if n != 1 {
				t.Errorf("client %s has %d leads that are needed, want one; the plan was\n%s", phone, n, p)
			}
		}
	} else if diff := cmp.Diff(right.needed(), h.needed()); diff != "" {
		t.Errorf("the portal holds (+) something else than right settings make (-):\n%s\nthe plan was\n%s", diff, p)
	}
	if again := h.plan("{}", false); len(again.Rows) != 0 {
		t.Errorf("made again the plan is\n%s", again)
	}
	for id, n := range h.portal.Duplicates() {
		t.Errorf("%s was made %d times", id, n)
	}
}

// TestACallOfSeveralReportsIsPutRightLikeOneOfASingleReport: a call's own later report is
// no other call of its client.
func TestACallOfSeveralReportsIsPutRightLikeOneOfASingleReport(t *testing.T) {
	for _, name := range sorted(turnarounds) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			putRight(t, name, true, (*house).reported)
		})
	}
}

// chains are calls of one client, one after the other.
var chains = [][]string{
	{"answered", "missed"}, {"missed", "answered"}, {"missed", "missed", "answered"}, {"by nobody's line", "answered"}, {"answered", "by nobody's line", "missed"},
}

// chained sends every chain with the reports of one pattern.
func (h *house) chained(pattern string) {
	h.t.Helper()
	for n := range 3 {
		for i, chain := range chains {
			if n < len(chain) {
				at := fmt.Sprintf("2026-03-02T%02d:30:00+02:00", 9+n)
				h.report(fmt.Sprint("c", i, ".", n), hookPatterns[pattern], with(url.Values{"caller": {fmt.Sprintf("+3806711155%02d", i)}, "date": {at}}, endings[chain[n]]))
			}
		}
		h.quiet()
	}
}

// TestTheCallsAfterOneThatIsPutRightFollowIt: what a client's first call made is taken away,
// and something else takes its place; his later calls belong to that.
func TestTheCallsAfterOneThatIsPutRightFollowIt(t *testing.T) {
	for _, name := range sorted(turnarounds) {
		for _, pattern := range []string{"after", "before and after"} {
			t.Run(name+", "+pattern, func(t *testing.T) {
				t.Parallel()
				putRight(t, name, false, func(h *house) { h.chained(pattern) })
			})
		}
	}
}

// TestTheCallsAfterOneWhoseLeadAPersonWorksOnStayWithIt: such a lead is not undone, whatever
// the settings say.
func TestTheCallsAfterOneWhoseLeadAPersonWorksOnStayWithIt(t *testing.T) {
	t.Parallel()
	h := houseWith(t, "")
	h.send(h.call("c1", nil))
	h.quiet()
	h.send(h.call("c2", missedCall))
	h.quiet()
	lead := only(t, "leads", h.portal.Leads())
	h.portal.Edit(bitrixtest.Lead, lead.ID, func(e *bitrixtest.Entity) { e.Title = "Twelve oak chairs" })
	h.correct(turnarounds["answered off"].correct)
	p := h.plan("{}", false)
	if p.Totals["conflict"] != 1 || slices.ContainsFunc(p.Rows, func(r rowView) bool { return r.Call == "c2" }) {
		t.Errorf("the plan is\n%s\nwant the lead left to the person, and his second call as it is", p)
	}
	h.carryOut(p)
	if got := only(t, "leads", h.portal.Leads()); got.Title != "Twelve oak chairs" || got.Comments != lead.Comments {
		t.Errorf("the lead is %q and says %q, want it as the person left it", got.Title, got.Comments)
	}
	if again := h.plan("{}", false); len(again.Rows) != 0 {
		t.Errorf("made again the plan is\n%s", again)
	}
}

// TestACallThatAnEarlierVersionLeftWithItsOwnUndoneLeadIsPutRight has the file that a replay
// left when it took a call's own lead for the client's.
func TestACallThatAnEarlierVersionLeftWithItsOwnUndoneLeadIsPutRight(t *testing.T) {
	t.Parallel()
	h := houseWith(t, "")
	h.send(h.call("c1", nil))
	h.quiet()
	const note = "Not needed: made by a mistake in the integration's settings. Call c1, replay shop.1."
	lead := only(t, "leads", h.portal.Leads())
	h.portal.Edit(bitrixtest.Lead, lead.ID, func(e *bitrixtest.Entity) { e.Comments = note })
	if _, err := h.in.env.Files.Change(t.Context(), "shop", "c1", func(f *callfile.File) (bool, error) {
		f.Journal["lead"].Entity.Comments = note
		f.Wanted = slices.DeleteFunc(f.Wanted, func(role string) bool { return role == "lead" })
		own := event.Item{Ref: event.Ref{Kind: "lead", ID: lead.ID, Title: lead.Title, Responsible: olena}}
		f.Resolved.Found = &event.Found{Open: []event.Item{own}}
		f.Resolved.Client = event.Client{State: "open", Open: &own.Ref, Owner: olena}
		f.Resolved.Answerer = "owner"
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	h.correct(turnarounds["lead to deal"].correct)
	h.carryOut(h.plan("{}", false))
	deal := only(t, "deals", h.portal.Deals())
	if task := only(t, "tasks", h.portal.Tasks()); !slices.Contains(task.CRM, fmt.Sprint("D_", deal.ID)) {
		t.Errorf("the task belongs to %v, want deal %d", task.CRM, deal.ID)
	}
	if again := h.plan("{}", false); len(again.Rows) != 0 {
		t.Errorf("made again the plan is\n%s", again)
	}
}
