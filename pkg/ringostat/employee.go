package ringostat

import (
	"strings"

	"github.com/ringbridge/ringbridge/pkg/phone"
)

// Employee is what identifies one of our people in Ringostat: the fields of
// its employee form (help 6202214).
type Employee struct {
	Code      string
	Extension string
	SIP       []string
	Numbers   []phone.Number
	Name      string
	Email     string
}

// FindEmployee returns the index of the employee a line belongs to. Keys are
// tried from the surest to the weakest: code, SIP login, number, extension,
// e-mail, full name. (The code comes first because callers and called numbers
// are the client and the tracking number in production logs: seen.) An empty
// key matches nobody, and a key that several employees share is passed over:
// a call must never go to a random person.
func FindEmployee(employees []Employee, l Line) (index int, ok bool) {
	keys := []struct {
		value string
		match func(Employee) bool
	}{
		{noCode(l.Code), func(e Employee) bool { return same(e.Code, l.Code) }},
		{l.SIP, func(e Employee) bool { return e.hasSIP(l.SIP) }},
		{string(l.Number), func(e Employee) bool { return e.hasNumber(l.Number) }},
		{l.Extension, func(e Employee) bool { return same(e.Extension, l.Extension) }},
		{l.Email, func(e Employee) bool { return same(e.Email, l.Email) }},
		{l.Name, func(e Employee) bool { return sameName(e.Name, l.Name) }},
	}
	for _, key := range keys {
		if strings.TrimSpace(key.value) == "" {
			continue
		}
		found := -1
		for i, e := range employees {
			if !key.match(e) {
				continue
			}
			if found >= 0 {
				found = -1
				break
			}
			found = i
		}
		if found >= 0 {
			return found, true
		}
	}
	return -1, false
}

// noCode drops "-1", which the call log writes where there is no employee.
func noCode(code string) string {
	if strings.TrimSpace(code) == "-1" {
		return ""
	}
	return code
}

func (e Employee) hasSIP(login string) bool {
	for _, s := range e.SIP {
		if same(sipLogin(s), sipLogin(login)) {
			return true
		}
	}
	return false
}

func (e Employee) hasNumber(n phone.Number) bool {
	for _, own := range e.Numbers {
		if n != "" && own == n {
			return true
		}
	}
	return false
}

func same(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// sameName ignores how many blanks are between the parts of a name, and case.
func sameName(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// sipLogin cuts "sip:" and the host off a SIP address.
func sipLogin(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 4 && strings.EqualFold(s[:4], "sip:") {
		s = s[4:]
	}
	if at := strings.IndexAny(s, "@;"); at >= 0 {
		s = s[:at]
	}
	return strings.TrimSpace(s)
}
