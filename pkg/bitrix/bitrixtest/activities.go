package bitrixtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// activity is a row of the timeline: a call, a meeting
// (https://apidocs.bitrix24.com/api-reference/crm/timeline/activities/activity-base/crm-activity-add.html).
type activity struct {
	id                   int
	owner                Kind
	ownerID              int
	typ, direction       int
	subject, description string
	responsible          int
	completed            bool
	start, end           time.Time
	originator, origin   string
	provider             string
	visible              time.Time
}

// Comments returns the timeline comments in the order they were written.
func (p *Portal) Comments() []Comment {
	p.lock()
	defer p.mu.Unlock()
	return slices.Clone(p.comments)
}

func activityAdd(c *call) (answer, *refusal) {
	fields := c.arr("fields")
	if fields == nil {
		return no(plain("Parameter 'fields' must be array."))
	}
	owner, id := Kind(number(fields.fold("OWNER_TYPE_ID"))), number(fields.fold("OWNER_ID"))
	communications := asArray(fields.fold("COMMUNICATIONS"))
	switch {
	case number(fields.fold("TYPE_ID")) == 0:
		return no(plain("The field TYPE_ID is not defined or invalid."))
	case text(fields.fold("SUBJECT")) == "":
		return no(plain("The field SUBJECT is not defined or empty."))
	case number(fields.fold("RESPONSIBLE_ID")) == 0:
		return no(plain("The field RESPONSIBLE_ID is not defined or invalid."))
	case communications.len() == 0:
		return no(plain("The field COMMUNICATIONS is not defined or invalid."))
	case communications.len() > 1:
		return no(plain("The only one communication is allowed for activity of specified type."))
	case c.p.records[owner][id] == nil:
		return no(plain("Could not build binding. Please ensure that owner info and communications are defined correctly."))
	case !c.p.mayWrite(c.p.records[owner][id]):
		return no(plain("Access denied."))
	}
	a := &activity{
		owner: owner, ownerID: id, typ: number(fields.fold("TYPE_ID")), direction: number(fields.fold("DIRECTION")),
		subject: text(fields.fold("SUBJECT")), description: text(fields.fold("DESCRIPTION")),
		responsible: number(fields.fold("RESPONSIBLE_ID")), completed: yes(fields.fold("COMPLETED")),
		originator: text(fields.fold("ORIGINATOR_ID")), origin: text(fields.fold("ORIGIN_ID")),
		visible: c.visibleFrom(), provider: "CRM_CALL",
	}
	a.start, _ = parseTime(text(fields.fold("START_TIME")), c.p.opt.Location)
	a.end, _ = parseTime(text(fields.fold("END_TIME")), c.p.opt.Location)
	c.addActivity(a)
	return ok(a.id)
}

func (c *call) addActivity(a *activity) {
	a.id = c.p.nextID("activity")
	c.p.events = append(c.p.events, a)
	if r := c.p.records[a.owner][a.ownerID]; r != nil {
		r.values["LAST_ACTIVITY_TIME"], r.values["LAST_ACTIVITY_BY"] = c.p.now(), a.responsible
	}
	external := ""
	if a.origin != "" {
		external = a.originator + "/" + a.origin
	}
	c.remember(Added, "activity", a.id, external)
}

func (a *activity) row() *array {
	date := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(isoDate)
	}
	status := "1"
	if a.completed {
		status = "2"
	}
	return object("ID", strconv.Itoa(a.id), "OWNER_ID", strconv.Itoa(a.ownerID), "OWNER_TYPE_ID", strconv.Itoa(int(a.owner)),
		"TYPE_ID", strconv.Itoa(a.typ), "PROVIDER_ID", a.provider, "SUBJECT", a.subject, "START_TIME", date(a.start),
		"END_TIME", date(a.end), "COMPLETED", flag(a.completed), "STATUS", status, "RESPONSIBLE_ID", strconv.Itoa(a.responsible),
		"DESCRIPTION", a.description, "DIRECTION", strconv.Itoa(a.direction), "SETTINGS", newArray(),
		"ORIGINATOR_ID", orNil(a.originator), "ORIGIN_ID", orNil(a.origin))
}

func activityList(c *call) (answer, *refusal) {
	filter := upperKeys(c.arr("filter"))
	now := c.p.now()
	var rows []any
	for _, a := range c.p.events {
		row := a.row()
		if !a.visible.After(now) && matches(filter, func(name string) ([]any, bool) { return []any{row.get(name)}, row.has(name) }) {
			rows = append(rows, row)
		}
	}
	part, total, next := page(rows, c.param("start"))
	selected := texts(c.param("select"))
	out := newArray()
	for _, v := range part {
		row := newArray()
		for _, name := range asArray(v).keys {
			if len(selected) == 0 || slices.Contains(selected, "*") || slices.Contains(selected, name) {
				row.set(name, asArray(v).vals[name])
			}
		}
		out.push(row)
	}
	return answer{result: out, total: total, next: next}, nil
}

// commentAdd takes "fields" in lower case only
// (https://apidocs.bitrix24.com/api-reference/crm/timeline/comments/crm-timeline-comment-add.html).
func commentAdd(c *call) (answer, *refusal) {
	fields := asArray(c.exact("fields"))
	if fields == nil {
		return no(missing("fields"))
	}
	kind, id := kindNamed(text(fields.get("ENTITY_TYPE"))), number(fields.get("ENTITY_ID"))
	r := c.p.records[kind][id]
	switch {
	case text(fields.get("COMMENT")) == "":
		return no(refuse(400, "INVALID_ARG_VALUE", "Empty comment message"))
	case r == nil:
		return no(refuse(400, "OWNER_NOT_FOUND", "Owner was not found"))
	case !c.p.mayWrite(r):
		return no(refuse(403, "ACCESS_DENIED", "Access denied"))
	}
	comment := Comment{ID: c.p.nextID("comment"), Kind: kind, EntityID: id, Text: text(fields.get("COMMENT")), Created: c.p.now()}
	c.p.comments = append(c.p.comments, comment)
	c.remember(Added, "comment", comment.ID, "")
	return ok(comment.ID)
}

func kindNamed(name string) Kind {
	for _, k := range []Kind{Lead, Deal, Contact, Company} {
		if k.String() == strings.ToLower(name) {
			return k
		}
	}
	return 0
}

// traceAdd is crm.tracking.trace.add: TRACE is JSON in a string
// (https://apidocs.bitrix24.com/api-reference/crm/tracking/crm-tracking-trace-add.html).
func traceAdd(c *call) (answer, *refusal) {
	trace := text(c.param("TRACE"))
	if trace == "" {
		return no(refuse(400, "ERROR_CORE", "Parameter `TRACE` required."))
	}
	if v, err := fromJSON([]byte(trace)); err != nil || asArray(v) == nil {
		return no(refuse(400, "ERROR_CORE", "Can not parse JSON in parameter `TRACE`."))
	}
	for _, v := range c.arr("ENTITIES").values() {
		e := asArray(v)
		kind, id := kindNamed(text(e.fold("TYPE"))), number(e.fold("ID"))
		switch r := c.p.records[kind][id]; {
		case kind == 0:
			return no(refuse(400, "ERROR_CORE", "Wrong TYPE `%s`.", text(e.fold("TYPE"))))
		case id <= 0:
			return no(refuse(400, "ERROR_CORE", "Wrong ID `%s`.", text(e.fold("ID"))))
		case r == nil || !c.p.mayWrite(r):
			return no(refuse(400, "ERROR_CORE", "You have no access to entity %s with ID %d.", upper(kind), id))
		}
	}
	id := c.p.nextID("trace")
	c.remember(Added, "trace", id, "")
	return ok(id)
}
