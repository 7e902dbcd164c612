package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
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
	// rightReplace makes the same company with right settings from the start: what it makes
	// of the same calls is what the portal must hold in the end.
	rightReplace []string
	parked       int // how many requests nobody could read
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

// TestWhatAPersonChangedMeanwhileIsLeftAlone edits what the wrong settings made: a lead is
// given to somebody else, a task is rewritten, one is deleted, one is moved on.
func TestWhatAPersonChangedMeanwhileIsLeftAlone(t *testing.T) {
	for _, m := range mistakes[:2] {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			h := wrongWeek(t, m)
			h.correct(m.correct)
			touched := map[string][]int{} // what a replay would change
			for _, r := range h.plan("{}", false).Rows {
				if r.BitrixID != 0 && r.Kind != "same" && !slices.Contains(touched[r.Entity], r.BitrixID) {
					touched[r.Entity] = append(touched[r.Entity], r.BitrixID)
				}
			}
			if len(touched["lead"]) < 2 || len(touched["task"]) < 2 {
				t.Fatalf("a replay would change %v, want two leads and two tasks at least", touched)
			}
			leads := touched["lead"]
			given, deleted, rewritten := leads[0], touched["task"][0], touched["task"][1]
			h.portal.Edit(bitrixtest.Lead, given, func(e *bitrixtest.Entity) { e.ResponsibleID = olena })
			h.portal.Edit(bitrixtest.Lead, leads[1], func(e *bitrixtest.Entity) { e.Title = "Twelve oak chairs" })
			h.portal.DeleteTask(deleted)
			h.portal.EditTask(rewritten, func(t *bitrixtest.Task) { t.Description, t.ResponsibleID = "Called back, wants chairs.", olena })
			p := h.plan("{}", false)
			conflicts := map[string]bool{}
			for _, r := range p.Rows {
				if r.Kind == "conflict" {
					conflicts[fmt.Sprint(r.Entity, " ", r.BitrixID)] = true
				}
			}
			for _, what := range []string{fmt.Sprint("lead ", given), fmt.Sprint("task ", deleted), fmt.Sprint("task ", rewritten)} {
				if !conflicts[what] {
					t.Errorf("%s was changed by a person and is no conflict in\n%s", what, p)
				}
			}
			if len(conflicts) != 3 {
				t.Errorf("%d conflicts, want 3: %v", len(conflicts), conflicts)
			}
			if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
				t.Fatalf("the plan is %s with %d skipped: %s", done.State, done.Skipped, done.Reason)
			}
			h.quiet()
			for _, lead := range h.portal.Leads() {
				if lead.ID == given && lead.ResponsibleID != olena {
					t.Errorf("the lead that a person gave to Olena is on user %d", lead.ResponsibleID)
				}
				if lead.ID == leads[1] && lead.Title != "Twelve oak chairs" {
					t.Errorf("the lead that a person named is called %q", lead.Title)
				}
			}
			for _, task := range h.portal.Tasks() {
				if task.ID == rewritten && (task.Description != "Called back, wants chairs." || task.ResponsibleID != olena) {
					t.Errorf("the task that a person rewrote is on %d and says %q", task.ResponsibleID, task.Description)
				}
				if task.ID == deleted {
					t.Error("the task that a person deleted is there again")
				}
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again the plan is\n%s", again)
			}
			for id, n := range h.portal.Duplicates() {
				t.Errorf("%s was made %d times", id, n)
			}
		})
	}
}

func TestAPlanThatIsOlderThanTheSettingsIsRefused(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	for i := range 3 {
		h.send(weekCall(h, i, missedCall))
	}
	h.quiet()
	h.correct(func(block map[string]any) { block["senior"] = petro })
	p := h.plan("{}", false)
	if p.Totals["reassign"] != 4 {
		t.Fatalf("the plan is\n%s\nwant 4 reassigned", p)
	}
	h.correct(func(block map[string]any) { block["senior"] = olena })
	h.portal.ForgetRequests()
	if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/apply", "", ""); code != http.StatusConflict {
		t.Errorf("apply answered %d %s, want 409", code, body)
	}
	h.onlyReads("by a refused plan")
	for name, want := range map[string]int{
		`{"calls": ["c00"]}`: 2, `{"until": "2026-03-02T13:00:00+02:00"}`: 2,
		`{"rule": "missed/new"}`: 2, `{"rule": "answered/new"}`: 0, `{"fresh": true}`: 4,
	} {
		if got := h.plan(name, false); got.Totals["reassign"] != want || got.Totals["create"] != 0 {
			t.Errorf("%s: the plan is\n%s\nwant %d reassigned", name, got, want)
		}
	}
	// The lead that they belong to is outside of these, and keeps its responsible.
	for _, wish := range []string{`{"calls": ["c01"]}`, `{"since": "2026-03-02T12:00:00+02:00"}`} {
		if got := h.plan(wish, true); len(got.Rows) == 0 || got.Totals["same"] != len(got.Rows) {
			t.Errorf("%s: the plan is\n%s\nwant every row same", wish, got)
		}
	}
	for _, wish := range []string{`{"since": "yesterday"}`, `{"rule": "no/such"}`, `{"sence": "36h"}`, `[]`} {
		if code, body := h.request(http.MethodPost, replays, "application/json", wish); code != http.StatusBadRequest {
			t.Errorf("%s answered %d %s, want 400", wish, code, body)
		}
	}
	if code := h.api(http.MethodGet, replays+"/shop.20200101-000000", nil); code != http.StatusNotFound {
		t.Errorf("a plan that is not there answered %d, want 404", code)
	}
}

// TestKilledInTheMiddleOfAReplayItGoesOn kills the process again and again while a plan is
// carried out and the portal drops answers.
func TestKilledInTheMiddleOfAReplayItGoesOn(t *testing.T) {
	t.Parallel()
	for _, m := range []mistake{mistakes[1], mistakes[4]} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			h := buildHouse(t, bitrixtest.Options{}, m.more, m.replace...)
			dir := t.TempDir()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			h.in = &instance{Addr: listener.Addr().String()}
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			config := filepath.Join(dir, "ringbridge.yaml")
			if err := os.WriteFile(config, []byte(strings.Replace(h.config, "127.0.0.1:0", h.in.Addr, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			process := startProcess(t, config)
			defer func() {
				h.in = nil // nothing of this process is to be stopped
				process.kill()
			}()
			waitReady(t, h)
			h.sendWeek(m)
			h.correct(m.correct)
			p := h.plan("{}", false)
			h.portal.Inject(bitrixtest.Fault{Method: "crm.item.add", Every: 3, Times: -1, Do: bitrixtest.CutAfter})
			h.portal.Inject(bitrixtest.Fault{Method: "tasks.task.add", Every: 5, Times: -1, Do: bitrixtest.CutBefore})
			if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/apply", "", ""); code != http.StatusAccepted {
				t.Fatalf("apply answered %d %s", code, body)
			}
			for _, at := range []int{3, 9, 15} {
				h.until("some calls are put right", func() bool {
					h.api(http.MethodGet, replays+"/"+p.ID, &p)
					return p.Applied >= at || p.State != "applying"
				})
				if p.State != "applying" {
					t.Fatalf("the plan is %s after %d calls: %s", p.State, p.Applied, p.Reason)
				}
				process.kill()
				process = startProcess(t, config)
				waitReady(t, h)
			}
			h.until("the plan is carried out", func() bool {
				h.api(http.MethodGet, replays+"/"+p.ID, &p)
				return p.State != "applying"
			})
			if p.State != "done" || p.Applied != 30 || p.Skipped != 0 {
				t.Errorf("the plan is %s, %d applied, %d skipped: %s; want done, 30 and 0", p.State, p.Applied, p.Skipped, p.Reason)
			}
			h.quiet()
			for id, n := range h.portal.Duplicates() {
				t.Errorf("%s was made %d times", id, n)
			}
			if got, want := h.sorted(), rightWeek(t, m); got != want {
				t.Errorf("the portal holds:\n%s\nwant what right settings make:\n%s", got, want)
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again the plan is\n%s", again)
			}
		})
	}
}

func TestTheCommandLinePlansShowsAndApplies(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	for i := range 3 {
		h.send(weekCall(h, i, missedCall))
	}
	h.quiet()
	run := func(args ...string) (code int, out, words string) {
		var stdout, stderr bytes.Buffer
		code = runCLI(append(args, "--url", "http://"+h.in.Addr, "--token", apiPass), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	code, out, words := run("replay", "plan", "--project", "shop")
	if code != exitDone || !strings.Contains(out, "3 calls decided again: 4 same") {
		t.Errorf("nothing to change: exit %d, %s%s", code, out, words)
	}
	h.correct(func(block map[string]any) { block["senior"] = petro })
	code, out, words = run("replay", "plan", "--json")
	var p planView
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != exitDone || p.Totals["reassign"] != 4 || len(p.Rows) != 4 {
		t.Fatalf("plan --json: exit %d, %v, %s%s", code, err, out, words)
	}
	if code, out, _ = run("replay", "show", p.ID); code != exitDone || !strings.Contains(out, "responsible: 1 → 8") || !strings.Contains(out, "replay apply "+p.ID) {
		t.Errorf("show: exit %d, %s", code, out)
	}
	if code, out, words = run("replay", "apply", p.ID, "--yes"); code != exitDone || !strings.Contains(out, "done; 3 calls put right, 0 left") || !strings.Contains(words, "3 of 3 calls") {
		t.Errorf("apply: exit %d, %s%s", code, out, words)
	}
	for _, lead := range made(h.portal.Leads()) {
		if lead.ResponsibleID != petro {
			t.Errorf("the lead is on %d, want %d", lead.ResponsibleID, petro)
		}
	}
	if code, out, _ = run("replay", "apply", p.ID, "--yes"); code != exitDone {
		t.Errorf("the second apply: exit %d, %s", code, out)
	}
	if code, _, words = run("replay", "show", "shop.20200101-000000"); code != exitNotWell || !strings.Contains(words, "no plan") {
		t.Errorf("a plan that is not there: exit %d, %s", code, words)
	}
	if code, _, words = run("replay", "plan", "--since", "yesterday"); code != exitUsage || !strings.Contains(words, "not understood") {
		t.Errorf("a wrong time: exit %d, %s", code, words)
	}
}

func TestAReplayIsApprovedByTypingTheNumberOfItsChanges(t *testing.T) {
	p := replayView{ID: "shop.1", Totals: map[string]int{"reassign": 12, "create": 3, "conflict": 2, "same": 100}}
	for typed, want := range map[string]bool{"15\n": true, "15": true, "17\n": false, "yes\n": false, "": false} {
		err := approve(console{out: io.Discard, err: io.Discard}, strings.NewReader(typed), p, p.changes())
		if (err == nil) != want {
			t.Errorf("typed %q: approved %v (%v), want %v", typed, err == nil, err, want)
		}
	}
}

func TestAReplayIsPausedResumedAndAborted(t *testing.T) {
	t.Parallel()
	m := mistakes[0]
	h := wrongWeek(t, m)
	h.correct(m.correct)
	p := h.plan("{}", false)
	post := func(verb string, want int) {
		t.Helper()
		if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/"+verb, "", ""); code != want {
			t.Fatalf("%s answered %d %s, want %d", verb, code, body, want)
		}
	}
	post("pause", http.StatusConflict)
	post("apply", http.StatusAccepted)
	post("pause", http.StatusOK)
	h.quiet()
	if p = h.showPlan(p.ID, false); p.State != "paused" || p.Applied == 30 {
		t.Fatalf("paused right after it began the plan is %s with %d applied", p.State, p.Applied)
	}
	had := p.Applied
	post("resume", http.StatusAccepted)
	h.until("it goes on", func() bool {
		p = h.showPlan(p.ID, false)
		return p.Applied > had
	})
	post("abort", http.StatusOK)
	h.quiet()
	post("apply", http.StatusConflict)
	if p = h.showPlan(p.ID, false); p.State != "aborted" {
		t.Errorf("the plan is %s, want aborted", p.State)
	}
	// What was left is done by the next plan.
	p = h.plan("{}", false)
	if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
		t.Fatalf("the next plan is %s with %d skipped: %s", done.State, done.Skipped, done.Reason)
	}
	h.quiet()
	if got, want := h.sorted(), rightWeek(t, m); got != want {
		t.Errorf("the portal holds:\n%s\nwant what right settings make:\n%s", got, want)
	}
}
