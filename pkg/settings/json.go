package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

var errTooLarge = errors.New("is nested too deeply or too large")

// jsonTree reads the one JSON value in data. Nothing is filled in from the
// environment: what comes by the API must not be able to ask for it.
func jsonTree(r *report, data []byte) *node {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	nodes := 0
	root, err := jsonValue(decoder, 0, &nodes)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("goes on after its end")
		}
	}
	if err != nil {
		what := "is not JSON"
		if errors.Is(err, errTooLarge) {
			what = err.Error()
		}
		r.add(position{}, "", fmt.Sprintf("%s (at byte %d)", what, decoder.InputOffset()), "one JSON object")
		return &node{kind: broken}
	}
	return root
}

func jsonValue(decoder *json.Decoder, depth int, nodes *int) (*node, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	*nodes++
	if depth > maxDepth || *nodes > maxNodes {
		return nil, errTooLarge
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return jsonList(decoder, depth, nodes)
		}
		return jsonBlock(decoder, depth, nodes)
	case string:
		return &node{kind: text, value: token, written: token}, nil
	case json.Number:
		return &node{kind: text, value: token.String(), written: token.String()}, nil
	case bool:
		return &node{kind: text, value: fmt.Sprint(token), written: fmt.Sprint(token)}, nil
	default:
		return &node{}, nil
	}
}

func jsonList(decoder *json.Decoder, depth int, nodes *int) (*node, error) {
	result := &node{kind: list}
	for decoder.More() {
		item, err := jsonValue(decoder, depth+1, nodes)
		if err != nil {
			return nil, err
		}
		result.items = append(result.items, item)
	}
	_, err := decoder.Token()
	return result, err
}

func jsonBlock(decoder *json.Decoder, depth int, nodes *int) (*node, error) {
	result := &node{kind: block}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		value, err := jsonValue(decoder, depth+1, nodes)
		if err != nil {
			return nil, err
		}
		result.entries = append(result.entries, entry{key: fmt.Sprint(key), value: value})
	}
	_, err := decoder.Token()
	return result, err
}
