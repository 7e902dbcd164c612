package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// writing says that a request makes something.
func writing(r bitrixtest.Request) bool { return r.Has("crm.item.add") || r.Has("tasks.task.add") }

func TestALostAnswerNeitherLosesNorDoubles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do         bitrixtest.Effect
		lead, task string // outcomes
	}{
		"cut after everything was done":     {bitrixtest.CutAfter, "adopted", "adopted"},
		"cut before anything was done":      {bitrixtest.CutBefore, "executed", "executed"},
		"cut behind the lead":               {bitrixtest.CutAfterCommands(1), "adopted", "executed"},
		"cut before the task was closed":    {bitrixtest.CutAfterCommands(2), "adopted", "adopted"},
		"done later than the answer":        {bitrixtest.Late(150 * time.Millisecond), "adopted", "adopted"},
		"an error page after it was done":   {bitrixtest.HTML502After, "adopted", "adopted"},
		"an error page before":              {bitrixtest.HTML502Before, "executed", "executed"},
		"an inner error after it was done":  {bitrixtest.Status500After, "adopted", "adopted"},
		"half of the answer":                {bitrixtest.TruncatedJSON, "adopted", "adopted"},
		"an empty answer":                   {bitrixtest.EmptyBody, "adopted", "adopted"},
		"done, and not seen for a while":    {bitrixtest.CutAfter, "adopted", "adopted"},
		"a log-in page in place of answers": {bitrixtest.HTML200, "executed", "executed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := bitrixtest.Options{}
			if strings.HasSuffix(name, "for a while") {
				o.ReadLag = 80 * time.Millisecond
			}
			// Long enough for what is late to be done in time on a busy machine.
			h := openHouse(t, o, "", "max_execution: 300ms", "max_execution: 800ms")
			h.portal.Inject(bitrixtest.Fault{When: writing, Do: c.do})
			h.send(h.call("c1", nil))
			h.quiet()
			lead, task := only(t, "leads", h.portal.Leads()), only(t, "tasks", h.portal.Tasks())
			if task.Status != 5 || fmt.Sprint(task.CRM) != fmt.Sprintf("[L_%d]", lead.ID) || lead.ResponsibleID != olena {
				t.Errorf("the portal holds:\n%s\nwant a lead and a closed task on it", h.render())
			}
			if d := h.portal.Duplicates(); len(d) != 0 {
				t.Errorf("made several times: %v", d)
			}
			story := h.story("c1")
			got := map[string]string{}
			for _, k := range story.Commands {
				got[k.Role] = k.State
			}
			if story.State != "done" || got["lead"] != c.lead || got["task:done"] != c.task {
				t.Errorf("the call is %s with outcomes %v, want done with lead %s and task %s", story.State, got, c.lead, c.task)
			}
		})
	}
}

func TestADoubtIsSeenWhileItLasts(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "", "max_execution: 300ms", "max_execution: 1500ms")
	h.portal.Inject(bitrixtest.Fault{When: writing, Do: bitrixtest.CutAfter})
	h.send(h.call("c1", nil))
	h.until("the doubt is shown", func() bool {
		var s statusView
		h.api(http.MethodGet, "/api/v1/projects/shop/status", &s)
		return s.InDoubt == 1 && h.story("c1").State == "in_doubt"
	})
	if s := h.quiet(); s.InDoubt != 0 || h.story("c1").State != "done" {
		t.Errorf("in the end %d are in doubt and the call is %s, want none and done", s.InDoubt, h.story("c1").State)
	}
}

func TestAPortalThatIsTooBusyGetsEverythingLater(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.Inject(bitrixtest.Fault{Do: bitrixtest.RefuseQueryLimit, Times: 3}) // pauses of 1, 2 and 4 s
	for i := range 5 {
		h.send(h.call(fmt.Sprintf("c%d", i), url.Values{"caller": {fmt.Sprintf("38067111220%d", i)}}))
	}
	h.quiet()
	refused := 0
	for _, r := range h.portal.Requests() {
		if r.Error == "QUERY_LIMIT_EXCEEDED" && r.Status == http.StatusServiceUnavailable {
			refused++
		}
	}
	if leads, tasks := len(h.portal.Leads()), len(h.portal.Tasks()); refused != 3 || leads != 5 || tasks != 5 || len(h.portal.Duplicates()) != 0 {
		t.Errorf("after %d refusals there are %d leads and %d tasks, want 3, 5 and 5, none twice", refused, leads, tasks)
	}
}

func TestWhoLooksAtThePortalTakesPartInTheWritersPace(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.quiet()
	counted := func() int {
		var s struct{ Portal struct{ Requests int } }
		h.api(http.MethodGet, "/api/v1/projects/shop/status", &s)
		return s.Portal.Requests
	}
	before, sent := counted(), len(h.portal.Requests())
	if code := h.api(http.MethodGet, "/api/v1/projects/shop/portal?fresh=true", nil); code != http.StatusOK {
		t.Fatalf("the look at the portal is answered %d", code)
	}
	draft := fmt.Sprintf(`{"settings": {"bitrix24": {"webhook": %q, "allow_insecure": true}}}`, h.address)
	if code, body := h.request(http.MethodPost, "/api/v1/check", jsonBody, draft); code != http.StatusOK || !strings.Contains(body, `"reached":true`) {
		t.Fatalf("a draft with the same portal is answered %d %s", code, body)
	}
	asked := len(h.portal.Requests()) - sent
	if got := counted() - before; asked < 4 || got != asked {
		t.Errorf("%d requests of those who looked, %d counted by the writer, want each of them", asked, got)
	}
}

func TestARefusedWebhookIsSaidAndNothingIsLost(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.RevokeWebhook()
	h.send(h.call("c1", nil))
	h.send(h.call("c2", url.Values{"caller": {"380671112244"}}))
	var s statusView
	h.until("the portal counts as refusing", func() bool {
		h.api(http.MethodGet, "/api/v1/projects/shop/status", &s)
		return s.Portal.State == "refused"
	})
	if s.Waiting != 2 || s.Portal.Reason == "" {
		t.Errorf("meanwhile %d calls wait and the reason is %q, want 2 and a reason", s.Waiting, s.Portal.Reason)
	}
	if code := runLook(h, "status"); code.exit != exitNotWell {
		t.Errorf("status exits with %d, want %d", code.exit, exitNotWell)
	}
	h.portal.RestoreWebhook()
	if s = h.quiet(); s.Portal.State != "ok" || s.Parked != 0 {
		t.Errorf("in the end the portal is %q and %d are parked, want ok and none", s.Portal.State, s.Parked)
	}
	if leads, tasks := len(h.portal.Leads()), len(h.portal.Tasks()); leads != 2 || tasks != 2 {
		t.Errorf("there are %d leads and %d tasks, want 2 and 2", leads, tasks)
	}
}

func TestARestartInTheMiddleLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const calls = 24
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.Inject(bitrixtest.Fault{When: writing, Every: 2, Times: -1, Do: bitrixtest.Stall(30 * time.Millisecond)})
	h.portal.Inject(bitrixtest.Fault{When: writing, Every: 5, Times: 4, Do: bitrixtest.CutAfter})
	for i := range calls {
		h.send(h.call(fmt.Sprintf("c%02d", i), url.Values{"caller": {fmt.Sprintf("3806711122%02d", i/2)}}))
		if i%8 == 7 {
			h.until("something was written", func() bool { return len(h.portal.Leads()) >= i/8+1 })
			h.stop()
			h.start()
		}
	}
	if left := calls - len(h.portal.Tasks()); left == 0 {
		t.Error("everything was done before the last restart, want something left to take up")
	}
	h.quiet()
	if leads, tasks := len(h.portal.Leads()), len(h.portal.Tasks()); leads != calls/2 || tasks != calls || len(h.portal.Duplicates()) != 0 {
		t.Errorf("there are %d leads and %d tasks, twice: %v; want %d, %d and none", leads, tasks, h.portal.Duplicates(), calls/2, calls)
	}
	for i := range calls {
		if s := h.story(fmt.Sprintf("c%02d", i)); s.State != "done" {
			t.Errorf("call c%02d is %s, want done", i, s.State)
		}
	}
	for _, task := range h.portal.Tasks() {
		if task.Status != 5 || len(task.CRM) != 1 {
			t.Errorf("task %+v, want it closed and bound to a lead", task)
		}
	}
}

// parkedCall waits until a call is parked and returns what is said about it.
func (h *house) parkedCall(id string) parkedView {
	h.t.Helper()
	h.quiet()
	if state := h.story(id).State; state != "parked" {
		h.t.Errorf("call %s is %s, want parked", id, state)
	}
	return only(h.t, "parked things", h.parked())
}

func TestARefusedCommandParksTheCallAndARetryMakesItRightOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "    scenarios: {new_client: contact+lead}\n")
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_BRANCH", Label: "Branch", Mandatory: true})
	h.send(h.call("c1", nil))
	p := h.parkedCall("c1")
	if p.CallID != "c1" || p.Step != "write" || !strings.Contains(p.Reason, "mandatory field") || !strings.Contains(p.Reason, "Branch") || len(p.Remedy) < 10 {
		t.Errorf("parked as %+v, want call c1, step write, a reason that names the mandatory field, and a remedy", p)
	}
	only(t, "contacts", h.portal.Contacts()) // does not depend on the lead
	if len(h.portal.Leads())+len(h.portal.Tasks()) != 0 {
		t.Errorf("the portal holds:\n%s\nwant the contact only", h.render())
	}
	states := map[string]string{}
	for _, c := range h.story("c1").Commands {
		states[c.Role] = c.State
		if (c.State == "refused") != (c.Error != "") {
			t.Errorf("%s is %s with error %q, want a reason with every refusal", c.Role, c.State, c.Error)
		}
	}
	if fmt.Sprint(states) != "map[contact:executed lead:refused task:done:refused]" {
		t.Errorf("outcomes are %v, want the contact executed, the lead and its task refused", states)
	}
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_BRANCH", Label: "Branch"})
	retry := "/api/v1/projects/shop/parked/" + p.ID + "/retry"
	if code := h.api(http.MethodPost, retry, nil); code != http.StatusOK {
		t.Fatalf("the retry is answered %d, want 200", code)
	}
	s := h.quiet()
	contact, lead, task := only(t, "contacts", h.portal.Contacts()), only(t, "leads", h.portal.Leads()), only(t, "tasks", h.portal.Tasks())
	if lead.ContactID != contact.ID || task.Status != 5 || s.Parked != 0 || h.story("c1").State != "done" {
		t.Errorf("after the retry the call is %s, %d parked, and the portal holds:\n%s\nwant it done", h.story("c1").State, s.Parked, h.render())
	}
	if code := h.api(http.MethodPost, retry, nil); code != http.StatusNotFound {
		t.Errorf("a second retry is answered %d, want 404: nothing is parked", code)
	}
	h.quiet()
	if d := h.portal.Duplicates(); len(d) != 0 || len(h.portal.Leads()) != 1 {
		t.Errorf("made several times: %v", d)
	}
}

func TestWhatDoesNotDependOnARefusedCommandIsMade(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.AddLead(bitrixtest.Entity{Title: "Chairs", Phones: []string{client}, ResponsibleID: petro})
	h.portal.Inject(bitrixtest.Fault{Method: "tasks.task.add", Do: bitrixtest.Refuse(400, "ERROR_CORE", "Required field Branch value not entered")})
	h.send(h.call("c1", nil))
	p := h.parkedCall("c1")
	if !strings.Contains(p.Reason, "Required field Branch") {
		t.Errorf("parked because %q, want what the portal said", p.Reason)
	}
	if task := only(t, "tasks", h.portal.Tasks()); task.ResponsibleID != petro {
		t.Errorf("the task is %+v, want Petro's, who is to check the call", task)
	}
	if code := h.api(http.MethodPost, "/api/v1/projects/shop/parked/"+p.ID+"/retry", nil); code != http.StatusOK {
		t.Fatalf("the retry is answered %d, want 200", code)
	}
	h.quiet()
	if tasks := h.portal.Tasks(); len(tasks) != 2 || h.story("c1").State != "done" {
		t.Errorf("after the retry the call is %s and the portal holds:\n%s\nwant both tasks", h.story("c1").State, h.render())
	}
}

func TestWhySomethingIsParkedIsThereInEveryLanguage(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_BRANCH", Label: "Branch", Mandatory: true})
	h.send(h.call("write", nil))
	h.quiet()
	h.portal.Inject(bitrixtest.Fault{Method: "crm.duplicate.findbycomm", Times: -1, Do: bitrixtest.Refuse(400, "ERROR_CORE", "no such number")})
	h.send(h.call("resolve", url.Values{"caller": {"380671112299"}}))
	h.send(h.call("", nil))
	h.until("all three are parked", func() bool { return len(h.parked()) == 3 })
	words := map[string]map[string]string{
		"write":    {"uk": "lead: Портал не прийняв дані.", "ru": "lead: Портал не принял данные.", "en": "lead: The portal did not accept the data."},
		"resolve":  {"uk": "Портал не прийняв дані.", "ru": "Портал не принял данные.", "en": "The portal did not accept the data."},
		"classify": {"uk": "немає ідентифікатора дзвінка", "ru": "нет идентификатора звонка", "en": "no call id"},
	}
	for _, p := range h.parked() {
		for lang, want := range words[p.Step] {
			if got := p.ReasonIn[lang]; !strings.HasPrefix(got, want) {
				t.Errorf("parked at %s, in %s: %q, want %q", p.Step, lang, got, want)
			}
		}
		if p.Reason != p.ReasonIn["en"] {
			t.Errorf("parked at %s: %q, want it in the project's language: %q", p.Step, p.Reason, p.ReasonIn["en"])
		}
		if n := len(p.RemedyIn); p.Step != "resolve" && (n != 3 || p.Remedy != p.RemedyIn["en"]) {
			t.Errorf("parked at %s: remedy %q of %v, want it in three languages", p.Step, p.Remedy, p.RemedyIn)
		}
		if strings.Count(p.Reason, "Branch") > 1 {
			t.Errorf("%q says what the portal said twice", p.Reason)
		}
	}
	for _, e := range h.story("write").Events {
		if o := (event.BitrixOutcome{}); e.Type == string(event.TypeBitrixOutcome) && json.Unmarshal(e.Data, &o) == nil && o.Error != o.ErrorIn["en"] {
			t.Errorf("the outcome of %s: error %q of %v, want it in each language", o.Role, o.Error, o.ErrorIn)
		}
	}
}

func TestDroppingNeedsAReason(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_BRANCH", Mandatory: true})
	h.send(h.call("c1", nil))
	p := h.parkedCall("c1")
	drop := "/api/v1/projects/shop/parked/" + p.ID + "/drop"
	for _, body := range []string{"", "{}", `{"why": "  "}`} {
		if code, _ := h.request(http.MethodPost, drop, jsonBody, body); code != http.StatusBadRequest {
			t.Errorf("dropping with %q is answered %d, want 400", body, code)
		}
	}
	if len(h.parked()) != 1 {
		t.Error("a drop without a reason took the call off the list")
	}
	if code, body := h.request(http.MethodPost, drop, jsonBody, `{"why": "a test call"}`); code != http.StatusOK {
		t.Errorf("dropping with a reason is answered %d %s, want 200", code, body)
	}
	s := h.quiet()
	story := h.story("c1")
	if last := story.Events[len(story.Events)-1]; s.Parked != 0 || story.State != "ignored" || !strings.Contains(last.Words, "a test call") {
		t.Errorf("%d are parked, the call is %s and its story ends %q, want none, ignored, and the reason", s.Parked, story.State, last.Words)
	}
}
