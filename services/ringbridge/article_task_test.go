package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// describe sends one call and returns the description of the only task.
func describe(t *testing.T, v url.Values) bitrixtest.Task {
	t.Helper()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", v))
	h.quiet()
	return only(t, "tasks", h.portal.Tasks())
}

func TestClosedTaskLinksTheRecording(t *testing.T) {
	t.Parallel()
	const link = "[URL=https://records.example/c1.wav]"
	task := describe(t, nil)
	if task.Status != 5 || task.ResponsibleID != olena || !strings.Contains(task.Description, link) {
		t.Errorf("the task has status %d, responsible %d and says:\n%s\nwant it closed, Olena's, with %s", task.Status, task.ResponsibleID, task.Description, link)
	}
	// A link may come for a call that was not recorded.
	if task := describe(t, url.Values{"has_recording": {"0"}}); task.Status != 5 || strings.Contains(task.Description, link) {
		t.Errorf("without a recording the task has status %d and says:\n%s\nwant it closed, without a link", task.Status, task.Description)
	}
}

func TestClosedTaskShowsTheVisit(t *testing.T) {
	t.Parallel()
	task := describe(t, visit)
	for name, value := range visit {
		if !strings.Contains(task.Description, value[0]) {
			t.Errorf("the task does not show %s %q:\n%s", name, value[0], task.Description)
		}
	}
	if task.Status != 5 {
		t.Errorf("the task has status %d, want closed", task.Status)
	}
}

func TestCheckSettingsTaskNamesTheLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line string
		call url.Values
	}{
		"a number":      {"+" + strangeLine, url.Values{"connected_with": {strangeLine}, "staffid": {""}}},
		"a SIP account": {"shop_nobody", url.Values{"connected_with": {"shop_nobody"}, "staffid": {""}}},
		"an extension":  {"777", url.Values{"connected_with": {"777"}, "staffid": {""}}},
	} {
		task := describe(t, c.call)
		if task.ResponsibleID != senior || task.Status == 5 || !strings.Contains(task.Title, c.line) || !strings.Contains(task.Description, c.line) {
			t.Errorf("%s: task %q is on user %d with status %d and says:\n%s\nwant it open, on the senior manager, with the line %s",
				name, task.Title, task.ResponsibleID, task.Status, task.Description, c.line)
		}
	}
}

func TestOutgoingTaskShowsTheStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"ANSWERED", "NO ANSWER", "BUSY", "FAILED"} {
		h := openHouse(t, bitrixtest.Options{}, "")
		lead := h.portal.AddLead(bitrixtest.Entity{Title: "Chairs", Phones: []string{client}, ResponsibleID: olena})
		h.send(h.call("c1", url.Values{"type": {"out"}, "caller": {"shop_olena"}, "callee": {client}, "connected_with": {""}, "staffid": {""}, "status": {status}}))
		h.quiet()
		task := only(t, "tasks", h.portal.Tasks())
		if task.Status != 5 || task.ResponsibleID != olena || fmt.Sprint(task.CRM) != fmt.Sprintf("[L_%d]", lead) ||
			!strings.Contains(task.Description, "[B]Call status:[/B] "+status) {
			t.Errorf("%s: the task is %+v, want it closed, Olena's, on the lead, with the status", status, task)
		}
	}
}

func TestVoicemailTaskLinksTheMessage(t *testing.T) {
	t.Parallel()
	voicemail := url.Values{"status": {"VOICEMAIL"}, "connected_with": {""}, "staffid": {""}}
	for name, c := range map[string]struct {
		known   bool
		message bool
	}{"a new client": {false, true}, "a known client": {true, true}, "no message was left": {true, false}} {
		h := openHouse(t, bitrixtest.Options{}, "")
		on := senior
		if c.known {
			h.portal.AddLead(bitrixtest.Entity{Title: "Chairs", Phones: []string{client}, ResponsibleID: petro})
			on = petro
		}
		over := voicemail
		if !c.message {
			over = with(voicemail, url.Values{"recording": {""}, "has_recording": {"0"}})
		}
		h.send(h.call("c1", over))
		h.quiet()
		task := only(t, "tasks", h.portal.Tasks())
		linked := strings.Contains(task.Description, "[B]Voicemail recording:[/B] [URL=https://records.example/c1.wav]")
		if linked != c.message || task.ResponsibleID != on || task.Status == 5 {
			t.Errorf("%s: the task is on user %d with status %d and says:\n%s\nwant it open, on user %d, message linked: %v",
				name, task.ResponsibleID, task.Status, task.Description, on, c.message)
		}
		if n := len(made(h.portal.Leads())); (n == 1) == c.known {
			t.Errorf("%s: %d leads were made, want one for a new client only", name, n)
		}
	}
}

func TestAnEmployeeIsKnownByCodeExtensionSIPAndNumber(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	ways := []url.Values{
		{"staffid": {"102"}, "connected_with": {""}},
		{"staffid": {""}, "connected_with": {""}, "extension_number": {"102"}},
		{"staffid": {""}, "connected_with": {"102"}},
		{"staffid": {""}, "connected_with": {"shop_petro"}},
		{"staffid": {""}, "connected_with": {"SIP:shop_petro@pbx.example"}},
		{"staffid": {""}, "connected_with": {"380501110102"}},
		{"staffid": {""}, "connected_with": {"050 111 01 02"}},
	}
	for i, way := range ways {
		id := fmt.Sprintf("c%d", i)
		h.send(h.call(id, with(way, url.Values{"caller": {fmt.Sprintf("3806711122%02d", i)}})))
	}
	h.quiet()
	for i, way := range ways {
		if s := h.story(fmt.Sprintf("c%d", i)); s.Employee != "Petro Bondar" || s.Rule != "answered/new" {
			t.Errorf("%v: on the call is %q by rule %s, want Petro Bondar", way, s.Employee, s.Rule)
		}
	}
	for _, lead := range h.portal.Leads() {
		if lead.ResponsibleID != petro {
			t.Errorf("lead %+v, want it on Petro", lead)
		}
	}
}

func TestMissedNewClientsGoRoundTheEmployeesWhoTakeThem(t *testing.T) {
	t.Parallel()
	const extra = `bitrix_user: 8}
      - {name: Ivan Tkach, code: "103", bitrix_user: 9, takes_missed: false}
`
	h := buildHouse(t, bitrixtest.Options{}, "    scenarios: {missed_new_client: distribute}\n", "bitrix_user: 8}\n", extra)
	h.portal.AddUser(bitrixtest.User{ID: 9, Name: "Ivan", LastName: "Tkach", Active: true})
	h.start()
	missed := url.Values{"status": {"NO ANSWER"}, "dialog": {"0"}, "connected_with": {""}, "staffid": {""}, "recording": {""}, "has_recording": {"0"}}
	for i := range 6 {
		h.send(h.call(fmt.Sprintf("c%d", i), with(missed, url.Values{"caller": {fmt.Sprintf("38067111220%d", i)}})))
		h.quiet()
	}
	var turns []int
	for i, lead := range h.portal.Leads() {
		turns = append(turns, lead.ResponsibleID)
		if task := h.portal.Tasks()[i]; task.ResponsibleID != lead.ResponsibleID {
			t.Errorf("lead %d is on user %d and its task on %d, want the same person", lead.ID, lead.ResponsibleID, task.ResponsibleID)
		}
	}
	if got, want := fmt.Sprint(turns), fmt.Sprint([]int{olena, petro, olena, petro, olena, petro}); got != want {
		t.Errorf("missed calls went to %s, want %s: in turn, and never to who takes none", got, want)
	}
}

func TestANumberInAnySpellingFindsItsContact(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{"+380671112233", "380671112233", "0671112233", "067 111 22 33", "+38 (067) 111-22-33", "671112233", "80671112233", "00380671112233"} {
		t.Run(spelling, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{}, "    scenarios: {new_client: contact+lead}\n")
			contact := h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{spelling}, ResponsibleID: petro})
			h.send(h.call("c1", nil))
			h.quiet()
			if lead := only(t, "leads", h.portal.Leads()); lead.ContactID != contact || len(h.portal.Contacts()) != 1 {
				t.Errorf("a contact with %q: the lead belongs to contact %d and there are %d contacts, want the one that was there", spelling, lead.ContactID, len(h.portal.Contacts()))
			}
			if s := h.story("c1"); s.Rule != "answered/contact/other" {
				t.Errorf("a contact with %q: rule %s fired, want answered/contact/other", spelling, s.Rule)
			}
		})
	}
}

func TestExactMatchingMakesASecondContact(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "    scenarios: {new_client: contact+lead, phone_match: exact}\n")
	h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{"0671112233"}, ResponsibleID: petro})
	h.send(h.call("c1", nil))
	h.quiet()
	second := only(t, "new contacts", made(h.portal.Contacts()))
	if lead := only(t, "leads", h.portal.Leads()); lead.ContactID != second.ID || fmt.Sprint(second.Phones) != "["+client+"]" {
		t.Errorf("the second contact is %+v and the lead belongs to %d, want %s and the second", second, lead.ContactID, client)
	}
}

// The article's integration keeps the first manager's recording only; ours every one.
func TestATransferredCallKeepsTheFirstRecordingAndTheOthers(t *testing.T) {
	t.Parallel()
	first := url.Values{"recording": {"https://records.example/first.wav"}, "date": {began}}
	leg := url.Values{
		"type": {"transitin"}, "recording": {"https://records.example/second.wav"}, "connected_with": {"380501110102"}, "staffid": {"102"},
		"dialog": {"300"}, "call_duration": {"320"}, "date": {began},
	}
	for name, order := range map[string][]url.Values{"first leg first": {first, leg}, "second leg first": {leg, first}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{}, "")
			for _, v := range order {
				h.send(h.call("c1", v))
				h.quiet()
			}
			task := only(t, "tasks", h.portal.Tasks())
			if !strings.Contains(task.Description, "/first.wav]") || !strings.Contains(task.Description, "/second.wav]") || task.Status != 5 {
				t.Errorf("the task with status %d says:\n%s\nwant both recordings", task.Status, task.Description)
			}
			if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != petro || task.ResponsibleID != petro {
				t.Errorf("the lead is on user %d, the task on %d, want both on Petro, who talked last", lead.ResponsibleID, task.ResponsibleID)
			}
			if state := h.story("c1").State; state != "done" {
				t.Errorf("the call is %s, want done", state)
			}
		})
	}
}

func TestACallBackIsDueInAnHour(t *testing.T) {
	t.Parallel()
	missed := url.Values{"status": {"NO ANSWER"}, "dialog": {"0"}, "connected_with": {""}, "staffid": {""}, "recording": {""}, "call_duration": {"20"}}
	for more, want := range map[string]time.Duration{"": time.Hour, "    scenarios: {callback_due: 15m}\n": 15 * time.Minute} {
		h := openHouse(t, bitrixtest.Options{}, more)
		h.send(h.call("c1", missed))
		h.quiet()
		if due := only(t, "tasks", h.portal.Tasks()).Deadline.Sub(h.started.Add(20 * time.Second)); due != want {
			t.Errorf("with %q the call back is due %s after the call, want %s", more, due, want)
		}
	}
}
