package pages

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/rules"
)

// This file tells a plan in the reader's words: its rules, fields and values, and why it
// differs.

// reason says a reason in the reader's words: key is the sentence, params fill it.
type reason struct {
	key    string
	params []param
}

// param is a parameter of a reason; say turns it into the reader's words, nil leaves it.
type param struct {
	name string
	say  func(v *visit, raw string) string
}

func known(prefix string) func(*visit, string) string {
	return func(v *visit, raw string) string { return v.Known(prefix+raw, raw) }
}

// number is a client's number; none is a hidden one.
func (v *visit) number(raw string) string { return cmp.Or(raw, v.T("why.hidden")) }

var reasons = map[string]reason{
	"other_rule":      {}, // its own column says so
	"readable":        {"why.readable", nil},
	"other_owner":     {"why.owner", []param{{"user", (*visit).user}, {"before", (*visit).user}}},
	"other_version":   {"why.version", []param{{"version", nil}, {"before", nil}}},
	"line_of":         {"why.line", []param{{"line", nil}, {"name", nil}, {"user", nil}}},
	"line_of_nobody":  {"why.noline", []param{{"line", nil}}},
	"other_user":      {"why.user", []param{{"name", nil}, {"user", nil}, {"before", nil}}},
	"other_employee":  {"why.other", []param{{"name", nil}, {"before", nil}}},
	"other_number":    {"why.number", []param{{"number", (*visit).number}, {"before", (*visit).number}}},
	"other_start":     {"why.began", []param{{"at", (*visit).when}, {"before", (*visit).when}}},
	"other_outcome":   {"why.became", []param{{"direction", known("why.word.")}, {"outcome", known("why.word.")}, {"direction_before", known("why.word.")}, {"outcome_before", known("why.word.")}}},
	"other_revision":  {"why.settings", []param{{"revision", nil}, {"before", nil}}},
	"other_settings":  {"why.changed", []param{{"revision", nil}, {"before", nil}, {"settings", nil}}},
	"deleted":         {"why.deleted", nil},
	"edited":          {"why.person", nil},
	"edited_unwanted": {"why.unwanted", nil},
	"put_right":       {"why.right", nil},
	"phone_added":     {"why.phone", nil},
	"reopened":        {"why.reopened", nil},
	"stage_moved":     {"why.stage", nil},
	"pipeline_moved":  {"why.pipeline", nil},
	"never_emptied":   {"why.kept", []param{{"field", (*visit).Field}}},
}

func (v *visit) when(raw string) string { return v.Moment(v.LocalText(raw)) }

// Foreign are the reasons as the API words them, where no codes say them: in plans of
// older versions, or of newer ones.
func (r planRow) Foreign() string {
	for _, given := range r.Reasons {
		if _, known := reasons[given.Code]; !known {
			return r.Why
		}
	}
	if len(r.Reasons) == 0 {
		return r.Why
	}
	return ""
}

// Because says a reason in the reader's words; nothing where the page says it elsewhere.
func (v *visit) Because(given planReason) string {
	r := reasons[given.Code]
	if r.key == "" {
		return ""
	}
	args := make([]any, len(r.params))
	for i, p := range r.params {
		raw := given.Params[p.name]
		switch {
		case p.name == "settings":
			raw = v.settingsWords(given)
		case p.say != nil:
			raw = p.say(v, raw)
		}
		args[i] = raw
	}
	return v.T(r.key, args...)
}

// settingsWords lists what changed in the settings, by the names of the configuration.
func (v *visit) settingsWords(given planReason) string {
	var parts []string
	for _, c := range given.Settings {
		parts = append(parts, c.Field+": "+cmp.Or(c.Old, v.T("replay.nothing"))+" → "+cmp.Or(c.New, v.T("replay.nothing")))
	}
	if more := given.Params["more"]; more != "" {
		parts = append(parts, v.T("why.more", more))
	}
	return strings.Join(parts, ", ")
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
	case field == "category":
		return v.Known("replay.category."+value, "№\u00a0"+value)
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
