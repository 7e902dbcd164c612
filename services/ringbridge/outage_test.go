package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// away is a way in which a whole portal stops taking requests, and comes back.
type away struct {
	what       string
	state      string
	reason     string // words of the reason that people read
	calls      int    // that come meanwhile
	tries      int    // more than so many requests meanwhile would be a storm
	alarms     []string
	shut, back func(c *company)
}

const (
	portalUnwell = "the portal is not well"
	portalBack   = "the portal works again"
)

var outages = []away{
	{
		what: "the portal is closed", state: "down", reason: "no connection to the portal", calls: 20, tries: 6, alarms: []string{"warn " + portalUnwell, "info " + portalBack},
		shut: func(c *company) { c.door.close() }, back: func(c *company) { c.door.open() },
	},
	{
		what: "the webhook is deleted", state: "refused", reason: "no longer accepts the webhook", calls: 200, tries: 4, alarms: []string{"warn " + portalUnwell, "info " + portalBack},
		shut: func(c *company) { c.portal.RevokeWebhook() }, back: func(c *company) { c.portal.RestoreWebhook() },
	},
	{
		// The first lost answer makes the portal slow, the next one down: one alarm.
		what: "the portal shows a page about maintenance", state: "down", reason: "can't be read", calls: 20, tries: 6, alarms: []string{"warn " + portalUnwell, "info " + portalBack},
		shut: func(c *company) { c.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.HTML502Before}) },
		back: func(c *company) { c.portal.Heal() },
	},
}

// portalView is what the status says of a portal beside its state.
type portalView struct {
	Portal struct {
		State, Reason string
		Requests      int
	}
}

// TestAnOutageIsOneAlarmNoStormAndNobodyElsesTrouble: while a portal is away, webhooks
// are taken, its calls wait and people hear of it once; another company's calls go on.
// When it is back, everything is made, once.
func TestAnOutageIsOneAlarmNoStormAndNobodyElsesTrouble(t *testing.T) {
	t.Parallel()
	var companies []*company
	for i := range outages {
		companies = append(companies, newCompany(t, fmt.Sprintf("away-%d", i), bitrixtest.Options{Plan: bitrixtest.Unlimited}))
	}
	well := newCompany(t, "well", bitrixtest.Options{Plan: bitrixtest.Unlimited})
	h := openTown(t, append(companies, well))
	view := func(c *company) (v portalView) { c.get("/status", &v); return v }
	sent := make([]int, len(outages))
	for i, o := range outages {
		c := companies[i]
		c.call(0)
		c.quiet()
		sent[i] = view(c).Portal.Requests
		o.shut(c)
		c.call(1) // alone, so that the outage is met by one request
		c.until(o.what, func(s statusView) bool { return s.Portal.State == o.state })
		for n := range o.calls - 1 {
			c.call(2 + n)
		}
	}
	well.call(0)
	well.quiet()
	well.holds(1)
	for i, o := range outages {
		c := companies[i]
		s := c.until("every call waits", func(s statusView) bool { return s.Waiting == o.calls })
		if s.Portal.State != o.state || !strings.Contains(s.Portal.Reason, o.reason) || s.Parked != 0 {
			t.Errorf("%s: the portal is %s (%s) and %d are parked, want %s, words with %q, none", o.what, s.Portal.State, s.Portal.Reason, s.Parked, o.state, o.reason)
		}
		if got := h.metric(`ringbridge_portal_up{project="` + c.id + `"}`); got != "0" {
			t.Errorf("%s: the metric says %q, want 0", o.what, got)
		}
		h.until("the portal was tried again while all wait", func() bool {
			return view(c).Portal.Requests >= sent[i]+3 || o.state == "refused" && view(c).Portal.Requests >= sent[i]+2
		})
		if got := view(c).Portal.Requests - sent[i]; got > o.tries {
			t.Errorf("%s: %d requests with %d calls waiting, want at most %d", o.what, got, o.calls, o.tries)
		}
		o.back(c)
	}
	for i, o := range outages {
		c := companies[i]
		c.quiet()
		c.holds(1 + o.calls)
		if got := c.about(portalUnwell, portalBack); !slices.Equal(got, o.alarms) {
			t.Errorf("%s: the log says\n%s\nwant\n%s", o.what, strings.Join(got, "\n"), strings.Join(o.alarms, "\n"))
		}
		if got := h.metric(`ringbridge_portal_up{project="` + c.id + `"}`); got != "1" {
			t.Errorf("%s, and is back: the metric says %q, want 1", o.what, got)
		}
	}
	if got := well.about(portalUnwell, portalBack); len(got) != 0 {
		t.Errorf("of the portal that was well the log says %v, want nothing", got)
	}
}

// metric reads one sample.
func (h *house) metric(name string) string {
	h.t.Helper()
	code, body := h.request(http.MethodGet, "/metrics", "", "")
	if code != http.StatusOK {
		h.t.Fatalf("the metrics answered %d", code)
	}
	for line := range strings.Lines(body) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
