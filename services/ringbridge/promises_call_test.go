package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

func TestTheSameWebhookAnyNumberOfTimesIsOneLeadAndOneTask(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.quiet()
	h.send(h.call("c1", nil))
	var wg sync.WaitGroup
	again := h.call("c2", url.Values{"caller": {"380671112244"}})
	for range 50 {
		wg.Go(func() { h.send(again) })
	}
	wg.Wait()
	h.quiet()
	if leads, tasks := len(h.portal.Leads()), len(h.portal.Tasks()); leads != 2 || tasks != 2 {
		t.Errorf("two calls, sent twice and fifty times at once, made %d leads and %d tasks, want 2 and 2", leads, tasks)
	}
	for _, id := range []string{"c1", "c2"} {
		if s := h.story(id); s.State != "done" {
			t.Errorf("call %s is %s, want done", id, s.State)
		}
	}
	if d := h.portal.Duplicates(); len(d) != 0 {
		t.Errorf("made several times: %v", d)
	}
}

func TestTheReportsOfACallMakeTheSameInEveryOrder(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "    fields: {lead: {UF_CRM_GOOGLE_CID: client_id}}\n")
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_GOOGLE_CID"})
	h.start()
	send := map[string]func(id, number string){
		"before": func(id, number string) { // the only one that knows the visit
			h.sendTo("?event=before", with(visit, url.Values{"call_id": {id}, "type": {"in"}, "caller": {number}, "callee": {"380441234567"}, "date": {began}}))
		},
		"answer": func(id, number string) {
			h.sendTo("?event=answer", url.Values{"call_id": {id}, "type": {"in"}, "caller": {number}, "callee": {"380441234567"}, "connected_with": {"380501110101"}, "date": {began}})
		},
		"after": func(id, number string) {
			h.sendTo("?event=after", h.call(id, url.Values{"caller": {number}, "connected_with": {""}, "date": {began}}))
		},
	}
	orders := [][]string{
		{"before", "answer", "after"}, {"before", "after", "answer"}, {"answer", "before", "after"},
		{"answer", "after", "before"}, {"after", "before", "answer"}, {"after", "answer", "before"},
	}
	number := func(i int) string { return fmt.Sprintf("+380671112%03d", 200+i) }
	for i, order := range orders {
		for _, event := range order {
			send[event](fmt.Sprintf("slow%d", i), number(i))
			h.quiet()
		}
		for _, event := range order {
			send[event](fmt.Sprintf("fast%d", i), number(100+i))
		}
	}
	h.quiet()
	want := h.of(number(0))
	if strings.Count(want, "lead ") < 1 || strings.Count(want, "\n") < 5 {
		t.Fatalf("%v made:\n%s\nwant a lead and a task", orders[0], want)
	}
	for i, order := range orders {
		for pace, n := range map[string]string{"with time between": number(i), "at once": number(100 + i)} {
			if got := h.of(n); got != want {
				t.Errorf("%v %s made:\n%s\nwant as %v:\n%s", order, pace, got, orders[0], want)
			}
		}
	}
}

func TestTenCallsOfOneNewNumberAtOnceAreOneLeadWithTenTasks(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() { h.send(h.call(fmt.Sprintf("c%d", i), nil)) })
	}
	wg.Wait()
	h.quiet()
	lead := only(t, "leads", h.portal.Leads())
	tasks := h.portal.Tasks()
	if len(tasks) != 10 {
		t.Errorf("%d tasks were made, want 10", len(tasks))
	}
	for _, task := range tasks {
		if fmt.Sprint(task.CRM) != fmt.Sprintf("[L_%d]", lead.ID) || task.ResponsibleID != olena || task.Status != 5 {
			t.Errorf("task %+v, want it closed, Olena's, on lead %d", task, lead.ID)
		}
	}
	fired := map[string]int{}
	for i := range 10 {
		fired[h.story(fmt.Sprintf("c%d", i)).Rule]++
	}
	if fired["answered/new"] != 1 || fired["answered/open/owner"] != 9 {
		t.Errorf("rules fired: %v, want answered/new once and answered/open/owner for the others", fired)
	}
}

func TestTenCallsOfOneNewNumberAreOneLeadWithTheirTasksInOrderWhateverThePortalDoes(t *testing.T) {
	t.Parallel()
	always := func(e bitrixtest.Effect, every int) bitrixtest.Fault {
		return bitrixtest.Fault{When: writing, Every: every, Times: -1, Do: e}
	}
	for name, fault := range map[string]bitrixtest.Fault{
		"every second answer is lost":           always(bitrixtest.CutAfter, 2),
		"every second request is lost":          always(bitrixtest.CutBefore, 2),
		"every third is done later than said":   always(bitrixtest.Late(100*time.Millisecond), 3),
		"every third is cut in the middle":      always(bitrixtest.CutAfterCommands(1), 3),
		"the portal is slow":                    {Times: -1, Do: bitrixtest.Stall(100 * time.Millisecond)},
		"the portal is down for three tries":    {Skip: 3, Times: 3, Do: bitrixtest.HTML502Before},
		"the portal wants to be left in peace":  {Skip: 2, Every: 2, Times: 3, Do: bitrixtest.RefuseQueryLimit},
		"anything at any time is cut":           {Chance: 0.2, Times: -1, Do: bitrixtest.CutAfter},
		"anything at any time never came there": {Chance: 0.2, Times: -1, Do: bitrixtest.CutBefore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{ReadLag: 30 * time.Millisecond}, "")
			h.portal.Inject(fault)
			const calls = 10
			for i := range calls {
				h.send(h.call(fmt.Sprintf("c%d", i), nil))
			}
			h.quiet()
			lead := only(t, "leads", h.portal.Leads())
			tasks := h.portal.Tasks()
			slices.SortFunc(tasks, func(a, b bitrixtest.Task) int { return cmp.Compare(a.ID, b.ID) })
			if len(tasks) != calls {
				t.Fatalf("%d tasks were made, want %d", len(tasks), calls)
			}
			for i, task := range tasks {
				if !strings.Contains(task.Description, fmt.Sprintf("/c%d.wav]", i)) || fmt.Sprint(task.CRM) != fmt.Sprintf("[L_%d]", lead.ID) || task.Status != 5 {
					t.Errorf("task %d is closed %v, on %v and says\n%s\nwant it of call c%d, closed, on lead %d", i, task.Status == 5, task.CRM, task.Description, i, lead.ID)
				}
			}
			if d := h.portal.Duplicates(); len(d) != 0 {
				t.Errorf("made several times: %v", d)
			}
		})
	}
}

func TestALateRecordingIsAddedToTheTaskThatIsThere(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", url.Values{"recording": {""}, "has_recording": {""}}))
	h.quiet()
	task := only(t, "tasks", h.portal.Tasks())
	if strings.Contains(task.Description, "records.example") {
		t.Fatalf("there is a recording already:\n%s", task.Description)
	}
	h.send(h.call("c1", nil))
	h.quiet()
	after := only(t, "tasks", h.portal.Tasks())
	if !strings.Contains(after.Description, "[URL=https://records.example/c1.wav]") || after.ID != task.ID || after.Status != 5 || after.ResponsibleID != olena {
		t.Errorf("the task with status %d says:\n%s\nwant the recording in the same closed task", after.Status, after.Description)
	}
	only(t, "leads", h.portal.Leads())
}

func TestALaterAnswerCorrectsACallThatWasReportedAsMissed(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", url.Values{"status": {"NO ANSWER"}, "dialog": {"0"}, "connected_with": {""}, "staffid": {""}, "recording": {""}, "has_recording": {"0"}}))
	h.quiet()
	h.send(h.call("c1", nil))
	s := h.quiet()
	if story := h.story("c1"); s.Parked != 0 || story.State != "done" || story.Outcome != "answered" {
		t.Errorf("the call is %s %s and %d things are parked, want done, answered, none", story.State, story.Outcome, s.Parked)
	}
	if lead := only(t, "leads", h.portal.Leads()); lead.ResponsibleID != olena {
		t.Errorf("the lead is on user %d, want Olena, who answered", lead.ResponsibleID)
	}
	if task := only(t, "tasks", h.portal.Tasks()); task.ResponsibleID != olena || task.Status != 5 || !strings.Contains(task.Description, "records.example") || !strings.HasPrefix(task.Title, "Incoming call") {
		t.Errorf("task %q of user %d has status %d:\n%s\nwant the task to call back turned into the closed one of the talk", task.Title, task.ResponsibleID, task.Status, task.Description)
	}
}

func TestALoneCallCostsFewRequests(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	cost := func(id string, over url.Values) int {
		h.portal.ForgetRequests()
		h.send(h.call(id, over))
		h.quiet()
		if s := h.story(id); s.State != "done" {
			t.Fatalf("call %s is %s, want done", id, s.State)
		}
		return len(h.portal.Requests())
	}
	cost("warm", url.Values{"caller": {"380671112200"}})
	if n := cost("c1", nil); n > 2 {
		t.Errorf("a new client's call took %d requests, want at most 2: %v", n, h.portal.Requests())
	}
	if n := cost("c2", nil); n > 3 {
		t.Errorf("a known client's call took %d requests, want at most 3: %v", n, h.portal.Requests())
	}
	h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{"0671112255"}, ResponsibleID: petro})
	if n := cost("c3", url.Values{"caller": {"380671112255"}}); n > 3 {
		t.Errorf("a contact's call took %d requests, want at most 3: %v", n, h.portal.Requests())
	}
}

func TestAStoryTellsWhatHappened(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.quiet()
	s := h.story("c1")
	var types []string
	for _, e := range s.Events {
		types = append(types, e.Type)
		if e.Words == "" || strings.Contains(e.Words, client) {
			t.Errorf("%s is told as %q, want words without the number", e.Type, e.Words)
		}
	}
	want := "call.received.v1 call.classified.v1 call.resolved.v1 bitrix.command.v1 bitrix.command.v1 bitrix.outcome.v1 bitrix.outcome.v1"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("the story is %s, want %s", got, want)
	}
	for _, c := range s.Commands {
		if c.State != "executed" || c.BitrixID == 0 || c.Rule != "answered/new" {
			t.Errorf("command %+v, want it executed by answered/new with an id of the portal", c)
		}
	}
	if code := h.api(http.MethodGet, "/api/v1/projects/shop/calls/none", nil); code != http.StatusNotFound {
		t.Errorf("the story of an unknown call is answered %d, want 404", code)
	}
}
