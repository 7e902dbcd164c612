package settings

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Mask is what every printed secret looks like, and what the API gives and
// takes for "the secret that is there already".
const Mask = "***"

// Secret is a text that no log, error or answer may hold. However it is
// printed or marshalled, the result is [Mask], or nothing when it is empty, so
// that one can see whether a secret is there. Only [Secret.Reveal] gives it.
//
// Two places are out of its reach. Package fmt doesn't ask an unexported field for
// its own format, and package encoding/json writes the keys of a map as they are:
// keep secrets in exported fields and never use one as a key.
type Secret string

// Reveal returns the secret itself: for the request that needs it, for sealing
// and for comparing, never for a message.
func (s Secret) Reveal() string { return string(s) }

// String returns [Mask], or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Mask
}

// GoString returns the same as String, for %#v.
func (s Secret) GoString() string { return s.String() }

// Format writes the same as String for every verb, also for %x and %d, which
// would otherwise print the bytes.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// MarshalText returns the same as String, for YAML and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON returns the same as String, as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// LogValue returns the same as String, for package slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
