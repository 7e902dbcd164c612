package rules

import (
	"fmt"
	"slices"
	"strings"
)

// Make names the entity a step makes.
type Make string

// Lead is the article's word. What is really made for it (a lead, a deal, a contact, both) is the setting
// scenarios.new_client; on a portal without leads it is a contact with a deal.
const Lead Make = "lead"

// Purpose says what a task is for.
type Purpose string

// The purposes of tasks.
const (
	Done          Purpose = "done"           // nothing is left to do: keeps what was said, closed at once
	Review        Purpose = "review"         // check the call that a colleague took
	Contact       Purpose = "contact"        // get in touch with the client
	CheckSettings Purpose = "check_settings" // the line belongs to no employee; give it one
)

// Role is a person by the part played in this call. The planner turns it into a user.
type Role string

// The roles work is given to.
const (
	OnAnswerer Role = "answerer" // the employee whose line took or made the call
	OnOwner    Role = "owner"    // the responsible of the open lead or deal, or else of the contact
	OnSenior   Role = "senior"   // the senior manager of the settings
	OnMissed   Role = "missed"   // the senior manager, or an employee in turn, by the setting scenarios.missed_new_client
)

// Due names the setting that says how long after the call a task is due.
type Due string

// The due times of tasks.
const (
	NoDue       Due = ""
	DueReview   Due = "review"   // scenarios.review_due
	DueCallback Due = "callback" // scenarios.callback_due
)

// Detail is something about the call that a lead or task shows. A detail that the call doesn't have is left out, and
// nothing else changes: calls without a recording or a known visit are common.
type Detail string

// The details of leads and tasks.
const (
	TrafficSource Detail = "traffic_source" // UTM tags, source and Google Client ID of the visit
	Recording     Detail = "recording"      // the link to the recording: of the talk, or of the voicemail message
	VisitData     Detail = "visit_data"     // landing page, referrer and the rest of what is known about the visit
	CallStatus    Detail = "call_status"    // how the outbound call ended
	LineName      Detail = "line"           // which number or SIP account belongs to no employee
)

// Step is one thing that should exist because of the call: an entity (Make is set) or a task (Task is set).
type Step struct {
	Make   Make
	Task   Purpose
	On     Role
	Closed bool // the task is made closed
	Due    Due
	With   []Detail
	When   When // the step is taken only in these situations of its rule; the zero value is all of them
}

// Key names the step within its rule: lead, task:done, task:review, task:contact or task:check. Ids of commands are
// made from it, so it never changes for a step that exists.
func (s Step) Key() string {
	switch {
	case s.Make != "":
		return string(s.Make)
	case s.Task == CheckSettings:
		return "task:check"
	}
	return "task:" + string(s.Task)
}

// Has reports whether the lead or task shows d.
func (s Step) Has(d Detail) bool { return slices.Contains(s.With, d) }

// When is the left half of a row: the values each column accepts. An empty column accepts every value.
type When struct {
	Directions []Direction
	Outcomes   []Outcome
	Clients    []Client
	Answerers  []Answerer
}

// Matches reports whether every column accepts s.
func (w When) Matches(s Situation) bool {
	return accepts(w.Directions, s.Direction) && accepts(w.Outcomes, s.Outcome) &&
		accepts(w.Clients, s.Client) && accepts(w.Answerers, s.Answerer)
}

func accepts[T comparable](column []T, value T) bool {
	return len(column) == 0 || slices.Contains(column, value)
}

func (w When) clone() When {
	return When{slices.Clone(w.Directions), slices.Clone(w.Outcomes), slices.Clone(w.Clients), slices.Clone(w.Answerers)}
}

// Source says where a rule comes from: a sentence of Ringostat's article "Интеграция с Битрикс24", or our own choice
// where the article is silent.
type Source struct {
	Section string // the article's heading; empty when the article is silent
	Points  []int  // numbers of the sentences under that heading
	Reason  Text   // why we chose so: always there when the article is silent, otherwise only where it leaves room
}

// Text is one sentence in the languages of the product.
type Text struct {
	English, Ukrainian, Russian string
}

// In returns the text in lang (en, uk or ru); any other lang gives English.
func (t Text) In(lang string) string {
	switch lang {
	case "uk":
		return t.Ukrainian
	case "ru":
		return t.Russian
	}
	return t.English
}

// Silent reports whether the article says nothing about the rule's situations.
func (s Source) Silent() bool { return s.Section == "" }

// Pointers names the sentences, one string each: "Исходящие звонки от менеджеров, п. 2". None when the article is
// silent.
func (s Source) Pointers() []string {
	var all []string
	for _, point := range s.Points {
		all = append(all, fmt.Sprintf("%s, п. %d", s.Section, point))
	}
	return all
}

// Words tells the source in lang (en, uk or ru; any other gives English). The article's heading stays as printed.
func (s Source) Words(lang string) string {
	if s.Silent() {
		return phrase(lang, "silent") + ": " + s.Reason.In(lang)
	}
	points := make([]string, len(s.Points))
	for i, point := range s.Points {
		points[i] = fmt.Sprint(point)
	}
	words := fmt.Sprintf("%s, п. %s", s.Section, strings.Join(points, ", "))
	if reason := s.Reason.In(lang); reason != "" {
		words += "; " + reason
	}
	return words
}

// Rule is one row of the table.
type Rule struct {
	ID     string // stable: settings switch rules off by it, events and replays name it
	Source Source
	When   When
	Then   []Step // none means that the call leaves no trace in the CRM
}

// Steps returns what should exist after a call in situation s, in the order of making. It is empty when the rule asks
// for nothing there, or is not for s. The steps share what is in the rule: see Decide.
func (r Rule) Steps(s Situation) []*Step {
	if !r.When.Matches(s) {
		return nil
	}
	steps := make([]*Step, 0, len(r.Then))
	for i := range r.Then {
		if r.Then[i].When.Matches(s) {
			steps = append(steps, &r.Then[i])
		}
	}
	return steps
}

// clone protects the table: callers of Table may change what they were given.
func (r Rule) clone() Rule {
	r.Source.Points = slices.Clone(r.Source.Points)
	r.When = r.When.clone()
	r.Then = slices.Clone(r.Then)
	for i, step := range r.Then {
		r.Then[i].With, r.Then[i].When = slices.Clone(step.With), step.When.clone()
	}
	return r
}

// Table returns all rules in the article's order. The caller owns the result.
func Table() []Rule {
	rules := make([]Rule, len(table))
	for i, rule := range table {
		rules[i] = rule.clone()
	}
	return rules
}

// IDs returns the ids of all rules in the article's order.
func IDs() []string {
	ids := make([]string, len(table))
	for i, rule := range table {
		ids[i] = rule.ID
	}
	return ids
}

// Decide returns the rule for s. It is true for every situation of Possible and for every internal call. False means
// that s cannot occur, such as a call answered by nobody: whoever made it has a mistake, and guessing would hide it.
//
// The rule is the table's own, for it is asked for every call: it and its steps are to be read only.
func Decide(s Situation) (Rule, bool) {
	if s.Direction != Internal && !s.possible() {
		return Rule{}, false
	}
	for _, rule := range table {
		if rule.When.Matches(s) {
			return rule, true
		}
	}
	return Rule{}, false
}
