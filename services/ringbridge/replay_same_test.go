package main

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

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
