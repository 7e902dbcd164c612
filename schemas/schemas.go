// Package schemas holds the public contract of the events: one JSON Schema per event
// type, whole example events, and the AsyncAPI document that says who sends and who
// listens. They are files first, for readers in any language; this package puts them
// into the binary.
//
// It holds no logic and imports nothing of ringbridge. Start with README.md, then
// envelope.json; pkg/event's tests keep the files and the Go types together.
package schemas

import (
	"embed"
	"fmt"
)

// FS holds <type>.json for every event type, envelope.json, asyncapi.yaml and
// examples/<type>.<what>.json.
//
//go:embed *.json asyncapi.yaml examples/*.json
var FS embed.FS

// Read returns a file of the contract by its path, such as "call.received.v1.json" or
// "asyncapi.yaml". Its error is fs.ErrNotExist for a file that the contract lacks.
func Read(name string) ([]byte, error) {
	data, err := FS.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	return data, nil
}
