package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/settings"
)

// FuzzTheLogIsOneLineOfJSONPerEntry: whatever strangers put into names and answers, an
// entry stays one line, and a line is valid JSON that holds what was logged.
func FuzzTheLogIsOneLineOfJSONPerEntry(f *testing.F) {
	for _, s := range []string{"", "Olena", "a\r\nb", "\x1b[31mred", "\u2028\u2029", "\xff\xfe", `"},{"level":"error`, "\x00", "<script>"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, call, text string) {
		var out bytes.Buffer
		log := newLogger(settings.Log{Level: "debug", Format: "json"}, console{err: &out})
		log.Info("call classified", zap.String("call", call), zap.Error(errors.New(text)))
		line, rest, ended := bytes.Cut(out.Bytes(), []byte("\n"))
		if !ended || len(rest) > 0 {
			t.Fatalf("%q and %q make %q, want one line", call, text, out.Bytes())
		}
		var entry struct{ Msg, Call string }
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatalf("%q and %q make %q: %v", call, text, line, err)
		}
		if want := string([]rune(call)); entry.Call != want || entry.Msg != "call classified" {
			t.Fatalf("logged %q, read %+v", want, entry)
		}
		for _, b := range line {
			if b < 0x20 {
				t.Fatalf("%q and %q make %q, which holds a control character", call, text, line)
			}
		}
	})
}
