// Package replayplan is a replay's plan as the API shows it: what the replay service
// answers, and what the command line reads. It holds words only and decides nothing.
// Start reading at [Plan].
package replayplan

import (
	"fmt"
	"strings"
	"time"
)

// State says where a plan stands.
type State string

// The states. A plan that is Done, Aborted or Failed stays so.
const (
	Planning State = "planning"
	Planned  State = "planned"
	Applying State = "applying"
	Paused   State = "paused"
	Done     State = "done"
	Aborted  State = "aborted"
	Failed   State = "failed"
)

// Plan is what is known of a replay beside its rows.
type Plan struct {
	ID       string         `json:"id"`
	Project  string         `json:"project"`
	State    State          `json:"state"`
	Revision int            `json:"revision"`
	Since    *time.Time     `json:"since"`
	Until    *time.Time     `json:"until"`
	CallIDs  []string       `json:"call_ids,omitempty"`
	Rule     string         `json:"rule,omitempty"`
	Fresh    bool           `json:"fresh,omitempty"`
	Calls    int            `json:"calls"`
	Totals   map[string]int `json:"totals"`
	// ToApply counts the calls with something to put right; Applied and Skipped those that
	// were, and those that were left because more was known of them by then.
	ToApply int    `json:"to_apply"`
	Applied int    `json:"applied"`
	Skipped int    `json:"skipped"`
	Reason  string `json:"reason,omitempty"`
	// Event is the replay.planned event.
	Event string `json:"event_id,omitempty"`
}

// Page is a plan with some of its rows; Next is the cursor of the next ones.
type Page struct {
	Plan
	Rows []Row  `json:"rows"`
	Next string `json:"next,omitempty"`
}

// Kinds of rows.
const (
	Create     = "create"
	Update     = "update"
	Reassign   = "reassign"
	Compensate = "compensate"
	Conflict   = "conflict"
	Same       = "same"
)

// Kinds are the kinds of rows in the order in which they are told.
var Kinds = []string{Create, Update, Reassign, Compensate, Conflict, Same}

// Row is what a plan says of one thing of one call.
type Row struct {
	Kind     string `json:"kind"`
	Call     string `json:"call_id"`
	Phone    string `json:"phone"`
	Entity   string `json:"entity"`
	BitrixID int    `json:"bitrix_id"`
	// Field, Old and New tell of the one field that changes; Changes of several.
	Field   string   `json:"field"`
	Old     string   `json:"old"`
	New     string   `json:"new"`
	Changes []Change `json:"changes,omitempty"`
	RuleOld string   `json:"rule_old"`
	RuleNew string   `json:"rule_new"`
	// Why are the reasons in English; Reasons are missing in plans of older versions.
	Why     string   `json:"why"`
	Reasons []Reason `json:"reasons,omitempty"`
}

// Change is one field of several.
type Change struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Changes counts what carrying the plan out writes to the portal.
func (p Plan) Changes() (n int) {
	for kind, rows := range p.Totals {
		if kind != Same && kind != Conflict {
			n += rows
		}
	}
	return n
}

// TotalsLine says how many rows there are of each kind.
func (p Plan) TotalsLine() string {
	var parts []string
	for _, kind := range Kinds {
		if p.Totals[kind] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.Totals[kind], kind))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
