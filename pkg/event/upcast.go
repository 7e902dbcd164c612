package event

import (
	"encoding/json"
	"fmt"
)

// raise turns the payload of an older version into that of the next; it is pure, and
// keeps everything that it does not know.
type raise struct {
	to   Type
	turn func(json.RawMessage) (json.RawMessage, error)
}

// upcasters hold one step for each version that is not the newest any more: a reader of
// today understands whatever was ever sent. The first versions are still the newest ones.
// A new one adds a row here, beside its schema and its example (schemas/README.md).
var upcasters = map[Type]raise{}

// newest raises an event's payload, version by version, to the newest one.
func newest(e Envelope) (Envelope, error) {
	for range len(upcasters) {
		up, older := upcasters[e.Type]
		if !older {
			break
		}
		data, err := up.turn(e.Data)
		if err != nil {
			return e, fmt.Errorf("raise event %s from %s to %s: %w", e.ID, e.Type, up.to, err)
		}
		e.Type, e.Data = up.to, data
	}
	return e, nil
}
