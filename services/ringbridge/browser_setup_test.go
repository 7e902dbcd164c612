package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// emptyHouse is a ringbridge without a file and without a project, beside a simulated
// portal that nobody has told it of.
func emptyHouse(t *testing.T) (h *house, webhook string) {
	t.Helper()
	portal, webhook := bitrixtest.Start(t, bitrixtest.Options{Plan: bitrixtest.Unlimited, Secret: portalSecret})
	portal.AddUser(bitrixtest.User{ID: olena, Name: "Olena", LastName: "Koval", Email: "olena@example.com", InnerPhone: "101", Active: true})
	portal.AddUser(bitrixtest.User{ID: petro, Name: "Petro", LastName: "Bondar", InnerPhone: "102", Active: true})
	h = &house{t: t, portal: portal, log: &logBook{}, started: time.Now().Truncate(time.Second)}
	cfg, err := settings.Parse("defaults", fmt.Appendf(nil, "listen: %s\ndata: %s\n", steadyAddress(t), t.TempDir()), nil, rules.IDs())
	if err != nil {
		t.Fatal(err)
	}
	log := newLogger(settings.Log{Level: "info", Format: "json"}, console{err: h.log})
	if h.in, err = start(context.Background(), cfg, options{fast: true, log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.stop()
		if t.Failed() {
			t.Logf("the log of ringbridge:\n%s", h.log.tail(40))
		}
	})
	return h, webhook
}

func (h *house) base() string { return "http://" + h.in.Addr }

// TestInTheBrowserAPortalIsSetUpAsTheArticleTells goes the whole way of the article's
// reader: nothing is there but the program, its token and a portal.
func TestInTheBrowserAPortalIsSetUpAsTheArticleTells(t *testing.T) {
	h, webhook := emptyHouse(t)
	b := browse(t, h.base())
	b.open("/")
	b.see("Console token")
	b.look("the sign-in")
	b.signIn(h.in.Token.Reveal())

	b.see("New project")
	b.look("a new project")
	b.fill("Name", "Oak Chairs")
	b.press(tabKey)
	b.until("an id is suggested", `() => document.getElementById("id").value === "oak-chairs"`)
	b.refused(http.StatusUnprocessableEntity)
	b.fill("Address of the webhook", strings.Replace(webhook, portalSecret, "another-secret", 1))
	b.click("The portal is inside this network")
	b.click("Only try it")
	b.see("the portal does not take the webhook")
	b.look("a webhook that the portal refuses")
	b.fill("Address of the webhook", webhook)
	b.click("Only try it")
	b.see("the portal takes the webhook")
	b.look("a webhook that the portal takes")
	b.click("Make the project")

	b.see("The project is made")
	b.see("Waiting for the first call")
	b.see("3 employees", "#portal")
	b.look("a project without employees")
	if page := mustAsk[string](b, `() => document.documentElement.outerHTML`); strings.Contains(page, portalSecret) {
		t.Error("the set-up page holds the portal's secret")
	}

	b.click("Add a row")
	b.fill("Name", "Koval Olena", `fieldset.employee:last-of-type`)
	b.fill("Extension", "101", `fieldset.employee:last-of-type`)
	b.fill("Employee code", "101", `fieldset.employee:last-of-type`)
	b.fill("Phone numbers", "+380501110101", `fieldset.employee:last-of-type`)
	b.click("Add a row") // the suggestion is made of what was written
	b.see("Suggested by")
	b.look("an employee with a suggested user")
	b.click("Remove", `fieldset.employee:last-of-type`)
	b.gone("New employee")
	b.pick("Senior manager", "Petro Bondar")
	b.click("Save the employees")
	b.see("The employees are saved")
	b.look("employees that are saved")

	b.click("Show the address and the parameters")
	b.see("Addresses for Ringostat")
	b.look("the address for Ringostat")
	address := b.value("Incoming call — after the call")
	if !strings.HasPrefix(address, h.base()+"/ringostat/oak-chairs/") {
		t.Fatalf("the address to paste is %s, want one of this program", address)
	}
	b.click("Set up", "main")
	b.see("Waiting for the first call")
	answer, err := http.Post(address, "application/x-www-form-urlencoded", strings.NewReader(h.call("first.1", nil).Encode()))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the webhook sent to %s is answered %d", address, answer.StatusCode)
	}
	b.gone("Waiting for the first call") // by itself
	b.see("received", "#light")
	b.look("the first call was received")

	b.click("Calls", "nav")
	b.see("380 67 111 22 33")
	b.see("done")
	lead, task := only(t, "leads", h.portal.Leads()), only(t, "tasks", h.portal.Tasks())
	if lead.ResponsibleID != olena || task.ResponsibleID != olena || task.Status != 5 {
		t.Errorf("lead on user %d, task on user %d with status %d; want Olena, Olena and closed", lead.ResponsibleID, task.ResponsibleID, task.Status)
	}
	b.click("Set up", "nav")
	b.until("the senior manager is the one that was chosen", `() => document.getElementById("senior")?.selectedOptions[0].textContent.includes("Petro Bondar") ?? false`)
}

func TestInTheBrowserAProjectIsMadeWithoutScripts(t *testing.T) {
	h, webhook := emptyHouse(t)
	b := browse(t, h.base())
	b.withoutScripts()
	b.signIn(h.in.Token.Reveal())
	b.fill("Name", "Garden")
	b.fill("Address of the webhook", webhook)
	b.click("The portal is inside this network")
	b.click("Make the project")
	b.see("The project is made")
	b.click("Add everybody from the portal")
	b.see("Olena Koval")
	b.click("Save the employees")
	b.see("The employees are saved")
}
