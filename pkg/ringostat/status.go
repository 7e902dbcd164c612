package ringostat

import (
	"strings"
	"unicode"
)

// disposition is what a status means for us.
type disposition struct {
	name       string // Ringostat's usual spelling
	outcome    Outcome
	unfinished bool // the row or hook is about a call that still goes on
}

// dispositions are the statuses of help 6413217 and those seen in production.
// PROPER and REPEATED are marketing labels over an answered call. VOICEMAIL
// may have talk seconds, therefore the status is always asked first. BUSY
// means that all directions of the scheme were busy: the client got nobody.
var dispositions = []disposition{
	{name: "ANSWERED", outcome: Answered},
	{name: "PROPER", outcome: Answered},
	{name: "REPEATED", outcome: Answered},
	{name: "VOICEMAIL", outcome: Voicemail},
	{name: "NO ANSWER", outcome: Missed},
	{name: "BUSY", outcome: Missed},
	{name: "FAILED", outcome: Missed},
	{name: "NO-FORWARD", outcome: Missed},
	{name: "WRONG EXTENSION", outcome: Missed},
	{name: "NO EXTENSION", outcome: Missed},
	{name: "CLIENT NO ANSWER", outcome: Missed}, // callback: the client did not pick up
	{name: "FAILED FORBIDDEN DESTINATION", outcome: Missed},
	{name: "DECLINE", outcome: Missed},
	{name: "IN PROGRESS", unfinished: true},
	{name: "CALLING", unfinished: true},
}

var dispositionByLetters = func() map[string]disposition {
	m := map[string]disposition{}
	for _, d := range dispositions {
		m[letters(d.name)] = d
	}
	return m
}()

// letters is a status without case, blanks and punctuation: the documentation
// and the wild write NO ANSWER, no_answer, NO+ANSWER, NO-FORWARD, NO FORWARD.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// byLetters finds what has the letters of s.
func byLetters[V any](table map[string]V, s string) (v V, ok bool) {
	var room [40]byte
	key := room[:0]
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80 || len(key) == len(room):
			v, ok = table[letters(s)]
			return v, ok
		case c >= 'a' && c <= 'z':
			key = append(key, c-'a'+'A')
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			key = append(key, c)
		}
	}
	v, ok = table[string(key)]
	return v, ok
}

// readStatus returns what a status means; known is false for one that is not
// in the table, which comes back in a tidy spelling and without an outcome.
func readStatus(raw string) (d disposition, known bool) {
	if d, ok := byLetters(dispositionByLetters, raw); ok {
		return d, true
	}
	tidy := strings.Map(func(r rune) rune {
		if r == '+' || r == '_' || r == '-' {
			return ' '
		}
		return unicode.ToUpper(r)
	}, raw)
	return disposition{name: strings.Join(strings.Fields(tidy), " ")}, false
}

// kind is what a call type means.
type kind struct {
	direction Direction // empty for a callback: see sides
	callback  bool
	transit   bool
}

// kinds are the call types of hooks (in, out) and of the call log (all five);
// the words are what aggregators and administrators write. No call type for
// internal calls is known: "internal" is there for the day it appears.
var kinds = map[string]kind{
	"IN":         {direction: Inbound},
	"INBOUND":    {direction: Inbound},
	"INCOMING":   {direction: Inbound},
	"OUT":        {direction: Outbound},
	"OUTBOUND":   {direction: Outbound},
	"OUTGOING":   {direction: Outbound},
	"TRANSITIN":  {direction: Inbound, transit: true},
	"TRANSITOUT": {direction: Outbound, transit: true},
	"CALLBACK":   {callback: true},
	"INTERNAL":   {direction: Internal},
}

func isKind(s string) bool {
	_, ok := byLetters(kinds, s)
	return ok
}

// events are the values of ?event=; the longer names are seen in webhook
// addresses of others.
var events = map[string]Event{
	"before":          Before,
	"before_call":     Before,
	"answer":          Answer,
	"answer_call":     Answer,
	"after":           After,
	"after_call":      After,
	"rating":          Rating,
	"forward":         Forward,
	"before_outgoing": BeforeOutgoing,
	"after_outgoing":  AfterOutgoing,
}

func isEvent(s string) bool {
	_, ok := events[fold(s)]
	return ok
}

func (e Event) outgoing() bool { return e == BeforeOutgoing || e == AfterOutgoing }
func (e Event) after() bool    { return e == After || e == AfterOutgoing }
