package bitrixtest

import "time"

// Kind is the entityTypeId of a CRM object
// (https://apidocs.bitrix24.com/api-reference/crm/data-types.html).
type Kind int

// The kinds the portal keeps.
const (
	Lead    Kind = 1
	Deal    Kind = 2
	Contact Kind = 3
	Company Kind = 4
)

// String is the name of the kind in method names: "lead", "deal", "contact", "company".
func (k Kind) String() string {
	return [...]string{"", "lead", "deal", "contact", "company"}[k]
}

// Entity is a lead, deal, contact or company as a test sees it. Which fields apply depends on the
// kind, as in Bitrix24; the others are empty.
type Entity struct {
	ID       int
	Kind     Kind
	Title    string
	Name     string
	LastName string
	// Phones and Emails as they are stored, in order. Not for deals.
	Phones []string
	Emails []string
	// ResponsibleID is the user in charge. Seeding with 0 means the owner of the webhook.
	ResponsibleID int
	// StageID is the stage of a lead or deal; seeding with "" means the first one.
	StageID string
	// Semantic is P (open), S (won) or F (lost); computed from the stage, ignored in seeding.
	Semantic          string
	CategoryID        int
	SourceID          string
	SourceDescription string
	Comments          string
	// ContactID is the primary contact and the first of ContactIDs. Seeding either is enough.
	ContactID  int
	ContactIDs []int
	CompanyID  int
	// LeadID is the lead a deal or contact was converted from.
	LeadID int
	// UTM by short name: "source", "medium", "campaign", "content", "term". Filled ones only.
	UTM map[string]string
	// Custom holds user fields (UF_*); several values are joined with a line feed.
	Custom       map[string]string
	OriginatorID string
	OriginID     string
	CreatedBy    int
	// Created, Updated, LastActivity and ClosedAt: seeding zero means now (ClosedAt: when the stage
	// is a final one).
	Created      time.Time
	Updated      time.Time
	LastActivity time.Time
	ClosedAt     time.Time
	// Closed is true when the stage is final.
	Closed bool
	// MyCompany marks the portal owner's own company.
	MyCompany bool
	// Opened is OPENED: every employee may read it. In seeding it is taken as it is.
	Opened bool
}

// Task is a task as a test sees it.
type Task struct {
	ID            int
	Title         string
	Description   string
	ResponsibleID int
	CreatedBy     int
	// Deadline is zero when there is none.
	Deadline time.Time
	// Status: 2 pending, 3 in progress, 4 awaiting control, 5 completed, 6 deferred.
	Status   int
	ClosedBy int
	ClosedAt time.Time
	// CRM are the bindings: "L_1" lead, "D_1" deal, "C_1" contact, "CO_1" company.
	CRM     []string
	XMLID   string
	Created time.Time
	Changed time.Time
	// Control is TASK_CONTROL: completing by anyone but the creator makes it await control.
	Control bool
	GroupID int
	// Auditors and Accomplices are user ids.
	Auditors    []int
	Accomplices []int
}

// User is an employee.
type User struct {
	// ID 0 in AddUser means the next free one.
	ID       int
	Name     string
	LastName string
	Email    string
	Active   bool
	Admin    bool
	// InnerPhone is the extension, UF_PHONE_INNER.
	InnerPhone string
	// Mobile is PERSONAL_MOBILE and WorkPhone is WORK_PHONE.
	Mobile    string
	WorkPhone string
	// Departments are ids of department.get; by default the root, 1.
	Departments []int
}

// UserField is a field made by the portal's administrator.
type UserField struct {
	// Name with or without the prefix UF_CRM_ (for tasks UF_).
	Name string
	// Type is the USER_TYPE_ID, "string" by default.
	Type      string
	Label     string
	XMLID     string
	Mandatory bool
	Multiple  bool
}

// Status is a row of a directory: a stage or a source
// (https://apidocs.bitrix24.com/api-reference/crm/status/crm-status-list.html).
type Status struct {
	// EntityID is the directory: STATUS, SOURCE, DEAL_STAGE, DEAL_STAGE_9.
	EntityID string
	StatusID string
	Name     string
	Sort     int
	// Semantics is "" for work stages and sources, "S" won, "F" lost.
	Semantics string
}

// Comment is a timeline comment.
type Comment struct {
	ID   int
	Kind Kind
	// EntityID is the object it was written on.
	EntityID int
	Text     string
	Created  time.Time
}

// Call is a telephony call registered with the portal.
type Call struct {
	CallID     string
	ExternalID string
	UserID     int
	Phone      string
	// Type: 1 outgoing, 2 incoming, 3 incoming redirected, 4 callback.
	Type     int
	Duration int
	Status   string
	Started  time.Time
	// Finished is true once telephony.externalcall.finish has run.
	Finished   bool
	EntityKind Kind
	EntityID   int
	RecordURL  string
}

// Command is one command of a batch.
type Command struct {
	Key    string
	Method string
	// Ran is true when the command was executed with success. A command that was refused has an Error or
	// at least no success; one after a halt has neither.
	Ran bool
	// Error is the code it was refused with, or "".
	Error string
}

// Request is one HTTP request the portal received.
type Request struct {
	Time time.Time
	// Method in lower case, "" when the address has none.
	Method string
	// Commands of a batch, in order.
	Commands []Command
	// Status is the HTTP status, 0 when the connection was cut.
	Status int
	// Error is the code of the error envelope, or "".
	Error string
	// Fault names the injected fault that hit this request, or "".
	Fault string
	// Source is the address the bucket was counted for.
	Source string
}

// Has reports whether the request is a call of the method, alone or in a batch.
func (r Request) Has(method string) bool {
	if r.Method == method {
		return true
	}
	for _, c := range r.Commands {
		if c.Method == method {
			return true
		}
	}
	return false
}

// Action is what happened to an object.
type Action string

// The actions History tells.
const (
	Added   Action = "add"
	Updated Action = "update"
	Deleted Action = "delete"
)

// Change is one line of the portal's memory. Nothing is ever taken out of it, so it is the oracle
// for "at most one object per external id ever existed".
type Change struct {
	Time   time.Time
	Action Action
	// Object is "lead", "deal", "contact", "company", "task", "activity", "comment", "call" or "trace".
	Object string
	ID     int
	// ExternalID is "ORIGINATOR_ID/ORIGIN_ID", the task's XML_ID or the call's EXTERNAL_CALL_ID.
	ExternalID string
	// Method that did it; "" when a person did (Edit, Delete, seeding).
	Method string
	// Fields named in the request, sorted.
	Fields []string
}
