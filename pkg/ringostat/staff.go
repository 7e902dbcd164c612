package ringostat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// StaffMember is an employee as Ringostat knows them.
type StaffMember struct {
	Code      string   `json:"code"` // what calls name the employee by
	Name      string   `json:"name,omitempty"`
	Email     string   `json:"email,omitempty"`
	Extension string   `json:"extension,omitempty"`
	SIP       []string `json:"sip,omitempty"`
	Numbers   []string `json:"numbers,omitempty"`
}

// Staff reads the employees of a project, which has a number of its own in Ringostat
// (employee export, help 9188142; the answer's shape is that of a program in
// production: seen). Errors are those of [CallLog.Rows].
func (c *CallLog) Staff(ctx context.Context, project int) ([]StaffMember, error) {
	question, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "getProjectStaffListAndDirections",
		"params": map[string]any{"projectId": project, "departmentsFullFormat": 0},
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the employees: %w", err)
	}
	body, err := c.post(ctx, "/api/json-rpc", question)
	if err != nil {
		return nil, err
	}
	return readStaff(body)
}

// staffRecord is one employee of the answer. What is a number in one answer is a text
// in another.
type staffRecord struct {
	StaffID         loose `json:"staffId"`
	Name            loose `json:"fio"`
	Email           loose `json:"email"`
	Phone           loose `json:"phone"`
	ExtensionNumber loose `json:"extensionNumber"`
	Directions      struct{ Main, Additional directions }
}

type directions []direction

type direction struct {
	Direction loose `json:"direction"`
}

// UnmarshalJSON takes an object for a list: PHP writes the one for the other.
func (d *directions) UnmarshalJSON(raw []byte) error {
	*d = nil
	for _, one := range elements(raw) {
		var item direction
		if json.Unmarshal(one, &item) == nil {
			*d = append(*d, item)
		}
	}
	return nil
}

// loose is a text that may come as a number or not at all.
type loose string

// UnmarshalJSON never refuses: what is no text and no number is nothing.
func (l *loose) UnmarshalJSON(raw []byte) error {
	*l = ""
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(raw, &text) == nil:
		*l = loose(strings.TrimSpace(text))
	case json.Unmarshal(raw, &number) == nil:
		*l = loose(number.String())
	}
	return nil
}

func readStaff(body []byte) ([]StaffMember, error) {
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON", ErrUnreadable)
	}
	if len(answer.Error) > 0 && !bytes.Equal(answer.Error, []byte("null")) {
		return nil, fmt.Errorf("%w: it answers with an error", ErrKey)
	}
	if len(answer.Result) == 0 {
		return nil, fmt.Errorf("%w: it holds no result", ErrUnreadable)
	}
	out := []StaffMember{}
	for _, one := range elements(answer.Result) {
		var r staffRecord
		if json.Unmarshal(one, &r) != nil || r.StaffID == "" && r.Name == "" {
			continue
		}
		m := StaffMember{Code: string(r.StaffID), Name: string(r.Name), Email: string(r.Email), Extension: string(r.ExtensionNumber)}
		m.line(r.Phone)
		for _, d := range slices.Concat(r.Directions.Main, r.Directions.Additional) {
			m.line(d.Direction)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b StaffMember) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Code, b.Code)) })
	return out, nil
}

// line adds a way to reach the employee: what has letters is a SIP account, as in calls.
func (m *StaffMember) line(direction loose) {
	value := string(direction)
	if value == "" || value == m.Extension {
		return
	}
	into := &m.Numbers
	if strings.ContainsFunc(value, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }) {
		into, value = &m.SIP, sipLogin(value)
	}
	if !slices.Contains(*into, value) {
		*into = append(*into, value)
	}
}

// elements are the values of a list or of an object, in the order of its keys.
func elements(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		list = append(list, object[key])
	}
	return list
}
