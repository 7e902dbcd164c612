// Package phone turns any spelling of a telephone number into E.164 and back
// into the spellings under which people keep it in a CRM.
//
// It must never guess: what is not plainly a telephone number (a SIP login, a
// short internal number, a hidden caller, garbage) is refused, because a wrong
// number joins two strangers into one client. It does no input or output, and
// what it keeps changes no answer.
//
// Start reading at Parse.
package phone

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Number is a telephone number in E.164 with its plus ("+380671112233").
// The empty Number means that there is none. Two Numbers are the same number
// exactly when they are equal.
type Number string

// E.164 allows 15 digits; fewer than 7 are an internal or a service number.
const (
	minDigits = 7
	maxDigits = 15
)

// maxInput bounds the work done on hostile input; no spelling of a number is
// longer.
const maxInput = 100

// Parse reads a number in any spelling a person or a telephone exchange uses.
// Numbers without a country code are read as numbers of country (ISO 3166,
// "UA"); without a plus the national reading wins over the international one.
// An extension ("#123", "ext. 123") is cut off. It returns false for whatever
// is not a telephone number.
//
// A number need not be in the numbering plans this program was built with: an
// international number of a possible length is accepted too, since new ranges
// are opened more often than programs are replaced.
func Parse(raw, country string) (Number, bool) {
	if len(raw) > maxInput {
		return "", false
	}
	if n, ok := ukrainian(raw, country); ok {
		return n, true
	}
	n := lately.read(spelling{raw, country}, func() Number {
		n, _ := slow(raw, country)
		return n
	})
	return n, n != ""
}

// slow asks the library.
func slow(raw, country string) (Number, bool) {
	plus, digits, ok := scan(raw)
	if !ok || hidden[digits] {
		return "", false
	}
	country = strings.ToUpper(strings.TrimSpace(country))
	if !plus && strings.HasPrefix(digits, "00") {
		plus, digits = true, digits[2:]
	}
	if len(digits) < minDigits || len(digits) > maxDigits {
		return "", false
	}
	if plus {
		if n, ok := international(digits, true); ok {
			return n, true
		}
		return international(digits, false)
	}
	for _, spelling := range nationalSpellings(digits, country) {
		if n, ok := national(spelling, country); ok {
			return n, true
		}
	}
	if n, ok := international(digits, true); ok {
		return n, true
	}
	// Without a plus a short row of digits is possible somewhere in the world
	// whatever it is, so only a full international length is believed.
	if len(digits) >= 11 {
		return international(digits, false)
	}
	return "", false
}

// nationalSpellings adds the trunk prefix of Soviet times: 8 0XX XXX-XX-XX is
// still how many people in Ukraine write 0XX XXX-XX-XX. (The numbering plan of
// Russia, which keeps the 8, is handled by the library.)
func nationalSpellings(digits, country string) []string {
	if country == "UA" && len(digits) == 11 && strings.HasPrefix(digits, "80") {
		return []string{digits[1:], digits}
	}
	return []string{digits}
}

func national(digits, country string) (Number, bool) {
	if country == "" {
		return "", false
	}
	number, err := phonenumbers.Parse(digits, country)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return format(number)
}

// international reads digits that begin with a country code. With known the
// number must be in the numbering plan, otherwise a possible length is enough.
func international(digits string, known bool) (Number, bool) {
	number, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return "", false
	}
	if known && !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	if !known && phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	return format(number)
}

// format refuses a number that would be another one when read again: the
// library drops trunk prefixes from numbers outside every plan, one each time.
func format(number *phonenumbers.PhoneNumber) (Number, bool) {
	n := phonenumbers.Format(number, phonenumbers.E164)
	again, err := phonenumbers.Parse(n, "")
	if err != nil || phonenumbers.Format(again, phonenumbers.E164) != n {
		return "", false
	}
	if !phonenumbers.IsValidNumber(again) && phonenumbers.IsPossibleNumberWithReason(again) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	digits := len(n) - 1
	if digits < minDigits || digits > maxDigits {
		return "", false
	}
	return Number(n), true
}
