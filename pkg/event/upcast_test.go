package event

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestAnEventOfAnOlderVersionIsReadAsTheNewest makes up two versions that came before.
func TestAnEventOfAnOlderVersionIsReadAsTheNewest(t *testing.T) {
	rename := func(from, to string) func(json.RawMessage) (json.RawMessage, error) {
		return func(data json.RawMessage) (json.RawMessage, error) {
			return bytes.ReplaceAll(data, []byte(from), []byte(to)), nil
		}
	}
	upcasters["call.parked.v0"] = raise{TypeCallParked, rename(`"cause"`, `"reason"`)}
	upcasters["call.parked.v-1"] = raise{"call.parked.v0", rename(`"why_so"`, `"cause"`)}
	defer clear(upcasters)
	e := Envelope{ID: "1", Type: "call.parked.v-1", Project: "shop", Data: []byte(`{"parked_id":"p","step":"plan","why_so":"a strange line"}`)}
	p, err := Decode(e)
	if err != nil {
		t.Fatal(err)
	}
	if parked, ok := p.(*CallParked); !ok || parked.Reason != "a strange line" || parked.Step != "plan" {
		t.Errorf("decoded %#v, want it parked at plan for a strange line", p)
	}
	if parked, err := As[CallParked](e); err != nil || parked.Reason != "a strange line" {
		t.Errorf("read as a parked call: %+v, %v", parked, err)
	}
}
