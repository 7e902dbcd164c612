// Package crm is the conversation between the resolver, which wants to know what the
// CRM says of a client, and the writer, which alone may ask the portal. It holds
// questions and answers only; who answers and how is the writer's business.
package crm

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// LiveFor is how long a call counts as live. What is older when its turn comes (after an
// outage, from the call log, of a replay) waits behind what is live.
const LiveFor = 5 * time.Minute

// LookupSubject is where a project's questions about clients are put.
func LookupSubject(project string) string { return "ask." + project + ".lookup" }

// SettledSubject is where a project's writer says that a call's plan is settled.
func SettledSubject(project string) string { return "ask." + project + ".settled" }

// Lookup asks who a number belongs to and what is open for him.
type Lookup struct {
	// Spellings are the ways the number may be written in the CRM, at most 20.
	Spellings []string `json:"spellings"`
	// Since is when there was first something to do about the call: older calls are looked
	// up first, but those of minutes ago behind those of now.
	Since time.Time `json:"since"`
	// Replay is true for a question that waits behind those of live calls.
	Replay bool `json:"replay,omitempty"`
}

// Found is what the CRM knows. Entities are those that a call may belong to: open
// leads and deals only, and the contacts and companies with the number.
type Found struct {
	Open      []Item `json:"open,omitempty"`
	Contacts  []Item `json:"contacts,omitempty"`
	Companies []Item `json:"companies,omitempty"`
	// People are the portal's users by id; nil when the webhook may not read them.
	People map[int]event.Person `json:"people,omitempty"`
	// WithoutLeads is true on a portal that works without leads.
	WithoutLeads bool `json:"without_leads,omitempty"`
	// Refused says why the portal will not answer this question, in the words of the
	// project's language, RefusedIn in those of each. Asking again does not help.
	Refused   string      `json:"refused,omitempty"`
	RefusedIn event.Texts `json:"refused_in,omitempty"`
}

// Item is an entity of the CRM as far as choosing needs it.
type Item = event.Item

// Settled asks to be told when a call's plan is settled: it is answered then.
type Settled struct {
	Call string `json:"call"`
	Plan string `json:"plan"`
}

// SettledAnswer says that the plan is settled.
type SettledAnswer struct {
	Settled bool `json:"settled"`
}

// TurnSubject is where others who ask a project's portal get their turn: the portal counts
// them and the writer together.
func TurnSubject(project string) string { return "ask." + project + ".turn" }

// Turn asks for the place of one request in the writer's pace. It is answered when the
// request may leave.
type Turn struct{}

// TurnAnswer gives the place; it holds for now.
type TurnAnswer struct{}

// StatusSubject is where a project's writer says how its portal is doing.
func StatusSubject(project string) string { return "ask." + project + ".status" }

// StatusQuestion asks for a [Status].
type StatusQuestion struct{}

// PortalState says how a portal is doing.
type PortalState string

// The states: ok; slow, it asked for fewer requests or answers late; refused, it
// does not let this webhook work; down, it cannot be reached or answers with faults.
const (
	PortalOK      PortalState = "ok"
	PortalSlow    PortalState = "slow"
	PortalRefused PortalState = "refused"
	PortalDown    PortalState = "down"
)

// Status is what a writer says of its portal.
type Status struct {
	InFlight int    `json:"in_flight"` // commands
	InDoubt  int    `json:"in_doubt"`  // calls
	Waiting  int    `json:"waiting"`
	Portal   Portal `json:"portal"`
}

// Portal is a portal's state in numbers and words.
type Portal struct {
	State PortalState `json:"state"`
	// Reason is in the project's language, ReasonIn in every one.
	Reason    string      `json:"reason,omitempty"`
	ReasonIn  event.Texts `json:"reason_in,omitempty"`
	Since     time.Time   `json:"since,omitzero"`
	RetryAt   time.Time   `json:"retry_at,omitzero"`
	Requests  int         `json:"requests"`
	PerSecond float64     `json:"per_second"`
	Burst     int         `json:"burst"`
	// Level is how many requests the portal is thought to count now; at Limit the next
	// one waits. Yielded is the part of the pace that is left to others, 0 to 1.
	Level   float64 `json:"level"`
	Limit   float64 `json:"limit"`
	Yielded float64 `json:"yielded"`
	// Methods are the methods whose execution time the portal counts, the fullest first.
	Methods []MethodUse `json:"methods,omitempty"`
}

// MethodUse is how much of its allowance a method has used, in seconds of execution.
type MethodUse struct {
	Method string  `json:"method"`
	Used   float64 `json:"used_s"`
	Limit  float64 `json:"limit_s"`
	// ResetAt is when the portal forgets some of it; BlockedUntil is there while it
	// refuses the method.
	ResetAt      time.Time `json:"reset_at,omitzero"`
	BlockedUntil time.Time `json:"blocked_until,omitzero"`
}
