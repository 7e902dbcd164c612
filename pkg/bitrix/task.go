package bitrix

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Binding ties a task to a CRM entity.
type Binding struct {
	Kind Kind
	Link Link
}

// value is the portal's notation: L_1, D_1, C_1, CO_1.
func (b Binding) value() any {
	prefix := kinds[b.Kind].prefix + "_"
	if !b.Link.Ref.IsZero() {
		return b.Link.Ref.After(prefix)
	}
	return prefix + strconv.Itoa(b.Link.ID)
}

// TaskFields are the fields of a task to write; zero fields are not sent. Texts
// lose emoji, as in EntityFields.
type TaskFields struct {
	Title         string // cut at 250 characters
	Description   string // BBCode: [URL=https://…]text[/URL]
	ResponsibleID int
	CreatedBy     int       // needs a webhook of an administrator
	Deadline      time.Time // exact: not shifted into working hours
	CRM           []Binding
	XMLID         string // our external id; the portal does not keep it unique
	Tags          []string
	Reopen        bool // makes a completed task pending again; harmless on an open one
}

// AddTask makes a task. It is always made open: a portal stores a task that is
// born completed without who completed it and when, so CompleteTask follows.
// Not idempotent. Decode with DecodeTask.
// https://apidocs.bitrix24.com/api-reference/tasks/tasks-task-add.html
func AddTask(f TaskFields) Command {
	return Command{Method: "tasks.task.add", Params: Params{{"fields", f.params()}}}
}

// UpdateTask sets the fields that are not zero. Decode with DecodeTask.
func UpdateTask(task Link, f TaskFields) Command {
	return Command{Method: "tasks.task.update", Params: Params{{"taskId", task.value()}, {"fields", f.params()}}}
}

// Empty reports whether there is nothing to write.
func (f TaskFields) Empty() bool { return len(f.params()) == 0 }

func (f TaskFields) params() Params {
	var p Params
	add := func(name string, value any, given bool) {
		if given {
			p = append(p, Param{name, value})
		}
	}
	add("TITLE", line(f.Title, 250), line(f.Title, 250) != "")
	add("DESCRIPTION", prose(f.Description), prose(f.Description) != "")
	add("RESPONSIBLE_ID", f.ResponsibleID, f.ResponsibleID != 0)
	add("CREATED_BY", f.CreatedBy, f.CreatedBy != 0)
	add("DEADLINE", f.Deadline, !f.Deadline.IsZero())
	add("MATCH_WORK_TIME", "N", !f.Deadline.IsZero())
	var bindings []any
	for _, b := range f.CRM {
		bindings = append(bindings, b.value())
	}
	add("UF_CRM_TASK", bindings, len(bindings) > 0)
	add("XML_ID", f.XMLID, f.XMLID != "")
	add("STATUS", statusPending, f.Reopen)
	add("TAGS", f.Tags, len(f.Tags) > 0)
	return p
}

// CompleteTask closes a task. On a task that is closed already the portal may
// refuse with ReasonAccess ("Action on the task is not allowed"), as it does
// for one it can't see: GetTask tells which. Decode with DecodeTask.
func CompleteTask(task Link) Command {
	return Command{Method: "tasks.task.complete", Params: Params{{"taskId", task.value()}}}
}

var taskSelect = []string{"ID", "TITLE", "DESCRIPTION", "STATUS", "RESPONSIBLE_ID", "CREATED_BY", "CREATED_DATE",
	"DEADLINE", "CLOSED_BY", "CLOSED_DATE", "XML_ID", "UF_CRM_TASK"}

// GetTask asks for one task. Decode with DecodeTask, which says ok = false for
// a task that is gone or not visible: the portal answers an empty list.
func GetTask(id int) Command {
	return Command{Method: "tasks.task.get", Params: Params{{"taskId", id}, {"select", taskSelect}}}
}

// FindTasksByBinding asks for the tasks of one entity, newest first, fifty a
// page (start is the offset), made since a moment when that isn't zero. This is
// the documented way to find a task by its XML_ID: give the ids to DecodeTasks.
// https://apidocs.bitrix24.com/api-reference/tasks/tasks-task-list.html
func FindTasksByBinding(b Binding, since time.Time, start int) Command {
	return findTasks(Param{"UF_CRM_TASK", b.value()}, since, start)
}

// FindTasksByXMLID asks for tasks by external id. The filter is not documented,
// and a portal that ignores it answers with any tasks: always give the id to
// DecodeTasks too.
func FindTasksByXMLID(xmlID string, since time.Time, start int) Command {
	return findTasks(Param{"XML_ID", xmlID}, since, start)
}

func findTasks(by Param, since time.Time, start int) Command {
	filter := Params{by}
	if !since.IsZero() {
		filter = append(filter, Param{">=CREATED_DATE", since})
	}
	return Command{Method: "tasks.task.list", Params: Params{
		{"order", Params{{"ID", "desc"}}}, {"filter", filter}, {"select", taskSelect}, {"start", start},
	}}
}

// ListTasks asks for tasks by their ids, fifty at most. Ids that are gone or not visible
// to the webhook are left out. Decode with DecodeTasks.
func ListTasks(ids []int) Command {
	return findTasks(Param{"ID", ids}, time.Time{}, 0)
}

// The statuses of a task that nobody began, and of a closed one.
const (
	statusPending   = 2
	statusCompleted = 5
)

// Task is a task as the portal shows it.
type Task struct {
	ID            int
	Title         string
	Description   string
	Status        int // 2 pending, 3 in progress, 4 awaiting control, 5 completed, 6 deferred
	ResponsibleID int
	CreatedBy     int
	ClosedBy      int
	Created       time.Time
	Deadline      time.Time
	Closed        time.Time
	XMLID         string
	CRM           []string // "L_1"; only where it was asked for
}

// Done reports whether the task is completed.
func (t Task) Done() bool { return t.Status == statusCompleted }

// DecodeTask reads the result of GetTask, AddTask, UpdateTask or CompleteTask;
// ok is false when there is no such task. The answers to the latter three have
// no CRM.
func DecodeTask(raw json.RawMessage) (task Task, ok bool, err error) {
	if hollow(raw) {
		return Task{}, false, nil
	}
	result, err := asRow(raw)
	if err == nil {
		var r row
		if r, err = asRow(result["task"]); err == nil {
			if task := readTask(r); task.ID > 0 {
				return task, true, nil
			}
		}
	}
	return Task{}, false, undecodable("tasks.task", "the result holds no task with an id")
}

// DecodeTasks reads the result of a task list. With xmlIDs it keeps only the
// tasks that really have one of them.
func DecodeTasks(raw json.RawMessage, xmlIDs ...string) ([]Task, error) {
	result, err := asRow(raw)
	if err != nil {
		return nil, undecodable("tasks.task.list", "the result is not an object")
	}
	rows, err := asRows(result["tasks"])
	if err != nil {
		return nil, undecodable("tasks.task.list", "tasks is not a list of objects")
	}
	var tasks []Task
	for _, r := range rows {
		task := readTask(r)
		if task.ID <= 0 {
			return nil, undecodable("tasks.task.list", "a task without an id")
		}
		if len(xmlIDs) == 0 || slices.Contains(xmlIDs, task.XMLID) {
			tasks = append(tasks, task)
		}
	}
	return tasks, nil
}

func readTask(r row) Task {
	return Task{
		ID: r.num("id"), Title: r.text("title"), Description: r.text("description"), Status: r.num("status"),
		ResponsibleID: r.num("responsibleId"), CreatedBy: r.num("createdBy"), ClosedBy: r.num("closedBy"),
		Created: r.date("createdDate"), Deadline: r.date("deadline"), Closed: r.date("closedDate"),
		XMLID: r.text("xmlId"), CRM: r.texts("ufCrmTask"),
	}
}
