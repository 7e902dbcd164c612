package settings

import (
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

func readEmployees(b reader, p *Project) {
	const want = "a list: each employee begins with `- name: ...`"
	region := "ZZ" // no country: only numbers with their + can be read
	if phonenumbers.GetSupportedRegions()[p.Country] {
		region = p.Country
	}
	taken := map[string]string{}
	for i, item := range b.items("employees", want) {
		path := fmt.Sprintf("%s[%d]", join(b.path, "employees"), i)
		if item.kind == nothing {
			b.add(item.at, path, "is empty", want)
			continue
		}
		block, ok := b.open(item, path, keysOf[Employee]())
		if !ok {
			continue
		}
		p.Employees = append(p.Employees, readEmployee(block, region))
		for _, key := range []string{"code", "extension", "sip", "numbers"} {
			block.claim(key, region, taken)
		}
	}
}

func readEmployee(b reader, region string) Employee {
	e := Employee{TakesMissed: true}
	b.text("name", &e.Name, "the employee's name, as in Ringostat", tidy)
	b.text("email", &e.Email, "a mail address, for example olena@example.com", mailAddress)
	b.text("code", &e.Code, `the employee's code in Ringostat, for example "101"`, tidy)
	b.text("extension", &e.Extension, `the employee's extension, for example "101"`, tidy)
	e.SIP = b.texts("sip", "a list of SIP accounts, for example [shop_olena]", tidy)
	e.Numbers = b.texts("numbers", `a list of phone numbers, for example ["+380671112233"]; a short internal number goes under extension`, phone(region))
	const want = "the employee's Bitrix24 user id, a number above 0, for example 7; it stands in the address of that person's page"
	b.require("bitrix_user", want)
	b.whole("bitrix_user", &e.BitrixUser, 1, want)
	b.flag("takes_missed", &e.TakesMissed)
	if !b.says("name") && !b.says("code") && !b.says("extension") && !b.says("sip") && !b.says("numbers") {
		b.complain("name", "is missing, and so is everything else that a call could be recognised by", "a name, a code, an extension, sip or numbers")
	}
	return e
}

// says tells whether key has a value that is not empty.
func (b reader) says(key string) bool {
	n := b.values[key]
	return b.has(key) && !(n.kind == text && strings.TrimSpace(n.value) == "") && !(n.kind == list && len(n.items) == 0)
}

// claim takes the lines that stand under key for this employee, and reports
// those that another one has.
func (b reader) claim(key, region string, taken map[string]string) {
	n := b.values[key]
	if n == nil {
		return
	}
	lines := []*node{n}
	if n.kind == list {
		lines = n.items
	}
	for _, line := range lines {
		name := line.value
		if key == "numbers" {
			name = e164(name, region)
		}
		if line.kind != text || name == "" {
			continue
		}
		owner, again := taken[key+" "+name]
		if again && owner != b.path {
			b.add(line.at, join(b.path, key), fmt.Sprintf("%s belongs to %s too, so their calls could not be told apart", line.shown(), owner), "each code, extension, SIP account and number with one employee")
			continue
		}
		taken[key+" "+name] = b.path
	}
}
