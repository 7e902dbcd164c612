package bitrix

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Param is one named value. Value is a string, bool, int, int64, float64,
// time.Time (sent with its offset), Reference, Params (a nested map), or a
// slice of these: []any, []string, []int, []Params.
type Param struct {
	Name  string
	Value any
}

// Params are the parameters of a command in a fixed order. They have two
// forms: a JSON object for Client.Call and a query string inside a batch.
type Params []Param

// Reference stands for a value in the result of an earlier command of the same
// batch; the portal fills it in. It is always the end of the whole value,
// because the portal swallows everything that follows one up to a space.
type Reference struct {
	prefix string
	key    string
	path   []string
}

// Ref refers to the result of the command with this key: the whole of it or,
// with a path, a part: Ref("lead", "item", "id").
func Ref(key string, path ...string) Reference { return Reference{key: key, path: path} }

// After puts text in front of the reference: Ref("lead", "item", "id").After("L_").
func (r Reference) After(prefix string) Reference {
	r.prefix = prefix
	return r
}

// IsZero reports whether r refers to nothing.
func (r Reference) IsZero() bool { return r.key == "" }

// String is the reference as the portal reads it.
func (r Reference) String() string {
	return r.prefix + "$result[" + strings.Join(append([]string{r.key}, r.path...), "][") + "]"
}

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

	// substitution matches what the portal would replace inside any string of a
	// batch, whoever wrote it: a caller may call himself $result[lead].
	substitution = regexp.MustCompile(`(?i)\$(result|next|total|error)\[`)
)

func (r Reference) check() error {
	if strings.ContainsAny(r.prefix, " \t\r\n$") {
		return fmt.Errorf("text %q can't stand before a reference", r.prefix)
	}
	for _, part := range append([]string{r.key}, r.path...) {
		if !plainName.MatchString(part) {
			return fmt.Errorf("%q can't be part of a reference", part)
		}
	}
	return nil
}

// maxVariables is PHP's default max_input_vars, which drops the rest silently.
const maxVariables = 1000

// Query is the form that goes into a batch: percent-encoded once, nested values
// as fields[PHONE][0][VALUE]. In texts "$result[" and its like become
// "$ result[", because the portal would substitute them. Empty lists and maps,
// nil and the zero time have no query form and are errors: leaving out an empty
// list of ids would ask for everything.
func (p Params) Query() (string, error) {
	q := query{}
	if err := q.params("", p); err != nil {
		return "", err
	}
	return q.out.String(), nil
}

type query struct {
	out       strings.Builder
	variables int
}

func (q *query) params(prefix string, p Params) error {
	seen := make(map[string]bool, len(p))
	for _, param := range p {
		name := param.Name
		switch {
		case name == "" || strings.ContainsAny(name, "[]\x00"):
			return fmt.Errorf("parameter %q: not a name", name)
		case prefix == "" && !plainName.MatchString(name):
			return fmt.Errorf("parameter %q: the portal would read this name differently", name)
		case seen[name]:
			return fmt.Errorf("parameter %q: given twice", name)
		}
		seen[name] = true
		if err := q.value(key(prefix, name), param.Value); err != nil {
			return err
		}
	}
	return nil
}

func key(prefix, name string) string {
	if prefix == "" {
		return escape(name)
	}
	return prefix + "[" + escape(name) + "]"
}

func (q *query) value(key string, v any) error {
	if nested, ok := v.(Params); ok {
		if len(nested) == 0 {
			return fmt.Errorf("parameter %s: an empty map has no query form", key)
		}
		return q.params(key, nested)
	}
	if list, ok := elements(v); ok {
		if len(list) == 0 {
			return fmt.Errorf("parameter %s: an empty list has no query form", key)
		}
		for i, element := range list {
			if err := q.value(key+"["+strconv.Itoa(i)+"]", element); err != nil {
				return err
			}
		}
		return nil
	}
	text, err := scalar(v)
	if err != nil {
		return fmt.Errorf("parameter %s: %w", key, err)
	}
	if q.variables++; q.variables > maxVariables {
		return fmt.Errorf("more than %d values in one command", maxVariables)
	}
	if q.out.Len() > 0 {
		q.out.WriteByte('&')
	}
	q.out.WriteString(key + "=" + text)
	return nil
}

// elements is v as a list.
func elements(v any) ([]any, bool) {
	var list []any
	switch v := v.(type) {
	case []any:
		return v, true
	case []string:
		for _, e := range v {
			list = append(list, e)
		}
	case []int:
		for _, e := range v {
			list = append(list, e)
		}
	case []Params:
		for _, e := range v {
			list = append(list, e)
		}
	default:
		return nil, false
	}
	return list, true
}

// scalar is v encoded for a query.
func scalar(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return escape(substitution.ReplaceAllString(v, "$$ $1[")), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		if v {
			return "1", nil
		}
		return "0", nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", fmt.Errorf("%v is not a number", v)
		}
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case time.Time:
		if v.IsZero() {
			return "", fmt.Errorf("the zero time is no value")
		}
		return escape(v.Format(time.RFC3339)), nil
	case Reference:
		if err := v.check(); err != nil {
			return "", err
		}
		bare := v
		bare.prefix = ""
		return escape(v.prefix) + bare.String(), nil
	}
	return "", fmt.Errorf("a %T is no value", v)
}

// escape percent-encodes every byte but letters, digits, "-", "_" and ".", as
// RFC 3986 and so also PHP's parser understands it. A plus sign is a space to
// the parser, so a space is never written as one.
func escape(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// references lists the keys that the values of p refer to.
func (p Params) references() []string {
	var keys []string
	for _, param := range p {
		keys = append(keys, referencesIn(param.Value)...)
	}
	return keys
}

func referencesIn(v any) []string {
	switch v := v.(type) {
	case Reference:
		return []string{v.key}
	case Params:
		return v.references()
	}
	var keys []string
	list, _ := elements(v)
	for _, element := range list {
		keys = append(keys, referencesIn(element)...)
	}
	return keys
}
