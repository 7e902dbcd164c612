package bitrix

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Class says what the portal can have done, and so what a caller may do next.
// The zero value means that there was no error.
type Class string

const (
	// OK is the class of an answer with a result.
	OK Class = ""
	// NotRun: the request never left, or the portal skipped the command. It may
	// be sent again at any time.
	NotRun Class = "not_run"
	// Ambiguous: the portal may have executed the command, or may do so within
	// its time limit. Look before repeating. Everything unknown is Ambiguous.
	Ambiguous Class = "ambiguous"
	// Refused: not executed, and the same command will be refused again.
	Refused Class = "refused"
	// Wait: not executed, because of something that passes or that a person
	// puts right: pace, method budget, credentials, plan, address. The same
	// command is good afterwards.
	Wait Class = "wait"
)

// Reason is the finer cause within a Class; Human has a sentence for each.
type Reason string

// The reasons. Which class each comes with is the table in classify.go.
const (
	ReasonQueryLimit   Reason = "query_limit"       // requests too fast for the portal's plan
	ReasonMethodBudget Reason = "method_budget"     // this method's execution time is used up
	ReasonOverload     Reason = "overload"          // blocked by the vendor by hand
	ReasonCredentials  Reason = "credentials"       // webhook revoked, expired, or of a person without rights
	ReasonScope        Reason = "scope"             // the webhook lacks a permission
	ReasonPlan         Reason = "plan"              // the portal's plan has no REST
	ReasonPortalGone   Reason = "portal_gone"       // the portal was deleted
	ReasonMoved        Reason = "moved"             // the portal answers from another address
	ReasonForbidden    Reason = "forbidden_address" // the portal's name leads into a private network
	ReasonNotFound     Reason = "not_found"         // the entity is not there, or not visible to the webhook
	ReasonAccess       Reason = "access"            // no right to this entity or action
	ReasonMethod       Reason = "method"            // unknown method, or not open to webhooks
	ReasonInvalid      Reason = "invalid"           // a field or parameter was refused
	ReasonUnreachable  Reason = "unreachable"       // no connection
	ReasonTimeout      Reason = "timeout"           // no answer in time
	ReasonCancelled    Reason = "cancelled"         // the caller gave up
	ReasonUnreadable   Reason = "unreadable"        // the answer was cut, too long or not JSON
	ReasonHalted       Reason = "halted"            // an earlier command of the same batch failed
	ReasonUnknown      Reason = "unknown"           // the portal reports a fault of its own, or a code nobody knows
)

// Stage is how far the request had got when the error arose.
type Stage string

const (
	StageUnsent   Stage = "unsent"   // nothing of the request was written
	StageSent     Stage = "sent"     // something was written, no whole answer came
	StageAnswered Stage = "answered" // the portal answered the request
	StageCommand  Stage = "command"  // the portal answered this one command of a batch
)

// Error is the only error type of Client and the decoders. Error() holds
// neither the webhook's secret nor long digit sequences, so it may be logged;
// Description is the portal's own text and may name a client.
type Error struct {
	Class       Class
	Reason      Reason
	Method      string
	Code        string    // the portal's code as sent; often empty
	Description string    // the portal's text without tags, at most 500 characters, possibly in the portal's language
	Status      int       // HTTP status, 0 when there was no answer or the error is one command's
	RetryAt     time.Time // earliest useful moment, when the portal named one
	Stage       Stage
	err         error
}

// Error is one line for a log.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "bitrix %s: %s, %s (%s", e.Method, e.Class, e.Reason, e.Stage)
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ", code %s", e.Code)
	}
	b.WriteByte(')')
	if e.Description != "" {
		b.WriteString(": " + e.Description)
	}
	if e.err != nil {
		b.WriteString(": " + e.err.Error())
	}
	return longDigits.ReplaceAllString(b.String(), "…")
}

// Unwrap gives context.Canceled or context.DeadlineExceeded where one was the
// cause, and a description of the network's failure otherwise. It never gives
// the transport's own error, which could hold the address.
func (e *Error) Unwrap() error { return e.err }

// ClassOf is the class of any error: OK for nil, and Ambiguous for an error
// that is not of this package, because nothing is known about it.
func ClassOf(err error) Class {
	if err == nil {
		return OK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Ambiguous
}

// longDigits are phone numbers as people and portals write them.
var longDigits = regexp.MustCompile(`\+?\d(?:[ ()-]{0,2}\d){6,}`)

var tags = regexp.MustCompile(`<[^<>]{0,40}>`)

// readable turns the portal's text into one line of plain text.
func readable(s string) string {
	s = tags.ReplaceAllString(strings.ToValidUTF8(s, "?"), " ")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	return cut(s, 500)
}

// cut keeps at most n runes.
func cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}

// refusal is an error found before anything was sent: the command can't be
// expressed, so sending it later can't help.
func refusal(method, format string, args ...any) *Error {
	return &Error{Class: Refused, Reason: ReasonInvalid, Method: method, Stage: StageUnsent, err: fmt.Errorf(format, args...)}
}

// undecodable is a result of a shape that the method does not promise. The
// command ran; what it did is not known.
func undecodable(method, format string, args ...any) *Error {
	return &Error{Class: Ambiguous, Reason: ReasonUnreadable, Method: method, Stage: StageAnswered, err: fmt.Errorf(format, args...)}
}
