package bitrixtest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// task is a task as it is kept (https://apidocs.bitrix24.com/api-reference/tasks/tasks-task-add.html).
type task struct {
	Task
	changedBy     int
	statusChanged time.Time
	custom        map[string]string
	visible       time.Time
	inBBCode      bool
}

const (
	taskPending    = 2
	taskInProgress = 3
	taskControl    = 4
	taskCompleted  = 5
	taskDeferred   = 6
	maxTaskTitle   = 250
)

func notAllowed() *refusal { return refuse(400, "0", "Action on the task is not allowed") }

// Tasks returns every task by id.
func (p *Portal) Tasks() []Task {
	p.lock()
	defer p.mu.Unlock()
	out := []Task{}
	for _, t := range byID(p.tasks) {
		out = append(out, t.copy())
	}
	return out
}

func (t *task) copy() Task {
	c := t.Task
	c.CRM = slices.Clone(t.CRM)
	c.Auditors, c.Accomplices = slices.Clone(t.Auditors), slices.Clone(t.Accomplices)
	return c
}

// EditTask changes a task as a person would. A Status of 5 fills ClosedBy and ClosedAt when f leaves
// them empty. f must not call the portal. EditTask panics when there is no such task.
func (p *Portal) EditTask(id int, f func(*Task)) {
	p.lock()
	defer p.mu.Unlock()
	t := p.tasks[id]
	if t == nil {
		panic(fmt.Sprintf("bitrixtest: there is no task %d to edit", id))
	}
	after := t.copy()
	f(&after)
	status := after.Status
	after.Status = t.Status
	t.Task = after
	t.setStatus(status, p.opt.Owner, p.now())
	p.remember(nil, Updated, "task", id, t.XMLID)
}

// DeleteTask removes a task as a person would.
func (p *Portal) DeleteTask(id int) {
	p.lock()
	defer p.mu.Unlock()
	if t := p.tasks[id]; t != nil {
		delete(p.tasks, id)
		p.remember(nil, Deleted, "task", id, t.XMLID)
	}
}

func (t *task) setStatus(status, who int, now time.Time) {
	if status == t.Status {
		return
	}
	t.Status, t.statusChanged = status, now
	if status != taskCompleted {
		t.ClosedBy, t.ClosedAt = 0, time.Time{}
		return
	}
	if t.ClosedBy == 0 {
		t.ClosedBy = who
	}
	if t.ClosedAt.IsZero() {
		t.ClosedAt = now
	}
}

func taskAdd(c *call) (answer, *refusal) {
	v := c.exact("fields")
	if v == nil {
		return no(missing("fields"))
	}
	fields := asArray(v)
	if fields == nil {
		return no(refuse(400, "100", "Invalid value {%s} to match with parameter {fields}. Should be value of type array.", text(v)))
	}
	p := c.p
	now := p.now()
	t := &task{custom: map[string]string{}, statusChanged: now, visible: c.visibleFrom(), inBBCode: true, changedBy: p.opt.Owner}
	t.CreatedBy, t.Status, t.Created, t.Changed = p.opt.Owner, taskPending, now, now
	for _, f := range p.taskUFs {
		if f.Mandatory && text(fields.get(f.Name)) == "" {
			return no(refuse(400, "ERROR_CORE", "Required field %s value not entered<br>", f.label()))
		}
	}
	if text(fields.get("TITLE")) == "" {
		return no(refuse(400, "ERROR_CORE", "%s", p.say("no title")))
	}
	if text(fields.get("RESPONSIBLE_ID")) == "" {
		return no(refuse(400, "ERROR_CORE", "Responsible person not specified<br>"))
	}
	if err := t.write(c, fields, true); err != nil {
		return no(err)
	}
	t.ID = p.nextID("task")
	p.tasks[t.ID] = t
	c.remember(Added, "task", t.ID, t.XMLID)
	return ok(object("task", p.taskRow(t, nil)))
}

// write puts the fields of a request into a task. It changes nothing when it refuses.
func (t *task) write(c *call, fields *array, adding bool) *refusal {
	p, after := c.p, *t
	after.custom = maps.Clone(t.custom)
	for _, name := range fields.keys {
		v := fields.vals[name]
		switch name {
		case "TITLE":
			after.Title = cutTitle(text(v))
		case "DESCRIPTION":
			after.Description = text(v)
		case "RESPONSIBLE_ID":
			after.ResponsibleID = number(v)
		case "CREATED_BY":
			after.CreatedBy = number(v)
		case "DEADLINE":
			after.Deadline, _ = parseTime(text(v), p.opt.Location)
		case "UF_CRM_TASK":
			after.CRM = texts(v)
		case "XML_ID":
			after.XMLID = text(v)
		case "AUDITORS":
			after.Auditors = numbers(v)
		case "ACCOMPLICES":
			after.Accomplices = numbers(v)
		case "GROUP_ID":
			after.GroupID = number(v)
		case "TASK_CONTROL":
			after.Control = yes(v)
		case "CLOSED_BY":
			after.ClosedBy = number(v)
		case "CLOSED_DATE":
			after.ClosedAt, _ = parseTime(text(v), p.opt.Location)
		}
	}
	for _, f := range p.taskUFs {
		if fields.has(f.Name) {
			after.custom[f.Name] = text(fields.get(f.Name))
		}
	}
	if p.users[after.ResponsibleID] == nil {
		return refuse(400, "ERROR_CORE", "%s", p.say("no user"))
	}
	if p.users[after.CreatedBy] == nil {
		return refuse(400, "ERROR_CORE", "User specified in the \"Created by\" field not found<br>")
	}
	if !p.owner().Admin && adding && after.CreatedBy != p.opt.Owner {
		return refuse(400, "ERROR_CORE", "You may not create a task for another user<br>")
	}
	if fields.has("STATUS") {
		status := number(fields.get("STATUS"))
		if status < taskPending || status > taskDeferred || adding && status == taskCompleted && p.opt.BornClosedRefused {
			word := "Invalid"
			if adding {
				word = "Incorrect"
			}
			return refuse(400, "ERROR_CORE", "%s status<br>", word)
		}
		if adding {
			after.Status = status
		} else {
			after.setStatus(status, p.opt.Owner, p.now())
		}
	}
	after.changedBy, after.Changed = p.opt.Owner, p.now()
	*t = after
	return nil
}

func cutTitle(s string) string {
	if r := []rune(s); len(r) > maxTaskTitle {
		return string(r[:maxTaskTitle])
	}
	return s
}

// mayReadTask: administrators see all, others those they take part in.
func (p *Portal) mayReadTask(t *task) bool {
	o := p.owner()
	return o.Admin || o.ID == t.ResponsibleID || o.ID == t.CreatedBy ||
		slices.Contains(t.Auditors, o.ID) || slices.Contains(t.Accomplices, o.ID)
}

func (c *call) findTask() *task {
	t := c.p.tasks[number(c.exact("taskId"))]
	if t == nil || !c.p.mayReadTask(t) {
		return nil
	}
	return t
}

func taskComplete(c *call) (answer, *refusal) {
	if c.exact("taskId") == nil {
		return no(refuse(400, "100", "CTaskItem All parameters in the constructor must have real class type (internal error)"))
	}
	if number(c.exact("taskId")) <= 0 {
		return no(refuse(400, "0", "wrong task id"))
	}
	t := c.findTask()
	if t == nil {
		return no(notAllowed())
	}
	if t.Status == taskCompleted {
		if c.p.opt.CompleteTwiceRefused {
			return no(notAllowed())
		}
		return ok(object("task", c.p.taskRow(t, nil)))
	}
	to := taskCompleted
	if t.Control && c.p.opt.Owner != t.CreatedBy {
		to = taskControl
	}
	t.setStatus(to, c.p.opt.Owner, c.p.now())
	t.changedBy, t.Changed = c.p.opt.Owner, c.p.now()
	c.remember(Updated, "task", t.ID, t.XMLID)
	return ok(object("task", c.p.taskRow(t, nil)))
}

func taskUpdate(c *call) (answer, *refusal) {
	fields := asArray(c.exact("fields"))
	switch {
	case c.exact("taskId") == nil:
		return no(refuse(400, "100", "CTaskItem All parameters in the constructor must have real class type (internal error)"))
	case fields == nil:
		return no(missing("fields"))
	case number(c.exact("taskId")) <= 0:
		return no(refuse(400, "0", "wrong task id"))
	}
	t := c.findTask()
	if t == nil {
		return no(refuse(400, "0", "Action on the task is not allowed (internal error)"))
	}
	if err := t.write(c, fields, false); err != nil {
		return no(err)
	}
	c.remember(Updated, "task", t.ID, t.XMLID)
	row := c.p.taskRow(t, nil)
	if t.Status != taskCompleted {
		row.set("closedBy", "0")
	}
	return ok(object("task", row))
}

func taskGet(c *call) (answer, *refusal) {
	selected := c.exact("select")
	switch {
	case c.exact("taskId") == nil:
		return no(missing("taskId"))
	case selected != nil && asArray(selected) == nil:
		return no(refuse(400, "100", "Invalid value {%s} to match with parameter {select}. Should be value of type array.", text(selected)))
	}
	t := c.findTask()
	if t == nil {
		return ok(newArray())
	}
	return ok(object("task", c.p.taskRow(t, texts(selected))))
}

func userLink(id int) string { return "/company/personal/user/" + strconv.Itoa(id) + "/" }

func (p *Portal) person(id int) *array {
	name := ""
	if u := p.users[id]; u != nil {
		name = strings.TrimSpace(u.Name + " " + u.LastName)
	}
	return object("id", strconv.Itoa(id), "name", name, "link", userLink(id), "icon", "", "workPosition", "")
}
