package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/pkg/staff"
)

// maxRows bounds the employees of one form.
const maxRows = 500

// employeeRow is one employee of the form, as typed.
type employeeRow struct {
	Name, Email, Code, Extension string
	SIP, Numbers                 string // separated by commas
	User                         int
	Takes                        bool
	// Suggested is the portal's user who the employee seems to be, where User is none
	// that the portal knows; Why says by what.
	Suggested int
	Why       staff.Reason
}

// Chosen is the user that the form shows: the one who is tied, else the suggested one.
func (e employeeRow) Chosen() int {
	if e.User == 0 {
		return e.Suggested
	}
	return e.User
}

func rowOf(e settings.Employee) employeeRow {
	return employeeRow{Name: e.Name, Email: e.Email, Code: e.Code, Extension: e.Extension, SIP: strings.Join(e.SIP, ", "), Numbers: strings.Join(e.Numbers, ", "),
		User: e.BitrixUser, Takes: e.TakesMissed}
}

// rowsOf reads the employees of a form.
func rowsOf(f url.Values) (out []employeeRow) {
	n, _ := strconv.Atoi(f.Get("rows"))
	for i := range min(n, maxRows) {
		at := func(name string) string { return f.Get(name + "-" + strconv.Itoa(i)) }
		user, _ := strconv.Atoi(at("user"))
		out = append(out, employeeRow{Name: at("name"), Email: at("email"), Code: at("code"), Extension: at("extension"), SIP: at("sip"), Numbers: at("numbers"),
			User: user, Takes: at("takes") != ""})
	}
	return out
}

// empty tells whether nothing was typed.
func (e employeeRow) empty() bool {
	return e.Name+e.Email+e.Code+e.Extension+e.SIP+e.Numbers == "" && e.User == 0
}

func (e employeeRow) block() block {
	b := block{"bitrix_user": e.User, "takes_missed": e.Takes}
	for key, value := range map[string]string{"name": e.Name, "email": e.Email, "code": e.Code, "extension": e.Extension} {
		if value != "" {
			b[key] = value
		}
	}
	for key, value := range map[string]string{"sip": e.SIP, "numbers": e.Numbers} {
		if list := separated(value); len(list) > 0 {
			b[key] = list
		}
	}
	if e.User == 0 {
		delete(b, "bitrix_user")
	}
	return b
}

func separated(text string) (out []string) {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// suggest fills in who the employees without a user seem to be.
func suggest(rows []employeeRow, p portal, country string) {
	users := p.staff()
	for i, e := range rows {
		if e.User != 0 && (p.Knows(e.User) || len(users) == 0) || e.empty() {
			continue
		}
		rows[i].Suggested, rows[i].Why, _ = staff.Suggest(
			staff.Employee{Name: e.Name, Email: e.Email, Extension: e.Extension, Numbers: separated(e.Numbers)}, users, country)
	}
}

// fromPortal adds the portal's users who are tied to nobody yet.
func fromPortal(rows []employeeRow, p portal) []employeeRow {
	for _, u := range p.Users {
		if slices.ContainsFunc(rows, func(e employeeRow) bool { return e.Chosen() == u.ID }) {
			continue
		}
		rows = append(rows, employeeRow{Name: u.Name, Email: u.Email, Extension: u.Extension, Numbers: strings.Join(u.Numbers, ", "), User: u.ID, Takes: true})
	}
	return rows
}

// ringostatEmployee is an employee as the API reads them from Ringostat.
type ringostatEmployee struct {
	Code      string   `json:"code"`
	Name      string   `json:"name"`
	Email     string   `json:"email"`
	Extension string   `json:"extension"`
	SIP       []string `json:"sip"`
	Numbers   []string `json:"numbers"`
}

// fromRingostat adds what Ringostat knows: to the row with the same code, extension or
// name, else as a new row. What a person typed stays.
func fromRingostat(rows []employeeRow, found []ringostatEmployee) []employeeRow {
	for _, r := range found {
		same := func(e employeeRow) bool {
			return e.Code != "" && e.Code == r.Code || e.Code == "" && (e.Extension != "" && e.Extension == r.Extension || e.Name != "" && strings.EqualFold(e.Name, r.Name))
		}
		i := slices.IndexFunc(rows, same)
		if i < 0 {
			rows = append(rows, employeeRow{Takes: true})
			i = len(rows) - 1
		}
		e := &rows[i]
		for _, one := range []struct {
			into *string
			from string
		}{{&e.Name, r.Name}, {&e.Email, r.Email}, {&e.Code, r.Code}, {&e.Extension, r.Extension}, {&e.SIP, strings.Join(r.SIP, ", ")}, {&e.Numbers, strings.Join(r.Numbers, ", ")}} {
			if *one.into == "" {
				*one.into = one.from
			}
		}
	}
	return rows
}

// people takes the form of the senior manager and the employees: it saves, or adds and
// takes away rows and shows the form again.
func (v *visit) people() {
	f := v.form()
	senior, _ := strconv.Atoi(f.Get("senior"))
	d := v.setupData()
	d.Revision, d.Senior, d.Rows, d.RingostatProject = f.Get("revision"), senior, rowsOf(f), f.Get("ringostat_project")
	do, which, _ := strings.Cut(f.Get("do"), "-")
	switch do {
	case "add":
		d.Rows = append(d.Rows, employeeRow{Takes: true})
	case "remove":
		if i, err := strconv.Atoi(which); err == nil && i >= 0 && i < len(d.Rows) {
			d.Rows = slices.Delete(d.Rows, i, i+1)
		}
	case "portal":
		suggest(d.Rows, d.Look.Portal, v.Project.Country)
		d.Rows = fromPortal(d.Rows, d.Look.Portal)
	case "ringostat":
		d.Rows = v.readRingostat(&d)
	default:
		d.Rows = slices.DeleteFunc(d.Rows, employeeRow.empty)
		err := v.change(func(b block) {
			list := []any{}
			for _, e := range d.Rows {
				list = append(list, e.block())
			}
			b["employees"], b["senior"] = list, senior
		})
		if err == nil {
			v.saved("setup", "people")
			return
		}
		d.code, d.WrongPeople = v.wrongOf(err, among("employees", "senior"))
	}
	suggest(d.Rows, d.Look.Portal, v.Project.Country)
	v.renderForm(d.code, "setup", d)
}

func (v *visit) readRingostat(d *setupData) []employeeRow {
	var found struct {
		Items []ringostatEmployee `json:"items"`
	}
	err := v.get(v.path("ringostat", "employees"), url.Values{"ringostat_project": {d.RingostatProject}}, &found)
	if err == nil {
		return fromRingostat(d.Rows, found.Items)
	}
	code, what := v.why(err)
	if key := fmt.Sprintf("staff.%d", code); code != http.StatusInternalServerError {
		what = v.Known(key, what)
	}
	d.WrongPeople.Trouble, d.code = what, code
	return d.Rows
}
