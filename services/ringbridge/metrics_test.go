package main

import (
	"strconv"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// number is a sample that must be there.
func (h *house) number(name string) float64 {
	h.t.Helper()
	n, err := strconv.ParseFloat(h.metric(name), 64)
	if err != nil {
		h.t.Errorf("/metrics has no %s", name)
	}
	return n
}

func TestTheMetricsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.quiet()
	for _, name := range []string{"classifier", "planner", "resolver-shop", "writer-shop", "console", "analytics", "callcounter"} {
		h.until(name+" has nothing to read", func() bool { return h.number(`ringbridge_events_unread{name="`+name+`"}`) == 0 })
	}
	if stores, free, reserve := h.number("ringbridge_broker_stores"), h.number("ringbridge_disk_free_bytes"), h.number("ringbridge_disk_reserve_bytes"); stores != 1 || free <= reserve || reserve <= 0 {
		t.Errorf("stores %g, %g bytes free and %g in reserve; want 1 and more than the reserve", stores, free, reserve)
	}
	if used, most := h.number("ringbridge_stored_bytes"), h.number("ringbridge_stored_limit_bytes"); used <= 0 || used >= most {
		t.Errorf("%g of %g bytes stored, want a few", used, most)
	}

	h.portal.Inject(bitrixtest.Fault{Method: "crm.duplicate.findbycomm", Times: 1_000_000, Do: bitrixtest.CutBefore})
	h.send(h.call("c2", map[string][]string{"caller": {"380671112244"}}))
	h.request("POST", webhook, jsonBody, `{"broken`)
	h.until("one call waits and one request is parked", func() bool {
		return h.number(`ringbridge_calls_waiting{project="shop"}`) == 1 && h.number(`ringbridge_parked{project="shop"}`) == 1
	})
	if n := h.number(`ringbridge_events_unread{name="resolver-shop"}`) + h.number(`ringbridge_events_unsettled{name="resolver-shop"}`); n != 1 {
		t.Errorf("the resolver has %g events to settle while the portal does not answer, want 1", n)
	}
	h.number(`ringbridge_calls_in_doubt{project="shop"}`)
	h.number(`ringbridge_commands_in_flight{project="shop"}`)
}
