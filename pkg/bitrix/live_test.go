package bitrix_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// These tests drive a whole simulated portal, which shares no code with the
// client and was written from the vendor's documentation.

func start(t *testing.T, o bitrixtest.Options) (*bitrixtest.Portal, *bitrix.Client) {
	t.Helper()
	portal, webhook := bitrixtest.Start(t, o)
	address, user, secret, err := bitrix.ParseWebhook(webhook)
	if err != nil {
		t.Fatal(err)
	}
	c, err := bitrix.New(bitrix.Options{Portal: address, User: user, Secret: secret, AllowInsecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return portal, c
}

func call(t *testing.T, c *bitrix.Client, cmd bitrix.Command) json.RawMessage {
	t.Helper()
	a, err := c.Call(context.Background(), cmd.Method, cmd.Params)
	if err != nil {
		t.Fatalf("%s: %v", cmd.Method, err)
	}
	return a.Result
}

// must stops at the first wrong decoding.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestALeadWithItsClosedTaskIsMadeInOneRequest(t *testing.T) {
	portal, c := start(t, bitrixtest.Options{})
	worker := portal.AddUser(bitrixtest.User{Name: "Іван", Active: true})
	contact := portal.AddContact(bitrixtest.Entity{Name: "Олена"})
	portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_GOOGLE_CID"})
	title := `Дзвінок +380 67 111 22 33 & 100% {"x"} $result[lead] №1`
	before := len(portal.Requests())
	b, err := c.Batch(context.Background(), []bitrix.Command{
		bitrix.AddItem(bitrix.Lead, bitrix.EntityFields{Title: title + " 📞", Name: "Олена", Phone: "+380671112233", ResponsibleID: worker,
			Contact: bitrix.Link{ID: contact}, Source: "CALL", UTM: bitrix.UTM{Source: "google", Campaign: "a+b&c=d"}, OriginatorID: "ringbridge", OriginID: "id-1",
			Comments: "рядок 1\nрядок 2", Opened: true, Custom: map[string]string{"UF_CRM_GOOGLE_CID": "12.34"}}).As("lead"),
		bitrix.AddTask(bitrix.TaskFields{Title: "Дзвінок +380671112233", Description: "[URL=https://rec.example.com/?a=1&b=2+3]запис[/URL]", ResponsibleID: worker, XMLID: "id-2",
			Deadline: time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("", 2*3600)),
			CRM:      []bitrix.Binding{{Kind: bitrix.Lead, Link: bitrix.Link{Ref: bitrix.Ref("lead", "item", "id")}}, {Kind: bitrix.Contact, Link: bitrix.Link{ID: contact}}}}).As("task"),
		bitrix.CompleteTask(bitrix.Link{Ref: bitrix.Ref("task", "task", "id")}).As("done"),
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range b.Outcomes {
		if o.Error != nil {
			t.Fatalf("%s: %v", o.Key, o.Error)
		}
	}
	if sent := len(portal.Requests()) - before; sent != 1 {
		t.Errorf("%d requests, want 1", sent)
	}
	lead := must(bitrix.DecodeItem(bitrix.Lead, b.Get("lead").Result))(t)
	made := portal.Leads()[0]
	want := fmt.Sprintf("%d %d CALL google a+b&c=d ringbridge id-1 12.34 [+380671112233] %d true", lead.ID, worker, contact)
	if got := fmt.Sprint(made.ID, made.ResponsibleID, " "+made.SourceID, " "+made.UTM["source"], " "+made.UTM["campaign"], " "+made.OriginatorID, " "+made.OriginID,
		" "+made.Custom["UF_CRM_GOOGLE_CID"], " ", made.Phones, " ", made.ContactID, made.Opened); got != want {
		t.Errorf("the lead: got %s, want %s", got, want)
	}
	if want := `Дзвінок +380 67 111 22 33 & 100% {"x"} $ result[lead] №1`; made.Title != want || made.Comments != "рядок 1\nрядок 2" {
		t.Errorf("the lead's texts: got %q, %q, want %q", made.Title, made.Comments, want)
	}
	task := portal.Tasks()[0]
	if task.XMLID != "id-2" || task.Status != 5 || task.Description != "[URL=https://rec.example.com/?a=1&b=2+3]запис[/URL]" ||
		fmt.Sprint(task.CRM) != fmt.Sprintf("[L_%d C_%d]", lead.ID, contact) || !task.Deadline.Equal(time.Date(2030, 1, 2, 1, 4, 5, 0, time.UTC)) {
		t.Errorf("the task: got %+v", task)
	}

	found := must(bitrix.DecodeItems(bitrix.Lead, call(t, c, bitrix.FindByOrigin(bitrix.Lead, "ringbridge", []string{"id-1", "id-9"}))))(t)
	if len(found) != 1 || found[0].ID != lead.ID || !found[0].Open() || found[0].ContactID != contact || found[0].Created.IsZero() || found[0].LastActivity.IsZero() {
		t.Errorf("by external id: got %+v, want the lead", found)
	}
	for name, cmd := range map[string]bitrix.Command{
		"binding":     bitrix.FindTasksByBinding(bitrix.Binding{Kind: bitrix.Lead, Link: bitrix.Link{ID: lead.ID}}, time.Now().Add(-time.Hour), 0),
		"external id": bitrix.FindTasksByXMLID("id-2", time.Time{}, 0),
	} {
		tasks := must(bitrix.DecodeTasks(call(t, c, cmd), "id-2"))(t)
		if len(tasks) != 1 || !tasks[0].Done() || tasks[0].ID != task.ID {
			t.Errorf("by %s: got %+v, want the closed task", name, tasks)
		}
	}
}

func TestAClientIsFoundByAnySpelling(t *testing.T) {
	portal, c := start(t, bitrixtest.Options{})
	contact := portal.AddContact(bitrixtest.Entity{Name: "Олена", LastName: "Тест", Phones: []string{"067 111 22 33"}})
	portal.AddLead(bitrixtest.Entity{Title: "чужий", Phones: []string{"+380509998877"}})
	deal := portal.AddDeal(bitrixtest.Entity{Title: "відкрита", ContactID: contact})
	portal.AddDeal(bitrixtest.Entity{Title: "закрита", ContactID: contact, StageID: "WON"})
	company := portal.AddCompany(bitrixtest.Entity{Title: "Крамниця", Phones: []string{"+380671112233"}})
	lead := portal.AddLead(bitrixtest.Entity{Title: "лід компанії", CompanyID: company})
	spellings := []string{"+380671112233", "380671112233", "0671112233"}
	b, err := c.Batch(context.Background(), []bitrix.Command{
		bitrix.FindByPhone(bitrix.Contact, spellings).As("contact"), bitrix.FindByPhone(bitrix.Company, spellings).As("company"), bitrix.FindByPhone(bitrix.Lead, spellings).As("lead"),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[bitrix.Kind][]int{bitrix.Contact: {contact}, bitrix.Company: {company}, bitrix.Lead: nil} {
		if ids := must(bitrix.DecodeFound(kind, b.Get(kind.String()).Result))(t); fmt.Sprint(ids) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", kind, ids, want)
		}
	}
	by := bitrix.By{ContactIDs: []int{contact}, CompanyIDs: []int{company}}
	b, err = c.Batch(context.Background(), []bitrix.Command{
		bitrix.ListOpenDeals(by).As("deals"), bitrix.ListOpenLeads(by).As("leads"), bitrix.ListItems(bitrix.Contact, []int{contact, 999}).As("contacts"),
		bitrix.ListItems(bitrix.Company, []int{company}).As("companies"),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key  string
		kind bitrix.Kind
		want string
	}{
		{"deals", bitrix.Deal, fmt.Sprint(deal, "відкрита")}, {"leads", bitrix.Lead, fmt.Sprint(lead, "лід компанії")},
		{"contacts", bitrix.Contact, fmt.Sprint(contact, "Олена")}, {"companies", bitrix.Company, fmt.Sprint(company, "Крамниця")},
	} {
		if o := b.Get(test.key); o.Error != nil {
			t.Errorf("%s: %v", test.key, o.Error)
			continue
		}
		items := must(bitrix.DecodeItems(test.kind, b.Get(test.key).Result))(t)
		if len(items) != 1 || fmt.Sprint(items[0].ID, items[0].Title+items[0].Name) != test.want || items[0].ResponsibleID != 1 {
			t.Errorf("%s: got %+v, want %s", test.key, items, test.want)
		}
	}
}

func TestAHaltedBatchSaysWhatDidNotRun(t *testing.T) {
	portal, c := start(t, bitrixtest.Options{})
	portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_MUST", Mandatory: true})
	b, err := c.Batch(context.Background(), []bitrix.Command{
		bitrix.AddItem(bitrix.Contact, bitrix.EntityFields{Name: "Олена"}).As("contact"),
		bitrix.AddItem(bitrix.Lead, bitrix.EntityFields{Title: "x", Contact: bitrix.Link{Ref: bitrix.Ref("contact", "item", "id")}}).As("lead"),
		bitrix.AddTask(bitrix.TaskFields{Title: "x", ResponsibleID: 1, CRM: []bitrix.Binding{{Kind: bitrix.Lead, Link: bitrix.Link{Ref: bitrix.Ref("lead", "item", "id")}}}}).As("task"),
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	contact, lead, task := b.Get("contact"), b.Get("lead"), b.Get("task")
	if contact.Error != nil || lead.Error == nil || lead.NotRun || lead.Error.Class != bitrix.Refused || !task.NotRun {
		t.Errorf("got %v, %v, not run %v; want done, refused, not run", contact.Error, lead.Error, task.NotRun)
	}
	if len(portal.Contacts()) != 1 || len(portal.Leads()) != 0 || len(portal.Tasks()) != 0 {
		t.Errorf("the portal holds %d contacts, %d leads, %d tasks; want 1, 0, 0", len(portal.Contacts()), len(portal.Leads()), len(portal.Tasks()))
	}
}

func TestEachFaultGetsTheClassThatIsTrue(t *testing.T) {
	for _, test := range []struct {
		do    bitrixtest.Effect
		class bitrix.Class
	}{
		{bitrixtest.RefuseQueryLimit, bitrix.Wait}, {bitrixtest.OperationTimeLimit, bitrix.Wait}, {bitrixtest.Overload, bitrix.Wait}, {bitrixtest.PlanExpired, bitrix.Wait},
		{bitrixtest.CutBefore, bitrix.Ambiguous}, {bitrixtest.CutAfter, bitrix.Ambiguous}, {bitrixtest.Status500Before, bitrix.Ambiguous}, {bitrixtest.Status500After, bitrix.Ambiguous},
		{bitrixtest.HTML502Before, bitrix.Ambiguous}, {bitrixtest.HTML502After, bitrix.Ambiguous}, {bitrixtest.HTML200, bitrix.Ambiguous},
		{bitrixtest.TruncatedJSON, bitrix.Ambiguous}, {bitrixtest.EmptyBody, bitrix.Ambiguous},
		{bitrixtest.RedirectTo("https://other.example.com/rest/1/secret/"), bitrix.Wait},
	} {
		portal, c := start(t, bitrixtest.Options{})
		portal.Inject(bitrixtest.Fault{Do: test.do})
		cmd := bitrix.AddItem(bitrix.Lead, bitrix.EntityFields{Title: "x"})
		_, err := c.Call(context.Background(), cmd.Method, cmd.Params)
		if got := bitrix.ClassOf(err); got != test.class {
			t.Errorf("%s: got %v, want %s", test.do, err, test.class)
		}
		if made := len(portal.Leads()); made > 0 && test.class != bitrix.Ambiguous {
			t.Errorf("%s: called %s, and %d leads were made", test.do, test.class, made)
		}
	}
}

func TestARevokedWebhookWaitsForAPerson(t *testing.T) {
	portal, c := start(t, bitrixtest.Options{})
	portal.RevokeWebhook()
	_, err := c.Call(context.Background(), "profile", nil)
	var e *bitrix.Error
	if !errors.As(err, &e) || e.Class != bitrix.Wait || e.Reason != bitrix.ReasonCredentials {
		t.Errorf("got %v, want wait, credentials", err)
	}
	portal.RestoreWebhook()
	if user, ok, err := bitrix.DecodeProfile(call(t, c, bitrix.Profile())); err != nil || !ok || user.ID != 1 || !user.Admin {
		t.Errorf("restored: got %+v, %v, %v", user, ok, err)
	}
}

func TestMissingThingsAreNotFound(t *testing.T) {
	_, c := start(t, bitrixtest.Options{CompleteTwiceRefused: true})
	cmd := bitrix.GetItem(bitrix.Lead, 404)
	_, err := c.Call(context.Background(), cmd.Method, cmd.Params)
	var e *bitrix.Error
	if !errors.As(err, &e) || e.Class != bitrix.Refused || e.Reason != bitrix.ReasonNotFound {
		t.Errorf("a lead: got %v, want refused, not_found", err)
	}
	if _, ok, err := bitrix.DecodeTask(call(t, c, bitrix.GetTask(404))); ok || err != nil {
		t.Errorf("a task: got ok %v, %v, want neither", ok, err)
	}
	task, _, err := bitrix.DecodeTask(call(t, c, bitrix.AddTask(bitrix.TaskFields{Title: "x", ResponsibleID: 1})))
	if err != nil {
		t.Fatal(err)
	}
	complete := bitrix.CompleteTask(bitrix.Link{ID: task.ID})
	if done, ok, err := bitrix.DecodeTask(call(t, c, complete)); err != nil || !ok || !done.Done() {
		t.Errorf("completing: got %+v, %v, %v", done, ok, err)
	}
	_, err = c.Call(context.Background(), complete.Method, complete.Params)
	if !errors.As(err, &e) || e.Class != bitrix.Refused || e.Reason != bitrix.ReasonAccess {
		t.Errorf("completing twice: got %v, want refused, access", err)
	}
}

func TestThePortalIsUnderstoodAtSetUp(t *testing.T) {
	portal, c := start(t, bitrixtest.Options{WithoutLeads: true})
	portal.AddFunnel("Опт")
	portal.AddUserField("deal", bitrixtest.UserField{Name: "UF_CRM_X", Mandatory: true})
	for range 60 {
		portal.AddUser(bitrixtest.User{Name: "Іван", Active: true, InnerPhone: "101"})
	}
	if leads := must(bitrix.DecodeMode(call(t, c, bitrix.Mode())))(t); leads {
		t.Error("a portal without leads has leads")
	}
	if scopes := must(bitrix.DecodeScope(call(t, c, bitrix.Scope())))(t); len(scopes) < 3 {
		t.Errorf("scopes %v", scopes)
	}
	if cats := must(bitrix.DecodeCategories(call(t, c, bitrix.Categories())))(t); len(cats) != 2 {
		t.Errorf("funnels %v, want 2", cats)
	}
	if stages := must(bitrix.DecodeStatuses(call(t, c, bitrix.StatusList(bitrix.DealStages(0)))))(t); len(stages) < 4 || stages[0].ID != "NEW" || stages[0].Semantic != "P" {
		t.Errorf("stages %v", stages)
	}
	if fields := must(bitrix.DecodeUserFields(call(t, c, bitrix.UserFields(bitrix.Deal))))(t); len(fields) != 1 || !fields[0].Required || fields[0].Name != "UF_CRM_X" {
		t.Errorf("user fields %v", fields)
	}
	for _, cmd := range []bitrix.Command{bitrix.ItemFields(bitrix.Deal), bitrix.DescribeTask()} {
		if fields := must(bitrix.DecodeFields(call(t, c, cmd)))(t); len(fields) < 10 {
			t.Errorf("%s: %d fields", cmd.Method, len(fields))
		}
	}
	if exists, available, err := bitrix.DecodeMethodAvailable(call(t, c, bitrix.MethodAvailable("crm.item.add"))); err != nil || !exists || !available {
		t.Errorf("crm.item.add: %v %v %v", exists, available, err)
	}
	var all []bitrix.User
	for start, pages := 0, 0; ; pages++ {
		cmd := bitrix.Users(true, start)
		a, err := c.Call(context.Background(), cmd.Method, cmd.Params)
		if err != nil || pages > 3 {
			t.Fatal(pages, err)
		}
		all = append(all, must(bitrix.DecodeUsers(a.Result))(t)...)
		if a.Next == nil {
			break
		}
		start = *a.Next
	}
	if len(all) != 61 || all[60].InnerPhone != "101" {
		t.Errorf("%d employees, want 61", len(all))
	}
}

func TestThePaceOfABucketIsNeverRefusedByThePortal(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	_, c := start(t, bitrixtest.Options{Now: func() time.Time { return now }})
	bucket := bitrix.NewBucket(2, 50, false, now)
	for i := range 120 {
		for wait := bucket.Take(now); wait > 0; wait = bucket.Take(now) {
			now = now.Add(wait)
		}
		if _, err := c.Call(context.Background(), "profile", nil); err != nil {
			t.Fatalf("request %d: %v", i+1, err)
		}
	}
}
