package phone

import (
	"regexp"
	"strings"
	"unicode"
)

// hidden holds what exchanges send as the number of a caller who hides it: the
// words ANONYMOUS and UNAVAILABLE typed on a telephone's keypad. (The list is
// the one open telephone platforms share; the other words of it are too short
// to be taken for a number.)
var hidden = map[string]bool{
	"266696687":   true,
	"86282452253": true,
}

// extension finds what people write after the number itself; its first group is
// the number. Ringostat uses "#123"; ";ext=" is RFC 3966; "доб.", "дод." and
// "вн." are Russian and Ukrainian.
var extension = regexp.MustCompile(`(?is)^(.*\d[\s)]*?)[\s(]*` +
	`(?:#|[,;]|;?\s*ext(?:ension)?|x|(?:доб|дод|вн)\p{L}*)[\s.:=#]*\d{0,7}[\s)]*$`)

// scan returns the digits of a number and whether it began with a plus. It
// refuses any character that has no place in a telephone number.
func scan(raw string) (plus bool, digits string, ok bool) {
	s := strings.TrimSpace(raw)
	if len(s) >= 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	if parts := extension.FindStringSubmatch(s); parts != nil {
		s = parts[1]
	}
	var b strings.Builder
	for _, r := range s {
		if d, isDigit := digit(r); isDigit {
			b.WriteByte(d)
			continue
		}
		switch {
		case r == '+' || r == '＋':
			if plus || b.Len() > 0 {
				return false, "", false
			}
			plus = true
		case strings.ContainsRune("()-./", r), unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r):
			// Grouping, and the invisible marks that come along when a number
			// is copied from a web page.
		default:
			return false, "", false
		}
	}
	return plus, b.String(), b.Len() > 0
}

// digit returns the ASCII digit for r in any script that writes numbers in
// tens.
func digit(r rune) (byte, bool) {
	if r >= '0' && r <= '9' {
		return byte(r), true
	}
	if r < 0x80 || !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	// Digits of a script are ten code points in a row, so the distance to the
	// nearest non-digit below tells the value.
	for value := rune(0); value < 10; value++ {
		if !unicode.Is(unicode.Nd, r-value-1) {
			return byte('0' + value), true
		}
	}
	return 0, false
}
