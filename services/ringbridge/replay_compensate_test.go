package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestWhatShouldNotExistIsClosedOrTaggedBySettingAndComesBack switches the rule off that
// made a lead and a task, by either way to compensate, and on again.
func TestWhatShouldNotExistIsClosedOrTaggedBySettingAndComesBack(t *testing.T) {
	const rule, tag, note = "answered/new/unmapped", "[Not needed] ", "Not needed: "
	for _, c := range []struct {
		name, setting          string
		inPlan                 map[string]string // what the plan says becomes of it
		closed, tagged, noted  bool
		openedAgain, wayBackIs string
	}{
		{"by default", "", map[string]string{"lead": "marked as not needed in its comments", "task": "closed as not needed"}, true, false, true, "opened again", "update"},
		{"closed", "close", map[string]string{"lead": "marked as not needed in its comments", "task": "closed as not needed"}, true, false, true, "opened again", "update"},
		{"tagged", "tag", map[string]string{"lead": "marked as not needed in its title", "task": "marked as not needed in its title"}, false, true, false, "", "update"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			more := ""
			if c.setting != "" {
				more = "    scenarios: {compensate: " + c.setting + "}\n"
			}
			h := openHouse(t, bitrixtest.Options{}, more)
			h.send(h.call("c1", url.Values{"connected_with": {strangeLine}, "staffid": {""}}))
			h.quiet()
			lead, task := only(t, "leads", made(h.portal.Leads())), only(t, "tasks", h.portal.Tasks())
			h.correct(func(block map[string]any) { scenarios(block)["off"] = []string{rule} })
			p := h.plan("{}", false)
			if p.Totals["compensate"] != 2 || len(p.Rows) != 2 {
				t.Fatalf("with the rule off the plan is\n%s\nwant the lead and the task undone", p)
			}
			for _, r := range p.Rows {
				if r.New != c.inPlan[r.Entity] {
					t.Errorf("of the %s the plan says %q, want %q", r.Entity, r.New, c.inPlan[r.Entity])
				}
			}
			h.carryOut(p)
			gotLead, gotTask := only(t, "leads", made(h.portal.Leads())), only(t, "tasks", h.portal.Tasks())
			if got := gotTask.Status == 5; got != c.closed {
				t.Errorf("the task is closed %v, want %v", got, c.closed)
			}
			for what, title := range map[string][2]string{"lead": {gotLead.Title, lead.Title}, "task": {gotTask.Title, task.Title}} {
				want := title[1]
				if c.tagged {
					want = tag + want
				}
				if title[0] != want {
					t.Errorf("the %s is called %q, want %q", what, title[0], want)
				}
			}
			if got := strings.HasPrefix(gotTask.Description, note); got != c.noted {
				t.Errorf("the task has the note %v, want %v: %q", got, c.noted, gotTask.Description)
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again the plan is\n%s", again)
			}
			h.correct(func(block map[string]any) { delete(scenarios(block), "off") })
			p = h.plan("{}", false)
			if p.Totals[c.wayBackIs] != 2 || len(p.Rows) != 2 || !strings.Contains(p.String(), c.openedAgain) {
				t.Fatalf("with the rule on again the plan is\n%s\nwant both as they were, %s", p, c.openedAgain)
			}
			h.carryOut(p)
			gotLead, gotTask = only(t, "leads", made(h.portal.Leads())), only(t, "tasks", h.portal.Tasks())
			if gotTask.Status == 5 || gotTask.Title != task.Title || gotTask.Description != task.Description || gotLead.Title != lead.Title {
				t.Errorf("in the end there are task %+v and lead %q, want them as they were: %+v, %q", gotTask, gotLead.Title, task, lead.Title)
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again in the end the plan is\n%s", again)
			}
		})
	}
}

// TestATaskThatAPersonClosedIsNotOpenedAgain undoes such a task and wants it again.
func TestATaskThatAPersonClosedIsNotOpenedAgain(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", url.Values{"connected_with": {strangeLine}, "staffid": {""}}))
	h.quiet()
	h.portal.EditTask(only(t, "tasks", h.portal.Tasks()).ID, func(t *bitrixtest.Task) { t.Status = 5 })
	h.correct(func(block map[string]any) { scenarios(block)["off"] = []string{"answered/new/unmapped"} })
	p := h.plan("{}", false)
	if !strings.Contains(p.String(), "it is closed already") {
		t.Errorf("the plan does not say that the task is closed already:\n%s", p)
	}
	h.carryOut(p)
	h.correct(func(block map[string]any) { delete(scenarios(block), "off") })
	h.carryOut(h.plan("{}", false))
	if task := only(t, "tasks", h.portal.Tasks()); task.Status != 5 || strings.HasPrefix(task.Description, "Not needed:") {
		t.Errorf("the task has status %d and says %q, want it closed as the person left it, without the note", task.Status, task.Description)
	}
	if again := h.plan("{}", false); len(again.Rows) != 0 {
		t.Errorf("made again the plan is\n%s", again)
	}
}

// carryOut applies a plan to its end.
func (h *house) carryOut(p planView) {
	h.t.Helper()
	if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
		h.t.Fatalf("the plan is %s with %d skipped: %s\n%s", done.State, done.Skipped, done.Reason, p)
	}
	h.quiet()
}

// TestAFreshPlanGoesByWhatTheCRMSaysNow has a person enter the client after his call.
func TestAFreshPlanGoesByWhatTheCRMSaysNow(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", missedCall))
	h.send(h.call("c2", with(missedCall, url.Values{"caller": {"+380671112299"}})))
	h.quiet()
	contact := h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{client}, ResponsibleID: petro})
	h.portal.AddDeal(bitrixtest.Entity{Title: "Six chairs", ContactID: contact, ResponsibleID: petro})
	if p := h.plan("{}", false); len(p.Rows) != 0 {
		t.Errorf("by the answers of then the plan is\n%s\nwant every row same", p)
	}
	h.portal.ForgetRequests()
	p := h.plan(`{"fresh": true}`, false)
	h.onlyReads("by a fresh plan")
	if len(p.Rows) == 0 {
		t.Fatalf("the CRM knows the client by now, and a fresh plan finds every row the same")
	}
	for _, r := range p.Rows {
		if r.Call != "c1" || r.RuleOld != "missed/new" || r.RuleNew != "missed/open" {
			t.Errorf("the row of call %s goes from %s to %s, want only c1, from missed/new to missed/open", r.Call, r.RuleOld, r.RuleNew)
		}
	}
	h.carryOut(p)
	if again := h.plan(`{"fresh": true}`, false); len(again.Rows) != 0 {
		t.Errorf("made again the plan is\n%s", again)
	}
}
