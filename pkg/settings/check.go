package settings

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

func notEmpty(value string) (string, string) {
	if strings.TrimSpace(value) == "" {
		return "is empty", ""
	}
	return "", ""
}

func notMask(value string) (string, string) {
	if value == Mask {
		return "is what a hidden secret looks like, and there is none to keep", "the secret itself"
	}
	return "", ""
}

// tidy refuses what nobody writes on purpose and nobody can see afterwards.
func tidy(value string) (string, string) {
	if value != strings.TrimSpace(value) {
		return "begins or ends with a space or a line break", ""
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return "holds a line break or another control character", ""
	}
	return "", ""
}

func oneOf(what string, allowed ...string) check {
	return func(value string) (string, string) {
		for _, word := range allowed {
			if value == word {
				return "", ""
			}
		}
		return "is not " + what + meant(value, allowed), either(allowed)
	}
}

// meant adds which of the allowed words is near.
func meant(word string, allowed []string) string {
	if near := Nearest(word, allowed); near != "" {
		return fmt.Sprintf(", perhaps %q is meant", near)
	}
	return ""
}

func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func shape(pattern *regexp.Regexp, what string) check {
	return func(value string) (string, string) {
		if !pattern.MatchString(value) {
			return what, ""
		}
		return "", ""
	}
}

var (
	projectID   = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	pathSafe    = regexp.MustCompile(`^[A-Za-z0-9_.~-]+$`)
	visible     = regexp.MustCompile(`^[!-~]+$`)
	fieldName   = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
	userNumber  = regexp.MustCompile(`^[1-9][0-9]{0,9}$`)
)

// hostPort accepts what net.Listen does with a numeric port.
func hostPort(value string) (string, string) {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		return "is not a host and a port", ""
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "has no port between 0 and 65535", ""
	}
	if strings.ContainsAny(host, "/@ ") {
		return "is not a host and a port", ""
	}
	return "", ""
}

func timeZone(value string) (string, string) {
	if value == "" || value == "Local" {
		return "does not name a time zone", ""
	}
	if _, err := time.LoadLocation(value); err != nil {
		return "is not a known time zone", ""
	}
	return "", ""
}

func country(value string) (string, string) {
	if upper := strings.ToUpper(value); upper != value && phonenumbers.GetSupportedRegions()[upper] {
		return fmt.Sprintf("is not written in capitals, perhaps %q is meant", upper), ""
	}
	if !countryCode.MatchString(value) || !phonenumbers.GetSupportedRegions()[value] {
		return "is not a known country", ""
	}
	return "", ""
}

// e164 reads a number the way the project's country writes it, or returns "".
func e164(number, country string) string {
	parsed, err := phonenumbers.Parse(number, country)
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
		return ""
	}
	return phonenumbers.Format(parsed, phonenumbers.E164)
}

func phone(country string) check {
	return func(value string) (string, string) {
		if e164(value, country) == "" {
			return "is not a phone number", ""
		}
		return "", ""
	}
}

func mailAddress(value string) (string, string) {
	if address, err := mail.ParseAddress(value); err != nil || address.Address != value {
		return "is not a mail address", ""
	}
	return "", ""
}

func key32(value string) (string, string) {
	key, err := base64.StdEncoding.Strict().DecodeString(value)
	switch {
	case err != nil:
		return "is not standard base64", ""
	case len(key) != 32:
		return fmt.Sprintf("is base64 of %d bytes", len(key)), ""
	}
	return "", ""
}
