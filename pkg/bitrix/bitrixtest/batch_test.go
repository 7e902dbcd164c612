package bitrixtest

import (
	"fmt"
	"strings"
	"testing"
)

func TestABatchRunsItsCommandsInTheOrderSent(t *testing.T) {
	r := portal(t, Options{})
	r.get("batch", batchOf("z", "crm.lead.add?fields[TITLE]=first", "a", "crm.lead.add?fields[TITLE]=second"))
	if got := r.Leads()[0].Title; got != "first" {
		t.Errorf("the command with key z was sent first, but lead 1 is %q", got)
	}
}

func TestReferencesCarryResultsOn(t *testing.T) {
	r := portal(t, Options{})
	result := r.get("batch", batchOf(
		"contact", "crm.contact.add?fields[NAME]=Ivan",
		"lead", "crm.item.add?entityTypeId=1&fields[title]=x&fields[contactId]=$result[contact]",
		"task", "tasks.task.add?fields[TITLE]=x&fields[RESPONSIBLE_ID]=1&fields[UF_CRM_TASK][0]=L_$result[lead][item][id]",
		"done", "tasks.task.complete?taskId=%24result%5Btask%5D%5Btask%5D%5Bid%5D",
		"same", "crm.item.add?entityTypeId=1&fields[contactIds]=$result[lead][item][contactIds]"))
	if errs := at(result, "result_error"); fmt.Sprint(errs) != "[]" {
		t.Fatalf("errors: %v", errs)
	}
	lead := r.Leads()[0]
	if lead.ContactID != 1 {
		t.Errorf("contact of the lead: got %d, want 1", lead.ContactID)
	}
	task := r.Tasks()[0]
	if got, want := strings.Join(task.CRM, ","), fmt.Sprintf("L_%d", lead.ID); got != want || task.Status != 5 {
		t.Errorf("task: bound to %s with status %d, want %s and 5", got, task.Status, want)
	}
	if got := r.Leads()[1].ContactIDs; len(got) != 1 {
		t.Errorf("a list handed on whole: contacts %v, want one", got)
	}
}

func TestTextGluedBehindAReferenceIsRefusedLoudly(t *testing.T) {
	r := portal(t, Options{})
	for _, value := range []string{"$result[a][ID]_x", "$result[a][ID],$result[a][ID]"} {
		result := r.get("batch", batchOf("a", "profile", "b", "crm.lead.add?fields[TITLE]="+value))
		if got := at(result, "result_error", "b", "error"); got != "BITRIXTEST_REFERENCE" {
			t.Errorf("%s: got %v, want BITRIXTEST_REFERENCE", value, got)
		}
	}
	result := r.get("batch", batchOf("a", "profile", "b", "crm.lead.add?fields[TITLE]=Call+$result[a][ID]+by+$result[a][NAME]"))
	if got := r.Leads(); len(got) != 1 || got[0].Title != "Call 1 by Portal" {
		t.Errorf("references between spaces: got %v from %v, want \"Call 1 by Portal\"", got, result)
	}
}

func TestAnUnresolvedReferenceIsNotAnError(t *testing.T) {
	r := portal(t, Options{})
	result := r.get("batch", batchOf(
		"lead", "crm.lead.get?id=99",
		"task", "tasks.task.add?fields[TITLE]=x&fields[RESPONSIBLE_ID]=1&fields[UF_CRM_TASK][0]=L_$result[lead][ID]"))
	if at(result, "result", "task") == nil {
		t.Fatalf("the task was not added: %v", result)
	}
	if got := r.Tasks()[0].CRM; len(got) != 1 || got[0] != "L_$result[lead][ID]" {
		t.Errorf("bound to %v, want the reference's own text", got)
	}
}

func TestHaltStopsAtTheFirstFailure(t *testing.T) {
	for halt, want := range map[string]int{"0": 2, "1": 1, "true": 1, "false": 2} {
		r := portal(t, Options{})
		body := strings.Replace(batchOf("a", "crm.lead.add?fields[TITLE]=1", "b", "crm.lead.get?id=99", "c", "crm.lead.add?fields[TITLE]=2"),
			`"halt":0`, `"halt":`+halt, 1)
		result := r.get("batch", body)
		if got := len(r.Leads()); got != want {
			t.Errorf("halt %s: %d leads, want %d", halt, got, want)
		}
		if at(result, "result_error", "b") == nil {
			t.Errorf("halt %s: no error for b in %v", halt, result)
		}
		if failed := at(result, "result_error", "c"); failed != nil {
			t.Errorf("halt %s: c, which did not run, has an error: %v", halt, failed)
		}
	}
}

func TestCommandsBeyondFiftyAreRefusedOneByOne(t *testing.T) {
	r := portal(t, Options{})
	var pairs []string
	for i := range 53 {
		pairs = append(pairs, fmt.Sprintf("k%d", i), "profile")
	}
	result := r.get("batch", batchOf(pairs...))
	done, failed := result.(m)["result"].(m), result.(m)["result_error"].(m)
	if len(done) != 50 || len(failed) != 3 {
		t.Fatalf("%d ran and %d were refused, want 50 and 3", len(done), len(failed))
	}
	if got := at(failed, "k50", "error"); got != "ERROR_BATCH_LENGTH_EXCEEDED" {
		t.Errorf("got %v, want ERROR_BATCH_LENGTH_EXCEEDED", got)
	}
}

func TestWhatABatchMayNotHold(t *testing.T) {
	r := portal(t, Options{Scopes: []string{"crm"}})
	result := r.get("batch", `{"cmd":{"nested":"batch?cmd[a]=profile","scope":"tasks.task.list","unknown":"crm.nonsense","hook":"app.info","number":5}}`)
	for key, want := range map[string]string{"nested": "ERROR_BATCH_METHOD_NOT_ALLOWED", "scope": "insufficient_scope",
		"unknown": "ERROR_METHOD_NOT_FOUND", "hook": "WRONG_AUTH_TYPE"} {
		if got := at(result, "result_error", key, "error"); got != want {
			t.Errorf("%s: got %v, want %s", key, got, want)
		}
	}
	if got := at(result, "result_error", "scope", "error_description"); got != "" {
		t.Errorf("description of a missing scope in a batch: got %v, want none", got)
	}
	if at(result, "result_error", "number") != nil || at(result, "result", "number") != nil {
		t.Errorf("a command that is no text was not skipped: %v", result)
	}
}

func TestEmptyAndNumberedMembersOfABatchAreLists(t *testing.T) {
	r := portal(t, Options{})
	_, body := r.raw("batch", `{"cmd":["profile","crm.lead.list"]}`)
	for _, want := range []string{`"result_error":[]`, `"result_next":[]`, `"result_total":{"1":0}`, `"result":[{"ID":"1"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	if status, body := r.send("batch", m{}); status != 200 || fmt.Sprint(at(body, "result", "result")) != "[]" {
		t.Errorf("an empty batch: got %d %v, want 200 and empty lists", status, body)
	}
}

func TestTheLogTellsWhichCommandsRan(t *testing.T) {
	r := portal(t, Options{})
	r.get("batch", strings.Replace(batchOf("a", "profile", "b", "crm.lead.get?id=9", "c", "profile"), `"halt":0`, `"halt":1`, 1))
	got := fmt.Sprint(r.Requests()[0].Commands)
	if want := "[{a profile true } {b crm.lead.get false } {c profile false }]"; got != want {
		t.Errorf("commands: got %s, want %s", got, want)
	}
}
