package bitrixtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func ids(rows any, key string) string {
	var out []string
	for _, row := range rows.([]any) {
		out = append(out, fmt.Sprint(row.(m)[key]))
	}
	return strings.Join(out, " ")
}

func TestPagesAreOfFifty(t *testing.T) {
	r := portal(t, Options{})
	for range 120 {
		r.AddLead(Entity{Title: "x"})
	}
	for _, c := range []struct {
		start, rows int
		next        any
	}{{0, 50, 50.0}, {50, 50, 100.0}, {100, 20, nil}, {150, 0, nil}} {
		_, body := r.send("crm.lead.list", m{"start": c.start})
		if got := len(body["result"].([]any)); got != c.rows || body["next"] != c.next || body["total"] != 120.0 {
			t.Errorf("start %d: got %d rows, next %v, total %v; want %d rows, next %v", c.start, got, body["next"], body["total"], c.rows, c.next)
		}
	}
	_, body := r.send("crm.item.list", m{"entityTypeId": 1, "start": -1, "filter": m{">id": 100}, "order": m{"id": "ASC"}})
	if got := len(at(body, "result", "items").([]any)); got != 20 || body["total"] != nil || body["next"] != nil {
		t.Errorf("start -1 behind id 100: got %d rows, total %v, next %v", got, body["total"], body["next"])
	}
}

func TestAFullLastPageHasNoNext(t *testing.T) {
	r := portal(t, Options{})
	for range 50 {
		r.AddContact(Entity{Name: "x"})
	}
	if _, body := r.send("crm.contact.list", m{}); len(body["result"].([]any)) != 50 || body["next"] != nil {
		t.Errorf("50 contacts: next %v, want none", body["next"])
	}
}

func TestTheIDComesWithEverySelect(t *testing.T) {
	r := portal(t, Options{})
	r.AddLead(Entity{Title: "x"})
	if got := fmt.Sprint(r.get("crm.lead.list", m{"select": []string{"TITLE"}})); got != "[map[ID:1 TITLE:x]]" {
		t.Errorf("classic: got %s", got)
	}
	if got := fmt.Sprint(r.get("crm.item.list", m{"entityTypeId": 1, "select": []string{"title"}})); got != "map[items:[map[id:1 title:x]]]" {
		t.Errorf("universal: got %s", got)
	}
}

func TestFilters(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now})
	contact := r.AddContact(Entity{Name: "Ivan"})
	second := r.AddContact(Entity{Name: "Olha"})
	r.AddLead(Entity{Title: "Red apple", ResponsibleID: 1, Phones: []string{"+380671112233"}, OriginID: "a"})
	r.AddLead(Entity{Title: "Green apple", ContactID: contact, StageID: "JUNK", Custom: map[string]string{"UF_CRM_1": "blue"}})
	c.move(time.Hour)
	r.AddLead(Entity{Title: "Pear", ContactIDs: []int{second, contact}, StageID: "CONVERTED"})
	r.AddLead(Entity{Title: "Plum"})
	for filter, want := range map[string]string{
		`{}`:                               "1 2 3 4",
		`{"TITLE":"red APPLE"}`:            "1",
		`{"%TITLE":"apple"}`:               "1 2",
		`{"!%TITLE":"apple"}`:              "3 4",
		`{"=%TITLE":"p%"}`:                 "3 4",
		`{"%=TITLE":"%apple"}`:             "1 2",
		`{"@ID":[2,"3"]}`:                  "2 3",
		`{"ID":[2,3]}`:                     "2 3",
		`{"!@ID":[2,3]}`:                   "1 4",
		`{"!ID":2}`:                        "1 3 4",
		`{">ID":2}`:                        "3 4",
		`{">=ID":2,"<ID":4}`:               "2 3",
		`{"CONTACT_ID":1}`:                 "2",
		`{"CONTACT_ID":""}`:                "1 4",
		`{"STATUS_SEMANTIC_ID":"P"}`:       "1 4",
		`{"!STATUS_SEMANTIC_ID":"P"}`:      "2 3",
		`{"ORIGIN_ID":"a","NONSENSE":"x"}`: "1",
		`{"NONSENSE":"x"}`:                 "1 2 3 4",
		`{"PHONE":"+380671112233"}`:        "1",
		`{"PHONE":"380671112233"}`:         "",
		`{"UF_CRM_1":"blue"}`:              "2",
		`{">DATE_CREATE":"2026-03-02T10:30:00+00:00"}`:  "3 4",
		`{">=DATE_CREATE":"2026-03-02T13:00:00+02:00"}`: "3 4",
		`{"<DATE_CREATE":"2026-03-02T10:30:00"}`:        "1 2",
		`{"><ID":[2,3]}`:                                "2 3",
	} {
		_, body := r.send("crm.lead.list", fmt.Sprintf(`{"filter":%s,"select":["ID"],"order":{"ID":"ASC"}}`, filter))
		if got := ids(body["result"], "ID"); got != want {
			t.Errorf("crm.lead.list %s: got %q, want %q", filter, got, want)
		}
	}
	for filter, want := range map[string]string{
		`{"stageSemanticId":"P"}`:              "1 4",
		`{"@contactId":[1,2]}`:                 "2 3",
		`{"originId":"a"}`:                     "1",
		`{"logic":"OR","originId":"a","id":3}`: "1 3",
		`{"0":{"logic":"OR","0":{"stageSemanticId":"S"},"1":{"originId":"a"}},"<id":3}`:  "1",
		`[{"logic":"OR","0":{"stageSemanticId":"F"},"1":{"0":{"id":4},"title":"plum"}}]`: "2 4",
		`{"ufCrm_1":"blue"}`: "2",
	} {
		_, body := r.send("crm.item.list", fmt.Sprintf(`{"entityTypeId":1,"filter":%s,"select":["id"]}`, filter))
		if got := ids(at(body, "result", "items"), "id"); got != want {
			t.Errorf("crm.item.list %s: got %q, want %q", filter, got, want)
		}
	}
}

func TestListsAreOrderedAsAsked(t *testing.T) {
	r := portal(t, Options{})
	for _, e := range []Entity{{Title: "b", ResponsibleID: 1}, {Title: "a", ResponsibleID: 2}, {Title: "c", ResponsibleID: 1}} {
		r.AddLead(e)
	}
	for order, want := range map[string]string{
		`{"TITLE":"ASC"}`:                       "2 1 3",
		`{"ID":"DESC"}`:                         "3 2 1",
		`{"ASSIGNED_BY_ID":"DESC","ID":"DESC"}`: "2 3 1",
	} {
		_, body := r.send("crm.lead.list", `{"select":["ID"],"order":`+order+`}`)
		if got := ids(body["result"], "ID"); got != want {
			t.Errorf("order %s: got %s, want %s", order, got, want)
		}
	}
}

func TestTheSwitchesOfFilters(t *testing.T) {
	strict := portal(t, Options{UnknownFilterRefused: true, ContactIDsFilter: true})
	strict.refused("crm.lead.list", m{"filter": m{"NONSENSE": 1}}, 400, "")
	strict.AddContact(Entity{Name: "A"})
	strict.AddContact(Entity{Name: "B"})
	strict.AddDeal(Entity{ContactIDs: []int{1, 2}})
	_, body := strict.send("crm.item.list", m{"entityTypeId": 2, "filter": m{"@contactIds": []int{2}}})
	if got := body["total"]; got != 1.0 {
		t.Errorf("deals of the second contact: got %v, want 1", got)
	}
}

func TestNewRowsLagInListsButNotById(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now, ReadLag: 3 * time.Second})
	r.get("crm.lead.add", m{"fields": m{"PHONE": []m{{"VALUE": "0671112233"}}}})
	r.get("tasks.task.add", m{"fields": m{"TITLE": "x", "RESPONSIBLE_ID": 1}})
	r.get("crm.lead.get", m{"id": 1})
	look := func() string {
		_, leads := r.send("crm.lead.list", m{})
		_, tasks := r.send("tasks.task.list", m{})
		found := r.get("crm.duplicate.findbycomm", m{"type": "PHONE", "values": []string{"0671112233"}})
		return fmt.Sprint(leads["total"], tasks["total"], found)
	}
	if got := look(); got != "0 0 []" {
		t.Errorf("at once: got %s, want nothing", got)
	}
	c.move(3 * time.Second)
	if got := look(); got != "1 1 map[LEAD:[1]]" {
		t.Errorf("after the lag: got %s, want all", got)
	}
}

func TestEmployeesAreFoundByWhatIsKnownOfThem(t *testing.T) {
	r := portal(t, Options{})
	r.AddUser(User{ID: 7, Name: "Olena", LastName: "Example", Email: "olena@example.com", Active: true, InnerPhone: "101"})
	r.AddUser(User{ID: 8, Name: "Taras", Email: "taras@example.com", Active: true, Mobile: "+380671112233"})
	r.SetActive(8, false)
	for filter, want := range map[string]string{
		`{"ACTIVE":true}`: "1 7", `{"ACTIVE":"Y"}`: "1 7", `{"ACTIVE":false}`: "8", `{"UF_PHONE_INNER":"101"}`: "7",
		`{"EMAIL":"OLENA@example.com"}`: "7", `{"ID":[1,8]}`: "1 8", `{"USER_TYPE":"extranet"}`: "", `{"FIND":"exam"}`: "1 7 8",
		`{"PERSONAL_MOBILE":"+380671112233"}`: "8",
	} {
		if got := ids(r.get("user.get", `{"FILTER":`+filter+`}`), "ID"); got != want {
			t.Errorf("%s: got %q, want %q", filter, got, want)
		}
	}
	if got := ids(r.get("user.get", `{"ACTIVE":true,"sort":"ID","order":"DESC"}`), "ID"); got != "7 1" {
		t.Errorf("filter at the top level: got %q, want 7 1", got)
	}
}
