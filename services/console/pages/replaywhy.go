package pages

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/rules"
)

// This file tells a plan in the reader's words: its rules, fields and values, and why it
// differs. The API gives reasons in English, as sentences with a semicolon between them.

var reasons = []reason{
	sentence(`rule (\S+) instead of (\S+)`, "", nil), // its own column says so
	sentence(`its request can be read now`, "why.readable"),
	sentence(`the client's responsible is user (\d+), not (\d+)`, "why.owner", (*visit).user, (*visit).user),
	sentence(`decided by version (.+), not (.+)`, "why.version", nil, nil),
	sentence(`line (.*) is (.+) \(user (\d+)\) now`, "why.line", nil, nil, nil),
	sentence(`line (.*) is nobody's now`, "why.noline", nil),
	sentence(`(.+) is user (\d+) now, not (\d+)`, "why.user", nil, nil, nil),
	sentence(`the line is (.+) now, not (.+)`, "why.other", nil, nil),
	sentence(`the client's number is (\S+), not (\S+)`, "why.number", known("why."), known("why.")),
	sentence(`it is (\w+) and (\w+), not (\w+) and (\w+)`, "why.became", known("why.word."), known("why.word."), known("why.word."), known("why.word.")),
	sentence(`it began at (\S+), not (\S+)`, "why.began", (*visit).when, (*visit).when),
	sentence(`settings revision (\d+) instead of (\d+)`, "why.settings", nil, nil),
	sentence(`settings revision (\d+) instead of (\d+): (?s)(.+)`, "why.changed", nil, nil, nil),
	sentence(`it was deleted in the portal`, "why.deleted"),
	sentence(`a person changed it since it was written`, "why.person"),
	sentence(`it is not wanted any more, but a person changed it since it was written`, "why.unwanted"),
	sentence(`a person put it right`, "why.right"),
	sentence(`the number is added beside the old one, which only a person can take away`, "why.phone"),
	sentence(`it was closed by this program and is opened again`, "why.reopened"),
	sentence(`it is moved to that stage, with all that the portal does by itself then`, "why.stage"),
	sentence(`it stays in pipeline (\d+), where it was made`, "why.pipeline", nil),
	sentence(`(\S+) stays as it is: it is never emptied`, "why.kept", (*visit).Field),
}

func (v *visit) when(raw string) string { return v.Moment(v.LocalText(raw)) }

// WhyWords are the reasons of a row.
func (v *visit) WhyWords(why string) (out []string) {
	for part := range strings.SplitSeq(why, "; ") {
		if words := v.retold(reasons, part).Text; words != "" {
			out = append(out, words)
		}
	}
	return out
}

// RuleWords is a rule in the reader's words; its id where it is not known.
func (v *visit) RuleWords(id string) string {
	for _, r := range rules.Table() {
		if r.ID == id {
			when, _ := r.Words(v.Lang)
			return when
		}
	}
	return cmp.Or(id, v.T("replay.norule"))
}

// Field is a field's name as a manager says it; the portal's own fields have theirs.
func (v *visit) Field(name string) string { return v.Known("replay.field."+name, name) }

// Value is what stands in a field, as a manager says it.
func (v *visit) Value(field, value string) string {
	switch {
	case value == "":
		return v.T("replay.nothing")
	case field == "":
		return v.Known("replay.done."+value, value) // a title, or how it is undone
	case field == "responsible":
		return v.user(value)
	case field == "closed":
		return v.Known("replay.closed."+value, value)
	case field == "deadline":
		if at := v.LocalText(value); !at.IsZero() {
			return v.Moment(at)
		}
	case field == "bound_to" || field == "contact" || field == "company":
		return v.things(value)
	}
	return value
}

// user names a Bitrix24 user by the employee who has that number.
func (v *visit) user(id string) string {
	for _, e := range v.Project.Employees {
		if strconv.Itoa(e.BitrixUser) == id && e.Name != "" {
			return e.Name + " (№\u00a0" + id + ")"
		}
	}
	if strconv.Itoa(v.Project.Senior) == id {
		return v.T("replay.senior", id)
	}
	return v.T("replay.user", id)
}

// things says "lead 12, contact new" in the reader's words.
func (v *visit) things(list string) string {
	words := strings.Fields(list)
	for i, w := range words {
		bare := strings.TrimSuffix(w, ",")
		words[i] = v.Known("replay.thing."+bare, bare) + w[len(bare):]
	}
	return strings.Join(words, " ")
}
