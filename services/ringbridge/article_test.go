package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/rules/scenario"
)

// TestEverySentenceOfTheArticleHasTheTestsItNames finds a promise of pkg/rules/ARTICLE.md
// that names a test which is not here.
func TestEverySentenceOfTheArticleHasTheTestsItNames(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, entry := range files {
		if !strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && len(f.Body.List) > 0 {
				there[f.Name.Name] = true
			}
		}
	}
	sentences, err := scenario.Sentences(loadScenarios(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sentences {
		if len(s.Tests)+len(s.Scenarios) == 0 {
			t.Errorf("nothing proves %q", s.Pointer())
		}
		for _, name := range s.Tests {
			if !there[name] {
				t.Errorf("%s names the test %s, which is not in this package", s.Pointer(), name)
			}
		}
	}
}

// goesOn is what a call does not report yet that goes on.
var goesOn = url.Values{"status": {""}, "dialog": {""}, "waiting": {""}, "call_duration": {""}, "recording": {""}, "has_recording": {""}}

func TestNothingIsWrittenBeforeTheCallIsOver(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.sendTo("?event=before", h.call("c1", with(goesOn, url.Values{"connected_with": {""}, "staffid": {""}})))
	h.sendTo("?event=answer", h.call("c1", goesOn))
	h.quiet()
	if s := h.story("c1"); len(s.Events) != 4 || s.State != "unfinished" {
		t.Errorf("the call going on has %d events and state %q, want two requests, each read, and unfinished", len(s.Events), s.State)
	}
	if history := h.render(); history != "nothing was made\n" || len(h.portal.Requests()) != 0 {
		t.Errorf("while the call goes on the portal got %v and holds:\n%s", h.portal.Requests(), history)
	}
	h.send(h.call("c1", nil))
	h.quiet()
	if only(t, "leads", h.portal.Leads()).ResponsibleID != olena || len(h.portal.Tasks()) != 1 {
		t.Errorf("after the call the portal holds:\n%s\nwant a lead and a task on Olena", h.render())
	}
}

func TestLeadCarriesTheTrafficSource(t *testing.T) {
	t.Parallel()
	want := map[string]string{"source": "google", "medium": "cpc", "campaign": "spring", "content": "banner", "term": "oak chair"}
	for _, kind := range []string{"lead", "deal"} {
		h := openHouse(t, bitrixtest.Options{}, "    scenarios: {new_client: "+kind+"}\n")
		h.send(h.call("c1", visit))
		h.quiet()
		e := only(t, "leads and deals", append(h.portal.Leads(), h.portal.Deals()...))
		if e.Kind.String() != kind || fmt.Sprint(e.UTM) != fmt.Sprint(want) || e.SourceID != "CALL" || e.ResponsibleID != olena {
			t.Errorf("the %s has UTM %v, source %q and responsible %d, want %v, CALL and %d", e.Kind, e.UTM, e.SourceID, e.ResponsibleID, want, olena)
		}
		if !strings.Contains(e.Comments, visit.Get("landing")) {
			t.Errorf("the %s says %q of the visit, want the landing page", kind, e.Comments)
		}
	}
}

func TestANewClientBecomesWhatTheSettingSays(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{
		"lead": "0 contacts, 1 leads, 0 deals", "deal": "0 contacts, 0 leads, 1 deals", "contact": "1 contacts, 0 leads, 0 deals",
		"contact+lead": "1 contacts, 1 leads, 0 deals", "contact+deal": "1 contacts, 0 leads, 1 deals", "nothing": "0 contacts, 0 leads, 0 deals",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bitrixtest.Options{}, "    scenarios: {new_client: "+setting+"}\n")
			h.send(h.call("c1", nil))
			h.quiet()
			h.compareMade(want)
		})
	}
}

// compareMade checks what was made of a new client, and that it all hangs together.
func (h *house) compareMade(want string) {
	h.t.Helper()
	contacts, leads, deals := made(h.portal.Contacts()), made(h.portal.Leads()), made(h.portal.Deals())
	if got := fmt.Sprintf("%d contacts, %d leads, %d deals", len(contacts), len(leads), len(deals)); got != want {
		h.t.Errorf("there are %s, want %s", got, want)
	}
	task := only(h.t, "tasks", h.portal.Tasks())
	bound := map[string]bool{}
	for _, id := range task.CRM {
		bound[id] = true
	}
	prefix := map[bitrixtest.Kind]string{bitrixtest.Contact: "C_", bitrixtest.Lead: "L_", bitrixtest.Deal: "D_"}
	for _, e := range append(append(contacts, leads...), deals...) {
		if !bound[fmt.Sprint(prefix[e.Kind], e.ID)] || e.ResponsibleID != olena {
			h.t.Errorf("%s %d is on user %d and the task is bound to %v, want Olena and bound to it", e.Kind, e.ID, e.ResponsibleID, task.CRM)
		}
		if e.Kind != bitrixtest.Contact && len(contacts) == 1 && e.ContactID != contacts[0].ID {
			h.t.Errorf("%s %d belongs to contact %d, want %d", e.Kind, e.ID, e.ContactID, contacts[0].ID)
		}
		if phones := fmt.Sprint(e.Phones); e.Kind != bitrixtest.Deal && phones != "["+client+"]" {
			h.t.Errorf("%s %d has the numbers %s, want %s", e.Kind, e.ID, phones, client)
		}
	}
	if n := len(contacts) + len(leads) + len(deals); len(task.CRM) != n || task.Status != 5 {
		h.t.Errorf("the task is bound to %v with status %d, want %d bindings and closed", task.CRM, task.Status, n)
	}
}

func TestAPortalWithoutLeadsGetsAContactAndADeal(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"", "    scenarios: {new_client: lead}\n", "    scenarios: {new_client: contact+deal}\n"} {
		h := openHouse(t, bitrixtest.Options{WithoutLeads: true}, more)
		h.send(h.call("c1", visit))
		h.quiet()
		h.compareMade("1 contacts, 0 leads, 1 deals")
		if deal := only(t, "deals", h.portal.Deals()); deal.UTM["campaign"] != "spring" {
			t.Errorf("the deal has UTM %v, want where the visit came from", deal.UTM)
		}
	}
}

func TestLeadCarriesTheGoogleClientID(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "    fields: {lead: {UF_CRM_GOOGLE_CID: client_id}}\n")
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_GOOGLE_CID"})
	h.start()
	h.send(h.call("c1", url.Values{"client_id": {"1166788451.1557843310"}}))
	h.quiet()
	lead := only(t, "leads", h.portal.Leads())
	if got := lead.Custom["UF_CRM_GOOGLE_CID"]; got != "1166788451.1557843310" {
		t.Errorf("the lead's field holds %q, want the client id", got)
	}
	if task := only(t, "tasks", h.portal.Tasks()); !strings.Contains(task.Description, "1166788451.1557843310") {
		t.Errorf("the task says:\n%s\nwant the client id too", task.Description)
	}
}

func TestLeadOfAContactIsBoundToIt(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	contact := h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{client}, ResponsibleID: olena})
	h.send(h.call("c1", nil))
	h.quiet()
	lead, task := only(t, "leads", h.portal.Leads()), only(t, "tasks", h.portal.Tasks())
	if lead.ContactID != contact || fmt.Sprint(task.CRM) != fmt.Sprintf("[L_%d C_%d]", lead.ID, contact) {
		t.Errorf("the lead belongs to contact %d and the task to %v, want contact %d and both", lead.ContactID, task.CRM, contact)
	}
	if n := len(h.portal.Contacts()); n != 1 {
		t.Errorf("there are %d contacts, want the one that was there", n)
	}
}

func TestReviewTaskIsDueInThreeHours(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]time.Duration{"": 3 * time.Hour, "    scenarios: {review_due: 90m}\n": 90 * time.Minute} {
		h := openHouse(t, bitrixtest.Options{}, more)
		h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{client}, ResponsibleID: petro})
		h.send(h.call("c1", nil))
		h.quiet()
		found := false
		for _, task := range h.portal.Tasks() {
			if task.ResponsibleID != petro {
				continue
			}
			found = true
			if due := task.Deadline.Sub(h.started.Add(50 * time.Second)); due != want || task.Status == 5 {
				t.Errorf("with %q the task of the contact's responsible is due %s after the call with status %d, want %s and open", more, due, task.Status, want)
			}
		}
		if !found {
			t.Errorf("with %q the contact's responsible has no task:\n%s", more, h.render())
		}
	}
}

func TestTheWebhookIsTakenWholeOrInThreeParts(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(portal string) string{
		"whole":               func(p string) string { return "webhook: " + p + "/rest/1/" + portalSecret + "/" },
		"as the portal shows": func(p string) string { return "webhook: " + p + "/rest/1/" + portalSecret + "/profile/" },
		"in three parts": func(p string) string {
			return "portal: " + p + "\n      user: 1\n      secret: " + portalSecret
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := buildHouse(t, bitrixtest.Options{}, "")
			_, rest, _ := strings.Cut(h.config, "webhook: ")
			address, _, _ := strings.Cut(rest, "\n")
			portal, _, _ := strings.Cut(address, "/rest/")
			h.config = strings.Replace(h.config, "webhook: "+address, write(portal), 1)
			h.start()
			h.send(h.call("c1", nil))
			h.quiet()
			only(t, "leads", h.portal.Leads())
			only(t, "tasks", h.portal.Tasks())
			if _, settings := h.request(http.MethodGet, "/api/v1/projects/shop/settings", "", ""); strings.Contains(settings, portalSecret) {
				t.Errorf("the settings show the portal's secret: %s", settings)
			}
		})
	}
}
