package bitrixtest

import (
	"regexp"
	"slices"
	"strconv"
)

// AddUserField declares a field of "lead", "deal", "contact", "company" or "task". A mandatory one
// makes the portal refuse creating without it. Declaring a name again replaces it.
func (p *Portal) AddUserField(entity string, f UserField) {
	p.lock()
	defer p.mu.Unlock()
	if entity == "task" {
		f.Name = canonicalField("UF_", f.Name)
		p.taskUFs = append(slices.DeleteFunc(p.taskUFs, func(o UserField) bool { return o.Name == f.Name }), f)
		return
	}
	for _, k := range []Kind{Lead, Deal, Contact, Company} {
		if k.String() == entity {
			f.Name = canonicalField("UF_CRM_", f.Name)
			p.fields[k] = slices.DeleteFunc(p.fields[k], func(o UserField) bool { return o.Name == f.Name })
			p.declare(k, f)
			return
		}
	}
	panic("bitrixtest: user fields belong to lead, deal, contact, company or task, not to " + entity)
}

// declare adds a field unless there is one of its name, and tells whether it did.
func (p *Portal) declare(k Kind, f UserField) bool {
	if slices.ContainsFunc(p.fields[k], func(o UserField) bool { return o.Name == f.Name }) {
		return false
	}
	if f.Type == "" {
		f.Type = "string"
	}
	p.fields[k] = append(p.fields[k], f)
	return true
}

func (f UserField) label() string {
	if f.Label != "" {
		return f.Label
	}
	return f.Name
}

// show prints a value: a list for a multiple field, false for an unset boolean, null for what is unset.
func (f UserField) show(v any) any {
	switch v := v.(type) {
	case []string:
		return list(v...)
	case string:
		return v
	}
	switch {
	case f.Multiple:
		return newArray()
	case f.Type == "boolean":
		return false
	}
	return nil
}

func userFieldList(c *call, k Kind) (answer, *refusal) {
	rows := newArray()
	for i, f := range c.p.fields[k] {
		row := object("ID", strconv.Itoa(5000+int(k)*100+i), "ENTITY_ID", "CRM_"+upper(k), "FIELD_NAME", f.Name,
			"USER_TYPE_ID", f.Type, "XML_ID", orNil(f.XMLID), "SORT", "100", "MULTIPLE", flag(f.Multiple),
			"MANDATORY", flag(f.Mandatory), "SHOW_FILTER", "I", "SHOW_IN_LIST", "Y", "EDIT_IN_LIST", "Y",
			"IS_SEARCHABLE", "N", "SETTINGS", object("SIZE", 20, "ROWS", 1))
		filter := c.arr("filter")
		if text(filter.fold("LANG")) != "" {
			row.set("EDIT_FORM_LABEL", f.label())
			row.set("LIST_COLUMN_LABEL", f.label())
		}
		if matches(filter, func(name string) ([]any, bool) { return []any{row.get(name)}, row.has(name) }) {
			rows.push(row)
		}
	}
	sortRows(rows, c.arr("order"))
	n := rows.len()
	return answer{result: rows, total: &n}, nil
}

func upper(k Kind) string {
	return map[Kind]string{Lead: "LEAD", Deal: "DEAL", Contact: "CONTACT", Company: "COMPANY"}[k]
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

var (
	fieldName      = regexp.MustCompile(`^[A-Z0-9_]+$`)
	userFieldTypes = []string{"string", "integer", "double", "boolean", "datetime", "date", "money", "url",
		"address", "enumeration", "file", "employee", "crm_status", "iblock_section", "iblock_element", "crm"}
)

func userFieldAdd(c *call, k Kind) (answer, *refusal) {
	fields := c.arr("fields")
	name := text(fields.fold("FIELD_NAME"))
	switch {
	case !c.p.owner().Admin:
		return no(plain("Access denied."))
	case fields == nil:
		return no(plain("Parameter 'fields' must be array."))
	case text(fields.fold("USER_TYPE_ID")) == "":
		return no(plain("The 'USER_TYPE_ID' field is not found."))
	case name == "":
		return no(plain("The 'FIELD_NAME' field is not found."))
	case !slices.Contains(userFieldTypes, text(fields.fold("USER_TYPE_ID"))):
		return no(refuse(400, "ERROR_CORE", "Invalid custom type specified."))
	}
	f := UserField{Name: canonicalField("UF_CRM_", name), Type: text(fields.fold("USER_TYPE_ID")),
		Label: text(fields.fold("LABEL")), XMLID: text(fields.fold("XML_ID")),
		Mandatory: yes(fields.fold("MANDATORY")), Multiple: yes(fields.fold("MULTIPLE"))}
	switch {
	case len(f.Name) > 50:
		return no(refuse(400, "ERROR_CORE", "The field name is too long (50 characters at most)."))
	case !fieldName.MatchString(f.Name):
		return no(refuse(400, "ERROR_CORE", "The field name may contain only A-Z, 0-9 and _."))
	case !c.p.declare(k, f):
		return no(refuse(400, "ERROR_CORE", "The field %s already exists.", f.Name))
	}
	return ok(6000 + c.p.nextID("userfield"))
}

// classicFields and itemFieldsOf describe a kind.
func classicFields(c *call, k Kind) (answer, *refusal) {
	out := newArray()
	for _, f := range fieldsOf[k] {
		d := description(f.typ, f.readOnly, f.classic)
		if f.status != "" {
			d.set("statusType", f.status)
		}
		out.set(f.classic, d)
	}
	if k == Lead || k == Deal {
		out.set("CONTACT_IDS", multiple(description("crm_contact", false, "CONTACT_IDS")))
	}
	if k != Deal {
		for _, typ := range multiTypes[:4] {
			out.set(typ, multiple(description("crm_multifield", false, typ)))
		}
	}
	for _, f := range c.p.fields[k] {
		out.set(f.Name, f.description())
	}
	return ok(out)
}

func itemFieldsOf(c *call, k Kind, fam family) (answer, *refusal) {
	out := newArray()
	for _, f := range fieldsOf[k] {
		d := description(f.typ, f.readOnly, f.classic)
		d.set("upperName", f.classic)
		out.set(f.item, d)
	}
	if k == Lead || k == Deal {
		d := multiple(description("crm_contact", false, "CONTACT_IDS"))
		d.set("upperName", "CONTACT_IDS")
		out.set("contactIds", d)
	}
	if k != Deal {
		d := multiple(description("crm_multifield", false, "FM"))
		d.set("upperName", "FM")
		out.set("fm", d)
	}
	for _, f := range c.p.fields[k] {
		d := f.description()
		d.set("upperName", f.Name)
		out.set(f.spelled(fam), d)
	}
	return ok(object("fields", out))
}

func description(typ string, readOnly bool, title string) *array {
	return object("type", typ, "isRequired", false, "isReadOnly", readOnly, "isImmutable", false,
		"isMultiple", false, "isDynamic", false, "title", title)
}

func multiple(d *array) *array {
	d.set("isMultiple", true)
	return d
}

func (f UserField) description() *array {
	d := description(f.Type, false, f.Name)
	d.set("isDynamic", true)
	d.set("isRequired", f.Mandatory)
	d.set("isMultiple", f.Multiple)
	for _, k := range []string{"listLabel", "formLabel", "filterLabel"} {
		d.set(k, f.label())
	}
	d.set("settings", object("SIZE", 20, "ROWS", 1))
	return d
}
