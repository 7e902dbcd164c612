package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A proof looks at a whole table and says what is wrong with it. The mutations show that each can find something.
type proof struct {
	name string
	find func([]Rule) []string
}

var proofs = []proof{
	{"every situation has exactly one rule", coverage},
	{"every rule and every step is reachable", reachability},
	{"every rule is sourced", sources},
	{"every id names one rule and says what it matches", identity},
	{"no step asks for a person who isn't there", people},
	{"every step is whole", shapes},
	{"no call of a client goes unnoticed", promises},
}

func TestTheTableHolds(t *testing.T) {
	for _, proof := range proofs {
		for _, problem := range proof.find(Table()) {
			t.Errorf("%s: %s", proof.name, problem)
		}
	}
}

func matching(table []Rule, s Situation) []Rule {
	return slices.DeleteFunc(slices.Clone(table), func(r Rule) bool { return !r.When.Matches(s) })
}

func ids(table []Rule) []string {
	var all []string
	for _, rule := range table {
		all = append(all, rule.ID)
	}
	return all
}

func coverage(table []Rule) (problems []string) {
	for _, s := range Possible() {
		if hits := ids(matching(table, s)); len(hits) != 1 {
			problems = append(problems, fmt.Sprintf("%v: rules %q, want exactly one", s, hits))
		}
	}
	return problems
}

func reachability(table []Rule) (problems []string) {
	for _, rule := range table {
		keys := map[string]bool{}
		reached := false
		for _, s := range Possible() {
			reached = reached || rule.When.Matches(s)
			for _, step := range rule.Steps(s) {
				keys[step.Key()] = true
			}
		}
		if !reached {
			problems = append(problems, fmt.Sprintf("%s: no situation reaches it", rule.ID))
		}
		for _, step := range rule.Then {
			if !keys[step.Key()] {
				problems = append(problems, fmt.Sprintf("%s: no situation reaches step %s", rule.ID, step.Key()))
			}
		}
	}
	return problems
}

func sources(table []Rule) (problems []string) {
	for _, rule := range table {
		s, reason := rule.Source, rule.Source.Reason
		explained := reason.English != "" && reason.Ukrainian != "" && reason.Russian != ""
		switch {
		case s.Silent() && !explained:
			problems = append(problems, fmt.Sprintf("%s: neither a sentence nor a reason in three languages: %+v", rule.ID, s))
		case s.Silent() != (len(s.Points) == 0):
			problems = append(problems, fmt.Sprintf("%s: section %q with points %v, want both or neither", rule.ID, s.Section, s.Points))
		case reason != (Text{}) && !explained:
			problems = append(problems, fmt.Sprintf("%s: the reason lacks a language: %+v", rule.ID, reason))
		}
	}
	return problems
}

// promised says which situations an id may stand for, word by word.
var promised = map[string]func(Situation) bool{
	"answered":  func(s Situation) bool { return s.Direction == Inbound && s.Outcome == Answered },
	"missed":    func(s Situation) bool { return s.Direction == Inbound && s.Outcome == Missed },
	"voicemail": func(s Situation) bool { return s.Direction == Inbound && s.Outcome == Voicemail },
	"outbound":  func(s Situation) bool { return s.Direction == Outbound },
	"internal":  func(s Situation) bool { return s.Direction == Internal },
	"anonymous": func(s Situation) bool { return s.Direction != Internal && s.Client == Anonymous },
	"new":       func(s Situation) bool { return s.Client == NewClient },
	"contact":   func(s Situation) bool { return s.Client == ContactOnly },
	"open":      func(s Situation) bool { return s.Client == OpenClient },
	"owner":     func(s Situation) bool { return s.Answerer == ByOwner },
	"other":     func(s Situation) bool { return s.Answerer == ByEmployee },
	"unmapped":  func(s Situation) bool { return s.Answerer == ByUnmapped },
}

func identity(table []Rule) (problems []string) {
	seen := map[string]bool{}
	for _, rule := range table {
		if seen[rule.ID] {
			problems = append(problems, fmt.Sprintf("%s: a second rule of that id", rule.ID))
		}
		seen[rule.ID] = true
		for word := range strings.SplitSeq(rule.ID, "/") {
			fits := promised[word]
			for _, s := range Possible() {
				if rule.When.Matches(s) && (fits == nil || !fits(s)) {
					problems = append(problems, fmt.Sprintf("%s: matches %v, which is not %q", rule.ID, s, word))
				}
			}
		}
	}
	return problems
}

func people(table []Rule) (problems []string) {
	for _, rule := range table {
		for _, s := range Possible() {
			for _, step := range rule.Steps(s) {
				there := true
				switch step.On {
				case OnAnswerer:
					there = s.Answerer == ByOwner || s.Answerer == ByEmployee
				case OnOwner:
					there = s.Client == ContactOnly || s.Client == OpenClient
				case OnMissed:
					there = s.Answerer == ByNobody // whoever took the call is responsible, not the next in turn
				case OnSenior:
				default:
					there = false
				}
				if !there {
					problems = append(problems, fmt.Sprintf("%s: %s is given to %q in %v, where there is none", rule.ID, step.Key(), step.On, s))
				}
			}
		}
	}
	return problems
}

func shapes(table []Rule) (problems []string) {
	for _, rule := range table {
		keys := map[string]bool{}
		for _, step := range rule.Then {
			key := step.Key()
			wrong := func(what string) { problems = append(problems, fmt.Sprintf("%s: %s %s", rule.ID, key, what)) }
			if keys[key] {
				wrong("is there twice")
			}
			keys[key] = true
			if (step.Make == "") == (step.Task == "") {
				wrong("must either make an entity or be a task")
			}
			if step.Closed != (step.Task == Done) {
				wrong("is closed without being done, or the other way round")
			}
			if step.Make == Lead && !step.Has(TrafficSource) {
				wrong("has no traffic source")
			}
			if step.Task != Contact && step.Make == "" && !step.Has(Recording) {
				wrong("has no recording")
			}
			if step.Task == CheckSettings && !step.Has(LineName) {
				wrong("doesn't name the line")
			}
			if step.Task == Contact && step.Due != DueCallback {
				wrong("has no due time")
			}
			if step.Task == Review && step.On != OnOwner {
				wrong("is not the responsible's")
			}
			if step.Has(CallStatus) && rule.When.Matches(Situation{Inbound, Answered, OpenClient, ByOwner}) {
				wrong("tells the status of an inbound call")
			}
		}
	}
	return problems
}

// promises are what customers buy: whatever they called for, somebody learns of it.
func promises(table []Rule) (problems []string) {
	for _, s := range Possible() {
		for _, rule := range matching(table, s) {
			has := map[string]bool{}
			voicemail := false
			for _, step := range rule.Steps(s) {
				has[step.Key()] = true
				voicemail = voicemail || step.Task == Contact && step.Has(Recording)
			}
			for _, promise := range []struct {
				applies bool
				key     string
			}{
				{s.Direction == Inbound && s.Outcome != Answered, "task:contact"},
				{s.Direction == Inbound && s.Client == NewClient, "lead"},
				{s.Direction == Inbound && s.Answerer == ByUnmapped, "task:check"},
				{s.Direction == Outbound && s.Answerer == ByUnmapped && (s.Client == OpenClient || s.Client == ContactOnly), "task:check"},
				{s.Direction == Inbound && (s.Answerer == ByOwner || s.Answerer == ByEmployee), "task:done"},
				{s.Direction == Inbound && s.Answerer == ByEmployee && (s.Client == OpenClient || s.Client == ContactOnly), "task:review"},
			} {
				if promise.applies && !has[promise.key] {
					problems = append(problems, fmt.Sprintf("%s: no %s in %v", rule.ID, promise.key, s))
				}
			}
			if s.Outcome == Voicemail && !voicemail {
				problems = append(problems, fmt.Sprintf("%s: nobody gets the message in %v", rule.ID, s))
			}
			if s.Client == OpenClient && has["lead"] || s.Direction != Inbound && has["lead"] {
				problems = append(problems, fmt.Sprintf("%s: a needless lead in %v", rule.ID, s))
			}
		}
	}
	return problems
}
