package settings

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reader reads the keys of one block. Every method reads one key, reports what
// is wrong with it, and leaves the default alone when the key isn't there.
type reader struct {
	*report
	path   string
	at     position
	values map[string]*node
}

// check objects to a value: what is wrong with it, as the rest of a sentence
// that begins with the value, and what a right one looks like. An empty what
// means that the value is fine.
type check func(value string) (what, want string)

// keysOf returns the names of a struct's keys in the file, in their order.
func keysOf[T any]() []string {
	var keys []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		keys = append(keys, name)
	}
	return keys
}

// open reads n as a block with the keys known. A block that isn't one, or isn't
// there, reads as empty; ok tells whether there is one.
func (r *report) open(n *node, path string, known []string) (block reader, ok bool) {
	block = reader{report: r, path: path, values: map[string]*node{}}
	if n == nil || n.kind == nothing || n.kind == broken {
		return block, false
	}
	block.at = n.at
	if !r.isBlock(n, path) {
		return block, false
	}
	for _, e := range n.entries {
		if !slices.Contains(known, e.key) {
			r.add(e.at, join(path, e.key), unknown(e.key, known), "one of "+strings.Join(known, ", "))
			continue
		}
		block.values[e.key] = e.value
	}
	return block, true
}

// isBlock reports n unless it is a block whose keys differ.
func (r *report) isBlock(n *node, path string) bool {
	if n.kind != block {
		r.add(n.at, path, "is "+n.name(), "a block of `key: value` lines")
		return false
	}
	seen := map[string]position{}
	for _, e := range n.entries {
		if first, again := seen[e.key]; again {
			what := "stands here a second time"
			if first.line > 0 {
				what += fmt.Sprintf("; the first is in line %d", first.line)
			}
			r.add(e.at, join(path, e.key), what, "each key once")
			continue
		}
		seen[e.key] = e.at
	}
	return true
}

// unknown says that a key isn't known and which one was probably meant.
func unknown(key string, known []string) string {
	return "is not a known key here" + meant(key, known)
}

// has tells whether key has a value, be it a broken one.
func (b reader) has(key string) bool {
	n := b.values[key]
	return n != nil && n.kind != nothing
}

// place is where to point when key is missing: at its empty value, or at the
// block that should hold it.
func (b reader) place(key string) position {
	if n := b.values[key]; n != nil && n.at.line > 0 {
		return n.at
	}
	return b.at
}

// complain reports something about a key.
func (b reader) complain(key, what, want string) {
	b.add(b.place(key), join(b.path, key), what, want)
}

// require reports a key without a value.
func (b reader) require(key, want string) {
	if !b.has(key) {
		b.complain(key, "is missing", want)
	}
}

func (b reader) block(key string, known []string) (reader, bool) {
	return b.open(b.values[key], join(b.path, key), known)
}

// text reads a single value. Numbers and truth values are taken as written, so
// that `code: 101` is the text 101.
func (b reader) text(key string, into *string, want string, checks ...check) bool {
	return b.scalar(b.values[key], join(b.path, key), into, false, want, checks)
}

// hidden reads a single value that no message may show.
func (b reader) hidden(key string, into *string, want string, checks ...check) bool {
	return b.scalar(b.values[key], join(b.path, key), into, true, want, checks)
}

func (r *report) scalar(n *node, path string, into *string, hide bool, want string, checks []check) bool {
	if n == nil || n.kind == nothing || n.kind == broken {
		return false
	}
	if n.kind != text {
		r.add(n.at, path, "is "+n.name(), want)
		return false
	}
	shown := "the value"
	if !hide {
		shown = n.shown()
	}
	for _, check := range checks {
		if what, better := check(n.value); what != "" {
			if better == "" {
				better = want
			}
			r.add(n.at, path, shown+" "+what, better)
			return false
		}
	}
	*into = n.value
	return true
}

func (b reader) whole(key string, into *int, least int, want string) bool {
	var written string
	fits := func(value string) (string, string) {
		number, err := strconv.Atoi(value)
		switch {
		case err != nil:
			return "is not a whole number", ""
		case number < least:
			return fmt.Sprintf("is below %d", least), ""
		}
		return "", ""
	}
	if !b.text(key, &written, want, fits) {
		return false
	}
	*into, _ = strconv.Atoi(written)
	return true
}

func (b reader) rate(key string, into *float64, want string) {
	var written string
	fits := func(value string) (string, string) {
		number, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil || math.IsNaN(number) || math.IsInf(number, 0) || strings.ContainsAny(value, "xX_"):
			return "is not a number", ""
		case number <= 0:
			return "is not above 0", ""
		}
		return "", ""
	}
	if b.text(key, &written, want, fits) {
		*into, _ = strconv.ParseFloat(written, 64)
	}
}

func (b reader) flag(key string, into *bool) {
	var written string
	if b.text(key, &written, "true or false", oneOf("a truth value", "true", "false")) {
		*into = written == "true"
	}
}

// span reads a duration of at least least.
func (b reader) span(key string, into *Duration, least time.Duration, example string) {
	var written string
	fits := func(value string) (string, string) {
		span, err := time.ParseDuration(value)
		if _, bare := strconv.ParseFloat(value, 64); err != nil && bare == nil {
			return "is a number without a unit", ""
		}
		switch {
		case err != nil:
			return "is not a span of time", ""
		case span < 0:
			return "is below zero", ""
		case span < least:
			return "is too short", ""
		}
		return "", ""
	}
	if b.text(key, &written, "a number with the unit ms, s, m or h, for example "+example, fits) {
		span, _ := time.ParseDuration(written)
		*into = Duration(span)
	}
}

// secret reads a secret. previous is what [Mask] stands for, or empty where
// nothing can be meant by it.
func (b reader) secret(key string, into *Secret, previous Secret, want string, checks ...check) bool {
	return b.secretNode(b.values[key], join(b.path, key), into, previous, want, checks)
}

func (r *report) secretNode(n *node, path string, into *Secret, previous Secret, want string, checks []check) bool {
	var value string
	if n != nil && n.kind == text && n.value == Mask && previous != "" {
		*into = previous
		return true
	}
	checks = append([]check{notEmpty, notMask}, checks...)
	if !r.scalar(n, path, &value, true, want, checks) {
		return false
	}
	*into = Secret(value)
	return true
}

// items returns the values of a list.
func (b reader) items(key, want string) []*node {
	n := b.values[key]
	if n == nil || n.kind == nothing || n.kind == broken {
		return nil
	}
	if n.kind != list {
		b.add(n.at, join(b.path, key), "is "+n.name(), want)
		return nil
	}
	return n.items
}

// texts reads a list of single values.
func (b reader) texts(key string, want string, checks ...check) []string {
	var values []string
	for i, item := range b.items(key, want) {
		path := fmt.Sprintf("%s[%d]", join(b.path, key), i)
		if item.kind == nothing {
			b.add(item.at, path, "is empty", want)
			continue
		}
		var value string
		if b.scalar(item, path, &value, false, want, append([]check{notEmpty}, checks...)) {
			values = append(values, value)
		}
	}
	return values
}
