package main

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

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
	var none map[string]json.RawMessage
	if code, out, _ = run("replay", "plan", "--json"); code != exitDone || json.Unmarshal([]byte(out), &none) != nil || string(none["rows"]) != "[]" {
		t.Errorf("nothing to change, as JSON: exit %d, %s, want no rows as []", code, out)
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
	if code, out, _ = run("replay", "apply", p.ID, "--yes"); code != exitDone || !strings.Contains(out, "carried out before, with 3 calls put right") || !strings.Contains(out, "nothing was done now") {
		t.Errorf("the second apply: exit %d, %s", code, out)
	}
	var done planView
	if code, out, _ = run("replay", "apply", p.ID, "--json"); code != exitDone || json.Unmarshal([]byte(out), &done) != nil || len(done.Rows) != 4 || done.Next != "" {
		t.Errorf("apply as JSON: exit %d, %s, want all 4 rows and no next page", code, out)
	}
	for _, verb := range []string{"show", "apply"} {
		if code, _, words = run("replay", verb, "nope"); code != exitUsage || !strings.Contains(words, `"nope" is no plan`) {
			t.Errorf("%s of what is no plan's id: exit %d, %s", verb, code, words)
		}
	}
	if code, _, words = run("replay", "show", "shop.20200101-000000"); code != exitNotWell || !strings.Contains(words, "no plan") {
		t.Errorf("a plan that is not there: exit %d, %s", code, words)
	}
	if code, _, words = run("replay", "plan", "--call", "nope", "--call", "c00"); code != exitDone || !strings.Contains(words, "1 of the calls named are not in it") {
		t.Errorf("a call that is not there: exit %d, %s", code, words)
	}
	if code, _, words = run("replay", "plan", "--project", "shopp"); code != exitUsage || !strings.Contains(words, "no project shopp") {
		t.Errorf("a project that is not there: exit %d, %s", code, words)
	}
	h.correct(func(block map[string]any) { block["senior"] = olena })
	stale := h.plan("{}", false)
	h.correct(func(block map[string]any) { block["senior"] = petro })
	if code, _, words = run("replay", "apply", stale.ID, "--yes"); code != exitNotWell || !strings.Contains(words, "ringbridge replay plan") {
		t.Errorf("a plan older than the settings: exit %d, %s", code, words)
	}
	if code, _, words = run("replay", "plan", "--since", "yesterday"); code != exitUsage || !strings.Contains(words, "not understood") {
		t.Errorf("a wrong time: exit %d, %s", code, words)
	}
	for _, command := range [][]string{{"replay", "plan"}, {"calls"}, {"export", "--out", filepath.Join(t.TempDir(), "calls.csv")}} {
		if code, _, words = run(append(command, "--since", "2h", "--until", "3h")...); code != exitUsage || !strings.Contains(words, "since is not before until") {
			t.Errorf("%s of a span that is turned round: exit %d, %s", command, code, words)
		}
	}
}

func TestAReplayIsApprovedByTypingTheNumberOfItsChanges(t *testing.T) {
	p := replayplan.Page{Plan: replayplan.Plan{ID: "shop.1", Totals: map[string]int{"reassign": 12, "create": 3, "conflict": 2, "same": 100}}}
	for typed, want := range map[string]bool{"15\n": true, "15": true, "17\n": false, "yes\n": false, "": false} {
		err := approve(console{out: io.Discard, err: io.Discard}, strings.NewReader(typed), p, p.Changes())
		if (err == nil) != want {
			t.Errorf("typed %q: approved %v (%v), want %v", typed, err == nil, err, want)
		}
	}
}

func TestARowShowsWhereTwoLongTextsBeginToDiffer(t *testing.T) {
	long := "Nobody answered the client's call. Call back. "
	for _, c := range []struct{ old, now, wantOld, wantNow string }{
		{"1", "8", "1", "8"},
		{"", strings.Repeat("x", 70), "", strings.Repeat("x", 60) + "…"},
		{"one\n two", "three", "one two", "three"},
		{long + "Client: +380671112233, and more that is told of him here", long + "Client: hidden", "… back. Client: +380671112233, and more that is told of him h…", "Nobody answered the client's call. Call back. Client: hidden"},
		{long + long + "The first line of Olena's phone", long + long + "The second line of Petro's phone", "…Call back. The first line of Olena's phone", "…Call back. The second line of Petro's phone"},
		{strings.Repeat("x", 70), strings.Repeat("x", 75), "…" + strings.Repeat("x", 15), "…" + strings.Repeat("x", 20)},
		{"Олена " + strings.Repeat("дзвонить ", 10) + "сама", "Петро " + strings.Repeat("дзвонить ", 10) + "сам", "Олена " + strings.Repeat("дзвонить ", 6) + "…", "Петро " + strings.Repeat("дзвонить ", 6) + "…"},
	} {
		if old, now := differing(c.old, c.now); old != c.wantOld || now != c.wantNow {
			t.Errorf("%q and %q are shown as\n%q\n%q, want\n%q\n%q", c.old, c.now, old, now, c.wantOld, c.wantNow)
		}
	}
}
