package bitrix

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// php is a document as PHP may write it as well: every number as a string, every empty
// object as an empty list.
func php(t *testing.T, raw string) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	var other func(v any) any
	other = func(v any) any {
		switch v := v.(type) {
		case json.Number:
			return v.String()
		case []any:
			for i := range v {
				v[i] = other(v[i])
			}
		case map[string]any:
			if len(v) == 0 {
				return []any{}
			}
			for k := range v {
				v[k] = other(v[k])
			}
		}
		return v
	}
	out, err := json.Marshal(other(v))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return string(out)
}

func TestNumbersAsStringsAndEmptyMapsAsListsChangeNothing(t *testing.T) {
	type test struct {
		raw    string
		decode func(raw json.RawMessage) (any, error)
	}
	kept := func(kind Kind) func(json.RawMessage) (any, error) {
		return func(raw json.RawMessage) (any, error) { return DecodeItem(kind, raw) }
	}
	item := `{"id":12,"title":"t","assignedById":7,"stageId":"NEW","stageSemanticId":"P","contactId":84,"companyId":3,"categoryId":9,"opportunity":12.5,"fm":{},"ufCrm":{}}`
	for name, test := range map[string]test{
		"an item":       {`{"item":` + item + `}`, kept(Deal)},
		"a lead":        {`{"item":` + item + `}`, kept(Lead)},
		"items":         {`{"items":[` + item + `]}`, func(raw json.RawMessage) (any, error) { return DecodeItems(Deal, raw) }},
		"no items":      {`{}`, func(raw json.RawMessage) (any, error) { return DecodeItems(Deal, raw) }},
		"found":         {`{"CONTACT":[2297,275],"LEAD":[5]}`, func(raw json.RawMessage) (any, error) { return DecodeFound(Contact, raw) }},
		"nothing found": {`{}`, func(raw json.RawMessage) (any, error) { return DecodeFound(Contact, raw) }},
		"a task": {`{"task":{"id":8017,"title":"t","status":5,"responsibleId":7,"createdBy":1,"closedBy":503,"xmlId":"x","ufCrmTask":["L_1"],"group":{}}}`,
			func(raw json.RawMessage) (any, error) { task, _, err := DecodeTask(raw); return task, err }},
		"tasks":      {`{"tasks":[{"id":1,"xmlId":"x","ufCrmTask":{}}]}`, func(raw json.RawMessage) (any, error) { return DecodeTasks(raw, "x") }},
		"no tasks":   {`{}`, func(raw json.RawMessage) (any, error) { return DecodeTasks(raw) }},
		"users":      {`[{"ID":7,"ACTIVE":true,"NAME":"n","UF_PHONE_INNER":101,"TIMESTAMP_X":{}}]`, func(raw json.RawMessage) (any, error) { return DecodeUsers(raw) }},
		"a profile":  {`{"ID":1,"ADMIN":true,"NAME":"n"}`, func(raw json.RawMessage) (any, error) { user, _, err := DecodeProfile(raw); return user, err }},
		"statuses":   {`[{"STATUS_ID":"NEW","NAME":"n","SORT":10,"EXTRA":{}}]`, func(raw json.RawMessage) (any, error) { return DecodeStatuses(raw) }},
		"categories": {`{"categories":[{"id":9,"name":"n","isDefault":"N"},{"id":0,"name":"m","isDefault":"Y"}]}`, func(raw json.RawMessage) (any, error) { return DecodeCategories(raw) }},
		"a mode":     {`1`, func(raw json.RawMessage) (any, error) { return DecodeMode(raw) }},
		"fields":     {`{"fields":{"id":{"type":"integer","isReadOnly":1,"settings":{}}}}`, func(raw json.RawMessage) (any, error) { return DecodeFields(raw) }},
		"no fields":  {`{"fields":{}}`, func(raw json.RawMessage) (any, error) { return DecodeFields(raw) }},
		"own fields": {`[{"FIELD_NAME":"UF_CRM_X","USER_TYPE_ID":"string","MANDATORY":"Y","SETTINGS":{}}]`, func(raw json.RawMessage) (any, error) { return DecodeUserFields(raw) }},
		"an answer": {`{"result":1,"total":4,"next":50,"time":{"duration":0.69,"processing":0.1,"operating":0.67,"operating_reset_at":1757425271}}`,
			func(raw json.RawMessage) (any, error) {
				e := readEnvelope(raw)
				return []any{e.content, e.answer.Total, e.answer.Next, e.answer.Time}, nil
			}},
		"an answer without a time": {`{"result":1,"time":{}}`, func(raw json.RawMessage) (any, error) { return readEnvelope(raw).answer.Time, nil }},
		"a batch": {`{"result":{"a":{},"b":true},"result_error":{},"result_total":{"a":4},"result_next":{"a":50},"result_time":{"a":{"duration":0.5,"operating":1.5,"operating_reset_at":1757425271}}}`,
			func(raw json.RawMessage) (any, error) {
				answer, err := readBatch(Answer{Result: raw}, []Command{{Key: "a", Method: "m"}, {Key: "b", Method: "m"}}, false, func(s string) string { return s })
				for i := range answer.Outcomes {
					answer.Outcomes[i].Result = nil // as it came
				}
				return answer, err
			}},
		"a batch that says nothing of its own": {`{"result":{"a":true},"result_error":{},"result_total":{},"result_next":{},"result_time":{}}`,
			func(raw json.RawMessage) (any, error) {
				return readBatch(Answer{Result: raw}, []Command{{Key: "a", Method: "m"}}, false, func(s string) string { return s })
			}},
	} {
		other := php(t, test.raw)
		if other == test.raw {
			t.Errorf("%s: %s has no number and no empty map", name, test.raw)
		}
		want, err := test.decode(json.RawMessage(test.raw))
		if err != nil {
			t.Errorf("%s: %s: %v", name, test.raw, err)
			continue
		}
		got, err := test.decode(json.RawMessage(other))
		if err != nil {
			t.Errorf("%s: %s: %v", name, other, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Item{}), cmpopts.EquateEmpty(), cmpopts.EquateErrors()); diff != "" {
			t.Errorf("%s: %s (-) and %s (+) are read differently:\n%s", name, test.raw, other, diff)
		}
	}
}
