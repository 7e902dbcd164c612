package bitrixtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// kindOf names the JSON type of a decoded value.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case string:
		return "string"
	case float64:
		return "number"
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		return "list"
	case map[string]any:
		if len(v) == 0 {
			return "{}"
		}
		return "object"
	}
	return fmt.Sprintf("%T", v)
}

// shapes are the types of the documentation's samples: a path into the answer, then the kinds that are
// right there ("gone" means no such key).
var shapes = []struct {
	method string
	params string
	want   string
}{
	{"profile", `{}`, `result.ID string, result.ADMIN bool, result.NAME string, time.start number, time.finish number,
		time.duration number, time.processing number, time.date_start string, time.date_finish string,
		time.operating_reset_at number, time.operating number`},
	{"user.get", `{"FILTER":{"ID":7}}`, `result.0.ID string, result.0.ACTIVE bool, result.0.TIMESTAMP_X {},
		result.0.UF_DEPARTMENT.0 number, result.0.UF_PHONE_INNER string, total number, next gone`},
	{"user.get", `{"FILTER":{"ID":1}}`, `result.0.UF_PHONE_INNER gone`},
	{"user.current", `{}`, `result.ID string, result.USER_TYPE string`},
	{"department.get", `{}`, `result.0.ID string, result.0.SORT number, result.0.PARENT gone`},
	{"crm.lead.add", `{"fields":{"TITLE":"x"}}`, `result number`},
	{"crm.lead.get", `{"id":1}`, `result.ID string, result.COMPANY_ID null, result.CONTACT_ID string, result.DATE_CLOSED string,
		result.OPPORTUNITY string, result.STATUS_SEMANTIC_ID string, result.ASSIGNED_BY_ID string, result.ORIGIN_ID null,
		result.PHONE.0.ID string, result.PHONE.0.VALUE_TYPE string, result.PHONE.0.TYPE_ID string,
		result.EMAIL gone, result.UF_CRM_CID string`},
	{"crm.lead.get", `{"ID":"1"}`, `result.ID string`},
	{"crm.lead.list", `{"filter":{"ID":1}}`, `result.0.ID string, result.0.COMPANY_ID string, result.0.PHONE gone,
		result.0.UF_CRM_CID string, total number, next gone`},
	{"crm.lead.list", `{"filter":{"ID":1},"select":["ID","PHONE"]}`, `result.0.PHONE.0.VALUE string, result.0.TITLE gone`},
	{"crm.lead.list", `{"filter":{"ID":1},"select":["*"]}`, `result.0.TITLE string, result.0.UF_CRM_CID gone, result.0.PHONE gone`},
	{"crm.lead.list", `{"filter":{"ID":77}}`, `result [], total number`},
	{"crm.lead.update", `{"id":1,"fields":{"COMMENTS":"x"}}`, `result bool`},
	{"crm.lead.fields", `{}`, `result.ID.isReadOnly bool, result.SOURCE_ID.statusType string, result.UF_CRM_CID.isRequired bool,
		result.UF_CRM_CID.isDynamic bool, result.PHONE.isMultiple bool`},
	{"crm.lead.userfield.list", `{"filter":{"FIELD_NAME":"UF_CRM_CID"}}`, `result.0.ID string, result.0.MANDATORY string,
		result.0.XML_ID null, result.0.LIST_COLUMN_LABEL gone, total number`},
	{"crm.deal.get", `{"id":1}`, `result.CLOSED string, result.CATEGORY_ID string, result.STAGE_SEMANTIC_ID string,
		result.LEAD_ID null, result.CONTACT_IDS gone, result.PHONE gone, result.CLOSEDATE string`},
	{"crm.deal.contact.items.get", `{"id":1}`, `result.0.CONTACT_ID number, result.0.SORT number, result.0.IS_PRIMARY string`},
	{"crm.item.get", `{"entityTypeId":1,"id":1}`, `result.item.id number, result.item.assignedById number, result.item.contactId number,
		result.item.companyId number, result.item.dateClosed null, result.item.stageSemanticId string, result.item.opportunity number,
		result.item.fm.0.id number, result.item.fm.0.typeId string, result.item.phoneWork string, result.item.ufCrmCid string,
		result.item.contactIds.0 number, result.item.entityTypeId number`},
	{"crm.item.get", `{"entityTypeId":1,"id":1,"useOriginalUfNames":"Y"}`, `result.item.UF_CRM_CID string, result.item.ufCrmCid gone`},
	{"crm.item.get", `{"entityTypeId":2,"id":1}`, `result.item.closed string, result.item.categoryId number, result.item.leadId null, result.item.fm gone`},
	{"crm.item.list", `{"entityTypeId":1,"filter":{"id":1},"select":["id","title"]}`, `result.items.0.id number,
		result.items.0.title string, result.items.0.fm gone, result.items.0.assignedById gone, total number`},
	{"crm.item.list", `{"entityTypeId":1,"select":["*"]}`, `result.items.0.fm list`},
	{"crm.item.list", `{"entityTypeId":1,"start":-1}`, `result.items list, total gone, next gone`},
	{"crm.item.fields", `{"entityTypeId":1}`, `result.fields.title.upperName string, result.fields.stageId.type string`},
	{"crm.status.list", `{"filter":{"ENTITY_ID":"STATUS"}}`, `result.0.ID string, result.0.SORT string, result.0.SEMANTICS null,
		result.0.EXTRA.SEMANTICS string, result.0.CATEGORY_ID null, total number`},
	{"crm.category.list", `{"entityTypeId":2}`, `result.categories.0.id number, result.categories.0.originId gone, total number`},
	{"crm.settings.mode.get", `{}`, `result number`},
	{"crm.duplicate.findbycomm", `{"type":"PHONE","values":["+380671112233"]}`, `result.LEAD.0 number, result.CONTACT gone`},
	{"crm.duplicate.findbycomm", `{"type":"PHONE","values":["+380500000000"]}`, `result []`},
	{"tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":7,"AUDITORS":[1]}}`, `result.task.id string, result.task.status string,
		result.task.closedBy null, result.task.closedDate null, result.task.deadline null, result.task.group [], result.task.auditors.0 string,
		result.task.auditorsData object, result.task.accomplicesData [], result.task.action.complete bool, result.task.guid string,
		result.task.ufCrmTask gone, result.task.newCommentsCount number, result.task.creator.id string, result.task.groupId string`},
	{"tasks.task.get", `{"taskId":1,"select":["ID","UF_CRM_TASK"]}`, `result.task.id string, result.task.ufCrmTask.0 string,
		result.task.ufTaskWebdavFiles [], result.task.title gone, result.task.group [], result.task.creator object`},
	{"tasks.task.get", `{"taskId":99}`, `result []`},
	{"tasks.task.list", `{"filter":{"ID":1},"select":["ID","STATUS","XML_ID","UF_CRM_TASK"]}`, `result.tasks.0.id string,
		result.tasks.0.subStatus string, result.tasks.0.xmlId string, result.tasks.0.ufCrmTask.0 string, total number`},
	{"tasks.task.list", `{"filter":{"ID":1}}`, `result.tasks.0.ufCrmTask gone`},
	{"tasks.task.getFields", `{}`, `result.fields.STATUS.values.5 string, result.fields.XML_ID.default null`},
	{"crm.timeline.comment.add", `{"fields":{"ENTITY_ID":1,"ENTITY_TYPE":"lead","COMMENT":"x"}}`, `result number`},
	{"crm.tracking.trace.add", `{"TRACE":"{\"tags\":{}}","ENTITIES":[{"TYPE":"LEAD","ID":1}]}`, `result number`},
	{"telephony.externalCall.register", `{"USER_ID":7,"PHONE_NUMBER":"+380671112233","TYPE":2}`, `result.CALL_ID string,
		result.CRM_CREATED_LEAD null, result.CRM_CREATED_ENTITIES [], result.CRM_ENTITY_TYPE string, result.CRM_ENTITY_ID number`},
	{"telephony.externalCall.searchCrmEntities", `{"PHONE_NUMBER":"+380671112233"}`, `result.0.CRM_ENTITY_ID number,
		result.0.ASSIGNED_BY_ID number, result.0.ASSIGNED_BY.ID string`},
	{"scope", `{}`, `result.0 string`},
	{"method.get", `{"name":"crm.lead.add"}`, `result.isExisting bool, result.isAvailable bool`},
	{"server.time", `{}`, `result string`},
}

func TestAnswersHaveTheTypesOfTheDocumentation(t *testing.T) {
	for _, s := range shapes {
		r := portal(t, Options{TelephonyForWebhooks: true})
		r.AddUser(User{ID: 7, Name: "Olena", Active: true, InnerPhone: "101"})
		contact := r.AddContact(Entity{Name: "Ivan"})
		r.AddUserField("lead", UserField{Name: "CID"})
		r.AddLead(Entity{Title: "Lead", Phones: []string{"+38 (067) 111-22-33"}, ContactID: contact, Opened: true,
			Custom: map[string]string{"UF_CRM_CID": "12.34"}})
		r.AddDeal(Entity{Title: "Deal", ContactID: contact})
		r.get("tasks.task.add", `{"fields":{"TITLE":"Seed","RESPONSIBLE_ID":7,"XML_ID":"seed","UF_CRM_TASK":["L_1"]}}`)
		status, raw := r.raw(s.method, s.params)
		var body any
		if err := json.Unmarshal(raw, &body); err != nil || status != 200 {
			t.Errorf("%s %s: got %d %s", s.method, s.params, status, raw)
			continue
		}
		for want := range strings.SplitSeq(s.want, ",") {
			path, kind, _ := strings.Cut(strings.TrimSpace(want), " ")
			got, there := dig(body, path)
			switch name := kindOf(got); {
			case kind == "gone" && there:
				t.Errorf("%s %s: %s is %v, want no such key", s.method, s.params, path, got)
			case kind == "gone":
			case !there:
				t.Errorf("%s %s: there is no %s in %s", s.method, s.params, path, raw)
			case name != kind:
				t.Errorf("%s %s: %s is %v, a %s, want a %s", s.method, s.params, path, got, name, kind)
			}
		}
	}
}

// dig walks a dotted path.
func dig(v any, path string) (any, bool) {
	for key := range strings.SplitSeq(path, ".") {
		switch c := v.(type) {
		case map[string]any:
			var there bool
			if v, there = c[key]; !there {
				return nil, false
			}
		case []any:
			i, isIndex := intKey(key)
			if !isIndex || i >= len(c) {
				return nil, false
			}
			v = c[i]
		default:
			return nil, false
		}
	}
	return v, true
}
