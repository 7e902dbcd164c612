package bitrixtest

import (
	"regexp"
	"strings"
)

// reference is greedy up to white space, as on a live portal: whatever is glued behind the last
// bracket is taken for part of it.
var reference = regexp.MustCompile(`\$(result|error|total|next)(\[[^\s]*)`)

// resolve replaces $result[key][field]... in the values of a command by what earlier commands
// returned. A value that is nothing but a reference keeps the type of what it refers to; with text
// before it, it becomes a string. A reference to something that is not there is not an error: the
// text stays, or the innermost container that was found takes its place.
//
// Text glued behind a reference is lost on a live portal. That is a mistake of the caller, so it is
// refused here with BITRIXTEST_REFERENCE.
func (out results) resolve(params *array) (*array, *refusal) {
	done := newArray()
	for _, key := range params.keys {
		switch v := params.vals[key].(type) {
		case *array:
			inner, r := out.resolve(v)
			if r != nil {
				return nil, r
			}
			done.set(key, inner)
		case string:
			value, r := out.substitute(v)
			if r != nil {
				return nil, r
			}
			done.set(key, value)
		}
	}
	return done, nil
}

func (out results) substitute(value string) (any, *refusal) {
	spots := reference.FindAllStringSubmatchIndex(value, -1)
	if spots == nil {
		return value, nil
	}
	var b strings.Builder
	end := 0
	for _, at := range spots {
		token, path := value[at[0]:at[1]], value[at[4]:at[5]]
		if !strings.HasSuffix(path, "]") || strings.Contains(path, "$") {
			return nil, refuse(400, "BITRIXTEST_REFERENCE",
				"text glued behind a reference is lost on a live portal: %s", token)
		}
		found, isThere := out.follow(value[at[2]:at[3]], strings.Split(path[1:len(path)-1], "]["))
		if isThere && token == value {
			return found, nil
		}
		b.WriteString(value[end:at[0]])
		if isThere {
			b.WriteString(text(found))
		} else {
			b.WriteString(token)
		}
		end = at[1]
	}
	b.WriteString(value[end:])
	return b.String(), nil
}

// follow walks a path. It reports false when not even the command is there; when the path breaks off
// further down, the last container reached is what is found.
func (out results) follow(what string, path []string) (any, bool) {
	at := map[string]*array{"result": out.result, "error": out.fail, "total": out.total, "next": out.next}[what]
	if !at.has(path[0]) {
		return nil, false
	}
	value := at.get(path[0])
	for _, key := range path[1:] {
		inner := asArray(value)
		if !inner.has(key) {
			break
		}
		value = inner.get(key)
	}
	return value, true
}
