package bitrixtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSendingTheSamePhoneAgainAddsIt(t *testing.T) {
	r := portal(t, Options{})
	id := r.get("crm.lead.add", m{"fields": m{"PHONE": []m{{"VALUE": "+380671112233", "VALUE_TYPE": "MOBILE"}}}})
	again := m{"id": id, "fields": m{"PHONE": []m{{"VALUE": "+380671112233"}}}}
	r.get("crm.lead.update", again)
	if got := r.Leads()[0].Phones; len(got) != 2 {
		t.Errorf("phones after sending one twice: %v, want it twice", got)
	}
	r.get("crm.lead.update", m{"id": id, "fields": m{"PHONE": []m{{"ID": 1, "VALUE": "+380671112244"}, {"ID": 2, "DELETE": "Y"}}}})
	if got := fmt.Sprint(r.Leads()[0].Phones); got != "[+380671112244]" {
		t.Errorf("phones after changing one and deleting the other: %s", got)
	}
}

func TestTheUniversalFamilyWritesPhonesAsFM(t *testing.T) {
	r := portal(t, Options{})
	add := m{"entityTypeId": 3, "fields": m{"name": "Ivan", "fm": []m{
		{"typeId": "PHONE", "valueType": "WORK", "value": "+380671112233"},
		{"typeId": "PHONE", "valueType": "MOBILE", "value": "+380671112244"}}}}
	r.get("crm.item.add", add)
	if got := fmt.Sprint(r.Contacts()[0].Phones); got != "[+380671112233 +380671112244]" {
		t.Fatalf("phones: got %s", got)
	}
	r.get("crm.item.update", m{"entityTypeId": 3, "id": 1, "fields": m{"fm": m{
		"1": m{"value": ""}, "2": m{"value": "+380671112255"}, "n0": m{"typeId": "PHONE", "value": "+380671112266"}}}})
	if got := fmt.Sprint(r.Contacts()[0].Phones); got != "[+380671112255 +380671112266]" {
		t.Errorf("phones after deleting, changing and adding: got %s", got)
	}
	r.refused("crm.item.add", m{"entityTypeId": 3, "fields": m{"fm": "+380671112233"}}, 400, "100")
}

func TestTheStageDecidesWhetherALeadOrDealIsOpen(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now})
	funnel := r.AddFunnel("Wholesale")
	r.AddStatus(Status{EntityID: "STATUS", StatusID: "UC_LOST", Name: "Gone", Sort: 60, Semantics: "F"})
	r.get("crm.lead.add", m{"fields": m{"TITLE": "x"}})
	r.get("crm.item.add", m{"entityTypeId": 2, "fields": m{"categoryId": funnel}})
	if got := r.Deals()[0].StageID; got != fmt.Sprintf("C%d:NEW", funnel) {
		t.Errorf("first stage of funnel %d: got %s", funnel, got)
	}
	c.move(time.Hour)
	r.get("crm.lead.update", m{"id": 1, "fields": m{"STATUS_ID": "UC_LOST"}})
	r.get("crm.item.update", m{"entityTypeId": 2, "id": 1, "fields": m{"stageId": fmt.Sprintf("C%d:WON", funnel)}})
	lead, deal := r.Leads()[0], r.Deals()[0]
	if lead.Semantic != "F" || !lead.Closed || !lead.ClosedAt.Equal(c.now()) {
		t.Errorf("lead in a lost stage: %+v", lead)
	}
	if deal.Semantic != "S" || !deal.Closed {
		t.Errorf("deal in a won stage: %+v", deal)
	}
	if got := r.get("crm.deal.get", m{"id": 1}); at(got, "CLOSED") != "Y" || at(got, "STAGE_SEMANTIC_ID") != "S" {
		t.Errorf("crm.deal.get of a won deal: %v", got)
	}
	r.refused("crm.item.update", m{"entityTypeId": 2, "id": 1, "fields": m{"stageId": "NEW"}}, 400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")
	r.get("crm.deal.update", m{"id": 1, "fields": m{"CATEGORY_ID": 0}})
	if got := r.Deals()[0].CategoryID; got != funnel {
		t.Errorf("crm.deal.update moved the deal to funnel %d; it cannot", got)
	}
	r.get("crm.lead.update", m{"id": 1, "fields": m{"STATUS_ID": "IN_PROCESS"}})
	if got := r.Leads()[0]; got.Closed || !got.ClosedAt.IsZero() {
		t.Errorf("reopened lead: %+v", got)
	}
}

func TestOnlyAChangeOfStageMovesALead(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now})
	r.get("crm.lead.add", m{"fields": m{"TITLE": "x"}})
	for _, step := range []struct{ fields, want string }{
		{`{"TITLE":"y"}`, "2026-03-02T10:00:00+00:00"},
		{`{"STATUS_ID":"NEW"}`, "2026-03-02T10:00:00+00:00"},
		{`{"STATUS_ID":"IN_PROCESS"}`, "2026-03-02T10:03:00+00:00"},
	} {
		c.move(time.Minute)
		r.get("crm.lead.update", `{"id":1,"fields":`+step.fields+`}`)
		if got := at(r.get("crm.lead.get", m{"id": 1}), "MOVED_TIME"); got != step.want {
			t.Errorf("moved after %s: got %v, want %s", step.fields, got, step.want)
		}
	}
}

func TestNothingIsUniqueAndUnknownFieldsAreIgnored(t *testing.T) {
	r := portal(t, Options{})
	for range 2 {
		r.get("crm.lead.add", m{"fields": m{"ORIGINATOR_ID": "ringbridge", "ORIGIN_ID": "c1", "NONSENSE": 1, "UF_CRM_NONE": "x"}})
	}
	if got := r.Duplicates()["lead ringbridge/c1"]; got != 2 {
		t.Errorf("leads ever added as c1: got %d, want 2; history %v", got, r.History())
	}
	if got := r.Leads()[1]; got.Title != "Lead #2" || len(got.Custom) != 0 {
		t.Errorf("got %+v, want the default title and no custom field", got)
	}
}

func TestALeadOfAKnownClientIsMarkedOnlyByWritingTheLead(t *testing.T) {
	r := portal(t, Options{})
	r.AddContact(Entity{Name: "Ivan"})
	r.get("crm.lead.add", m{"fields": m{"CONTACT_ID": 1}})
	r.get("crm.lead.add", m{"fields": m{"TITLE": "x"}})
	if got := r.get("crm.lead.contact.add", m{"id": 2, "fields": m{"CONTACT_ID": 1}}); got != true {
		t.Errorf("linking: got %v, want true", got)
	}
	if got := r.get("crm.lead.contact.add", m{"id": 2, "fields": m{"CONTACT_ID": 1}}); got != false {
		t.Errorf("linking again: got %v, want false", got)
	}
	for id, want := range map[int]string{1: "Y", 2: "N"} {
		if got := at(r.get("crm.lead.get", m{"id": id}), "IS_RETURN_CUSTOMER"); got != want {
			t.Errorf("IS_RETURN_CUSTOMER of lead %d: got %v, want %s", id, got, want)
		}
	}
}

func TestMandatoryFieldsAreRefusedInTheLanguageOfThePortal(t *testing.T) {
	r := portal(t, Options{Language: "uk"})
	r.AddUserField("lead", UserField{Name: "REGION", Label: "Регіон", Mandatory: true})
	text := r.refused("crm.lead.add", m{"fields": m{"TITLE": "x"}}, 400, "ERROR_CORE")
	if !strings.Contains(text, "Регіон") || !strings.Contains(text, "<br>") {
		t.Errorf("description: got %q", text)
	}
	r.refused("crm.item.add", m{"entityTypeId": 1, "fields": m{"title": "x"}}, 400, "CRM_FIELD_ERROR_REQUIRED")
	r.refused("crm.item.add", m{"entityTypeId": 1, "fields": m{"UF_CRM_REGION": "Lviv"}}, 400, "CRM_FIELD_ERROR_REQUIRED")
	r.get("crm.item.add", m{"entityTypeId": 1, "fields": m{"ufCrmRegion": "Lviv"}})
	r.get("crm.item.add", m{"entityTypeId": 1, "useOriginalUfNames": "Y", "fields": m{"UF_CRM_REGION": "Odesa"}})
	r.get("crm.lead.add", m{"fields": m{"UF_CRM_REGION": "Dnipro"}})
	var got []string
	for _, l := range r.Leads() {
		got = append(got, l.Custom["UF_CRM_REGION"])
	}
	if want := "Lviv Odesa Dnipro"; strings.Join(got, " ") != want {
		t.Errorf("regions: got %v, want %s", got, want)
	}
	if status, body := r.raw("crm.lead.fields", m{}); !strings.Contains(string(body), `"UF_CRM_REGION":{"type":"string","isRequired":true`) {
		t.Errorf("crm.lead.fields does not say that the field is required: %d %s", status, body)
	}
}

func TestUserFieldsAreMadeByAdministrators(t *testing.T) {
	r := portal(t, Options{})
	r.get("crm.lead.userfield.add", m{"fields": m{"USER_TYPE_ID": "string", "FIELD_NAME": "google_cid"}})
	r.refused("crm.lead.userfield.add", m{"fields": m{"USER_TYPE_ID": "string", "FIELD_NAME": "UF_CRM_GOOGLE_CID"}}, 400, "ERROR_CORE")
	r.refused("crm.deal.userfield.add", m{"fields": m{"FIELD_NAME": "X"}}, 400, "")
	r.get("crm.lead.add", m{"fields": m{"UF_CRM_GOOGLE_CID": "1.2"}})
	if got := r.Leads()[0].Custom["UF_CRM_GOOGLE_CID"]; got != "1.2" {
		t.Errorf("custom field: got %q, want 1.2", got)
	}
	employee := portal(t, Options{Owner: 5})
	employee.refused("crm.lead.userfield.add", m{"fields": m{"USER_TYPE_ID": "string", "FIELD_NAME": "X"}}, 400, "")
}

func TestWhatIsNotThereIsRefusedInEachFamilysWay(t *testing.T) {
	r := portal(t, Options{})
	for _, c := range []struct {
		method, params, code, text string
	}{
		{"crm.lead.get", `{"id":9}`, "", "Not found"},
		{"crm.deal.update", `{"id":9,"fields":{}}`, "", "Not found"},
		{"crm.contact.update", `{"id":9,"fields":{}}`, "", "Contact is not found"},
		{"crm.company.update", `{"id":9,"fields":{}}`, "", "Company is not found"},
		{"crm.lead.get", `{}`, "", "ID is not defined or invalid."},
		{"crm.lead.add", `{"fields":"x"}`, "", "Parameter 'fields' must be array."},
		{"crm.lead.list", `{"filter":"x"}`, "", "Parameter 'filter' must be array."},
		{"crm.item.get", `{"entityTypeId":1,"id":9}`, "NOT_FOUND", "Element not found"},
		{"crm.item.get", `{"entityTypeId":999,"id":9}`, "NOT_FOUND", "Smart process not found"},
		{"crm.item.add", `{"entityTypeId":1}`, "100", "Could not find value for parameter {fields} (internal error)"},
		{"crm.item.add", `{"ENTITYTYPEID":1,"fields":{}}`, "100", "Could not find value for parameter {entityTypeId} (internal error)"},
		{"crm.item.list", `{"entityTypeId":1,"filter":{"TITLE":"x"}}`, "INVALID_ARG_VALUE", "Invalid filter: field 'TITLE' is not allowed in filter"},
		{"crm.item.list", `{"entityTypeId":1,"filter":{"@contactIds":[1]}}`, "INVALID_ARG_VALUE", "Invalid filter: field 'contactIds' is not allowed in filter"},
		{"crm.item.list", `{"entityTypeId":1,"order":{"nope":"ASC"}}`, "INVALID_ARG_VALUE", "Invalid order: field 'nope' is not allowed in order"},
		{"crm.category.list", `{"entityTypeId":1}`, "ENTITY_TYPE_NOT_SUPPORTED", "Entity type is not supported"},
		{"crm.timeline.comment.add", `{"FIELDS":{"ENTITY_ID":1}}`, "100", "Could not find value for parameter {fields} (internal error)"},
		{"crm.timeline.comment.add", `{"fields":{"ENTITY_ID":1,"ENTITY_TYPE":"lead","COMMENT":"x"}}`, "OWNER_NOT_FOUND", "Owner was not found"},
		{"crm.deal.contact.items.get", `{}`, "", "The parameter 'ownerEntityID' is invalid or not defined."},
		{"crm.tracking.trace.add", `{"TRACE":"{"}`, "ERROR_CORE", "Can not parse JSON in parameter `TRACE`."},
	} {
		if got := r.refused(c.method, c.params, 400, c.code); got != c.text {
			t.Errorf("%s %s: got %q, want %q", c.method, c.params, got, c.text)
		}
	}
}

func TestAPortalWithoutLeadsConvertsThem(t *testing.T) {
	c := newClock()
	r := portal(t, Options{WithoutLeads: true, ConversionDelay: 5 * time.Second, Now: c.now})
	if got := r.get("crm.settings.mode.get", m{}); got != 2.0 {
		t.Errorf("mode: got %v, want 2", got)
	}
	r.get("crm.lead.add", m{"fields": m{"NAME": "Ivan", "PHONE": []m{{"VALUE": "+380671112233"}}, "UTM_SOURCE": "google"}})
	r.get("crm.lead.add", m{"fields": m{"TITLE": "nameless"}})
	if got := at(r.get("crm.lead.get", m{"id": 1}), "STATUS_ID"); got != "NEW" {
		t.Errorf("status before the delay: got %v, want NEW", got)
	}
	c.move(5 * time.Second)
	if got := at(r.get("crm.lead.get", m{"id": 1}), "STATUS_ID"); got != "CONVERTED" {
		t.Errorf("status after the delay: got %v, want CONVERTED", got)
	}
	deals := r.get("crm.deal.list", m{"filter": m{"LEAD_ID": 1}})
	if got := at(deals, 0, "CONTACT_ID"); got != "1" {
		t.Errorf("deal of lead 1: got %v, want one with contact 1", deals)
	}
	contact, deal := r.Contacts()[0], r.Deals()[0]
	if contact.Phones[0] != "+380671112233" || deal.UTM["source"] != "google" {
		t.Errorf("converted into %+v and %+v", contact, deal)
	}
	if got := at(r.get("crm.lead.get", m{"id": 2}), "STATUS_ID"); got != "NEW" {
		t.Errorf("a lead without a name: got %v, want NEW", got)
	}
}

func TestAnEmployeeSeesOnlyWhatHeMay(t *testing.T) {
	r := portal(t, Options{Owner: 5})
	r.AddLead(Entity{ResponsibleID: 1, Phones: []string{"0671112233"}})
	r.AddLead(Entity{ResponsibleID: 5, Phones: []string{"0671112233"}})
	r.AddLead(Entity{ResponsibleID: 1, Opened: true})
	_, body := r.send("crm.lead.list", m{})
	if got := at(body, "total"); got != 2.0 {
		t.Errorf("listed %v leads, want 2", got)
	}
	if got := fmt.Sprint(r.get("crm.duplicate.findbycomm", m{"type": "PHONE", "values": []string{"0671112233"}})); got != "map[LEAD:[2]]" {
		t.Errorf("found %s, want only lead 2", got)
	}
	r.refused("crm.lead.get", m{"id": 1}, 400, "")
	r.refused("crm.item.get", m{"entityTypeId": 1, "id": 1}, 400, "ACCESS_DENIED")
}

func TestPeopleEditMergeAndDelete(t *testing.T) {
	r := portal(t, Options{})
	a := r.AddContact(Entity{Name: "A", Phones: []string{"1"}, OriginID: "x"})
	b := r.AddContact(Entity{Name: "B", Phones: []string{"2"}})
	deal := r.AddDeal(Entity{ContactID: a})
	r.Merge(Contact, a, b)
	if got := r.Deals()[0].ContactIDs; fmt.Sprint(got) != fmt.Sprint([]int{b}) {
		t.Errorf("contacts of the deal after merging %d into %d: %v", a, b, got)
	}
	if got := r.Contacts(); len(got) != 1 || fmt.Sprint(got[0].Phones) != "[2 1]" {
		t.Errorf("contacts after merging: %+v", got)
	}
	r.Edit(Deal, deal, func(e *Entity) { e.StageID, e.ResponsibleID = "LOSE", 1 })
	if got := r.Deals()[0]; got.Semantic != "F" || got.ContactID != b {
		t.Errorf("edited deal: %+v", got)
	}
	r.Delete(Deal, deal)
	if got := r.Deals(); len(got) != 0 {
		t.Errorf("deals after deleting: %v", got)
	}
	var story []string
	for _, h := range r.History() {
		story = append(story, fmt.Sprintf("%s %s %d", h.Action, h.Object, h.ID))
	}
	want := "add contact 1, add contact 2, add deal 1, update contact 2, delete contact 1, update deal 1, delete deal 1"
	if got := strings.Join(story, ", "); got != want {
		t.Errorf("history:\n got %s\nwant %s", got, want)
	}
}

func TestConvertingByHandWorksInAnyMode(t *testing.T) {
	r := portal(t, Options{})
	lead := r.AddLead(Entity{Name: "Ivan", Phones: []string{"0671112233"}})
	r.Convert(lead)
	r.Convert(lead)
	if r.Leads()[0].StageID != "CONVERTED" || len(r.Deals()) != 1 || len(r.Contacts()) != 1 {
		t.Errorf("converted into %v, %v, %v", r.Leads(), r.Deals(), r.Contacts())
	}
}
