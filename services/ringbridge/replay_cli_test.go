package main

import (
	"bytes"
	"encoding/json"
	"io"
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
