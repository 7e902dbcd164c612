package bitrixtest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCompletingATaskClosesItOnce(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now})
	r.get("tasks.task.add", `{"fields":{"TITLE":"Call","RESPONSIBLE_ID":1,"DEADLINE":"2026-03-02T15:00:00+02:00","UF_CRM_TASK":["L_1","C_2"],"XML_ID":"x:1"}}`)
	c.move(time.Minute)
	done := r.get("tasks.task.complete", m{"taskId": "1"})
	if at(done, "task", "status") != "5" || at(done, "task", "closedBy") != "1" || at(done, "task", "closedDate") != "2026-03-02T10:01:00+00:00" {
		t.Errorf("completed task: %v", done)
	}
	if at(done, "task", "deadline") != "2026-03-02T13:00:00+00:00" || at(done, "task", "action", "complete") != false {
		t.Errorf("completed task: %v", done)
	}
	c.move(time.Hour)
	r.get("tasks.task.complete", m{"taskId": 1})
	task := r.Tasks()[0]
	if want := c.now().Add(-time.Hour); !task.ClosedAt.Equal(want) || fmt.Sprint(task.CRM) != "[L_1 C_2]" || task.XMLID != "x:1" {
		t.Errorf("after completing twice: %+v, want closed at %v", task, want)
	}
	strict := portal(t, Options{CompleteTwiceRefused: true})
	strict.get("tasks.task.add", `{"fields":{"TITLE":"Call","RESPONSIBLE_ID":1}}`)
	strict.get("tasks.task.complete", m{"taskId": 1})
	if text := strict.refused("tasks.task.complete", m{"taskId": 1}, 400, "0"); text != "Action on the task is not allowed" {
		t.Errorf("description: got %q", text)
	}
}

func TestATaskMayBeBornClosedUnlessThePortalMinds(t *testing.T) {
	r := portal(t, Options{})
	r.get("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"STATUS":5}}`)
	if got := r.Tasks()[0]; got.Status != 5 || got.ClosedBy != 0 || !got.ClosedAt.IsZero() {
		t.Errorf("born closed: %+v, want status 5 and nobody who closed it", got)
	}
	r.get("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"STATUS":5,"CLOSED_BY":1,"CLOSED_DATE":"2026-03-01T10:00:00+00:00"}}`)
	if got := r.Tasks()[1]; got.ClosedBy != 1 || got.ClosedAt.IsZero() {
		t.Errorf("born closed by 1: %+v", got)
	}
	strict := portal(t, Options{BornClosedRefused: true})
	strict.refused("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"STATUS":5}}`, 400, "ERROR_CORE")
	if got := len(strict.Tasks()); got != 0 {
		t.Errorf("%d tasks after a refusal, want none", got)
	}
}

func TestWhatTasksRefuse(t *testing.T) {
	r := portal(t, Options{})
	r.AddUserField("task", UserField{Name: "UF_REASON", Mandatory: true})
	r.get("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"UF_REASON":"y"}}`)
	for _, c := range []struct {
		method, params, code, text string
	}{
		{"tasks.task.add", `{}`, "100", "parameter {fields}"},
		{"tasks.task.add", `{"FIELDS":{"TITLE":"x"}}`, "100", "parameter {fields}"},
		{"tasks.task.add", `{"fields":{"RESPONSIBLE_ID":1,"UF_REASON":"y"}}`, "ERROR_CORE", "Task title is not specified<br>"},
		{"tasks.task.add", `{"fields":{"TITLE":"x","UF_REASON":"y"}}`, "ERROR_CORE", "Responsible person not specified"},
		{"tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":77,"UF_REASON":"y"}}`, "ERROR_CORE", `"Responsible" field not found`},
		{"tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"STATUS":9,"UF_REASON":"y"}}`, "ERROR_CORE", "Incorrect status<br>"},
		{"tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1}}`, "ERROR_CORE", "Required field UF_REASON value not entered"},
		{"tasks.task.update", `{"taskId":1,"fields":{"STATUS":1}}`, "ERROR_CORE", "Invalid status<br>"},
		{"tasks.task.update", `{"fields":{"STATUS":5}}`, "100", "real class type"},
		{"tasks.task.update", `{"taskId":1}`, "100", "parameter {fields}"},
		{"tasks.task.update", `{"taskId":9,"fields":{}}`, "0", "Action on the task is not allowed"},
		{"tasks.task.complete", `{"taskId":9}`, "0", "Action on the task is not allowed"},
		{"tasks.task.complete", `{"taskId":0}`, "0", "wrong task id"},
		{"tasks.task.get", `{"taskId":1,"select":"ID"}`, "100", "{select}"},
		{"tasks.task.list", `{"order":{"NOPE":"asc"}}`, "0", "Invalid sorting key"},
	} {
		if got := r.refused(c.method, c.params, 400, c.code); !strings.Contains(got, c.text) {
			t.Errorf("%s %s: got %q, want something with %q", c.method, c.params, got, c.text)
		}
	}
}

func TestATaskUnderControlWaitsForItsCreator(t *testing.T) {
	r := portal(t, Options{})
	r.AddUser(User{ID: 7, Active: true})
	r.get("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"CREATED_BY":7,"TASK_CONTROL":"Y"}}`)
	if got := at(r.get("tasks.task.complete", m{"taskId": 1}), "task", "status"); got != "4" {
		t.Errorf("completed by another than its creator: status %v, want 4", got)
	}
}

func TestTitlesAreCutAt250Characters(t *testing.T) {
	r := portal(t, Options{})
	r.get("tasks.task.add", m{"fields": m{"TITLE": strings.Repeat("ї", 300), "RESPONSIBLE_ID": 1}})
	if got := len([]rune(r.Tasks()[0].Title)); got != 250 {
		t.Errorf("title of %d characters, want 250", got)
	}
}

func TestTasksAreFoundByTheirBindingAndMaybeByXMLID(t *testing.T) {
	seed := func(o Options) rest {
		r := portal(t, o)
		r.AddUser(User{ID: 7, Active: true})
		r.get("tasks.task.add", `{"fields":{"TITLE":"Missed call","RESPONSIBLE_ID":7,"UF_CRM_TASK":["L_1"],"XML_ID":"a"}}`)
		r.get("tasks.task.add", `{"fields":{"TITLE":"Answered call","RESPONSIBLE_ID":1,"UF_CRM_TASK":["L_1","L_11"],"XML_ID":"b","DEADLINE":"2026-03-01T10:00:00+00:00"}}`)
		r.get("tasks.task.add", `{"fields":{"TITLE":"Other","RESPONSIBLE_ID":1,"UF_CRM_TASK":["L_11"],"XML_ID":"c","STATUS":3}}`)
		return r
	}
	r := seed(Options{})
	for filter, want := range map[string]string{
		`{}`: "3 2 1", `{"UF_CRM_TASK":"L_1"}`: "2 1", `{"UF_CRM_TASK":["L_11"]}`: "3 2", `{"XML_ID":"b"}`: "2", `{"ID":[1,3]}`: "3 1",
		`{"REAL_STATUS":3}`: "3", `{"STATUS":-1}`: "2", `{"TITLE":"%call"}`: "2 1", `{"RESPONSIBLE_ID":7}`: "1",
		`{"!RESPONSIBLE_ID":7,"XML_ID":"c"}`: "3", `{"<DEADLINE":"2026-03-02T10:00:00+00:00"}`: "2", `{"NONSENSE":1}`: "3 2 1",
	} {
		if got := ids(at(r.get("tasks.task.list", `{"filter":`+filter+`}`), "tasks"), "id"); got != want {
			t.Errorf("%s: got %q, want %q", filter, got, want)
		}
	}
	ignoring := seed(Options{XMLIDFilterIgnored: true})
	if got := ids(at(ignoring.get("tasks.task.list", `{"filter":{"XML_ID":"b","RESPONSIBLE_ID":1}}`), "tasks"), "id"); got != "3 2" {
		t.Errorf("with the filter by XML_ID ignored: got %q, want 3 2", got)
	}
	if got := ids(at(r.get("tasks.task.list", `{"order":{"ID":"asc"}}`), "tasks"), "id"); got != "1 2 3" {
		t.Errorf("order ID asc: got %q", got)
	}
}

func TestAnEmployeeSeesOnlyHisTasks(t *testing.T) {
	r := portal(t, Options{Owner: 5})
	r.get("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1}}`)
	r.EditTask(1, func(task *Task) { task.CreatedBy = 1 })
	if got := fmt.Sprint(r.get("tasks.task.get", m{"taskId": 1})); got != "[]" {
		t.Errorf("a task of others: got %s, want []", got)
	}
	r.refused("tasks.task.complete", m{"taskId": 1}, 400, "0")
	r.refused("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"CREATED_BY":1}}`, 400, "ERROR_CORE")
}

func TestPeopleCloseAndDeleteTasks(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now})
	r.get("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"XML_ID":"a"}}`)
	r.EditTask(1, func(task *Task) { task.Status, task.ClosedBy = 5, 1 })
	if got := r.Tasks()[0]; got.Status != 5 || got.ClosedBy != 1 || !got.ClosedAt.Equal(c.now()) {
		t.Errorf("closed by hand: %+v", got)
	}
	r.DeleteTask(1)
	r.get("tasks.task.add", `{"fields":{"TITLE":"x","RESPONSIBLE_ID":1,"XML_ID":"a"}}`)
	if got := r.Duplicates()["task a"]; got != 2 {
		t.Errorf("tasks ever added as a: got %d, want 2 though one is deleted", got)
	}
}
