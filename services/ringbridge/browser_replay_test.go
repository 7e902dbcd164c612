package main

import (
	"net/http"
	"testing"
)

// TestInTheBrowserAWrongSettingIsPutRightAndItsCallsAreReplayed puts an employee's user
// right on the set-up page and carries the calls of before over.
func TestInTheBrowserAWrongSettingIsPutRightAndItsCallsAreReplayed(t *testing.T) {
	h, b := desk(t, "")
	h.send(h.call("r1", nil))
	h.quiet()
	if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != olena {
		t.Fatalf("the lead is on user %d, want Olena as the settings say", lead.ResponsibleID)
	}
	b.open("/console/p/shop/replays")
	b.look("no plans yet")

	b.click("Set up", "nav")
	b.pick("Bitrix24 user", "Petro Bondar", "fieldset.employee:first-of-type")
	b.click("Save the employees")
	b.see("The employees are saved")

	b.click("Replay", "nav")
	b.click("Make the plan")
	b.see("waits for approval")
	b.see("Number of changes")
	b.see("Petro Bondar", "table")
	b.look("a plan that waits for approval")
	if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != olena {
		t.Errorf("the plan alone moved the lead to user %d", lead.ResponsibleID)
	}
	b.refused(http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity)
	b.fill("Number of changes", "77")
	b.click("Carry it out")
	b.see("That is not the number")
	b.look("a plan that was not approved")
	if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != olena {
		t.Errorf("a wrong number moved the lead to user %d", lead.ResponsibleID)
	}
	number := mustAsk[string](b, `() => document.querySelector("form[action$=apply] p").textContent.match(/\d+/)[0]`)
	b.fill("Number of changes", number)
	b.click("Carry it out")
	b.until("the plan is done", `() => document.querySelector("h1 ~ .chip")?.textContent === "done"`)
	b.look("a plan that is done")
	lead, task := only(t, "leads", h.portal.Leads()), only(t, "tasks", h.portal.Tasks())
	if lead.ResponsibleID != petro || task.ResponsibleID != petro {
		t.Errorf("after the replay the lead is on user %d and the task on %d, want both on Petro", lead.ResponsibleID, task.ResponsibleID)
	}
	b.open("/console/p/shop/replays")
	b.look("a plan in the list")
	b.click("Make the plan")
	b.see("Nothing to change")
}
