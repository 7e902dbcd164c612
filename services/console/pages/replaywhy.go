package pages

import (
	"regexp"
	"strings"
)

// This file says in the reader's language why a plan differs. The API gives reasons in
// English, as sentences with a semicolon between them; one that is not known here is
// shown as it is.

type reason struct {
	sentence *regexp.Regexp
	key      string
	// say turns what the brackets hold into the reader's words; nil: as they are.
	say []func(v *visit, raw string) string
}

func sentence(pattern, key string, say ...func(*visit, string) string) reason {
	return reason{regexp.MustCompile("^" + pattern + "$"), key, say}
}

func known(prefix string) func(*visit, string) string {
	return func(v *visit, raw string) string { return v.Known(prefix+raw, raw) }
}

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
	sentence(`the task is closed; open it again by hand if it is needed`, "why.closed"),
}

func (v *visit) when(raw string) string { return v.Moment(v.LocalText(raw)) }

// WhyWords are the reasons of a row.
func (v *visit) WhyWords(why string) (out []string) {
	const closed = "the task is closed; open" // the one sentence with a semicolon of its own
	for part := range strings.SplitSeq(strings.ReplaceAll(why, closed, strings.Replace(closed, "; ", "\x00 ", 1)), "; ") {
		part = strings.ReplaceAll(part, "\x00", ";")
		if words := v.reason(part); words != "" {
			out = append(out, words)
		}
	}
	return out
}

func (v *visit) reason(part string) string {
	for _, r := range reasons {
		m := r.sentence.FindStringSubmatch(part)
		if m == nil {
			continue
		}
		if r.key == "" {
			return ""
		}
		var args []any
		for i, raw := range m[1:] {
			if i < len(r.say) && r.say[i] != nil {
				raw = r.say[i](v, raw)
			}
			args = append(args, raw)
		}
		return v.T(r.key, args...)
	}
	return part
}
