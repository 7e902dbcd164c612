package bitrix

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFoundIdsAreSortedAndOfTheirKind(t *testing.T) {
	for _, test := range []struct{ raw, want string }{
		{`[]`, "[]"}, {`null`, "[]"}, {`{"CONTACT":[]}`, "[]"}, {`{"LEAD":[5]}`, "[]"},
		{`{"CONTACT":[2297,275,275]}`, "[275 2297]"}, {`{"CONTACT":["7"," 3"],"LEAD":[1]}`, "error"},
		{`{"CONTACT":["7","3"]}`, "[3 7]"}, {`{"CONTACT":{"0":9,"2":4}}`, "[4 9]"},
		{`{"CONTACT":[0]}`, "error"}, {`{"CONTACT":[{"a":1}]}`, "error"}, {`{"CONTACT":[null]}`, "error"}, {`[1,2]`, "error"}, {`"x"`, "error"},
	} {
		ids, err := DecodeFound(Contact, json.RawMessage(test.raw))
		got := fmt.Sprint(ids)
		if err != nil {
			got = "error"
			if ClassOf(err) != Ambiguous {
				t.Errorf("%s: %v, want ambiguous", test.raw, err)
			}
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.raw, got, test.want)
		}
	}
}

func TestItemsAreReadFromNumbersStringsAndNulls(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	want := Item{Kind: Deal, ID: 12, Title: "Угода", ResponsibleID: 7, StageID: "C9:NEW", Semantic: "P", ContactID: 84, CategoryID: 9,
		Created: time.Date(2024, 5, 23, 18, 18, 25, 0, zone), OriginatorID: "ringbridge", OriginID: "id-1"}
	for _, raw := range []string{
		`{"items":[{"id":12,"title":"Угода","assignedById":7,"stageId":"C9:NEW","stageSemanticId":"P","closed":"N","contactId":84,"companyId":0,"categoryId":9,
			"createdTime":"2024-05-23T18:18:25+02:00","updatedTime":null,"lastActivityTime":{},"originatorId":"ringbridge","originId":"id-1"}]}`,
		`{"items":{"3":{"id":"12","title":"Угода","assignedById":"7","stageId":"C9:NEW","stageSemanticId":"P","closed":false,"contactId":84.0,"companyId":null,"categoryId":"9",
			"createdTime":"2024-05-23T18:18:25+02:00","updatedTime":"","originatorId":"ringbridge","originId":"id-1","contactIds":[84],"fm":[]}}}`,
	} {
		items, err := DecodeItems(Deal, json.RawMessage(raw))
		if err != nil || len(items) != 1 {
			t.Fatalf("%s: %v, %v", raw, items, err)
		}
		if diff := cmp.Diff(want, items[0], cmpopts.IgnoreFields(Item{}, "Fields"), cmpopts.IgnoreUnexported(Item{}), cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s: want (-) got (+)\n%s", raw, diff)
		}
		if !items[0].Open() || items[0].Fields["title"] != "Угода" || items[0].Fields["companyId"] != "" && items[0].Fields["companyId"] != "0" {
			t.Errorf("%s: open %v, fields %v", raw, items[0].Open(), items[0].Fields)
		}
	}
	for _, raw := range []string{`[]`, `{"items":[]}`, `{}`, `null`} {
		if items, err := DecodeItems(Lead, json.RawMessage(raw)); err != nil || len(items) != 0 {
			t.Errorf("%s: got %v, %v, want none", raw, items, err)
		}
	}
	for _, raw := range []string{`1`, `{"items":[1]}`, `{"items":[{"title":"no id"}]}`, `{"items":{"a":{"id":1}}}`, `{"items":"x"}`} {
		if items, err := DecodeItems(Lead, json.RawMessage(raw)); ClassOf(err) != Ambiguous {
			t.Errorf("%s: got %v, %v, want ambiguous", raw, items, err)
		}
	}
}

func TestOpenGoesByTheMeaningOfTheStage(t *testing.T) {
	for _, test := range []struct {
		kind Kind
		raw  string
		want bool
	}{
		{Lead, `{"stageSemanticId":"P","stageId":"JUNK"}`, true}, {Lead, `{"stageSemanticId":"F","stageId":"NEW"}`, false},
		{Lead, `{"stageSemanticId":"S"}`, false}, {Lead, `{}`, false}, {Deal, `{"closed":"N"}`, true}, {Deal, `{"closed":"Y"}`, false},
		{Deal, `{"closed":"Y","stageSemanticId":"P"}`, false}, {Deal, `{}`, false}, {Contact, `{"closed":"N"}`, false},
	} {
		r, err := asRow(json.RawMessage(test.raw))
		if got := readItem(test.kind, r).Open(); err != nil || got != test.want {
			t.Errorf("%s %s: got %v, want %v", test.kind, test.raw, got, test.want)
		}
	}
}

func TestAMadeItemWithoutAnIdIsAmbiguous(t *testing.T) {
	if item, err := DecodeItem(Lead, json.RawMessage(`{"item":{"id":"342"}}`)); err != nil || item.ID != 342 {
		t.Errorf("got %v, %v, want 342", item, err)
	}
	for _, raw := range []string{`[]`, `null`, `true`, `{}`, `{"item":[]}`, `{"item":{"id":0}}`, `{"item":{"id":-3}}`, `{"item":5}`} {
		if _, err := DecodeItem(Lead, json.RawMessage(raw)); ClassOf(err) != Ambiguous {
			t.Errorf("%s: got %v, want ambiguous", raw, err)
		}
	}
}

func TestTasksAreReadAndChecked(t *testing.T) {
	task, ok, err := DecodeTask(json.RawMessage(`{"task":{"id":"8017","title":"t","status":"5","responsibleId":"7","createdBy":1,"closedBy":"503",
		"closedDate":"2025-09-09T12:11:30+02:00","deadline":null,"xmlId":"id-2","ufCrmTask":["L_1177","C_627"],"group":[]}}`))
	want := Task{ID: 8017, Title: "t", Status: 5, ResponsibleID: 7, CreatedBy: 1, ClosedBy: 503, XMLID: "id-2", CRM: []string{"L_1177", "C_627"},
		Closed: time.Date(2025, 9, 9, 12, 11, 30, 0, time.FixedZone("", 2*3600))}
	if diff := cmp.Diff(want, task, cmpopts.EquateApproxTime(0)); err != nil || !ok || !task.Done() || diff != "" {
		t.Errorf("ok %v, done %v, %v, want (-) got (+)\n%s", ok, task.Done(), err, diff)
	}
	if _, ok, err := DecodeTask(json.RawMessage(`[]`)); ok || err != nil {
		t.Errorf("an invisible task: ok %v, %v, want neither", ok, err)
	}
	for _, raw := range []string{`{"task":[]}`, `{"task":{"id":"x"}}`, `true`, `[1]`} {
		if _, ok, err := DecodeTask(json.RawMessage(raw)); ok || ClassOf(err) != Ambiguous {
			t.Errorf("%s: ok %v, %v, want ambiguous", raw, ok, err)
		}
	}
	list := json.RawMessage(`{"tasks":[{"id":"1","xmlId":"id-1","ufCrmTask":false},{"id":"2","xmlId":null},{"id":3,"xmlId":"id-3"}]}`)
	if tasks, err := DecodeTasks(list); err != nil || len(tasks) != 3 {
		t.Errorf("all: %v, %v", tasks, err)
	}
	if tasks, err := DecodeTasks(list, "id-3", "id-9"); err != nil || len(tasks) != 1 || tasks[0].ID != 3 {
		t.Errorf("by external id: %v, %v, want task 3", tasks, err)
	}
	if _, err := DecodeTasks(json.RawMessage(`{"tasks":[{"title":"no id"}]}`)); ClassOf(err) != Ambiguous {
		t.Errorf("no id: %v, want ambiguous", err)
	}
}

func TestThePortalsSettingsAreRead(t *testing.T) {
	user, ok, err := DecodeProfile(json.RawMessage(`{"ID":"1","ADMIN":true,"NAME":"Олена","LAST_NAME":"Коваль","TIME_ZONE":""}`))
	if err != nil || !ok || user.ID != 1 || !user.Admin || user.FullName() != "Олена Коваль" {
		t.Errorf("profile: %+v, %v, %v", user, ok, err)
	}
	for _, dismissed := range []string{`[]`, `{}`} {
		if _, ok, err := DecodeProfile(json.RawMessage(dismissed)); ok || err != nil {
			t.Errorf("profile %s: ok %v, %v, want a dismissed employee", dismissed, ok, err)
		}
	}
	users, err := DecodeUsers(json.RawMessage(`[{"ID":"7","ACTIVE":true,"NAME":"Іван","EMAIL":"i@example.com","TIMESTAMP_X":{},"UF_PHONE_INNER":"101","PERSONAL_MOBILE":"0671112233"},{"ID":8,"ACTIVE":"N","UF_DEPARTMENT":[1]}]`))
	if err != nil || len(users) != 2 || !users[0].Active || users[0].InnerPhone != "101" || users[0].Mobile != "0671112233" || users[1].Active {
		t.Errorf("users: %+v, %v", users, err)
	}
	scopes, err := DecodeScope(json.RawMessage(`["crm","task"]`))
	if err != nil || strings.Join(scopes, " ") != "crm task" {
		t.Errorf("scopes: %v, %v", scopes, err)
	}
	statuses, err := DecodeStatuses(json.RawMessage(`[{"STATUS_ID":"NEW","NAME":"Новий","SEMANTICS":null},{"STATUS_ID":"WON","NAME":"Успіх","SEMANTICS":"S"},{"STATUS_ID":"CALL","NAME":"Дзвінок"}]`))
	if diff := cmp.Diff([]Status{{"NEW", "Новий", "P"}, {"WON", "Успіх", "S"}, {"CALL", "Дзвінок", "P"}}, statuses); err != nil || diff != "" {
		t.Errorf("statuses: %v, want (-) got (+)\n%s", err, diff)
	}
	categories, err := DecodeCategories(json.RawMessage(`{"categories":[{"id":9,"name":"Опт","isDefault":"N"},{"id":0,"name":"Загальна","isDefault":"Y"}]}`))
	if diff := cmp.Diff([]Category{{9, "Опт", false}, {0, "Загальна", true}}, categories); err != nil || diff != "" {
		t.Errorf("categories: %v, want (-) got (+)\n%s", err, diff)
	}
	for raw, want := range map[string]string{"1": "true", `"1"`: "true", "2": "false", "3": "error", "[]": "error", "null": "error"} {
		leads, err := DecodeMode(json.RawMessage(raw))
		got := fmt.Sprint(leads)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("mode %s: got %s, want %s", raw, got, want)
		}
	}
	fields, err := DecodeUserFields(json.RawMessage(`[{"FIELD_NAME":"UF_CRM_X","USER_TYPE_ID":"string","MANDATORY":"Y"},{"ID":"5"}]`))
	if diff := cmp.Diff([]Field{{Name: "UF_CRM_X", Type: "string", Required: true}}, fields); err != nil || diff != "" {
		t.Errorf("user fields: %v, want (-) got (+)\n%s", err, diff)
	}
	fields, err = DecodeFields(json.RawMessage(`{"fields":{"title":{"type":"string","isRequired":false,"title":"Назва"},"id":{"type":"integer","isReadOnly":true},"TITLE":{"required":true,"type":"string"}}}`))
	if diff := cmp.Diff([]Field{{Name: "TITLE", Type: "string", Required: true}, {Name: "id", Type: "integer", ReadOnly: true}, {Name: "title", Title: "Назва", Type: "string"}}, fields); err != nil || diff != "" {
		t.Errorf("fields: %v, want (-) got (+)\n%s", err, diff)
	}
	exists, available, err := DecodeMethodAvailable(json.RawMessage(`{"isExisting":true,"isAvailable":false}`))
	if !exists || available || err != nil {
		t.Errorf("method: %v %v %v", exists, available, err)
	}
}

// FuzzDecoders: no answer makes a decoder panic, succeed with an id that is
// none, or fail with another class than Ambiguous.
func FuzzDecoders(f *testing.F) {
	for _, s := range []string{`[]`, `null`, `{"item":{"id":"5","fm":[{}]}}`, `{"items":{"1":{"id":2}}}`, `{"tasks":[{"id":"1","ufCrmTask":["L_1"]}]}`,
		`{"CONTACT":[1]}`, `[{"ID":"1","ACTIVE":{}}]`, `{"categories":[{"id":0}]}`, `{"fields":{"a":{"type":[]}}}`, `1e400`, `{"task":{"id":1e99}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var errs []error
		item, err := DecodeItem(Lead, raw)
		if err == nil && item.ID <= 0 {
			t.Fatalf("%q: item %d", raw, item.ID)
		}
		errs = append(errs, err)
		task, ok, err := DecodeTask(raw)
		if ok && task.ID <= 0 {
			t.Fatalf("%q: task %d", raw, task.ID)
		}
		errs = append(errs, err)
		items, err := DecodeItems(Deal, raw)
		for _, i := range items {
			if i.ID <= 0 {
				t.Fatalf("%q: items %v", raw, items)
			}
		}
		errs = append(errs, err)
		ids, err := DecodeFound(Contact, raw)
		for _, id := range ids {
			if id <= 0 {
				t.Fatalf("%q: found %v", raw, ids)
			}
		}
		errs = append(errs, err)
		for _, decode := range []func() error{
			func() error { _, err := DecodeTasks(raw, "x"); return err },
			func() error { _, err := DecodeUsers(raw); return err },
			func() error { _, _, err := DecodeProfile(raw); return err },
			func() error { _, err := DecodeScope(raw); return err },
			func() error { _, err := DecodeStatuses(raw); return err },
			func() error { _, err := DecodeCategories(raw); return err },
			func() error { _, err := DecodeMode(raw); return err },
			func() error { _, err := DecodeUserFields(raw); return err },
			func() error { _, err := DecodeFields(raw); return err },
			func() error { _, _, err := DecodeMethodAvailable(raw); return err },
		} {
			errs = append(errs, decode())
		}
		for _, err := range errs {
			if c := ClassOf(err); c != OK && c != Ambiguous {
				t.Fatalf("%q: %v", raw, err)
			}
		}
	})
}
