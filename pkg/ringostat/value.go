package ringostat

import (
	"html"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clean makes a text safe to store and to show: valid UTF-8, without control
// characters (a NUL breaks stores, a line break a log), trimmed.
func clean(s string) string {
	if plain(s) {
		return strings.Trim(s, " ")
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// plain says that a text holds nothing but what ASCII prints.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// noValue lists how Ringostat says that there is nothing (seen in hooks and
// in the call log, "none)" included).
var noValue = map[string]bool{"": true, "-1": true, "(not set)": true, "(none)": true, "none)": true, "(direct)": true}

func hasValue(s string) bool {
	return s != "" && s[0] != '-' && s[0] != '(' && s[0] != 'n' && s[0] != 'N' || !noValue[strings.ToLower(s)]
}

// hasSource is hasValue where "(direct)" is an answer: the visitor came by
// himself.
func hasSource(s string) bool { return hasValue(s) || strings.EqualFold(s, "(direct)") }

// percentDecoded decodes a value that arrived percent-encoded inside JSON
// (help 6325129 shows webhookNumber%3A120). It is decoded once, and only when
// the whole value looks like the output of an encoder: "100%", a link with its
// own escapes and "+380…" stay as they are.
func percentDecoded(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return s
			}
			i += 2
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~!*'()+", c) >= 0:
		default:
			return s
		}
	}
	decoded := tolerantUnescape(s)
	if !utf8.ValidString(decoded) {
		return s
	}
	return decoded
}

// tolerantUnescape decodes a form value and leaves alone what is no escape
// (a bare percent sign), where net/url would drop the whole parameter. A plus
// is a blank, as in forms, except in front of a number.
func tolerantUnescape(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
		case s[i] == '+' && !(i == 0 && len(s) > 1 && s[1] >= '0' && s[1] <= '9'):
			b.WriteByte(' ')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// plainNumber writes a JSON number without an exponent when it is whole
// (3.80671112233e+11 is how some serialisers write a telephone number). All
// other numbers keep their literal, so that no digit of an id is lost.
func plainNumber(literal string) string {
	mantissa, exponent, found := strings.Cut(strings.ToLower(literal), "e")
	if !found {
		return literal
	}
	if e, err := strconv.Atoi(exponent); err != nil || e < 0 || e > 30 || len(mantissa) > 40 {
		return literal
	}
	if r, ok := new(big.Rat).SetString(literal); ok && r.IsInt() {
		return r.Num().String()
	}
	return literal
}

// maxSpan is longer than any call; more is a mistake of the sender.
const maxSpan = 31 * 24 * time.Hour

// span reads a time span in units: "23", "23.5", "1:02:03", "02:03".
func span(s string, unit time.Duration) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 32 {
		return 0, false
	}
	if strings.Contains(s, ":") {
		return clockSpan(s)
	}
	for _, r := range s {
		if (r < '0' || r > '9') && r != '.' {
			return 0, false
		}
	}
	value, err := strconv.ParseFloat(s, 64)
	if err != nil || value > float64(maxSpan/unit) {
		return 0, false
	}
	return time.Duration(value * float64(unit)), true
}

func clockSpan(s string) (time.Duration, bool) {
	var total time.Duration
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, false
	}
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return 0, false
		}
		total = total*60 + time.Duration(n)*time.Second
	}
	return total, total <= maxSpan
}

// toggle reads "0" and "1" and their synonyms.
func toggle(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "true", "yes", "y":
		return true, true
	case "0", "false", "no", "n":
		return false, true
	}
	return false, false
}

// link returns s when it is a web address and nothing otherwise, so that a
// link of any other scheme never reaches a person to click on.
func link(s string) string {
	if plainLink(s) {
		return s
	}
	return readLink(s)
}

func readLink(s string) string {
	s = strings.ReplaceAll(s, "&amp;", "&")
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || strings.ContainsAny(s, " <>\"") {
		return ""
	}
	if scheme := strings.ToLower(u.Scheme); scheme != "http" && scheme != "https" {
		return ""
	}
	return s
}

// plainLink says that an address surely is one that [link] leaves as it is: most are.
func plainLink(s string) bool {
	rest, secure := strings.CutPrefix(s, "https://")
	if !secure {
		var web bool
		if rest, web = strings.CutPrefix(s, "http://"); !web {
			return false
		}
	}
	host := true
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-':
		case i > 0 && c == '/':
			host = false
		case !host && (c >= 'A' && c <= 'Z' || c == '_' || c == '?' || c == '='):
		default:
			return false
		}
	}
	return rest != ""
}

// unescapeText undoes HTML escaping (callers and names arrive escaped: seen)
// and leaves one blank where there were several.
func unescapeText(s string) string {
	if tidy(s) {
		return s
	}
	return strings.Join(strings.Fields(clean(html.UnescapeString(s))), " ")
}

// tidy says that a text is surely as unescapeText would make it.
func tidy(s string) bool {
	blank := true // the one before: none may be at the beginning
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '&' || s[i] == ' ' && blank {
			return false
		}
		blank = s[i] == ' '
	}
	return !blank || s == ""
}
