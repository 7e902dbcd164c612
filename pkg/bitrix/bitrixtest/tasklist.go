package bitrixtest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// columns are the fields of a task as a filter and a select name them, with their values.
func (t *task) columns() *array {
	return object(
		"ID", t.ID, "PARENT_ID", nil, "TITLE", t.Title, "DESCRIPTION", t.Description,
		"RESPONSIBLE_ID", t.ResponsibleID, "CREATED_BY", t.CreatedBy, "CREATED_DATE", t.Created,
		"CHANGED_BY", t.changedBy, "CHANGED_DATE", t.Changed, "STATUS_CHANGED_BY", t.changedBy,
		"STATUS_CHANGED_DATE", t.statusChanged, "STATUS", t.Status, "REAL_STATUS", t.Status,
		"CLOSED_BY", zeroNil(t.ClosedBy), "CLOSED_DATE", timeNil(t.ClosedAt), "DEADLINE", timeNil(t.Deadline),
		"GROUP_ID", t.GroupID, "PRIORITY", 1, "XML_ID", orNil(t.XMLID), "GUID", t.guid())
}

func zeroNil(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

func timeNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func (t *task) guid() string {
	h := sha256.Sum256(fmt.Append(nil, "task", t.ID))
	return fmt.Sprintf("{%x-%x-%x-%x-%x}", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// taskLookup gives a filter the values of a task. Unknown fields are ignored by the filter.
func (p *Portal) taskLookup(t *task, cols *array) lookup {
	return func(name string) ([]any, bool) {
		name = strings.ToUpper(name)
		switch name {
		case "UF_CRM_TASK":
			return list(t.CRM...).values(), true
		case "AUDITOR":
			return list(t.Auditors...).values(), true
		case "ACCOMPLICE":
			return list(t.Accomplices...).values(), true
		case "XML_ID", "GUID":
			if p.opt.XMLIDFilterIgnored {
				return nil, false
			}
		case "TITLE":
			// TITLE is a pattern by itself.
			return []any{pattern(t.Title)}, true
		case "STATUS":
			return list(t.subStatus(p.now())...).values(), true
		}
		if v, isUF := t.custom[name]; isUF {
			return []any{v}, true
		}
		return []any{cols.get(name)}, cols.has(name)
	}
}

// pattern is a text that a filter compares by pattern ("%" stands for any text).
type pattern string

// subStatus lists what STATUS in a filter fits: the status itself, -1 for overdue.
func (t *task) subStatus(now time.Time) []int {
	out := []int{t.Status}
	if t.Status != taskCompleted && !t.Deadline.IsZero() && t.Deadline.Before(now) {
		out = append(out, -1)
	}
	return out
}

// sortable are the names tasks.task.list may be ordered by.
var sortable = []string{"ID", "TITLE", "CREATED_DATE", "CHANGED_DATE", "DEADLINE", "STATUS", "REAL_STATUS", "CLOSED_DATE",
	"RESPONSIBLE_ID", "CREATED_BY", "PRIORITY", "GROUP_ID", "ACTIVITY_DATE", "DATE_START"}

func taskList(c *call) (answer, *refusal) {
	p := c.p
	order, filter := asArray(c.exact("order")), asArray(c.exact("filter"))
	for _, name := range order.names() {
		if !slices.Contains(sortable, strings.ToUpper(name)) {
			return no(refuse(400, "0", "Invalid sorting key (internal error)"))
		}
	}
	if order.len() == 0 {
		order = object("ID", "desc")
	}
	now := p.now()
	rows := slices.DeleteFunc(byID(p.tasks), func(t *task) bool {
		return t.visible.After(now) || !p.mayReadTask(t) || !matches(filter, p.taskLookup(t, t.columns()))
	})
	sortBy(rows, order, func(t *task, name string) any { return t.columns().get(strings.ToUpper(name)) })
	part, total, next := page(rows, c.exact("start"))
	selected := texts(c.exact("select"))
	out := newArray()
	for _, t := range part {
		out.push(p.taskListRow(t, selected))
	}
	return answer{result: object("tasks", out), total: total, next: next}, nil
}

// camel turns a request's name into an answer's: RESPONSIBLE_ID, responsibleId.
func camel(name string) string {
	words := strings.Split(strings.ToLower(name), "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// shown prints a task's value: everything is a string but what is unset.
func shown(v any) any {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v)
	case time.Time:
		return v.Format(isoDate)
	}
	return v
}

func (p *Portal) taskListRow(t *task, selected []string) *array {
	cols, row := t.columns(), newArray()
	all := len(selected) == 0 || slices.Contains(selected, "*")
	for _, name := range cols.keys {
		if name == "REAL_STATUS" {
			continue
		}
		if all || slices.Contains(selected, name) || name == "ID" {
			row.set(camel(name), shown(cols.vals[name]))
		}
	}
	if all || slices.Contains(selected, "STATUS") {
		sub := t.subStatus(p.now())
		row.set("subStatus", strconv.Itoa(sub[len(sub)-1]))
	}
	if slices.Contains(selected, "UF_CRM_TASK") {
		row.set("ufCrmTask", list(t.CRM...))
	}
	for _, f := range p.taskUFs {
		if slices.Contains(selected, f.Name) {
			row.set(camel(f.Name), orNil(t.custom[f.Name]))
		}
	}
	if row.has("createdBy") {
		row.set("creator", p.person(t.CreatedBy))
	}
	if row.has("responsibleId") {
		row.set("responsible", p.person(t.ResponsibleID))
	}
	return row
}

// taskRow prints a task as add, update, complete and get do. With a select, the listed fields and
// those that always come along; without, everything but the user fields.
func (p *Portal) taskRow(t *task, selected []string) *array {
	cols, row := t.columns(), newArray()
	wanted := func(name string) bool {
		return len(selected) == 0 || slices.Contains(selected, name) || slices.Contains(selected, "*")
	}
	for _, name := range cols.keys {
		if name != "REAL_STATUS" && (wanted(name) || name == "ID") {
			row.set(camel(name), shown(cols.vals[name]))
		}
	}
	for _, f := range []struct {
		name  string
		value any
	}{
		{"MARK", nil}, {"MULTITASK", "N"}, {"NOT_VIEWED", "N"}, {"REPLICATE", "N"}, {"STAGE_ID", "0"},
		{"ACTIVITY_DATE", shown(t.Changed)}, {"DATE_START", nil}, {"START_DATE_PLAN", nil}, {"END_DATE_PLAN", nil},
		{"COMMENTS_COUNT", nil}, {"ALLOW_CHANGE_DEADLINE", "N"}, {"ALLOW_TIME_TRACKING", "N"},
		{"TASK_CONTROL", flag(t.Control)}, {"ADD_IN_REPORT", "N"}, {"TIME_ESTIMATE", "0"}, {"MATCH_WORK_TIME", "N"},
		{"SITE_ID", "s1"}, {"SUBORDINATE", "N"}, {"VIEWED_DATE", nil}, {"DURATION_TYPE", "days"},
		{"AUDITORS", list(idTexts(t.Auditors)...)}, {"ACCOMPLICES", list(idTexts(t.Accomplices)...)},
		{"CHECKLIST", newArray()},
	} {
		if wanted(f.name) {
			row.set(camel(f.name), f.value)
		}
	}
	if slices.ContainsFunc(selected, func(s string) bool {
		return s == "UF_CRM_TASK" || s == "UF_TASK_WEBDAV_FILES" || s == "UF_MAIL_MESSAGE"
	}) {
		row.set("ufCrmTask", list(t.CRM...))
		row.set("ufTaskWebdavFiles", newArray())
		row.set("ufMailMessage", nil)
	}
	done := t.Status == taskCompleted
	row.set("descriptionInBbcode", flag(t.inBBCode))
	row.set("favorite", "N")
	row.set("group", newArray())
	row.set("creator", p.person(t.CreatedBy))
	row.set("responsible", p.person(t.ResponsibleID))
	row.set("accomplicesData", p.people(t.Accomplices))
	row.set("auditorsData", p.people(t.Auditors))
	row.set("newCommentsCount", 0)
	row.set("action", object("accept", false, "decline", false, "complete", !done, "approve", t.Status == taskControl,
		"start", !done, "pause", t.Status == taskInProgress, "delegate", !done, "remove", true, "edit", true,
		"defer", !done, "renew", done))
	return row
}

// people is a map by user id, and so [] when empty.
func (p *Portal) people(ids []int) *array {
	out := newArray()
	for _, id := range ids {
		out.set(strconv.Itoa(id), p.person(id))
	}
	return out
}

func idTexts(ids []int) (out []string) {
	for _, id := range ids {
		out = append(out, strconv.Itoa(id))
	}
	return out
}

func taskFields(c *call) (answer, *refusal) {
	field := func(title, typ string) *array { return object("title", title, "type", typ) }
	with := func(f *array, key string, v any) *array { f.set(key, v); return f }
	out := object(
		"ID", with(field("ID", "integer"), "primary", true),
		"TITLE", with(field("Title", "string"), "required", true),
		"DESCRIPTION", field("Description", "string"),
		"DEADLINE", field("Deadline", "datetime"),
		"STATUS", with(with(field("Status", "enum"), "values", object("2", "Pending", "3", "In Progress",
			"4", "Awaiting Review", "5", "Completed", "6", "Deferred")), "default", taskPending),
		"CREATED_BY", with(field("Created by", "integer"), "required", true),
		"RESPONSIBLE_ID", with(field("Assignee", "integer"), "required", true),
		"ACCOMPLICES", object("title", nil, "type", "array"), "AUDITORS", object("title", nil, "type", "array"),
		"CLOSED_BY", with(field("Closed by", "integer"), "default", nil),
		"CLOSED_DATE", field("Closed on", "datetime"), "GROUP_ID", with(field("Project", "integer"), "default", 0),
		"TASK_CONTROL", field("Status summary", "enum"), "GUID", field("GUID", "string"),
		"XML_ID", with(field("XML_ID", "string"), "default", nil),
		"UF_CRM_TASK", field("CRM items", "crm"))
	for _, f := range c.p.taskUFs {
		out.set(f.Name, with(field(f.label(), "string"), "required", f.Mandatory))
	}
	return ok(object("fields", out))
}
