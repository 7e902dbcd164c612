// Package event says what can have happened to a call and to a project: one
// payload type per row of the table in the README, the CloudEvents envelope they
// travel in, and the ids that make doing anything twice harmless.
//
// It knows no broker, no rule, no CRM. Start with [Envelope], then [Call]: the
// facts of one call, and [Fold], which joins what several reports say of it.
package event

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Type names an event and the version of its payload. It is the file name in
// schemas/, the `type` of the envelope and what [Payload.Type] returns.
type Type string

// The events. schemas/asyncapi.yaml says who sends and who listens.
const (
	TypeCallReceived    Type = "call.received.v1"
	TypeCallClassified  Type = "call.classified.v1"
	TypeCallResolved    Type = "call.resolved.v1"
	TypeBitrixCommand   Type = "bitrix.command.v1"
	TypeBitrixOutcome   Type = "bitrix.outcome.v1"
	TypeCallParked      Type = "call.parked.v1"
	TypeSettingsChanged Type = "settings.changed.v1"
	TypeReplayPlanned   Type = "replay.planned.v1"
	TypeReplayApplied   Type = "replay.applied.v1"
	TypeConsoleActed    Type = "console.acted.v1"
)

// Types lists every event this version can read, in the order of the pipeline.
func Types() []Type {
	return []Type{
		TypeCallReceived, TypeCallClassified, TypeCallResolved, TypeBitrixCommand,
		TypeBitrixOutcome, TypeCallParked, TypeSettingsChanged, TypeReplayPlanned, TypeReplayApplied, TypeConsoleActed,
	}
}

// Name is the type without its version, as it stands in a subject: a consumer
// outlives its producer's upgrade.
func (t Type) Name() string {
	if i := strings.LastIndex(string(t), ".v"); i > 0 {
		return string(t)[:i]
	}
	return string(t)
}

// Payload is what one event says. String is one sentence that a support person
// understands; it never holds a whole phone number or a secret.
type Payload interface {
	Type() Type
	String() string
	// about names the project and, where there is one, the call.
	about() (project, call string)
}

// Envelope is a CloudEvents 1.0 event in structured JSON. Project, Call and Cause
// are extension attributes: they let a reader route and follow an event without
// decoding its data.
type Envelope struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Type            Type            `json:"type"`
	Source          string          `json:"source"`
	Subject         string          `json:"subject,omitempty"`
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Project         string          `json:"project"`
	Call            string          `json:"call,omitempty"`
	Cause           string          `json:"cause,omitempty"`
	Data            json.RawMessage `json:"data"`
}

// First makes the event that nothing in the system caused: a request that came in,
// a setting somebody changed. Its id is new.
func First(source string, now time.Time, p Payload) (Envelope, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Envelope{}, fmt.Errorf("make an event id: %w", err)
	}
	return wrap(id.String(), "", source, now, p)
}

// Next makes the event that cause led to. Its id comes from the cause and from what
// the event is about, never from the clock: making it again makes the same event.
// Where one cause leads to several events of a type, what tells them apart.
func Next(cause Envelope, source string, now time.Time, p Payload, what ...string) (Envelope, error) {
	if fault.Wrong("id-from-the-clock") {
		what = append(what, now.String())
	}
	id := Derive(append([]string{cause.ID, string(p.Type())}, what...)...)
	return wrap(id, cause.ID, source, now, p)
}

func wrap(id, cause, source string, now time.Time, p Payload) (Envelope, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return Envelope{}, fmt.Errorf("encode %s: %w", p.Type(), err)
	}
	project, call := p.about()
	return Envelope{
		SpecVersion: "1.0", ID: id, Type: p.Type(), Source: "/ringbridge/" + source,
		Subject: call, Time: now.UTC(), DataContentType: "application/json",
		Project: project, Call: call, Cause: cause, Data: data,
	}, nil
}

// space is the namespace of all derived ids. Changing it would make every command
// look new to the journal and to the portal, so it never changes.
var space = uuid.MustParse("6f1b5f0e-6f37-5b55-9c1c-7d1d8f0c1a51")

// Derive turns causes into an id. Parts are length-prefixed, so ("1","23") and
// ("12","3") differ.
func Derive(parts ...string) string {
	b := append(make([]byte, 0, 160), space[:]...)
	for _, p := range parts {
		if fault.Wrong("parts-run-together") {
			b = append(b, p...)
			continue
		}
		b = strconv.AppendInt(b, int64(len(p)), 10)
		b = append(append(append(b, ':'), p...), ';')
	}
	sum := sha1.Sum(b)
	id := uuid.UUID(sum[:16]) // as uuid.NewSHA1 does it, which takes three times as long
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
	return id.String()
}

// CommandID names the thing that should be true: the same for a first run, a retry
// and a replay. It is the external id that the portal keeps (design: ids come from
// causes).
func CommandID(project, call, role string) string { return Derive("command", project, call, role) }

// payloads makes the newest payload of each type, for Decode to fill.
var payloads = map[Type]func() Payload{
	TypeCallReceived:    func() Payload { return new(CallReceived) },
	TypeCallClassified:  func() Payload { return new(CallClassified) },
	TypeCallResolved:    func() Payload { return new(CallResolved) },
	TypeBitrixCommand:   func() Payload { return new(BitrixCommand) },
	TypeBitrixOutcome:   func() Payload { return new(BitrixOutcome) },
	TypeCallParked:      func() Payload { return new(CallParked) },
	TypeSettingsChanged: func() Payload { return new(SettingsChanged) },
	TypeReplayPlanned:   func() Payload { return new(ReplayPlanned) },
	TypeReplayApplied:   func() Payload { return new(ReplayApplied) },
	TypeConsoleActed:    func() Payload { return new(ConsoleActed) },
}

// Decode reads the payload of an event as its newest version.
func Decode(e Envelope) (Payload, error) {
	e, err := newest(e)
	if err != nil {
		return nil, err
	}
	make, known := payloads[e.Type]
	if !known {
		return nil, fmt.Errorf("decode event %s: unknown type %q", e.ID, e.Type)
	}
	p := make()
	if err := json.Unmarshal(e.Data, p); err != nil {
		return nil, fmt.Errorf("decode event %s as %s: %w", e.ID, e.Type, err)
	}
	return p, nil
}

// As reads the payload of an event whose type the caller knows.
func As[T any](e Envelope) (T, error) {
	var v T
	e, err := newest(e)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return v, fmt.Errorf("decode event %s as %s: %w", e.ID, e.Type, err)
	}
	return v, nil
}

// Encode is the envelope in its JSON form, as [Read] takes it. Data is JSON already and
// stays as it is: encoding/json would go through it once more.
func (e Envelope) Encode() ([]byte, error) {
	data := e.Data
	if len(data) == 0 {
		data = none
	}
	e.Data = nil
	whole, err := json.Marshal(e)
	head, ok := bytes.CutSuffix(whole, end)
	if err != nil || !ok {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return append(append(head, data...), '}'), nil
}

// none is what stands for no data, and end how an envelope without data ends: data is its
// last field.
var none, end = []byte("null"), []byte("null}")

// Read decodes an envelope from its JSON form and refuses what is no event of ours.
func Read(data []byte) (Envelope, error) {
	var e Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("read envelope: %w", err)
	}
	if e.ID == "" || e.Type == "" || e.Project == "" {
		return e, fmt.Errorf("read envelope: id, type and project are required")
	}
	return e, nil
}

// Words is the sentence of an event, or its type where the payload can't be read.
func Words(e Envelope) string {
	p, err := Decode(e)
	if err != nil {
		return string(e.Type)
	}
	return p.String()
}
