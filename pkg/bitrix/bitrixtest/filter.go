package bitrixtest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pageSize is fixed by Bitrix24
// (https://apidocs.bitrix24.com/settings/how-to-call-rest-api/list-methods-pecularities.html).
const pageSize = 50

// prefixes of a filter key, longest first.
var prefixes = []string{"!=%", "!%=", "!><", "!@", "!%", "!=", "=%", "%=", ">=", "<=", "><", ">", "<", "@", "%", "=", "!"}

func splitKey(key string) (prefix, name string) {
	for _, p := range prefixes {
		if rest, found := strings.CutPrefix(key, p); found {
			return p, rest
		}
	}
	return "", key
}

// lookup returns the values a row has under a name; several for a field with several values, and false
// when rows have no such field.
type lookup func(name string) ([]any, bool)

// matches judges a row by a filter: all conditions must hold, unknown fields are ignored. Numbered
// members are filters of their own, joined by "logic" ("AND" or "OR"), as crm.item.list has it.
func matches(filter *array, row lookup) bool {
	if filter.len() == 0 {
		return true
	}
	or := strings.EqualFold(text(filter.get("logic")), "OR")
	for _, key := range filter.keys {
		asked := filter.vals[key]
		if strings.EqualFold(key, "logic") {
			continue
		}
		var holds bool
		if _, numbered := intKey(key); numbered {
			holds = matches(asArray(asked), row)
		} else {
			prefix, name := splitKey(key)
			values, known := row(name)
			if !known {
				continue
			}
			holds = holdsFor(prefix, values, asked)
		}
		if holds == or {
			return or
		}
	}
	return !or
}

// namesIn lists the fields a filter asks about, nested ones too.
func namesIn(filter *array) (out []string) {
	for _, key := range filter.names() {
		if strings.EqualFold(key, "logic") {
			continue
		}
		if _, numbered := intKey(key); numbered {
			out = append(out, namesIn(asArray(filter.vals[key]))...)
			continue
		}
		_, name := splitKey(key)
		out = append(out, name)
	}
	return out
}

func holdsFor(prefix string, values []any, asked any) bool {
	wanted := many(asked)
	any1 := func(test func(v, w any) bool) bool {
		return slices.ContainsFunc(values, func(v any) bool {
			return slices.ContainsFunc(wanted, func(w any) bool { return test(v, w) })
		})
	}
	order := func(test func(int) bool) bool {
		return any1(func(v, w any) bool { return v != nil && test(compare(v, w)) })
	}
	contains := func(v, w any) bool {
		return strings.Contains(strings.ToLower(text(v)), strings.ToLower(text(w)))
	}
	between := func() bool {
		return len(wanted) == 2 && slices.ContainsFunc(values, func(v any) bool {
			return compare(v, wanted[0]) >= 0 && compare(v, wanted[1]) <= 0
		})
	}
	switch prefix {
	case ">":
		return order(func(c int) bool { return c > 0 })
	case ">=":
		return order(func(c int) bool { return c >= 0 })
	case "<":
		return order(func(c int) bool { return c < 0 })
	case "<=":
		return order(func(c int) bool { return c <= 0 })
	case "><":
		return between()
	case "!><":
		return !between()
	case "%":
		return any1(contains)
	case "!%":
		return !any1(contains)
	case "=%", "%=":
		return any1(like)
	case "!=%", "!%=":
		return !any1(like)
	case "!", "!=", "!@":
		return !equalAny(values, wanted)
	}
	return equalAny(values, wanted)
}

// equalAny: a field without a value equals the empty ones.
func equalAny(values, wanted []any) bool {
	if len(values) == 0 {
		values = []any{nil}
	}
	if wanted == nil {
		wanted = []any{nil}
	}
	for _, v := range values {
		for _, w := range wanted {
			if v == nil && (text(w) == "" || text(w) == "0") || v != nil && compare(v, w) == 0 {
				return true
			}
		}
	}
	return false
}

// like matches a pattern whose "%" stands for any text, in any letter case.
func like(v, pattern any) bool {
	s, parts := strings.ToLower(text(v)), strings.Split(strings.ToLower(text(pattern)), "%")
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(s, part)
		}
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return s == ""
}

// compare orders a kept value against an asked one: dates as moments, numbers as numbers, the rest as
// text in any letter case, as the database does. It also orders two kept values.
func compare(kept, asked any) int {
	switch k := kept.(type) {
	case time.Time:
		if t, isTime := asked.(time.Time); isTime {
			return k.Compare(t)
		}
		if t, isTime := parseTime(text(asked), k.Location()); isTime {
			return k.Truncate(time.Second).Compare(t.Truncate(time.Second))
		}
		return 1
	case int:
		return cmp.Compare(float64(k), float(asked))
	case float64:
		return cmp.Compare(k, float(asked))
	case bool:
		return cmp.Compare(number(k), number(yes(asked)))
	case searchText:
		if strings.Contains(strings.ToLower(string(k)), strings.ToLower(text(asked))) {
			return 0
		}
	case pattern:
		if like(string(k), asked) {
			return 0
		}
	}
	return strings.Compare(strings.ToLower(text(kept)), strings.ToLower(text(asked)))
}

func float(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	case bool:
		return float64(number(v))
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text(v)), 64)
	if err != nil {
		return float64(number(v))
	}
	return n
}

// page cuts one page out of the rows; start -1 gives the first page without counting.
func page[T any](rows []T, start any) (out []T, total, next *int) {
	from := number(start)
	if from < 0 {
		return rows[:min(pageSize, len(rows))], nil, nil
	}
	n := len(rows)
	if to := from + pageSize; to < n {
		next = &to
	}
	return rows[min(from, n):min(from+pageSize, n)], &n, next
}

// descending reads the direction in an order.
func descending(v any) bool { return strings.EqualFold(text(v), "DESC") }

// sortBy orders rows by the members of order, one after another. Names that value does not know are
// passed over.
func sortBy[T any](rows []T, order *array, value func(T, string) any) {
	slices.SortStableFunc(rows, func(a, b T) int {
		for _, name := range order.names() {
			c := compareKept(value(a, name), value(b, name))
			if descending(order.get(name)) {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
}

func compareKept(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return compare(a, b)
}

// sortRows orders printed rows: values that look like numbers are compared as numbers.
func sortRows(rows *array, order *array) {
	values := rows.values()
	sortBy(values, order, func(v any, name string) any {
		kept := asArray(v).fold(name)
		if n, err := strconv.Atoi(text(kept)); err == nil {
			return n
		}
		return kept
	})
	for i, v := range values {
		rows.vals[rows.keys[i]] = v
	}
}
