package pages

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// languages are those of the console, the first where nothing is known of the reader.
var languages = []string{"uk", "ru", "en"}

// texts are sentences by key, in the order of languages. %s and %d are filled in.
type texts map[string][3]string

// all is every text of the console. A key that two files define is a mistake that the
// tests find.
var all = merged(frameTexts, callsTexts, parkedTexts, replayTexts, numbersTexts, healthTexts, setupTexts, rulesTexts, peopleTexts, auditTexts, refusedTexts)

func merged(parts ...texts) texts {
	out := texts{}
	for _, part := range parts {
		maps.Copy(out, part)
	}
	return out
}

// words speaks a reader's language.
type words struct{ Lang string }

const languageCookie = "ringbridge_language"

// wordsFor picks the language that the reader chose, else the first one that the
// browser wants and we speak.
func wordsFor(r *http.Request) words {
	if c, err := r.Cookie(languageCookie); err == nil && spoken(c.Value) {
		return words{c.Value}
	}
	// Browsers send languages in the order of preference; weights only repeat it.
	for want := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(want), ";")
		main, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if spoken(main) {
			return words{main}
		}
	}
	return words{languages[0]}
}

func spoken(lang string) bool { return index(lang) >= 0 }

func index(lang string) int {
	for i, l := range languages {
		if l == lang {
			return i
		}
	}
	return -1
}

// Languages are those that can be chosen.
func (words) Languages() []string { return languages }

// T is the text of a key. A key without one is shown as it is, and a test finds it.
func (w words) T(key string, args ...any) string {
	text, ok := all[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text[index(w.Lang)]
	}
	return fmt.Sprintf(text[index(w.Lang)], args...)
}

// Known is the text of a key, or otherwise where there is none: for values that come
// from outside.
func (w words) Known(key, otherwise string) string {
	if _, ok := all[key]; ok {
		return w.T(key)
	}
	return otherwise
}

// Count is a number with its noun: KEY.one, KEY.few, KEY.many. Ukrainian and Russian
// have three forms, English uses one and many.
func (w words) Count(key string, n int) string {
	form := "many"
	switch d, h := n%10, n%100; {
	case w.Lang == "en":
		if n == 1 {
			form = "one"
		}
	case d == 1 && h != 11:
		form = "one"
	case d >= 2 && d <= 4 && (h < 12 || h > 14):
		form = "few"
	}
	return w.T(key+"."+form, w.Number(n))
}

// Number writes a number with the thousands apart: 12 345, English 12,345.
func (w words) Number(n int) string {
	s := strconv.Itoa(n)
	gap := "\u00a0"
	if w.Lang == "en" {
		gap = ","
	}
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + gap + s[i:]
	}
	return sign + s
}

// Share writes a share of 0 to 1 in per cent.
func (w words) Share(f float64) string {
	s := strconv.FormatFloat(f*100, 'f', 1, 64)
	if w.Lang == "en" {
		return s + "%"
	}
	return strings.Replace(s, ".", ",", 1) + "\u00a0%"
}

var months = map[string]string{
	"uk": "січ. лют. бер. квіт. трав. черв. лип. серп. вер. жовт. лист. груд.",
	"ru": "янв. февр. мар. апр. мая июн. июл. авг. сент. окт. нояб. дек.",
	"en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
}

// Date writes a day: 24 лист. 2026.
func (w words) Date(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return fmt.Sprintf("%d %s %d", t.Day(), strings.Fields(months[w.Lang])[t.Month()-1], t.Year())
}

// Clock writes the time of day.
func (words) Clock(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.Format("15:04:05")
}

// Moment writes day and time.
func (w words) Moment(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return w.Date(t) + ", " + t.Format("15:04")
}

// Span writes a duration to two units: 3 хв 5 с.
func (w words) Span(d time.Duration) string {
	d = d.Round(time.Second)
	part := func(n time.Duration, unit string) string { return w.T("span."+unit, int(n)) }
	switch {
	case d < 0:
		return "—"
	case d < time.Minute:
		return part(d/time.Second, "s")
	case d < time.Hour:
		return part(d/time.Minute, "m") + " " + part(d%time.Minute/time.Second, "s")
	case d < 48*time.Hour:
		return part(d/time.Hour, "h") + " " + part(d%time.Hour/time.Minute, "m")
	}
	return part(d/(24*time.Hour), "d") + " " + part(d%(24*time.Hour)/time.Hour, "h")
}

// Local is a time in the project's zone.
func (v *visit) Local(t time.Time) time.Time {
	if t.IsZero() || v.Project.ID == "" {
		return t
	}
	return t.In(v.Project.Location())
}

// LocalText is [visit.Local] of a time as the API writes it; the zero time for none.
func (v *visit) LocalText(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return v.Local(t)
}
