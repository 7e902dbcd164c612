package bitrixtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// array is PHP's array: one type for lists and maps, in the order of writing. Parameters arrive in
// it and results leave in it, because the portal's odd shapes ([] for an empty map, a list where keys
// happen to be 0..n-1, commands run in the order of their keys) all come from this type.
type array struct {
	keys []string
	vals map[string]any
	next int
}

// blank is an object without members that stays one: {} where PHP would print [].
type blank struct{}

func newArray() *array { return &array{vals: map[string]any{}} }

// object makes a map from key, value, key, value...
func object(pairs ...any) *array {
	a := newArray()
	for i := 0; i < len(pairs); i += 2 {
		a.set(pairs[i].(string), pairs[i+1])
	}
	return a
}

func list[T any](values ...T) *array {
	a := newArray()
	for _, v := range values {
		a.push(v)
	}
	return a
}

func (a *array) set(key string, v any) {
	if _, ok := a.vals[key]; !ok {
		a.keys = append(a.keys, key)
	}
	a.vals[key] = v
	if n, ok := intKey(key); ok && n >= a.next {
		a.next = n + 1
	}
}

func (a *array) push(v any) { a.set(strconv.Itoa(a.next), v) }

func (a *array) get(key string) any {
	if a == nil {
		return nil
	}
	return a.vals[key]
}

func (a *array) has(key string) bool {
	if a == nil {
		return false
	}
	_, ok := a.vals[key]
	return ok
}

// fold is get with the key's letter case ignored, as the classic methods read their parameters.
func (a *array) fold(key string) any {
	if a == nil {
		return nil
	}
	if v, ok := a.vals[key]; ok {
		return v
	}
	for _, k := range a.keys {
		if strings.EqualFold(k, key) {
			return a.vals[k]
		}
	}
	return nil
}

func (a *array) len() int {
	if a == nil {
		return 0
	}
	return len(a.keys)
}

func (a *array) names() []string {
	if a == nil {
		return nil
	}
	return a.keys
}

func (a *array) values() []any {
	if a == nil {
		return nil
	}
	out := make([]any, len(a.keys))
	for i, k := range a.keys {
		out[i] = a.vals[k]
	}
	return out
}

func (a *array) isList() bool {
	for i, k := range a.keys {
		if k != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// intKey tells whether PHP would store the key as an integer: "7" but not "07" or "7a".
func intKey(key string) (int, bool) {
	n, err := strconv.Atoi(key)
	if err != nil || strconv.Itoa(n) != key {
		return 0, false
	}
	return n, true
}

// fromJSON reads one JSON document keeping the order of its keys. Whole numbers become int.
func fromJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decodeJSON(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the document")
	}
	return v, nil
}

func decodeJSON(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		a := newArray()
		for dec.More() {
			key := strconv.Itoa(a.next)
			if t == '{' {
				k, err := dec.Token()
				if err != nil {
					return nil, err
				}
				key = k.(string)
			}
			v, err := decodeJSON(dec)
			if err != nil {
				return nil, err
			}
			a.set(key, v)
		}
		if _, err := dec.Token(); err != nil {
			return nil, err
		}
		return a, nil
	case json.Number:
		if n, err := strconv.Atoi(t.String()); err == nil {
			return n, nil
		}
		return t.Float64()
	}
	return tok, nil
}

// asArray returns v as an array, or nil when it is a scalar.
func asArray(v any) *array {
	a, _ := v.(*array)
	return a
}

// text is PHP's conversion to string: true is "1", false and null are "", an array is "Array".
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "1"
		}
		return ""
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case *array:
		return "Array"
	}
	return fmt.Sprint(v)
}

// number is PHP's conversion to int: the digits in front count, the rest does not.
func number(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case float64:
		return int(v)
	case bool:
		if v {
			return 1
		}
		return 0
	case *array:
		return min(v.len(), 1)
	}
	s := strings.TrimSpace(text(v))
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, _ := strconv.Atoi(s[:end])
	return n
}

// yes reads the many spellings of true: true, 1, "1", "Y", "true".
func yes(v any) bool {
	switch strings.ToLower(text(v)) {
	case "1", "y", "yes", "true":
		return true
	}
	return false
}

// many returns the values of a list, or the scalar as its only one; an absent value gives none.
func many(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case *array:
		return v.values()
	}
	return []any{v}
}

func texts(v any) []string {
	var out []string
	for _, x := range many(v) {
		out = append(out, text(x))
	}
	return out
}

func numbers(v any) []int {
	var out []int
	for _, x := range many(v) {
		if n := number(x); n != 0 {
			out = append(out, n)
		}
	}
	return out
}
