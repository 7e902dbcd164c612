package bitrix

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Answer is a successful answer.
type Answer struct {
	Result json.RawMessage // never nil; `null` and `[]` are results too
	Total  *int            // of list methods, unless switched off by start -1
	Next   *int            // start of the next page of a list, nil on the last one
	Time   Time
	Moved  string // the host the portal answers from now; empty while the settings are right
}

// Time is the portal's account of a request. All parts are optional: older and
// self-hosted portals leave them out. Seconds are the portal's own measure.
// https://apidocs.bitrix24.com/api-reference/data-types.html
type Time struct {
	Duration         float64   // seconds the request took
	Processing       float64   // seconds of it spent in the method
	Operating        float64   // seconds of the method's execution within the last ten minutes, this request included
	OperatingResetAt time.Time // when the oldest of these minutes drops out
	HasOperating     bool      // Operating was in the answer
}

// row is a JSON object whose values are read tolerantly: an absent key, null
// and a value of another type read as zero. Numbers may come as strings.
type row map[string]json.RawMessage

// asRow reads an object. PHP writes an empty map as [], and a map with the keys
// 0…n-1 as a list; absent, null, "" and false are empty too.
func asRow(raw json.RawMessage) (row, error) {
	if hollow(raw) {
		return row{}, nil
	}
	r := row{}
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, err
	}
	return r, nil
}

// asRows reads a list of objects; a list with holes arrives as an object with
// numeric keys.
func asRows(raw json.RawMessage) ([]row, error) {
	if hollow(raw) {
		return nil, nil
	}
	var rows []row
	err := json.Unmarshal(raw, &rows)
	if err == nil {
		return rows, nil
	}
	var byKey map[string]row
	if json.Unmarshal(raw, &byKey) != nil {
		return nil, err
	}
	for _, k := range sortedKeys(byKey) {
		if !onlyDigits.MatchString(k) {
			return nil, err
		}
		rows = append(rows, byKey[k])
	}
	return rows, nil
}

// sortedKeys puts numeric keys into the order of their numbers.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if onlyDigits.MatchString(a) && onlyDigits.MatchString(b) && len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return keys
}

// hollow reports whether raw is one of PHP's ways to say "nothing".
func hollow(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "[]", `""`, "false":
		return true
	}
	return false
}

// text is a string, number or boolean as text.
func (r row) text(key string) string { return scalarText(r[key]) }

func scalarText(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return s
	case 'n', '{', '[':
		return ""
	}
	return string(raw)
}

// num is a whole number; 12, "12" and 12.0 are the same.
func (r row) num(key string) int {
	n, _ := wholeNumber(r[key])
	return n
}

func wholeNumber(raw json.RawMessage) (int, bool) {
	s := strings.TrimSpace(scalarText(raw))
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	if f, ok := decimal(s); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int(f), true
	}
	return 0, false
}

// decimal reads the numbers JSON knows, so no "inf", "nan" or "0x1p3".
func decimal(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// count is an optional number of rows.
func count(raw json.RawMessage) *int {
	if n, ok := wholeNumber(raw); ok {
		return &n
	}
	return nil
}

// flag is Y/N, true/false or 1/0.
func (r row) flag(key string) bool {
	switch strings.ToLower(r.text(key)) {
	case "y", "true", "1":
		return true
	}
	return false
}

// date is a time with an offset; an empty or unreadable one is the zero time.
func (r row) date(key string) time.Time {
	text := r.text(key)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// texts is a list of scalars; a single one is a list of one.
func (r row) texts(key string) []string {
	if hollow(r[key]) {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(r[key], &list) != nil {
		var byKey map[string]json.RawMessage
		if json.Unmarshal(r[key], &byKey) != nil {
			return []string{r.text(key)}
		}
		for _, k := range sortedKeys(byKey) {
			list = append(list, byKey[k])
		}
	}
	var out []string
	for _, raw := range list {
		out = append(out, scalarText(raw))
	}
	return out
}

func readTime(raw json.RawMessage) Time {
	r, err := asRow(raw)
	if err != nil {
		return Time{}
	}
	t := Time{}
	t.Duration, _ = decimal(r.text("duration"))
	t.Processing, _ = decimal(r.text("processing"))
	t.Operating, t.HasOperating = decimal(r.text("operating"))
	if at, ok := decimal(r.text("operating_reset_at")); ok && at > 0 && at < 1e11 {
		t.OperatingResetAt = time.Unix(int64(at), 0).UTC()
	}
	return t
}

// envelope is the body of an answer.
type envelope struct {
	content     Content
	answer      Answer
	code        string
	description string
}

// readEnvelope reads the body of an answer, whatever it is. Names are compared
// exactly. A body with an error is an error, also when it has a result.
func readEnvelope(body []byte) envelope {
	body = bytes.Trim(body, "\ufeff \t\r\n")
	r := row{}
	if len(body) == 0 || body[0] != '{' || json.Unmarshal(body, &r) != nil {
		return envelope{content: ContentUnreadable}
	}
	result, hasResult := r["result"]
	failure, hasError := r["error"]
	e := envelope{answer: Answer{Result: result, Total: count(r["total"]), Next: count(r["next"]), Time: readTime(r["time"])}}
	e.code, e.description = errorText(r)
	switch {
	case hasError && e.code == "" && !hasResult && string(failure) == `""`:
		e.content = ContentError // most classic methods refuse with an empty code
	case hasError && e.code != "":
		e.content = ContentError
	case hasResult && (!hasError || string(failure) == `""` || string(failure) == "null"):
		e.content = ContentResult
	default:
		e.content = ContentUnreadable
	}
	return e
}

// errorText is the code and the text of an error. In version 3 of the interface
// the error is an object, in the older one a string or a number.
func errorText(r row) (code, description string) {
	if nested, err := asRow(r["error"]); err == nil && len(nested) > 0 {
		return nested.text("code"), nested.text("message")
	}
	if s := bytes.TrimSpace(r["error"]); len(s) > 0 && s[0] != 'f' && s[0] != 't' {
		code = scalarText(s)
	}
	return code, r.text("error_description")
}
