package bitrixtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// AddUser adds an employee, or replaces the one with its ID, and returns the id.
func (p *Portal) AddUser(u User) int {
	p.lock()
	defer p.mu.Unlock()
	if u.ID == 0 {
		u.ID = p.lastID["user"] + 1
	}
	p.lastID["user"] = max(p.lastID["user"], u.ID)
	if u.Departments == nil {
		u.Departments = []int{1}
	}
	p.users[u.ID] = &u
	return u.ID
}

// SetActive hires or dismisses an employee. It panics when there is no such employee.
func (p *Portal) SetActive(user int, active bool) {
	p.lock()
	defer p.mu.Unlock()
	if p.users[user] == nil {
		panic("bitrixtest: there is no user " + strconv.Itoa(user))
	}
	p.users[user].Active = active
}

// RevokeWebhook makes every request fail with INVALID_CREDENTIALS until RestoreWebhook, as when
// somebody deletes the webhook or makes a new secret.
func (p *Portal) RevokeWebhook() {
	p.lock()
	defer p.mu.Unlock()
	p.revoked = true
}

// RestoreWebhook lets the webhook work again.
func (p *Portal) RestoreWebhook() {
	p.lock()
	defer p.mu.Unlock()
	p.revoked = false
}

// SetScopes changes what the webhook may do.
func (p *Portal) SetScopes(scopes ...string) {
	p.lock()
	defer p.mu.Unlock()
	p.opt.Scopes = scopes
}

// row prints an employee (https://apidocs.bitrix24.com/api-reference/user/user-get.html). Empty phones
// and extensions have no key at all.
func (u *User) row(loc *time.Location) *array {
	row := object("ID", strconv.Itoa(u.ID), "XML_ID", strconv.Itoa(u.ID), "ACTIVE", u.Active, "NAME", u.Name,
		"LAST_NAME", u.LastName, "SECOND_NAME", "", "EMAIL", u.Email,
		"DATE_REGISTER", time.Date(2026, 1, 15, 0, 0, 0, 0, loc).Format(isoDate), "TIME_ZONE", "", "IS_ONLINE", "N",
		"TIMESTAMP_X", blank{}, "LAST_ACTIVITY_DATE", blank{}, "PERSONAL_GENDER", "", "PERSONAL_BIRTHDAY", "",
		"PERSONAL_MOBILE", u.Mobile, "WORK_PHONE", u.WorkPhone, "WORK_POSITION", "",
		"UF_EMPLOYMENT_DATE", "", "UF_DEPARTMENT", list(u.Departments...), "USER_TYPE", "employee")
	if u.InnerPhone != "" {
		row.set("UF_PHONE_INNER", u.InnerPhone)
	}
	return row
}

func (u *User) lookup(row *array) lookup {
	return func(name string) ([]any, bool) {
		switch name = strings.ToUpper(name); name {
		case "ID":
			return []any{u.ID}, true
		case "UF_DEPARTMENT":
			return list(u.Departments...).values(), true
		case "UF_PHONE_INNER":
			return []any{orNil(u.InnerPhone)}, true
		case "NAME_SEARCH", "FIND":
			return []any{searchText(strings.Join([]string{u.Name, u.LastName, u.Email, u.InnerPhone}, " "))}, true
		}
		return []any{row.get(name)}, row.has(name)
	}
}

// searchText equals every text it contains.
type searchText string

func userGet(c *call) (answer, *refusal) {
	filter := c.arr("FILTER")
	if filter == nil {
		// The filter's fields are also taken from the top level.
		filter = newArray()
		for _, k := range c.params.names() {
			if !slices.Contains([]string{"SORT", "ORDER", "START", "SELECT", "ADMIN_MODE"}, strings.ToUpper(k)) {
				filter.set(k, c.params.vals[k])
			}
		}
	}
	var rows []any
	for _, u := range byID(c.p.users) {
		row := u.row(c.p.opt.Location)
		if matches(filter, u.lookup(row)) {
			rows = append(rows, row)
		}
	}
	sort := text(c.param("sort"))
	if sort == "" {
		sort = "ID"
	}
	all := list(rows...)
	sortRows(all, object(strings.ToUpper(sort), text(c.param("order"))))
	part, total, next := page(all.values(), c.param("start"))
	return answer{result: list(part...), total: total, next: next}, nil
}

func userCurrent(c *call) (answer, *refusal) { return ok(c.p.owner().row(c.p.opt.Location)) }

func profile(c *call) (answer, *refusal) {
	u := c.p.owner()
	return ok(object("ID", strconv.Itoa(u.ID), "ADMIN", u.Admin, "NAME", u.Name, "LAST_NAME", u.LastName,
		"PERSONAL_GENDER", "", "TIME_ZONE", ""))
}

func departmentGet(c *call) (answer, *refusal) {
	rows := list(object("ID", "1", "NAME", "Company", "SORT", 500, "UF_HEAD", strconv.Itoa(c.p.opt.Owner)))
	n := rows.len()
	return answer{result: rows, total: &n}, nil
}

func scopeList(c *call) (answer, *refusal) {
	if yes(c.param("full")) {
		return ok(list("crm", "department", "disk", "im", "task", "telephony", "user", "user_basic", "user_brief"))
	}
	return ok(list(c.p.opt.Scopes...))
}

func methodGet(c *call) (answer, *refusal) {
	m, known := c.p.methods[strings.ToLower(text(c.param("name")))]
	return ok(object("isExisting", known, "isAvailable", known && c.p.inScope(m.scope)))
}

func methodsList(c *call) (answer, *refusal) {
	scope := text(c.param("scope"))
	var names []string
	for _, m := range byID(c.p.methods) {
		if (scope == "" && c.p.inScope(m.scope)) || (scope != "" && m.scope == scope) {
			names = append(names, m.name)
		}
	}
	return ok(list(names...))
}

func serverTime(c *call) (answer, *refusal) { return ok(c.p.now().Format(isoDate)) }
