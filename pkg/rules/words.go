package rules

import "strings"

// Words tells the rule to a customer in lang (en, uk or ru; any other gives English): when it applies, and what it
// does, one sentence per step. A rule without steps says that nothing is made.
func (r Rule) Words(lang string) (when string, then []string) {
	for _, step := range r.Then {
		then = append(then, r.condition(step, lang)+r.stepWords(step, lang))
	}
	return r.whenWords(lang), orNothing(then, lang)
}

// WhenText is the first half of Words in English.
func (r Rule) WhenText() string { when, _ := r.Words("en"); return when }

// ThenText is the second half of Words in English.
func (r Rule) ThenText() []string { _, then := r.Words("en"); return then }

// StepWords tells what the rule does for one call in situation s, in lang (as for Words), one sentence per step of
// Steps. It says that nothing is made when there is no step.
func (r Rule) StepWords(s Situation, lang string) []string {
	var then []string
	for _, step := range r.Steps(s) {
		then = append(then, r.stepWords(*step, lang))
	}
	return orNothing(then, lang)
}

func orNothing(then []string, lang string) []string {
	if len(then) == 0 {
		return []string{phrase(lang, "nothing")}
	}
	return then
}

func (r Rule) whenWords(lang string) string {
	call := phrase(lang, "call/"+r.When.call())
	if r.When.call() == string(Internal) {
		return call
	}
	words := []string{call, phrase(lang, "client/"+string(r.When.Clients[0]))}
	if key := r.When.answerer(); key != "" {
		words = append(words, phrase(lang, key))
	}
	return strings.Join(words, ", ")
}

// call names the kind of call: the outcome for inbound calls, else the direction, or "any".
func (w When) call() string {
	if len(w.Directions) != 1 {
		return "any"
	}
	if w.Directions[0] == Inbound {
		return string(w.Outcomes[0])
	}
	return string(w.Directions[0])
}

// answerer is the key of the phrase for the answerers' column: empty when the column says nothing that the reader
// doesn't know already (nobody answers a missed call), or does not matter.
func (w When) answerer() string {
	has := func(a Answerer) bool { return len(w.Answerers) > 0 && accepts(w.Answerers, a) }
	var who string
	switch {
	case has(ByEmployee) && has(ByUnmapped), has(ByNobody), len(w.Answerers) == 0:
		return ""
	case has(ByUnmapped):
		who = "unmapped"
	case has(ByOwner) && has(ByEmployee):
		who = "employee"
	case has(ByOwner):
		who = "owner"
	case len(w.Clients) == 1 && (w.Clients[0] == OpenClient || w.Clients[0] == ContactOnly):
		who = "colleague" // a client with a responsible, and somebody else
	default:
		who = "employee"
	}
	return string(w.Directions[0]) + "/" + who
}

// condition tells when a step of the rule is taken, with the colon that follows; empty when always.
func (r Rule) condition(step Step, lang string) string {
	if len(step.When.Outcomes) == 0 {
		return ""
	}
	var ends []string
	for _, outcome := range step.When.Outcomes {
		ends = append(ends, phrase(lang, "if/"+string(outcome)))
	}
	words := strings.Join(ends, " "+phrase(lang, "or")+" ")
	if key := step.When.answerer(); key != "" {
		words += " " + phrase(lang, "if/"+key)
	}
	return words + ": "
}

func (r Rule) stepWords(step Step, lang string) string {
	words := phrase(lang, step.Key()) + " " + phrase(lang, r.roleKey(step.On))
	if step.Task != "" && step.Task != Done {
		words += ": " + phrase(lang, "purpose/"+string(step.Task))
	}
	if step.Due != NoDue {
		words += ", " + phrase(lang, "due/"+string(step.Due))
	}
	var details []string
	for _, detail := range step.With {
		key := "with/" + string(detail)
		if detail == Recording && step.Task == Contact {
			key = "with/message" // what was recorded is a message, not a talk
		}
		details = append(details, phrase(lang, key))
	}
	if len(details) > 0 {
		words += ", " + phrase(lang, "with") + " " + strings.Join(details, " "+phrase(lang, "and")+" ")
	}
	return words
}

// roleKey is the key of the phrase for a role: the answerer of an outbound call is the one who called, and a
// responsible is named with what he or she is responsible for.
func (r Rule) roleKey(role Role) string {
	switch {
	case role == OnAnswerer && r.When.call() == string(Outbound):
		return "on/caller"
	case role == OnOwner:
		return "on/owner/" + string(r.When.Clients[0])
	}
	return "on/" + string(role)
}

// phrase looks up a piece of a sentence. Every key is in every language; a test holds us to it.
func phrase(lang, key string) string { return phrases[key].In(lang) }
