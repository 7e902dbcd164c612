package check

import (
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/pkg/staff"
)

// people says who of the settings the portal knows.
func (d *doctor) people(a answers) {
	employees := d.settings.Employees
	draft := d.settings.Senior == 0
	if len(employees) == 0 && !draft {
		d.add("employee.none")
	}
	users := map[int]bitrix.User{}
	for _, u := range a.users.value {
		users[u.ID] = u
	}
	told := d.known(a.users.err, "users", false)
	if told && len(users) == 0 {
		// At least the webhook's owner should be there.
		told = d.known(&bitrix.Error{Class: bitrix.Refused, Reason: bitrix.ReasonAccess, Method: "user.get"}, "users", false)
	}
	if told {
		if !draft {
			d.senior(users)
		}
		d.employees(users, a.users.value)
	}
	d.lines()
}

func (d *doctor) senior(users map[int]bitrix.User) {
	id := d.settings.Senior
	u, ok := users[id]
	switch {
	case !ok:
		d.add("senior.unknown", "id", number(id))
	case !u.Active:
		d.add("senior.inactive", "id", number(id), "name", u.FullName())
	default:
		d.add("senior", "id", number(id), "name", u.FullName())
	}
}

// employees compares the employees with the portal's users.
func (d *doctor) employees(users map[int]bitrix.User, all []bitrix.User) {
	var good, unknown, inactive []string
	takes := false
	for _, e := range d.settings.Employees {
		u, ok := users[e.BitrixUser]
		switch {
		case !ok:
			unknown = append(unknown, d.employee(e)+d.suggestion(e, all))
		case !u.Active:
			inactive = append(inactive, d.employee(e)+d.suggestion(e, all))
		default:
			good = append(good, d.employee(e))
			takes = takes || e.TakesMissed
		}
	}
	if len(good) > 0 {
		d.add("employees", "list", strings.Join(good, ", "))
	}
	if len(unknown) > 0 {
		d.add("employee.unknown", "list", strings.Join(unknown, "; "))
	}
	if len(inactive) > 0 {
		d.add("employee.inactive", "list", strings.Join(inactive, "; "))
	}
	if d.settings.Scenarios.MissedNewClient == "distribute" && !takes {
		d.add("missed.nobody")
	}
}

// employee is a name with the user of the settings: "Olena Koval (7)".
func (d *doctor) employee(e settings.Employee) string {
	name := e.Name
	for _, other := range append([]string{e.Email, e.Code, e.Extension}, append(e.SIP, e.Numbers...)...) {
		if name == "" {
			name = other
		}
	}
	return strings.TrimSpace(name + " (" + number(e.BitrixUser) + ")")
}

// suggestion names the active user who the employee seems to be.
func (d *doctor) suggestion(e settings.Employee, all []bitrix.User) string {
	names := map[int]string{}
	var users []staff.User
	for _, u := range all {
		if u.Active && u.ID != e.BitrixUser {
			names[u.ID] = u.FullName()
			users = append(users, staff.User{ID: u.ID, Name: u.FullName(), Email: u.Email, Extension: u.InnerPhone, Numbers: []string{u.WorkPhone, u.Mobile}})
		}
	}
	id, _, ok := staff.Suggest(staff.Employee{Name: e.Name, Email: e.Email, Extension: e.Extension, Numbers: e.Numbers}, users, d.settings.Country)
	if !ok {
		return ""
	}
	return " — " + d.word("maybe", "that", names[id]+" ("+number(id)+")")
}

// lines says what can be seen in the settings alone.
func (d *doctor) lines() {
	var lineless []string
	byUser := map[int][]string{}
	var order []int
	for _, e := range d.settings.Employees {
		if e.Code == "" && e.Extension == "" && len(e.SIP) == 0 && len(e.Numbers) == 0 {
			lineless = append(lineless, d.employee(e))
		}
		if byUser[e.BitrixUser] == nil {
			order = append(order, e.BitrixUser)
		}
		byUser[e.BitrixUser] = append(byUser[e.BitrixUser], d.employee(e))
	}
	if len(lineless) > 0 {
		d.add("employee.no_line", "list", strings.Join(lineless, ", "))
	}
	var shared []string
	for _, user := range order {
		if len(byUser[user]) > 1 {
			shared = append(shared, strings.Join(byUser[user], " = "))
		}
	}
	if len(shared) > 0 {
		d.add("employee.shared", "list", strings.Join(shared, "; "))
	}
}
