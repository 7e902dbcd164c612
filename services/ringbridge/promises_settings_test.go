package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

func TestARuleThatIsSwitchedOffEndsAsIgnored(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "    scenarios: {off: [answered/new]}\n")
	h.send(h.call("c1", nil))
	h.quiet()
	if s := h.story("c1"); s.State != "ignored" || s.Rule != "answered/new" || h.render() != "nothing was made\n" {
		t.Errorf("the call is %s by rule %s and the portal holds:\n%s\nwant it ignored by answered/new, and nothing", s.State, s.Rule, h.render())
	}
}

func TestFieldsAreFilledByOurNamesAndByCustomParameters(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, `    scenarios: {new_client: contact+deal}
    fields:
      deal: {UF_CRM_CID: client_id, UF_CRM_LANDING: landing, UF_CRM_BRANCH: branch, UF_CRM_WHO: employee_name, UF_CRM_EMPTY: referrer}
      contact: {UF_CRM_BRANCH: branch}
`, "ringostat: {token: "+hook+"}", "ringostat: {token: "+hook+", fields: {call_id: my_call, branch: office}}")
	for _, name := range []string{"CID", "LANDING", "BRANCH", "WHO", "EMPTY"} {
		h.portal.AddUserField("deal", bitrixtest.UserField{Name: "UF_CRM_" + name})
	}
	h.portal.AddUserField("contact", bitrixtest.UserField{Name: "UF_CRM_BRANCH"})
	h.start()
	h.send(h.call("c1", url.Values{"call_id": {""}, "my_call": {"c1"}, "client_id": {"11.22"}, "landing": {"https://shop.example/"}, "office": {"Lviv"}}))
	h.quiet()
	if story := h.story("c1"); story.State != "done" {
		t.Fatalf("the call is %s, want done: %+v", story.State, h.parked())
	}
	deal, contact := only(t, "deals", h.portal.Deals()), only(t, "contacts", h.portal.Contacts())
	want := map[string]string{"UF_CRM_CID": "11.22", "UF_CRM_LANDING": "https://shop.example/", "UF_CRM_BRANCH": "Lviv", "UF_CRM_WHO": "Olena Koval", "UF_CRM_EMPTY": ""}
	for name, value := range want {
		if got := deal.Custom[name]; got != value {
			t.Errorf("the deal's %s is %q, want %q", name, got, value)
		}
	}
	if got := contact.Custom["UF_CRM_BRANCH"]; got != "Lviv" {
		t.Errorf("the contact's UF_CRM_BRANCH is %q, want Lviv", got)
	}
}

func TestNewDealsGoToTheFunnelStageAndSourceOfTheSettings(t *testing.T) {
	t.Parallel()
	for stage, want := range map[string]string{"NEW": "C%d:NEW", "EXECUTING": "C%d:EXECUTING"} {
		h := buildHouse(t, bitrixtest.Options{}, "")
		category := 0
		for category < 9 {
			category = h.portal.AddFunnel("Chairs")
		}
		h.config += fmt.Sprintf("    scenarios: {new_client: deal, pipeline: {category: %d, stage: %s, source: WEB}}\n", category, stage)
		h.start()
		h.send(h.call("c1", nil))
		h.quiet()
		deal := only(t, "deals", h.portal.Deals())
		if deal.CategoryID != 9 || deal.StageID != fmt.Sprintf(want, 9) || deal.SourceID != "WEB" {
			t.Errorf("the deal is in funnel %d at %s from %s, want 9, "+want+" and WEB", deal.CategoryID, deal.StageID, deal.SourceID, 9)
		}
	}
}

func TestOfSeveralMatchesTheChoiceIsAlwaysTheSameAndTheOthersAreNamed(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	contact := h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{client}, ResponsibleID: petro})
	lead := h.portal.AddLead(bitrixtest.Entity{Title: "An oak table", Phones: []string{client}, ResponsibleID: olena})
	deal := h.portal.AddDeal(bitrixtest.Entity{Title: "Six chairs", ContactID: contact, ResponsibleID: petro})
	older := h.portal.AddLead(bitrixtest.Entity{Title: "A stool", Phones: []string{client}, ResponsibleID: petro})
	byPetro := url.Values{"connected_with": {"shop_petro"}, "staffid": {"102"}}
	missed := url.Values{"status": {"NO ANSWER"}, "connected_with": {""}, "staffid": {""}, "dialog": {"0"}}
	for i, c := range []struct {
		name   string
		over   url.Values
		on     string
		user   int
		others []string
	}{
		{"the responsible is on the call", nil, fmt.Sprint("L_", lead), olena, []string{fmt.Sprintf("deal %d «Six chairs»", deal), fmt.Sprintf("lead %d «A stool»", older)}},
		{"a deal before a lead", byPetro, fmt.Sprint("D_", deal), petro, []string{fmt.Sprintf("lead %d «An oak table»", lead), fmt.Sprintf("lead %d «A stool»", older)}},
		{"nobody is on the call", missed, fmt.Sprint("D_", deal), petro, []string{fmt.Sprintf("lead %d «An oak table»", lead), fmt.Sprintf("lead %d «A stool»", older)}},
	} {
		for again := range 2 {
			h.send(h.call(fmt.Sprintf("c%d-%d", i, again), c.over))
			h.quiet()
			task := h.portal.Tasks()[len(h.portal.Tasks())-1]
			if task.CRM[0] != c.on || task.ResponsibleID != c.user {
				t.Errorf("%s: the task is on %v and user %d, want %s and %d", c.name, task.CRM, task.ResponsibleID, c.on, c.user)
			}
			for _, other := range c.others {
				if !strings.Contains(task.Description, other) {
					t.Errorf("%s: the task says:\n%s\nwant %s named", c.name, task.Description, other)
				}
			}
		}
	}
	if n := len(h.portal.Tasks()); n != 6 || len(made(h.portal.Leads())) != 0 {
		t.Errorf("the portal holds:\n%s\nwant one task a call and nothing else", h.render())
	}
}

func TestAnInactiveResponsibleIsStoodInForAndTheTaskSaysSo(t *testing.T) {
	t.Parallel()
	missed := url.Values{"status": {"NO ANSWER"}, "connected_with": {""}, "staffid": {""}, "dialog": {"0"}}
	for name, c := range map[string]struct {
		call  url.Values
		owner int
		gone  []int
		said  [][]string // for each task on the senior manager, who is gone
	}{
		"the owner":               {missed, petro, []int{petro}, [][]string{{"Petro Bondar"}}},
		"the answerer":            {nil, 0, []int{olena}, [][]string{{"Olena Koval"}}},
		"both":                    {nil, petro, []int{olena, petro}, [][]string{{"Olena Koval"}, {"Petro Bondar"}}},
		"one who was never there": {missed, 77, nil, [][]string{{"user 77"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{}, "")
			if c.owner != 0 {
				if c.owner == 77 {
					h.portal.AddUser(bitrixtest.User{ID: 77, Active: true})
				}
				h.portal.AddLead(bitrixtest.Entity{Title: "Chairs", Phones: []string{client}, ResponsibleID: c.owner})
				if c.owner == 77 {
					h.portal.SetActive(77, false)
				}
			}
			for _, user := range c.gone {
				h.portal.SetActive(user, false)
			}
			h.send(h.call("c1", c.call))
			h.quiet()
			tasks := h.portal.Tasks()
			if len(tasks) != len(c.said) {
				t.Fatalf("the portal holds:\n%s\nwant %d tasks", h.render(), len(c.said))
			}
			for i, task := range tasks {
				for _, who := range c.said[i] {
					if task.ResponsibleID != senior || !strings.Contains(task.Description, "not active in Bitrix24") || !strings.Contains(task.Description, who) {
						t.Errorf("task %d is on user %d and says:\n%s\nwant the senior manager, and that %s is not active", i, task.ResponsibleID, task.Description, who)
					}
				}
			}
			for _, lead := range made(h.portal.Leads()) {
				if lead.ResponsibleID != senior {
					t.Errorf("the lead is on user %d, want the senior manager", lead.ResponsibleID)
				}
			}
		})
	}
}

func TestTasksSpeakTheProjectsLanguage(t *testing.T) {
	t.Parallel()
	for _, locale := range []string{"uk", "ru", "en"} {
		t.Run(locale, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{}, "", "locale: en", "locale: "+locale)
			h.send(h.call("1772436600.1", with(visit, url.Values{"date": {began}, "caller": {`"Halyna" <380671112233>`}})))
			h.quiet()
			lead, task := only(t, "leads", h.portal.Leads()), only(t, "tasks", h.portal.Tasks())
			golden(t, "task."+locale+".txt", lead.Title+"\n\n"+task.Title+"\n\n"+task.Description+"\n")
		})
	}
}
