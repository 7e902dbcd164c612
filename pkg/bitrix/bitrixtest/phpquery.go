package bitrixtest

import (
	"strings"
)

// PHP's own limits on what arrives in a query string or a form: what goes beyond is dropped without
// a word (php.ini max_input_vars and max_input_nesting_level, both at their defaults).
const (
	maxInputVars    = 1000
	maxInputNesting = 64
)

// parseQuery reads a query string as PHP's parse_str does: "+" is a space, "a[b][]=c" nests, spaces
// and dots in a name become "_", a later value replaces an earlier one.
func parseQuery(query string) *array {
	a := newArray()
	vars := 0
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		if vars++; vars > maxInputVars {
			break
		}
		name, value, _ := strings.Cut(part, "=")
		a.register(urldecode(name), urldecode(value))
	}
	return a
}

// register stores one form variable under a name with brackets.
func (a *array) register(name string, value any) {
	base, path, ok := splitName(name)
	if !ok {
		return
	}
	at, key := a, base
	for _, sub := range path {
		inner := asArray(at.lookup(key))
		if inner == nil {
			inner = newArray()
			at.put(key, inner)
		}
		at, key = inner, sub
	}
	at.put(key, value)
}

// lookup and put treat the empty key as "the next index", as [] means in a name.
func (a *array) lookup(key string) any {
	if key == "" {
		return nil
	}
	return a.get(key)
}

func (a *array) put(key string, v any) {
	if key == "" {
		a.push(v)
		return
	}
	a.set(key, v)
}

// splitName takes "a[b][]" apart. A bracket that is never closed belongs to the name, as "_"; what
// follows the last closed bracket is dropped; a name without a base is no name.
func splitName(name string) (base string, path []string, ok bool) {
	name = strings.TrimLeft(name, " ")
	if i := strings.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	base, rest, nested := strings.Cut(name, "[")
	base = strings.NewReplacer(" ", "_", ".", "_").Replace(base)
	if base == "" {
		return "", nil, false
	}
	for nested {
		key, after, closed := strings.Cut(rest, "]")
		if !closed {
			if len(path) == 0 {
				base += "_" + rest
			}
			break
		}
		if len(path)+1 > maxInputNesting {
			return "", nil, false
		}
		if strings.TrimSpace(key) == "" {
			key = ""
		}
		path = append(path, key)
		rest, nested = strings.CutPrefix(after, "[")
	}
	return base, path, true
}

// urldecode is PHP's: a "%" that starts no pair of hexadecimal digits stays as it is.
func urldecode(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			b.WriteByte(byte(unhex(s[i+1])<<4 | unhex(s[i+2])))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
