package ringostat

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// reader looks parameters up: a project's own names first, then the families,
// each through all places of the request.
type reader struct {
	bag        bag
	dictionary *dictionary
	// found are the parameters of the request that may be one of ours, in the order in
	// which they are asked; those of p lie together, from starts[p] on.
	found  []candidate
	starts [params + 1]int16
}

// candidate is a parameter that may be another, and how soon it is asked.
type candidate struct {
	*parameter
	param, rank int16
}

// readers are used again: what they hold of a request is no part of its Report.
var readers = sync.Pool{New: func() any {
	return &reader{bag: bag{all: make([]parameter, 0, usual)}, found: make([]candidate, usual)}
}}

// put gives a reader back, without what it read and without what only a request of
// many parameters needs.
func (r *reader) put() {
	if cap(r.bag.all) > many || cap(r.found) > many {
		return
	}
	clear(r.bag.all)
	clear(r.found)
	*r = reader{bag: bag{all: r.bag.all[:0]}, found: r.found}
	readers.Put(r)
}

// sort finds out which of our parameters those in the bag may be.
func (r *reader) sort(d *dictionary) {
	r.dictionary = d
	found := make([]candidate, 0, usual)
	for i := range r.bag.all {
		p := &r.bag.all[i]
		for _, m := range d.meanings[p.key] {
			found = append(found, candidate{p, int16(m.param), int16(m.rank*places + p.place)})
			r.starts[m.param+1]++
		}
	}
	for p := range params {
		r.starts[p+1] += r.starts[p]
	}
	free := r.starts
	r.found = slices.Grow(r.found[:0], len(found))[:len(found)]
	for _, c := range found {
		at := free[c.param]
		free[c.param]++
		for first := r.starts[c.param]; at > first && r.found[at-1].rank > c.rank; at-- {
			r.found[at] = r.found[at-1]
		}
		r.found[at] = c
	}
}

// first returns the first value that suits, and marks it as used. What does
// not suit hides nothing: an empty "direction" leaves "type" in charge.
func (r *reader) first(p param, suits func(string) bool) string {
	for _, found := range r.all(p) {
		if suits(found.value) {
			found.used = true
			return found.value
		}
	}
	return ""
}

// all are the parameters that may be p, in order of precedence.
func (r *reader) all(p param) []candidate { return r.found[r.starts[p]:r.starts[p+1]] }

// sent says whether the request has a parameter that may be p, even an empty
// one.
func (r *reader) sent(list ...param) bool {
	return slices.ContainsFunc(list, func(p param) bool { return len(r.all(p)) > 0 })
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
				if i := r.bag.at(spot{name, place}); i >= 0 && isEvent(r.bag.all[i].value) {
					r.bag.all[i].used = true
					return events[fold(r.bag.all[i].value)]
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
	var extra, custom map[string]string
	note := func(into *map[string]string, name, value string) {
		if *into == nil {
			*into = map[string]string{}
		}
		(*into)[name] = value
	}
	for place := places - 1; place >= 0; place-- {
		for _, p := range r.bag.all {
			if p.place != place || p.used && len(fields) == 0 || !hasValue(p.value) || isSecret(p.key) {
				continue
			}
			if len(fields) > 0 {
				note(&custom, p.key, p.value)
			}
			if !p.used {
				note(&extra, p.name, p.value)
			}
		}
	}
	for name, theirs := range fields {
		if _, known := paramNamed(name); known {
			continue
		}
		if value, there := custom[fold(theirs)]; there {
			note(&extra, strings.TrimSpace(name), value)
		}
	}
	return extra
}
