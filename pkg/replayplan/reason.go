package replayplan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Reason is one of the reasons of a row: a code, and what it is about. What is read by a
// program is these; [Reason.String] is for people who read English.
type Reason struct {
	Code Code `json:"code"`
	// Params are named in [Sentences]; one that is empty is left out.
	Params map[string]string `json:"params,omitempty"`
	// Settings are what changed in the settings, the first few.
	Settings []Change `json:"settings,omitempty"`
}

// Code names a reason.
type Code string

// The codes.
const (
	OtherRule     Code = "other_rule"
	Readable      Code = "readable"
	OtherOwner    Code = "other_owner"
	OtherVersion  Code = "other_version"
	LineOf        Code = "line_of"
	LineOfNobody  Code = "line_of_nobody"
	OtherUser     Code = "other_user"
	OtherEmployee Code = "other_employee"
	OtherNumber   Code = "other_number"
	OtherStart    Code = "other_start"
	OtherOutcome  Code = "other_outcome"
	OtherRevision Code = "other_revision"
	OtherSettings Code = "other_settings"
	Deleted       Code = "deleted"
	Edited        Code = "edited"
	EditedUnused  Code = "edited_unwanted"
	PutRight      Code = "put_right"
	PhoneAdded    Code = "phone_added"
	Reopened      Code = "reopened"
	StageMoved    Code = "stage_moved"
	PipelineMoved Code = "pipeline_moved"
	NeverEmptied  Code = "never_emptied"
)

// Sentences say each reason in English, with its parameters in braces; before is what
// stood there. {settings} are a reason's settings, and how many there are more.
var Sentences = map[Code]string{
	OtherRule:     "rule {rule} instead of {before}",
	Readable:      "its request can be read now",
	OtherOwner:    "the client's responsible is user {user}, not {before}",
	OtherVersion:  "decided by version {version}, not {before}",
	LineOf:        "line {line} is {name} (user {user}) now",
	LineOfNobody:  "line {line} is nobody's now",
	OtherUser:     "{name} is user {user} now, not {before}",
	OtherEmployee: "the line is {name} now, not {before}",
	OtherNumber:   "the client's number is {number}, not {before}",
	OtherStart:    "it began at {at}, not {before}",
	OtherOutcome:  "it is {direction} and {outcome}, not {direction_before} and {outcome_before}",
	OtherRevision: "settings revision {revision} instead of {before}",
	OtherSettings: "settings revision {revision} instead of {before}: {settings}",
	Deleted:       "it was deleted in the portal",
	Edited:        "a person changed it since it was written",
	EditedUnused:  "it is not wanted any more, but a person changed it since it was written",
	PutRight:      "a person put it right",
	PhoneAdded:    "the number is added beside the old one, which only a person can take away",
	Reopened:      "it was closed by this program and is opened again",
	StageMoved:    "it is moved to that stage, with all that the portal does by itself then",
	PipelineMoved: "it is moved to that pipeline, with all that the portal does by itself then",
	NeverEmptied:  "{field} stays as it is: it is never emptied",
}

// More is the parameter that says how many settings changed beside those listed.
const More = "more"

// Because is a reason with its parameters, as pairs of a name and a value.
func Because(code Code, pairs ...any) Reason {
	r := Reason{Code: code}
	for i := 0; i < len(pairs); i += 2 {
		if value := fmt.Sprint(pairs[i+1]); value != "" {
			if r.Params == nil {
				r.Params = map[string]string{}
			}
			r.Params[fmt.Sprint(pairs[i])] = value
		}
	}
	return r
}

var parameter = regexp.MustCompile(`\{\w+\}`)

// String is the reason in English.
func (r Reason) String() string {
	return parameter.ReplaceAllStringFunc(Sentences[r.Code], func(name string) string {
		value := r.Params[strings.Trim(name, "{}")]
		switch {
		case name == "{settings}":
			return r.settings()
		case value == "" && r.Code == OtherNumber:
			return "hidden"
		}
		return value
	})
}

func (r Reason) settings() string {
	var parts []string
	for _, c := range r.Settings {
		parts = append(parts, fmt.Sprintf("%s: %s → %s", c.Field, orNothing(c.Old), orNothing(c.New)))
	}
	if more := r.Params[More]; more != "" {
		parts = append(parts, "and "+more+" more")
	}
	return strings.Join(parts, ", ")
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// Explain adds reasons to a row, as codes and in words.
func (r *Row) Explain(reasons ...Reason) {
	r.Reasons = append(slices.Clip(r.Reasons), reasons...)
	words := make([]string, len(r.Reasons))
	for i, reason := range r.Reasons {
		words[i] = reason.String()
	}
	r.Why = strings.Join(words, "; ")
}
