package main

import (
	"net/http"
	"testing"
)

// pagesOfAProject are the entries of the menu.
var pagesOfAProject = []string{"calls", "parked", "replays", "analytics", "health", "setup", "rules"}

const somebodysPassword = "a long password of tests"

func TestInTheBrowserAViewerCanChangeNothingAndIsGoneWhenDeleted(t *testing.T) {
	h, b := desk(t, "")
	h.request(http.MethodPost, webhook, jsonBody, `{"call_id": "p1", "oops"`)
	h.send(h.call("c1", nil))
	h.quiet()
	b.click("People", "nav")
	b.see("Add a person")
	b.look("nobody has a name yet")
	b.fill("Sign-in name", "vira")
	b.fill("Password", somebodysPassword)
	b.click("Add", "form.person")
	b.see("vira", "table")
	b.look("somebody has a name")

	v := browse(t, h.base())
	v.refused(http.StatusForbidden)
	v.open("/console/signin")
	v.look("a sign-in by name")
	v.fill("Name", "vira")
	v.fill("Password or console token", "wrong password")
	v.click("Sign in", "main")
	v.until("the sign-in is refused in words", `() => document.querySelector(".trouble")?.innerText.length > 10`)
	v.look("a sign-in that is refused")
	v.fill("Password or console token", somebodysPassword)
	v.click("Sign in", "main")
	v.see("Sign out")
	for _, page := range pagesOfAProject {
		v.open("/console/p/shop/" + page)
		if n := mustAsk[int](v, `() => [...document.querySelectorAll("main form[method=post] button")].filter((b) => !b.matches(":disabled") && b.checkVisibility()).length`); n != 0 {
			t.Errorf("%s shows a viewer %d buttons that change something", page, n)
		}
		v.look(page + " of a viewer")
	}
	for _, page := range []string{"/console/people", "/console/audit", "/console/new", "/console/p/shop/setup/hook"} {
		v.open(page)
		v.see("Ask an admin")
	}
	v.look("a page that a viewer may not see")

	b.click("vira", "table")
	b.until("vira's page is open", `() => location.pathname.endsWith("/vira") && document.readyState === "complete"`)
	b.look("a person")
	b.click("Delete", "main")
	b.look("a person about to be deleted")
	b.click("Yes, delete")
	b.until("vira is gone", `() => location.pathname === "/console/people" && document.readyState === "complete" && !document.querySelector("main").innerText.includes("vira")`)
	b.click("Audit log", "nav")
	b.see("vira", "ol.log")
	b.look("the audit log")
	v.open("/console/p/shop/calls")
	v.see("Console token")
}
