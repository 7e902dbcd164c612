package bitrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// MarshalJSON writes an object with the names in the given order. What has no
// query form has no JSON form either, and references are an error: only a
// batch has earlier commands.
func (p Params) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	seen := make(map[string]bool, len(p))
	for i, param := range p {
		if param.Name == "" || seen[param.Name] {
			return nil, fmt.Errorf("parameter %q: empty or given twice", param.Name)
		}
		seen[param.Name] = true
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := jsonValue(param.Value)
		if err != nil {
			return nil, fmt.Errorf("parameter %q: %w", param.Name, err)
		}
		b.Write(jsonString(param.Name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func jsonValue(v any) ([]byte, error) {
	if nested, ok := v.(Params); ok {
		if len(nested) == 0 {
			return nil, errors.New("an empty map is no value")
		}
		return nested.MarshalJSON()
	}
	if list, ok := elements(v); ok {
		if len(list) == 0 {
			return nil, errors.New("an empty list is no value")
		}
		out := []byte{'['}
		for i, element := range list {
			if i > 0 {
				out = append(out, ',')
			}
			value, err := jsonValue(element)
			if err != nil {
				return nil, err
			}
			out = append(out, value...)
		}
		return append(out, ']'), nil
	}
	switch v := v.(type) {
	case string:
		return jsonString(v), nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case time.Time:
		if !v.IsZero() {
			return jsonString(v.Format(time.RFC3339)), nil
		}
	case Reference:
		return nil, errors.New("a reference outside a batch")
	}
	text, err := scalar(v)
	return []byte(text), err
}

// jsonString writes s as a JSON string without escaping & and the like, so that
// a captured request stays readable.
func jsonString(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("a string always encodes: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
