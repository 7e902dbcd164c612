package event

import (
	"encoding/json"
	"time"
)

// Source says which door a request came through.
type Source string

// The sources.
const (
	FromWebhook        Source = "webhook"
	FromReconciliation Source = "reconciliation"
	FromImport         Source = "import"
)

// CallReceived is a request as it came, byte for byte, so that a reading mistake
// can be put right later without asking Ringostat again.
type CallReceived struct {
	Project    string            `json:"project"`
	Source     Source            `json:"source"`
	Method     string            `json:"method"`
	Query      string            `json:"query,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
	Body       []byte            `json:"body,omitempty"`
	ReceivedAt time.Time         `json:"received_at"`
	// RetryOf is the parked event that a person asked to try again.
	RetryOf string `json:"retry_of,omitempty"`
}

// CallClassified is what is known of a call after one more report.
type CallClassified struct {
	Project  string `json:"project"`
	Received string `json:"received_id"`
	// Revision is the version of the settings it was read with.
	Revision int `json:"revision"`
	// Retry is true when a person asked to try a parked call again.
	Retry bool `json:"retry,omitempty"`
	// Changed is false when this report told nothing new.
	Changed bool `json:"changed"`
	// Again is there when a replay has the call decided again.
	Again *Again `json:"again,omitempty"`
	Call
}

// Ref points to one entity of the CRM.
type Ref struct {
	Kind        string `json:"kind"`
	ID          int    `json:"id"`
	Title       string `json:"title,omitempty"`
	Responsible int    `json:"responsible,omitempty"`
}

// Client is what the CRM knew about a number when it was asked.
type Client struct {
	// State is new, contact, open or anonymous; empty for an internal call, for which
	// nobody is asked.
	State string `json:"state,omitempty"`
	// Open is the open deal or lead that the call belongs to.
	Open *Ref `json:"open,omitempty"`
	// Contact and Company are who the number belongs to.
	Contact *Ref `json:"contact,omitempty"`
	Company *Ref `json:"company,omitempty"`
	// Others were found too and are named in the task, but not chosen.
	Others []Ref `json:"others,omitempty"`
	// ChosenBecause says in one word of the choice's rule why Open was taken.
	ChosenBecause string `json:"chosen_because,omitempty"`
	// Owner is the responsible of Open, else of the contact, else of the company.
	Owner int `json:"owner,omitempty"`
}

// Item is an entity of the CRM as far as choosing needs it.
type Item struct {
	Ref
	Contact int       `json:"contact,omitempty"`
	Company int       `json:"company,omitempty"`
	Active  time.Time `json:"active,omitzero"`
}

// Found is the CRM's answer that a client was chosen from: choosing again needs it.
type Found struct {
	Open      []Item `json:"open,omitempty"`
	Contacts  []Item `json:"contacts,omitempty"`
	Companies []Item `json:"companies,omitempty"`
}

// Person is a Bitrix24 user as far as a decision needs him.
type Person struct {
	Name   string `json:"name,omitempty"`
	Active bool   `json:"active"`
}

// CallResolved is a finished call beside what the CRM knew of its client.
type CallResolved struct {
	Project    string `json:"project"`
	Classified string `json:"classified_id"`
	Revision   int    `json:"revision"`
	// Code is the version of the program that decided.
	Code   string `json:"code,omitempty"`
	Client Client `json:"client"`
	// Found is what Client was chosen from; nil for decisions of versions that did not
	// keep it, and where nobody was asked.
	Found *Found `json:"found,omitempty"`
	// Answerer is owner, employee, unmapped or nobody.
	Answerer string `json:"answerer"`
	// People holds the users that the decision may name, by Bitrix24 id.
	People map[int]Person `json:"people,omitempty"`
	// WithoutLeads is true on a portal that makes deals at once.
	WithoutLeads bool `json:"without_leads,omitempty"`
	// Turn is whose turn it is to take a missed call of a new client.
	Turn int `json:"turn,omitempty"`
	// Decision counts the decisions of this call from 1: a reader that wants each call
	// once looks at the first.
	Decision int `json:"decision"`
	// Amends is true when the call was decided before and a later report told more.
	Amends bool `json:"amends,omitempty"`
	// First is what the decision that is amended was made on: what it made is brought up
	// to date even where the facts of today would not have made it.
	First *Ground `json:"first,omitempty"`
	// Between are the decisions since then that were followed by one of another situation:
	// what only they wanted was left as they wrote it.
	Between []Ground `json:"between,omitempty"`
	Facts   Call     `json:"call"`
	// Received names the call.received events that Facts were read from.
	Received []string `json:"received_ids,omitempty"`
	// Replay is there when a replay asked for this decision.
	Replay *Replay `json:"replay,omitempty"`
}

// Ground is what a decision was made on, beside what the CRM knew.
type Ground struct {
	Answerer string   `json:"answerer"`
	Facts    Call     `json:"call"`
	Received []string `json:"received_ids,omitempty"`
}

// Again is the ground on which a replay has a call decided again.
type Again struct {
	// Over counts the decisions that the plan knew of. A call that was decided once more
	// since then stays as it is.
	Over   int          `json:"over"`
	Ground CallResolved `json:"ground"`
}

// Replay is what an approved plan of a replay says of one call.
type Replay struct {
	Plan string `json:"plan_id"`
	// Keep names, by role, the fields that a person changed: they stay as they are.
	Keep map[string][]string `json:"keep,omitempty"`
	// Undo is what should not be there any more, as it is to look from now on.
	Undo []Undo `json:"undo,omitempty"`
}

// Undo is something that was made by mistake. It is never deleted: it says that it was not
// needed, in its text, and a task is closed; or in its title, by the project's settings.
type Undo struct {
	Role   string  `json:"role"`
	Kind   Kind    `json:"kind"`
	Entity *Entity `json:"entity,omitempty"`
	Task   *Task   `json:"task,omitempty"`
}

// ParkedState says where a parked thing stands.
type ParkedState string

// The states.
const (
	ParkedWaiting ParkedState = "parked"
	ParkedRetried ParkedState = "retried"
	ParkedDropped ParkedState = "dropped"
)

// CallParked is what could not go on, at which step, why, and what a person can do.
// The same parked thing is spoken of again, by ID, when it was retried or dropped.
type CallParked struct {
	ID      string      `json:"parked_id"`
	Project string      `json:"project"`
	Call    string      `json:"call_id,omitempty"`
	State   ParkedState `json:"state"`
	// Received names the call.received events that a retry would read again.
	Received []string `json:"received_ids,omitempty"`
	Step     string   `json:"step"`
	Reason   string   `json:"reason"`
	Remedy   string   `json:"remedy"`
	// ReasonIn and RemedyIn have both in every language. They are not there where only
	// a programmer has a use for the reason.
	ReasonIn Texts `json:"reason_in,omitempty"`
	RemedyIn Texts `json:"remedy_in,omitempty"`
	// Why is what the person who dropped it said.
	Why string `json:"why,omitempty"`
}

// SettingsChanged is a new revision of a project's settings, without its secrets.
type SettingsChanged struct {
	Project  string          `json:"project"`
	Revision int             `json:"revision"`
	By       string          `json:"by"`
	Settings json.RawMessage `json:"settings"`
}

// ReplayPlanned is what deciding a range of calls again would change. It changes
// nothing by itself.
type ReplayPlanned struct {
	ID       string `json:"plan_id"`
	Project  string `json:"project"`
	Revision int    `json:"revision"`
	Code     string `json:"code,omitempty"`
	// Since and Until bound the calls by their start; absent: no bound.
	Since   *time.Time     `json:"since,omitempty"`
	Until   *time.Time     `json:"until,omitempty"`
	CallIDs []string       `json:"call_ids,omitempty"`
	Rule    string         `json:"rule,omitempty"`
	Fresh   bool           `json:"fresh,omitempty"`
	Calls   int            `json:"calls"`
	Totals  map[string]int `json:"totals"`
}

// ReplayApplied is the end of a plan's execution.
type ReplayApplied struct {
	ID       string `json:"plan_id"`
	Project  string `json:"project"`
	Revision int    `json:"revision"`
	// State is done, aborted or failed.
	State string `json:"state"`
	// Applied counts the calls that were put right, Skipped those about which more became
	// known since the plan.
	Applied int `json:"applied"`
	Skipped int `json:"skipped"`
	// Totals count the rows of the plan, by kind.
	Totals map[string]int `json:"totals"`
	Reason string         `json:"reason,omitempty"`
}

// Type says which event it is.
func (*CallReceived) Type() Type    { return TypeCallReceived }
func (*CallClassified) Type() Type  { return TypeCallClassified }
func (*CallResolved) Type() Type    { return TypeCallResolved }
func (*BitrixCommand) Type() Type   { return TypeBitrixCommand }
func (*BitrixOutcome) Type() Type   { return TypeBitrixOutcome }
func (*CallParked) Type() Type      { return TypeCallParked }
func (*SettingsChanged) Type() Type { return TypeSettingsChanged }
func (*ReplayPlanned) Type() Type   { return TypeReplayPlanned }
func (*ReplayApplied) Type() Type   { return TypeReplayApplied }

func (p *CallReceived) about() (string, string)    { return p.Project, "" }
func (p *CallClassified) about() (string, string)  { return p.Project, p.Call.ID }
func (p *CallResolved) about() (string, string)    { return p.Project, p.Facts.ID }
func (p *BitrixCommand) about() (string, string)   { return p.Project, p.Call }
func (p *BitrixOutcome) about() (string, string)   { return p.Project, p.Call }
func (p *CallParked) about() (string, string)      { return p.Project, p.Call }
func (p *SettingsChanged) about() (string, string) { return p.Project, "" }
func (p *ReplayPlanned) about() (string, string)   { return p.Project, "" }
func (p *ReplayApplied) about() (string, string)   { return p.Project, "" }
