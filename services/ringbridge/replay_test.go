package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

type planView struct {
	ID, State, Reason         string
	Revision, Calls           int
	Totals                    map[string]int
	ToApply, Applied, Skipped int
	Rows                      []rowView
	Next                      string
}

type rowView struct {
	Kind, Phone, Entity, Field, Old, New, Why string
	Call                                      string `json:"call_id"`
	BitrixID                                  int    `json:"bitrix_id"`
	RuleOld                                   string `json:"rule_old"`
	RuleNew                                   string `json:"rule_new"`
	Changes                                   []struct{ Field, Old, New string }
}

const replays = "/api/v1/projects/shop/replays"

// plan has a plan made and returns it with all its rows.
func (h *house) plan(wish string, all bool) planView {
	h.t.Helper()
	code, body := h.request(http.MethodPost, replays, "application/json", wish)
	var p planView
	if err := json.Unmarshal([]byte(body), &p); err != nil || code != http.StatusAccepted {
		h.t.Fatalf("a plan was not begun: %d %s", code, body)
	}
	h.until("the plan is made", func() bool {
		h.api(http.MethodGet, replays+"/"+p.ID, &p)
		return p.State != "planning"
	})
	return h.showPlan(p.ID, all)
}

func (h *house) showPlan(id string, all bool) (p planView) {
	h.t.Helper()
	cursor := ""
	for {
		var page planView
		if code := h.api(http.MethodGet, fmt.Sprintf("%s/%s?limit=7&all=%t%s", replays, id, all, cursor), &page); code != http.StatusOK {
			h.t.Fatalf("the plan answered %d", code)
		}
		rows := append(p.Rows, page.Rows...)
		p, p.Rows = page, rows
		if page.Next == "" {
			return p
		}
		cursor = "&cursor=" + page.Next
	}
}

// applyPlan carries a plan out and waits for its end.
func (h *house) applyPlan(id string) (p planView) {
	h.t.Helper()
	if code, body := h.request(http.MethodPost, replays+"/"+id+"/apply", "", ""); code != http.StatusAccepted {
		h.t.Fatalf("apply answered %d %s", code, body)
	}
	h.until("the plan is carried out", func() bool {
		h.api(http.MethodGet, replays+"/"+id, &p)
		return p.State != "applying"
	})
	return p
}

var numbersInRows = regexp.MustCompile(`\b(lead|deal|contact|task) \d+`)

// String is a plan as the golden files show it, without ids of the portal.
func (p planView) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls:", p.Calls)
	for _, kind := range []string{"create", "update", "reassign", "compensate", "conflict", "same"} {
		if p.Totals[kind] > 0 {
			fmt.Fprintf(&b, " %d %s", p.Totals[kind], kind)
		}
	}
	b.WriteString("\n")
	for _, r := range p.Rows {
		fmt.Fprintf(&b, "\n%s %s of call %s, %s (%s -> %s)\n", r.Kind, r.Entity, r.Call, r.Phone, r.RuleOld, r.RuleNew)
		if len(r.Changes) == 0 {
			fmt.Fprintf(&b, "  %s: %s -> %s\n", r.Field, short(r.Old), short(r.New))
		}
		for _, c := range r.Changes {
			fmt.Fprintf(&b, "  %s: %s -> %s\n", c.Field, short(c.Old), short(c.New))
		}
		fmt.Fprintf(&b, "  because %s\n", r.Why)
	}
	return numbersInRows.ReplaceAllString(b.String(), "$1 N")
}

// short shows a long text by what a reader tells it apart by.
func short(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprintf("%q and %d lines more", lines[0], len(lines)-1)
}

// mistake is a kind of misconfiguration: calls that were decided with wrong settings.
type mistake struct {
	name    string
	more    string // YAML of the project
	replace []string
	calls   func(h *house, i int) url.Values
	correct func(block map[string]any)
	// right is the same company with right settings from the start, as YAML: what it makes
	// of the same calls is what the portal must hold in the end. Empty: compared by check.
	rightMore    string
	rightReplace []string
	parked       int // how many requests nobody could read
	check        func(t *testing.T, h *house)
}

// phoneOf gives each three calls in a row one client.
func phoneOf(i int) string { return fmt.Sprintf("+3806711122%02d", i/3) }

// weekCall is the call number i of a week of 30.
func weekCall(h *house, i int, over url.Values) url.Values {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("", 2*3600)).Add(time.Duration(i) * 5 * time.Hour)
	return h.call(fmt.Sprintf("c%02d", i), with(url.Values{"caller": {phoneOf(i)}, "date": {at.Format(time.RFC3339)}}, over))
}

var missedCall = url.Values{"status": {"NO ANSWER"}, "connected_with": {""}, "staffid": {""}, "dialog": {"0"}, "recording": {""}, "has_recording": {"0"}, "call_duration": {"20"}}

func employees(block map[string]any) []any { return block["employees"].([]any) }

var mistakes = []mistake{
	{
		name: "wrong senior", replace: []string{"senior: 1\n", "senior: 8\n"},
		calls: func(h *house, i int) url.Values { // missed, then again, then taken by Olena
			if i%3 < 2 {
				return weekCall(h, i, missedCall)
			}
			return weekCall(h, i, nil)
		},
		correct: func(block map[string]any) { block["senior"] = senior },
	},
	{
		name: "unmapped employee", replace: []string{`      - {name: Petro Bondar, code: "102", extension: "102", sip: [shop_petro], numbers: ["+380501110102"], bitrix_user: 8}` + "\n", ""},
		calls: func(h *house, i int) url.Values {
			return weekCall(h, i, url.Values{"connected_with": {"380501110102"}, "staffid": {"102"}})
		},
		correct: func(block map[string]any) {
			block["employees"] = append(employees(block), map[string]any{"name": "Petro Bondar", "code": "102", "extension": "102", "sip": []string{"shop_petro"}, "numbers": []string{"+380501110102"}, "bitrix_user": petro})
		},
	},
	{
		name: "wrong user", replace: []string{"bitrix_user: 7}", "bitrix_user: 8}", `["+380501110102"], bitrix_user: 8}`, `["+380501110102"], bitrix_user: 8}`},
		calls: func(h *house, i int) url.Values {
			if i%3 == 2 {
				return weekCall(h, i, missedCall)
			}
			return weekCall(h, i, nil)
		},
		correct: func(block map[string]any) { employees(block)[0].(map[string]any)["bitrix_user"] = olena },
	},
	{
		name: "renamed parameter", parked: 30,
		calls: func(h *house, i int) url.Values {
			v := weekCall(h, i, nil)
			v["my_call"], v["call_id"] = v["call_id"], nil
			delete(v, "call_id")
			return v
		},
		correct: func(block map[string]any) {
			block["ringostat"].(map[string]any)["fields"] = map[string]string{"call_id": "my_call"}
		},
		rightReplace: []string{"ringostat: {token: " + hook + "}", "ringostat: {token: " + hook + ", fields: {call_id: my_call}}"},
	},
	{
		name: "rule off", more: "    scenarios: {off: [answered/new]}\n",
		calls:   func(h *house, i int) url.Values { return weekCall(h, i, visit) },
		correct: func(block map[string]any) { delete(block["scenarios"].(map[string]any), "off") },
	},
	{
		name: "wrong country", replace: []string{"    locale: en\n", "    locale: en\n    country: PL\n"},
		calls: func(h *house, i int) url.Values {
			return weekCall(h, i, url.Values{"caller": {"0" + strings.TrimPrefix(phoneOf(i), "+380")}})
		},
		correct: func(block map[string]any) { block["country"] = "UA" },
	},
	{
		name: "wrong time zone", replace: []string{"    locale: en\n", "    locale: en\n    time_zone: America/New_York\n"},
		calls: func(h *house, i int) url.Values {
			over := url.Values{}
			if i%2 == 0 {
				over = with(missedCall)
			}
			v := weekCall(h, i, over)
			at, err := time.Parse(time.RFC3339, v.Get("date"))
			if err != nil {
				h.t.Fatal(err)
			}
			v.Set("date", at.Format(time.DateTime))
			return v
		},
		correct: func(block map[string]any) { block["time_zone"] = "Europe/Kyiv" },
	},
}

// wrongWeek runs 30 calls with wrong settings.
func wrongWeek(t *testing.T, m mistake) *house {
	t.Helper()
	h := openHouse(t, bitrixtest.Options{}, m.more, m.replace...)
	h.sendWeek(m)
	if got := len(h.parked()); got != m.parked {
		t.Fatalf("%d requests are parked, want %d", got, m.parked)
	}
	return h
}

func (h *house) sendWeek(m mistake) {
	h.t.Helper()
	for i := range 30 {
		h.send(m.calls(h, i))
	}
	h.quiet()
}

// rightWeek is what the portal holds when the settings were right from the start.
func rightWeek(t *testing.T, m mistake) string {
	t.Helper()
	h := openHouse(t, bitrixtest.Options{}, "", m.rightReplace...)
	h.sendWeek(m)
	return h.sorted()
}

// sorted is what the portal holds, in an order that does not depend on who came first.
func (h *house) sorted() string {
	lines := strings.Split(strings.TrimSpace(h.render()), "\n")
	for i, line := range lines {
		lines[i] = regexp.MustCompile(` no\. \d+`).ReplaceAllString(line, "")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// reads fails the test where something was written to the portal since ForgetRequests.
func (h *house) onlyReads(when string) {
	h.t.Helper()
	for _, r := range h.portal.Requests() {
		for _, c := range r.Commands {
			if !strings.HasSuffix(c.Method, ".list") && !strings.HasSuffix(c.Method, ".get") && !strings.HasSuffix(c.Method, "findbycomm") {
				h.t.Errorf("%s %s was sent, want reads only", when, c.Method)
			}
		}
	}
}

// TestAfterAMistakeInTheSettingsTheWeekIsPutRight goes through each kind of mistake: 30
// calls wrong, the settings corrected, a plan, and what it makes of the portal is what
// right settings would have made.
func TestAfterAMistakeInTheSettingsTheWeekIsPutRight(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			h := wrongWeek(t, m)
			h.portal.ForgetRequests()
			if before := h.plan("{}", false); len(before.Rows) != 0 {
				t.Errorf("with the settings as they were the plan is\n%s", before)
			}
			h.correct(m.correct)
			p := h.plan("{}", false)
			if p.State != "planned" {
				t.Fatalf("the plan is %s: %s", p.State, p.Reason)
			}
			h.onlyReads("while planning")
			golden(t, "replay."+strings.ReplaceAll(m.name, " ", "-")+".txt", p.String())
			if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
				t.Fatalf("the plan is %s with %d skipped: %s", done.State, done.Skipped, done.Reason)
			}
			h.quiet()
			if got, want := h.sorted(), rightWeek(t, m); got != want {
				t.Errorf("the portal holds:\n%s\nwant what right settings make:\n%s", got, want)
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again the plan is\n%s", again)
			}
			h.portal.ForgetRequests()
			if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/apply", "", ""); code != http.StatusOK {
				t.Errorf("the second apply answered %d %s, want 200", code, body)
			}
			h.quiet()
			h.onlyReads("by the second apply")
			for id, n := range h.portal.Duplicates() {
				t.Errorf("%s was made %d times", id, n)
			}
			if left := h.parked(); len(left) != 0 {
				t.Errorf("%d things are still parked", len(left))
			}
		})
	}
}
