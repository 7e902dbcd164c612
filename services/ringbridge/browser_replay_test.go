package main

import (
	"net/http"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestInTheBrowserAWrongSettingIsPutRightAndItsCallsAreReplayed puts an employee's user
// right on the set-up page and carries the calls of before over.
func TestInTheBrowserAWrongSettingIsPutRightAndItsCallsAreReplayed(t *testing.T) {
	h := openHouse(t, bitrixtest.Options{}, "", "bitrix_user: 7}", "bitrix_user: 8}")
	b := browse(t, h.base())
	b.signIn(apiPass)
	h.send(h.call("r1", nil))
	h.quiet()
	if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != petro {
		t.Fatalf("the lead is on user %d, want Petro as the settings say", lead.ResponsibleID)
	}
	b.open("/console/p/shop/replays")
	b.look("no plans yet")

	b.click("Set up", "nav")
	b.pick("Bitrix24 user", "Olena Koval", "fieldset.employee:first-of-type")
	b.click("Save the employees")
	b.see("The employees are saved")

	b.click("Replay", "nav")
	b.click("Make the plan")
	b.see("waits for approval")
	b.see("Number of changes")
	b.see("Olena Koval", "table")
	b.look("a plan that waits for approval")
	if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != petro {
		t.Errorf("the plan alone moved the lead to user %d", lead.ResponsibleID)
	}
	b.refused(http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity)
	b.fill("Number of changes", "77")
	b.click("Carry it out")
	b.see("That is not the number")
	b.look("a plan that was not approved")
	b.speak("ru")
	b.speak("en")
	b.see("waits for approval")
	if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != petro {
		t.Errorf("a wrong number moved the lead to user %d", lead.ResponsibleID)
	}
	number := mustAsk[string](b, `() => document.querySelector("form[action$=apply] p").textContent.match(/\d+/g).at(-1)`)
	b.fill("Number of changes", number)
	b.click("Carry it out")
	b.until("the plan is done", `() => document.querySelector("h1 ~ .chip")?.textContent === "done"`)
	b.look("a plan that is done")
	lead, task := only(t, "leads", h.portal.Leads()), only(t, "tasks", h.portal.Tasks())
	if lead.ResponsibleID != olena || task.ResponsibleID != olena {
		t.Errorf("after the replay the lead is on user %d and the task on %d, want both on Olena", lead.ResponsibleID, task.ResponsibleID)
	}
	b.open("/console/p/shop/replays")
	b.look("a plan in the list")
	b.click("Make the plan")
	b.see("Nothing to change")
}
