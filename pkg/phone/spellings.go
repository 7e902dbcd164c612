package phone

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// maxSpellings is how many values one look-up of duplicates in Bitrix24 takes
// (crm.duplicate.findbycomm).
const maxSpellings = 20

// Spellings lists the ways in which n may be kept in a CRM of country: E.164,
// without the plus, with 00, and, when it is a number of that country, the
// national ways. At most 20, without repeats, in an order that never changes,
// E.164 first. Grouping is left out because the portal ignores it. Every
// spelling is read back by Parse with the same country as n; a way of writing
// that would mean another number there is not listed.
func (n Number) Spellings(country string) []string {
	if n == "" {
		return nil
	}
	digits := strings.TrimPrefix(string(n), "+")
	list := []string{string(n)}
	for _, s := range n.candidates(digits, strings.ToUpper(strings.TrimSpace(country))) {
		back, ok := Parse(s, country)
		if ok && back == n && !slices.Contains(list, s) && len(list) < maxSpellings {
			list = append(list, s)
		}
	}
	return list
}

func (n Number) candidates(digits, country string) []string {
	list := []string{digits, "00" + digits}
	number, err := phonenumbers.Parse(string(n), "")
	if err != nil || int(number.GetCountryCode()) != phonenumbers.GetCountryCodeForRegion(country) {
		return list
	}
	significant := phonenumbers.GetNationalSignificantNumber(number)
	trunk := phonenumbers.GetNddPrefixForRegion(country, true)
	list = append(list, trunk+significant, significant)
	if country == "UA" {
		list = append(list, "8"+trunk+significant)
	}
	return list
}

const bullet = "•"

// Masked is how a number may appear in a log: the country code and at most the
// last four digits ("+380•••••2233"). What is not a number is hidden entirely.
func (n Number) Masked() string {
	if n == "" {
		return ""
	}
	number, err := phonenumbers.Parse(string(n), "")
	if err != nil || !strings.HasPrefix(string(n), "+") {
		return strings.Repeat(bullet, 5)
	}
	significant := phonenumbers.GetNationalSignificantNumber(number)
	code := strings.TrimSuffix(string(n), significant)
	if len(code)+len(significant) != len(n) || code == string(n) {
		return strings.Repeat(bullet, 5)
	}
	shown := min(4, len(significant)/2)
	cut := len(significant) - shown
	return code + strings.Repeat(bullet, cut) + significant[cut:]
}
