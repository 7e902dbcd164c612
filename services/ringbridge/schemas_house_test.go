package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/schemas"
)

// envelope is the schema of every event.
var envelope = sync.OnceValues(func() (*jsonschema.Schema, error) {
	files, err := fs.Glob(schemas.FS, "*.json")
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, file := range files {
		data, err := schemas.Read(file)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if err := c.AddResource("ringbridge:///"+file, doc); err != nil {
			return nil, err
		}
	}
	return c.Compile("ringbridge:///envelope.json")
})

// validEvents fails the test for every event in the stream that its schema does not allow.
func (h *house) validEvents() {
	schema, err := envelope()
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.in.env.Bus.Past(context.Background(), bus.View{Name: "valid", Project: "shop", Types: event.Types(), Apply: func(_ context.Context, batch []bus.Recorded) error {
		for _, e := range batch {
			text, err := json.Marshal(e.Envelope)
			if err != nil {
				return err
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				return err
			}
			if err := schema.Validate(doc); err != nil {
				h.t.Errorf("%s of call %q is not as its schema says: %v", e.Type, e.Call, err)
			}
		}
		return nil
	}})
	if err != nil {
		h.t.Errorf("read the stream: %v", err)
	}
}

// checkEvents has all events looked at when the test is over, unless their number is what
// is measured.
func (h *house) checkEvents() {
	if _, measured := h.t.(*testing.B); !measured && h.in.env.Bus != nil {
		h.valid.Do(func() {
			h.t.Cleanup(func() {
				if h.in != nil {
					h.validEvents()
				}
			})
		})
	}
}
