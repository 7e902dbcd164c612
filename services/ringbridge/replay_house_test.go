package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
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
	h.checkEvents()
	// One with nothing to do may be over before it is answered for.
	if code, body := h.request(http.MethodPost, replays+"/"+id+"/apply", "", ""); code != http.StatusAccepted && code != http.StatusOK {
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

// sorted is what the portal holds, in an order that does not depend on who came first,
// with every text, and without what was closed as not needed.
func (h *house) sorted() string {
	lines := strings.Split(strings.TrimSpace(h.render()), "\n")
	for i, line := range lines {
		lines[i] = regexp.MustCompile(` no\. \d+`).ReplaceAllString(line, "")
	}
	for _, task := range h.portal.Tasks() {
		if !strings.HasPrefix(task.Description, "Not needed:") {
			lines = append(lines, fmt.Sprintf("text of %q, due %s: %q", task.Title, task.Deadline.UTC(), task.Description))
		}
	}
	lines = slices.DeleteFunc(lines, func(line string) bool {
		undone := strings.Contains(line, "marked as not needed")
		if undone && !strings.Contains(line, ", closed,") {
			h.t.Errorf("this is not needed and still open: %s", line)
		}
		return undone
	})
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
