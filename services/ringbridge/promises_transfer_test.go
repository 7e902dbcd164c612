package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// passedOn are the rows of a talk that Olena passed on to Petro.
func passedOn(h *house) (own, leg url.Values) {
	leg = h.call("leg", url.Values{
		"type": {"transitin"}, "date": {h.started.Add(50 * time.Second).Format(time.RFC3339)},
		"connected_with": {"380501110102"}, "staffid": {"102"}, "dialog": {"45"},
	})
	return h.call("own", nil), leg
}

func TestATalkThatWasPassedOnIsOneCallWhicheverLegIsToldOfFirst(t *testing.T) {
	t.Parallel()
	for name, legFirst := range map[string]bool{"the talk's own row first": false, "the leg first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{}, "")
			first, second := passedOn(h)
			if legFirst {
				first, second = second, first
			}
			h.send(first)
			h.quiet()
			h.send(second)
			h.send(first)
			h.quiet()
			if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != petro {
				t.Errorf("the lead is on user %d, want Petro, who talked last", lead.ResponsibleID)
			}
			task := only(t, "tasks", h.portal.Tasks())
			for _, want := range []string{"records.example/own.wav", "records.example/leg.wav", "Olena Koval → Petro Bondar"} {
				if !strings.Contains(task.Description, want) {
					t.Errorf("the task says:\n%s\nwant %q in it", task.Description, want)
				}
			}
			if task.ResponsibleID != petro || task.Status != 5 {
				t.Errorf("the task is on user %d with status %d, want Petro's, closed", task.ResponsibleID, task.Status)
			}
			own, leg := h.story("own"), h.story("leg")
			if own.State != "done" || own.ID != leg.ID {
				t.Errorf("the rows are told as calls %s (%s) and %s, want one call, done", own.ID, own.State, leg.ID)
			}
		})
	}
}

func TestARowThatIsNoLegIsACallOfItsOwnHoweverClose(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	own, next := passedOn(h)
	next.Set("type", "in")
	h.send(own)
	h.send(next)
	h.quiet()
	for id, rule := range map[string]string{"own": "answered/new", "leg": "answered/open/other"} {
		if s := h.story(id); s.ID != id || s.Rule != rule {
			t.Errorf("call %s is told as %s, rule %s, want a call of its own with rule %s", id, s.ID, s.Rule, rule)
		}
	}
}
