package pages

import "regexp"

// This file puts sentences of the API, which are English, into the reader's words. One
// that is not known here is shown as it is.

// pattern is a sentence of the API with the key of its words; what its brackets hold goes
// into them.
type pattern struct {
	sentence *regexp.Regexp
	key      string
}

func sentence(text, key string) pattern {
	return pattern{regexp.MustCompile("^" + text + "$"), key}
}

// stops are why a plan could not be made, or stopped before its end.
var stops = []pattern{
	sentence(`the settings were changed since the plan was made;.*`, "stop.settings"),
	sentence(`the program was stopped while the plan was made;.*`, "stop.program"),
	sentence(`(?:.*: )?the portal refused something of call (\S+), one of the first:.*`, "stop.canary"),
	sentence(`(?:.*: )?the portal refuses: ((?s).+)`, "stop.refuses"),
	sentence(`(?:.*: )?the portal refuses to show what people changed: ((?s).+)`, "stop.hides"),
	sentence(`(?:.*: )?the portal could not be asked:.*`, "stop.away"),
	sentence(`(?:.*: )?the portal showed something else than was asked for`, "stop.other"),
}

// troubles are why nothing from outside is taken.
var troubles = []pattern{
	sentence(`(?:.*: )?the disk of (.+) can only be read:.*`, "disk.readonly"),
	sentence(`(?:.*: )?the disk of (.+) is full: (\d+) MiB are free, (\d+) MiB are kept.*`, "disk.full"),
	sentence(`(?:.*: )?the embedded broker stopped storing(?::.*)?`, "disk.stuck"),
	sentence(`(?:\w+: )?the broker did not confirm`, "disk.silent"),
}

// retold is a sentence in the reader's words; Stored where it is the API's.
func (v *visit) retold(list []pattern, text string) said {
	for _, r := range list {
		m := r.sentence.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		var args []any
		for _, raw := range m[1:] {
			args = append(args, raw)
		}
		return said{Text: v.T(r.key, args...)}
	}
	return said{text, true}
}

// Stop is why a plan stopped, and Trouble why nothing is taken.
func (v *visit) Stop(text string) said    { return v.retold(stops, text) }
func (v *visit) Trouble(text string) said { return v.retold(troubles, text) }
