package main

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestTurnsThatAReplayGaveStayAsTheyAre: the senior manager takes calls in turn as well, so
// some of what he has stays his, and nothing says so but the turns of the others.
func TestTurnsThatAReplayGaveStayAsTheyAre(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "", "senior: 1\n", "senior: 8\n")
	for i := range 7 {
		h.send(h.call(fmt.Sprint("c", i), with(missedCall, url.Values{"caller": {fmt.Sprint("+38067111400", i)}})))
	}
	h.quiet()
	h.correct(func(block map[string]any) { scenarios(block)["missed_new_client"] = "distribute" })
	h.carryOut(h.plan("{}", false))
	on := map[int]int{}
	for _, lead := range h.portal.Leads() {
		on[lead.ResponsibleID]++
	}
	if on[olena] != 4 || on[petro] != 3 {
		t.Errorf("the leads are on %v, want 4 on Olena and 3 on Petro", on)
	}
	if again := h.plan("{}", false); len(again.Rows) != 0 {
		t.Errorf("made again the plan is\n%s", again)
	}
}

// TestWithTheSameSettingsTheseHistoriesStayAsTheyAre are histories that a replay once
// wanted to change although nothing was wrong; random ones found them.
func TestWithTheSameSettingsTheseHistoriesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, history := range map[string]func(h *house){
		"a lead got its owner after the next call": func(h *house) {
			h.send(h.call("c1", missedCall))
			h.send(h.call("c2", missedCall))
			h.quiet()
			h.send(h.call("c1", nil)) // Olena took it after all
		},
		"a task got the talk's second part before the third made it another rule's": func(h *house) {
			h.send(h.call("c0", missedCall))
			for i, row := range []url.Values{
				{"type": {"transitin"}}, {"type": {"transitin"}},
				{"type": {"out"}, "caller": {"380501110101"}, "callee": {client}, "connected_with": {""}},
			} {
				h.quiet()
				at := h.started.Add(time.Duration(i)*50*time.Second + time.Hour)
				h.send(h.call(fmt.Sprint("c1.", i), with(row, url.Values{"date": {at.Format(time.RFC3339)}})))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{}, "")
			history(h)
			h.quiet()
			h.portal.ForgetRequests()
			if p := h.plan("{}", true); p.Totals["same"] != len(p.Rows) || len(p.Rows) == 0 {
				t.Errorf("the plan is\n%s\nwant every row same", p)
			}
			h.onlyReads("with unchanged settings")
		})
	}
}
