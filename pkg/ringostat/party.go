package ringostat

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/ringbridge/ringbridge/pkg/phone"
)

// party is one side of a call as one parameter names it: a telephone number, a
// SIP login, a short internal number, or nothing of these.
type party struct {
	raw    string
	name   string // display name, unless it is a SIP login or the number again
	number phone.Number
	sip    string
	short  string
	hidden bool // the caller hides the number

	from *parameter // where it was read
}

// hiddenWords are what exchanges write in place of a hidden number. They have
// letters, but they are no SIP logins.
var hiddenWords = map[string]bool{
	"anonymous": true, "restricted": true, "private": true, "unknown": true, "unavailable": true,
	"hidden": true, "withheld": true, "blocked": true, "asterisk": true, "no number": true, "s": true,
}

// addressed is a display name with an address: "Olena" <380671112233>, or the
// same with the brackets left out.
var addressed = regexp.MustCompile(`^\s*(?:"([^"]*)"|([^<"]*))\s*(?:<([^>]*)>?|(\+?[\d ()-]{7,}))\s*$`)

// loginShape is a display name that is a SIP login: Ringostat's begin with the
// project and an underscore (help 6202214).
var loginShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*_[A-Za-z0-9_.-]*$`)

// maxShort is the longest internal number taken for one; telephone numbers
// have seven digits and more.
const maxShort = 6

// readParty reads `"Name" <380671112233>`, `380671112233`, `shop_olena`, `101`
// and their HTML-escaped forms (all seen).
func readParty(raw, country string) party {
	p := party{raw: raw}
	text := unescapeText(raw)
	address := text
	if _, bare := phone.Parse(text, country); !bare {
		if parts := addressed.FindStringSubmatch(text); parts != nil {
			p.name = strings.TrimSpace(parts[1] + parts[2])
			address = strings.TrimSpace(parts[3] + parts[4])
		} else if name, last, found := cutLast(text, "<"); found {
			// A name with quotes or brackets of its own must not hide the number.
			if end := strings.TrimRight(last, "> "); len(end) < len(last) && telephone(end, country) {
				p.name, address = unquote(strings.TrimSpace(name)), end
			}
		}
	}
	if !hasValue(address) {
		address, p.name = p.name, ""
	}
	p.setAddress(address, country)
	p.tidyName(country)
	return p
}

// unquote takes the quotes around a name away, and leaves those in it.
func unquote(name string) string {
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		return strings.TrimSpace(name[1 : len(name)-1])
	}
	return name
}

func telephone(s, country string) bool {
	_, ok := phone.Parse(s, country)
	return ok
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func (p *party) setAddress(address, country string) {
	if whole, zeros, found := strings.Cut(address, "."); found && allDigits(whole) && zeros != "" && strings.Trim(zeros, "0") == "" {
		address = whole // a number that went through a float
	}
	if number, ok := phone.Parse(address, country); ok {
		p.number = number
		return
	}
	login := sipLogin(address)
	if number, ok := phone.Parse(login, country); ok { // sip:+380671112233@host
		p.number = number
		return
	}
	switch {
	case hiddenWords[strings.ToLower(login)]:
		p.hidden = true
	case strings.ContainsFunc(login, unicode.IsLetter):
		p.sip = login
	case len(login) <= maxShort && allDigits(login) && strings.Trim(login, "0") != "":
		p.short = login
	}
}

// tidyName drops what is no person's name. A login beside a number is kept as
// the login.
func (p *party) tidyName(country string) {
	if hiddenWords[strings.ToLower(p.name)] || !strings.ContainsFunc(p.name, unicode.IsLetter) {
		p.name = ""
		return
	}
	if loginShape.MatchString(p.name) || same(p.name, p.sip) {
		if p.sip == "" {
			p.sip = p.name
		}
		p.name = ""
	}
}

// inside says that this side is a SIP login or an internal number: no outside
// telephone has those.
func (p party) inside() bool { return p.number == "" && (p.sip != "" || p.short != "") }

// text is the side in one word: E.164, login, or as it was sent.
func (p party) text() string {
	for _, s := range []string{string(p.number), p.sip, p.short} {
		if s != "" {
			return s
		}
	}
	return unescapeText(p.raw)
}
