package ringostat

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// reader looks parameters up: a project's own names first, then the families,
// each through all places of the request.
type reader struct {
	bag        *bag
	dictionary dictionary
	// found are the parameters of the request that may be one of ours, in the order in
	// which they are asked; those of one lie together, from starts on.
	found  []candidate
	starts []int
}

// candidate is a parameter that may be another, and how soon it is asked.
type candidate struct {
	*parameter
	param, rank int
}

func newReader(b *bag, d dictionary) *reader {
	r := &reader{bag: b, dictionary: d, found: make([]candidate, 0, 32), starts: make([]int, len(numbers)+1)}
	for place, l := range b.layers {
		for name, p := range l {
			for _, m := range d.meanings[name] {
				r.found = append(r.found, candidate{p, m.number, m.rank*len(b.layers) + place})
			}
		}
	}
	slices.SortFunc(r.found, func(a, b candidate) int { return cmp.Or(a.param-b.param, a.rank-b.rank) })
	at := 0
	for n := range r.starts {
		for at < len(r.found) && r.found[at].param < n {
			at++
		}
		r.starts[n] = at
	}
	return r
}

// first returns the first value that suits, and marks it as used. What does
// not suit hides nothing: an empty "direction" leaves "type" in charge.
func (r *reader) first(p param, suits func(string) bool) string {
	for found := range r.all(p) {
		if suits(found.value) {
			found.used = true
			return found.value
		}
	}
	return ""
}

// all goes through the parameters that may be p, in order of precedence.
func (r *reader) all(p param) func(yield func(*parameter) bool) {
	return func(yield func(*parameter) bool) {
		n := numbers[p]
		for _, c := range r.found[r.starts[n]:r.starts[n+1]] {
			if !yield(c.parameter) {
				return
			}
		}
	}
}

// sent says whether the request has a parameter that may be p, even an empty
// one.
func (r *reader) sent(params ...param) bool {
	for _, p := range params {
		for range r.all(p) {
			return true
		}
	}
	return false
}

func (r *reader) text(p param) string  { return r.first(p, hasValue) }
func (r *reader) label(p param) string { return unescapeText(r.text(p)) }

// link drops what is not a web address; it stays in Extra.
func (r *reader) link(p param) string {
	address := ""
	r.first(p, func(s string) bool {
		if hasValue(s) {
			address = link(s)
		}
		return address != ""
	})
	return address
}

func (r *reader) span(p param, unit time.Duration) (value time.Duration, ok bool) {
	r.first(p, func(s string) bool {
		if hasValue(s) {
			value, ok = span(s, unit)
		}
		return ok
	})
	return value, ok
}

func (r *reader) flag(p param) *bool {
	var value *bool
	r.first(p, func(s string) bool {
		v, ok := toggle(s)
		if ok {
			value = &v
		}
		return ok
	})
	return value
}

// date prefers a date over the epoch that some hooks send beside it. What no
// one can read stays in Extra.
func (r *reader) date(loc *time.Location) (value time.Time) {
	for _, p := range []param{pDate, pTimestamp} {
		ok := false
		r.first(p, func(s string) bool {
			value, ok = readDate(s, loc)
			return ok
		})
		if ok {
			return value
		}
	}
	return time.Time{}
}

// event reads ?event= of the address before a parameter of the body, and the
// method of a JSON-RPC envelope last.
func (r *reader) event() Event {
	for _, places := range [][]int{{inQuery, inQueryNested}, {inBody, inBodyNested}} {
		for _, name := range r.dictionary.names[pEvent] {
			for _, place := range places {
				if found := r.bag.layers[place][name]; found != nil && isEvent(found.value) {
					found.used = true
					return events[fold(found.value)]
				}
			}
		}
	}
	return events[fold(r.bag.method)]
}

// secrets are never carried on, whoever put them into a webhook's address.
var secrets = []string{"token", "secret", "password", "passwd", "api_key", "apikey", "auth_key", "authorization"}

func isSecret(key string) bool {
	return slices.Contains(secrets, key[strings.LastIndex(key, ".")+1:])
}

// extra returns what became no field of the Report, under the sender's names,
// and the project's custom names under ours.
func (r *reader) extra(fields map[string]string) map[string]string {
	var extra map[string]string
	custom := map[string]*parameter{}
	note := func(name, value string) {
		if extra == nil {
			extra = map[string]string{}
		}
		extra[name] = value
	}
	for i := len(r.bag.layers) - 1; i >= 0; i-- {
		for key, p := range r.bag.layers[i] {
			if (!p.used || len(fields) > 0) && hasValue(p.value) && !isSecret(key) {
				custom[key] = p
				if !p.used {
					note(p.name, p.value)
				}
			}
		}
	}
	for ours, theirs := range fields {
		if _, known := names[param(fold(ours))]; known {
			continue
		}
		if p := custom[fold(theirs)]; p != nil {
			note(strings.TrimSpace(ours), p.value)
		}
	}
	return extra
}
