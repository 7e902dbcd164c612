// Package reconciliation is how the service that reads Ringostat's call log tells
// others how far it is. It holds the question and the answer only.
package reconciliation

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// StatusSubject is where a project's reconciliation says how it is doing. Nobody
// answers for a project without an API key.
func StatusSubject(project string) string { return "ask." + project + ".reconciliation" }

// StatusQuestion asks for a [Status].
type StatusQuestion struct{}

// Status says how far a project's call log is read.
type Status struct {
	// LastComplete is the time up to which every call of the log was seen; absent as long
	// as the log was never read whole.
	LastComplete time.Time `json:"last_complete,omitzero"`
	// Error is why the last reading stopped, in words for a manager; empty when it did not.
	Error   string      `json:"error,omitempty"`
	ErrorIn event.Texts `json:"error_in,omitempty"`
	// Warning is what looks wrong although the log can be read.
	Warning   string      `json:"warning,omitempty"`
	WarningIn event.Texts `json:"warning_in,omitempty"`
}
