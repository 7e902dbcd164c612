package bitrixtest

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// phoneCall is a call between register and finish, and its row in the statistics afterwards
// (https://apidocs.bitrix24.com/api-reference/telephony/index.html).
type phoneCall struct {
	Call
	line       string
	registered time.Time
	number     int
	activity   int
	recordFile int
	category   string
}

// reregister is the time within which registering the same call again returns the first one.
const reregister = 30 * time.Minute

// Calls returns the telephony calls in the order they were registered.
func (p *Portal) Calls() []Call {
	p.lock()
	defer p.mu.Unlock()
	out := []Call{}
	for _, pc := range p.callsInOrder() {
		out = append(out, pc.Call)
	}
	return out
}

func (p *Portal) callsInOrder() []*phoneCall {
	all := byID(p.calls)
	slices.SortFunc(all, func(a, b *phoneCall) int { return a.number - b.number })
	return all
}

func core(format string, args ...any) *refusal { return refuse(400, "ERROR_CORE", format, args...) }

// caller finds the employee by USER_ID or extension.
func (c *call) caller() (*User, *refusal) {
	inner := text(c.param("USER_PHONE_INNER"))
	id := number(c.param("USER_ID"))
	if id == 0 && inner == "" {
		return nil, core("USER_ID or USER_PHONE_INNER should be set.")
	}
	for _, u := range byID(c.p.users) {
		if u.Active && (id != 0 && u.ID == id || id == 0 && u.InnerPhone == inner) {
			return u, nil
		}
	}
	return nil, core("User is not found or is not active.")
}

func callRegister(c *call) (answer, *refusal) {
	p := c.p
	u, err := c.caller()
	if err != nil {
		return no(err)
	}
	typ, phone := number(c.param("TYPE")), text(c.param("PHONE_NUMBER"))
	if typ < 1 || typ > 5 {
		return no(core("Unknown TYPE."))
	}
	if digits(phone) == "" {
		return no(core("Unsupported phone number format."))
	}
	started := p.now()
	if s := text(c.param("CALL_START_DATE")); s != "" {
		t, isTime := parseTime(s, p.opt.Location)
		if !isTime {
			return no(core("CALL_START_DATE should be in the ISO-8601 format."))
		}
		started = t
	}
	external, line := text(c.param("EXTERNAL_CALL_ID")), text(c.param("LINE_NUMBER"))
	for _, pc := range p.callsInOrder() {
		same := pc.Phone == digits(phone) && pc.Type == typ && pc.UserID == u.ID && pc.line == line && pc.ExternalID == external
		if same && !pc.Finished && p.now().Sub(pc.registered) < reregister {
			return ok(pc.registerRow(nil))
		}
	}
	n := p.nextID("call")
	pc := &phoneCall{line: line, registered: p.now(), number: n, category: "external"}
	pc.Call = Call{CallID: fmt.Sprintf("externalCall.%x.%d", md5.Sum(fmt.Append(nil, "call", n)), p.now().Unix()),
		ExternalID: external, UserID: u.ID, Phone: digits(phone), Type: typ, Started: started}
	if k := kindNamed(text(c.param("CRM_ENTITY_TYPE"))); k != 0 {
		pc.EntityKind, pc.EntityID = k, number(c.param("CRM_ENTITY_ID"))
	} else if found := p.byPhone(pc.Phone); len(found) > 0 {
		pc.EntityKind, pc.EntityID = found[0].kind, found[0].id
	}
	var lead *record
	if pc.EntityID == 0 && yes(c.param("CRM_CREATE")) {
		fields := object("TITLE", "Call "+phone, "SOURCE_ID", "CALL", "ASSIGNED_BY_ID", u.ID,
			"PHONE", list(object("VALUE", phone, "VALUE_TYPE", "WORK")))
		lead, err = c.create(Lead, fields, classicFamily)
		if err != nil {
			return no(err)
		}
		pc.EntityKind, pc.EntityID = Lead, lead.id
	}
	p.calls[pc.CallID] = pc
	c.remember(Added, "call", n, external)
	return ok(pc.registerRow(lead))
}

func (pc *phoneCall) entityRow(row *array) *array {
	if pc.EntityID == 0 {
		row.set("CRM_ENTITY_TYPE", nil)
		row.set("CRM_ENTITY_ID", nil)
		return row
	}
	row.set("CRM_ENTITY_TYPE", upper(pc.EntityKind))
	row.set("CRM_ENTITY_ID", pc.EntityID)
	return row
}

func (pc *phoneCall) registerRow(lead *record) *array {
	row := object("CALL_ID", pc.CallID, "CRM_CREATED_LEAD", nil, "CRM_CREATED_ENTITIES", newArray())
	if lead != nil {
		row.set("CRM_CREATED_LEAD", lead.id)
		row.set("CRM_CREATED_ENTITIES", list(object("ENTITY_TYPE", "LEAD", "ENTITY_ID", lead.id)))
	}
	return pc.entityRow(row)
}

func callFinish(c *call) (answer, *refusal) {
	if _, isText := c.param("CALL_ID").(string); !isText {
		return no(refuse(400, "INVALID_ARGUMENT", "CALL_ID must be a string"))
	}
	pc := c.p.calls[text(c.param("CALL_ID"))]
	if pc == nil || pc.Finished {
		return no(core("Call is not found (call should be registered prior to finishing)"))
	}
	u, err := c.caller()
	if err != nil {
		return no(err)
	}
	pc.Finished, pc.UserID, pc.Duration = true, u.ID, number(c.param("DURATION"))
	pc.Status = text(c.param("STATUS_CODE"))
	if pc.Status == "" {
		pc.Status = "304"
		if pc.Duration > 0 {
			pc.Status = "200"
		}
	}
	pc.RecordURL = text(c.param("RECORD_URL"))
	var activityID any
	if pc.EntityID != 0 {
		direction := 1
		if pc.Type == 1 || pc.Type == 4 {
			direction = 2
		}
		a := &activity{owner: pc.EntityKind, ownerID: pc.EntityID, typ: 2, direction: direction, subject: "Call " + pc.Phone,
			responsible: u.ID, completed: pc.Status == "200", start: pc.Started,
			end: pc.Started.Add(time.Duration(pc.Duration) * time.Second), provider: "VOXIMPLANT_CALL", visible: c.visibleFrom()}
		c.addActivity(a)
		pc.activity, activityID = a.id, a.id
	}
	c.remember(Updated, "call", pc.number, pc.ExternalID)
	row := object("CALL_ID", pc.CallID, "EXTERNAL_CALL_ID", orNil(pc.ExternalID), "PORTAL_USER_ID", pc.UserID,
		"PHONE_NUMBER", pc.Phone, "PORTAL_NUMBER", pc.line, "INCOMING", strconv.Itoa(pc.Type), "CALL_DURATION", pc.Duration,
		"CALL_START_DATE", blank{}, "CALL_STATUS", number(pc.Status == "200"), "CALL_VOTE", number(c.param("VOTE")),
		"COST", 0, "COST_CURRENCY", "", "CALL_FAILED_CODE", pc.Status, "CALL_FAILED_REASON", text(c.param("FAILED_REASON")),
		"CRM_ACTIVITY_ID", activityID, "COMMENT", nil)
	pc.entityRow(row).set("ID", pc.number)
	return ok(row)
}

func callAttach(c *call) (answer, *refusal) {
	pc := c.p.calls[text(c.param("CALL_ID"))]
	url, name, content := text(c.param("RECORD_URL")), text(c.param("FILENAME")), text(c.param("FILE_CONTENT"))
	if pc == nil || !pc.Finished {
		return no(core("Call is not found in the statistic table. It looks like it is not finished yet."))
	}
	switch ext := strings.ToLower(path.Ext(name)); {
	case url == "" && name == "" && content == "":
		return no(core("RECORD_URL or FILENAME should be set."))
	case url != "":
		pc.RecordURL = url
	case name == "":
		return no(core("File name is empty"))
	case ext != ".wav" && ext != ".mp3":
		return no(core("Wrong file extension. Only wav and mp3 are allowed"))
	case c.param("FILE_CONTENT") == nil:
		return ok(object("uploadUrl", "https://portal.example.com/rest/upload.json?token=0", "fieldName", "file"))
	case content == "":
		return no(core("File content is empty."))
	default:
		if _, err := base64.StdEncoding.DecodeString(content); err != nil {
			return no(core("File content is not properly encoded. Base64 encoding is expected."))
		}
	}
	pc.recordFile = 9000 + c.p.nextID("file")
	c.remember(Updated, "call", pc.number, pc.ExternalID)
	return ok(object("FILE_ID", pc.recordFile))
}

func callStatistic(c *call) (answer, *refusal) {
	if !c.p.owner().Admin {
		return no(refuse(403, "ACCESS_DENIED", "Access denied!"))
	}
	filter := upperKeys(c.arr("FILTER"))
	var rows []any
	for _, pc := range c.p.callsInOrder() {
		if !pc.Finished {
			continue
		}
		row := object("ID", strconv.Itoa(pc.number), "PORTAL_USER_ID", strconv.Itoa(pc.UserID), "PORTAL_NUMBER", pc.line,
			"PHONE_NUMBER", pc.Phone, "CALL_ID", pc.CallID, "EXTERNAL_CALL_ID", orNil(pc.ExternalID),
			"CALL_CATEGORY", pc.category, "CALL_DURATION", strconv.Itoa(pc.Duration),
			"CALL_START_DATE", pc.Started.Format(isoDate), "CALL_RECORD_URL", pc.RecordURL, "COST", "0.0000",
			"CALL_FAILED_CODE", pc.Status, "CRM_ACTIVITY_ID", strconv.Itoa(pc.activity), "CALL_TYPE", strconv.Itoa(pc.Type),
			"RECORD_FILE_ID", zeroNil(pc.recordFile), "SESSION_ID", nil)
		pc.entityRow(row)
		if pc.EntityID != 0 {
			row.set("CRM_ENTITY_ID", strconv.Itoa(pc.EntityID))
		}
		if matches(filter, func(name string) ([]any, bool) { return []any{row.get(name)}, row.has(name) }) {
			rows = append(rows, row)
		}
	}
	if descending(c.param("ORDER")) {
		slices.Reverse(rows)
	}
	part, total, next := page(rows, c.param("start"))
	return answer{result: list(part...), total: total, next: next}, nil
}
