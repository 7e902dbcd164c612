package ringostat

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Far more than Ringostat nests, and longer than any name; what lies beyond is
// passed over.
const (
	maxDepth = 16
	maxName  = 200
)

// leaf is one scalar of a JSON document with the way to it: "params.call_id".
type leaf struct{ path, value string }

// addJSON reads an object, a list with one object, or a JSON-RPC envelope
// around either. It walks tokens instead of decoding into a map, so that
// numbers keep their digits, a repeated key cannot hide a value, and nesting
// costs no stack.
func (b *bag) addJSON(place int, body []byte) error {
	leaves, err := flatten(body)
	if err != nil {
		return unreadable(brokenJSON)
	}
	leaves, method := unwrapRPC(unwrapList(leaves))
	leaves = unwrapList(leaves)
	if startsWith(leaves, "0.") && startsWith(leaves, "1.") {
		return unreadable(severalCalls)
	}
	b.method = method
	for _, l := range leaves {
		value := percentDecoded(l.value)
		if fold(l.path) == nestedObject && strings.HasPrefix(strings.TrimSpace(value), "{") {
			// The nested object itself may be JSON in a string.
			if inner, err := flatten([]byte(value)); err == nil {
				for _, i := range inner {
					b.add(place+1, i.path, percentDecoded(i.value))
				}
				continue
			}
		}
		b.add(place, l.path, value)
	}
	return nil
}

// unwrapList takes the object out of a list that holds nothing else.
func unwrapList(leaves []leaf) []leaf {
	rest := make([]leaf, 0, len(leaves))
	for _, l := range leaves {
		path, found := strings.CutPrefix(l.path, "0.")
		if !found {
			return leaves
		}
		rest = append(rest, leaf{path, l.value})
	}
	return rest
}

// unwrapRPC takes params out of {"jsonrpc": …, "method": …, "params": {…}}.
// That the envelope looks like this is our reading of the hook's form, which
// has a field for the method's name.
func unwrapRPC(leaves []leaf) (rest []leaf, method string) {
	var inside []leaf
	envelope := false
	for _, l := range leaves {
		switch {
		case l.path == "jsonrpc":
			envelope = true
		case l.path == "method":
			method = l.value
		case strings.HasPrefix(l.path, "params."):
			inside = append(inside, leaf{strings.TrimPrefix(l.path, "params."), l.value})
		}
	}
	if inside == nil || !envelope && method == "" {
		return leaves, ""
	}
	return inside, method
}

func startsWith(leaves []leaf, prefix string) bool {
	return slices.ContainsFunc(leaves, func(l leaf) bool { return strings.HasPrefix(l.path, prefix) })
}

var errTrailing = errors.New("more than one document")

// flatten lists the scalars of a document. null is an empty value.
func flatten(body []byte) ([]leaf, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var leaves []leaf
	if err := walk(decoder, &leaves); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errTrailing
	}
	return leaves, nil
}

// frame is one open object or list.
type frame struct {
	list  bool
	index int
	key   string
	isKey bool // the next string is a key
}

// walk reads one value. It keeps its own stack, so depth is a number and not a
// danger.
func walk(decoder *json.Decoder, leaves *[]leaf) error {
	var stack []frame
	for {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		top := len(stack) - 1
		if top >= 0 && stack[top].isKey {
			if key, ok := token.(string); ok {
				stack[top].key, stack[top].isKey = key, false
				continue
			}
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				stack = append(stack, frame{list: t == '[', isKey: t == '{'})
				continue
			}
			stack = stack[:top]
		default:
			if way, ok := path(stack); ok {
				*leaves = append(*leaves, leaf{way, scalar(t)})
			}
		}
		if len(stack) == 0 {
			return nil
		}
		top = len(stack) - 1
		stack[top].index++
		stack[top].isKey = !stack[top].list
	}
}

// path is the way to a value, unless no setting could name it. The limits also
// keep the work in proportion to the body.
func path(stack []frame) (way string, ok bool) {
	if len(stack) > maxDepth {
		return "", false
	}
	parts := make([]string, len(stack))
	for i, f := range stack {
		parts[i] = f.key
		if f.list {
			parts[i] = strconv.Itoa(f.index)
		}
		if len(parts[i]) > maxName {
			return "", false
		}
	}
	return strings.Join(parts, "."), true
}

func scalar(token json.Token) string {
	switch t := token.(type) {
	case string:
		return t
	case json.Number:
		return plainNumber(t.String())
	case bool:
		return strconv.FormatBool(t)
	}
	return ""
}
