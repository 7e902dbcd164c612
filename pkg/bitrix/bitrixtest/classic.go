package bitrixtest

import (
	"slices"
	"strings"
)

// The classic family: crm.lead.add and its neighbours
// (https://apidocs.bitrix24.com/api-reference/crm/leads/crm-lead-add.html).

// on makes a method for one kind.
func on(k Kind, run func(*call, Kind) (answer, *refusal)) func(*call) (answer, *refusal) {
	return func(c *call) (answer, *refusal) { return run(c, k) }
}

// find reads the id parameter and finds the object.
func (c *call) find(k Kind) (*record, *refusal) {
	id := number(c.param("id"))
	if id <= 0 {
		return nil, plain("ID is not defined or invalid.")
	}
	r := c.p.records[k][id]
	switch {
	case r == nil:
		return nil, plain("Not found")
	case !c.p.mayRead(r):
		return nil, plain("Access denied.")
	}
	return r, nil
}

func classicAdd(c *call, k Kind) (answer, *refusal) {
	fields := c.arr("fields")
	if fields == nil {
		return no(plain("Parameter 'fields' must be array."))
	}
	if c.notArray("params") {
		return no(plain("Parameter 'params' must be array."))
	}
	if r := c.p.required(k, fields, classicFamily); r != nil {
		return no(r)
	}
	r, err := c.create(k, fields, classicFamily)
	if err != nil {
		return no(err)
	}
	return ok(r.id)
}

// create makes an object from the fields of either family.
func (c *call) create(k Kind, fields *array, fam family) (*record, *refusal) {
	p := c.p
	r := newRecord(k, p.nextID(k.String()))
	r.visible = c.visibleFrom()
	c.write(r, fields, fam, true)
	p.defaults(r)
	if fam != classicFamily && (k == Lead || k == Deal) && !p.isStage(k, r.int("CATEGORY_ID"), r.str(stageField(k))) {
		return nil, refuse(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value of the field \"Stage\"")
	}
	p.records[k][r.id] = r
	p.settle(r, p.opt.Owner, "")
	c.remember(Added, k.String(), r.id, r.external())
	if k == Lead && p.opt.WithoutLeads && r.str("NAME") != "" {
		if p.opt.ConversionDelay > 0 {
			p.later(p.opt.ConversionDelay, func() { p.convert(r.id) })
		} else {
			p.convert(r.id)
		}
	}
	return r, nil
}

func classicGet(c *call, k Kind) (answer, *refusal) {
	r, err := c.find(k)
	if err != nil {
		return no(err)
	}
	return ok(c.p.classicRow(r, nil, false))
}

func classicUpdate(c *call, k Kind) (answer, *refusal) {
	r, err := c.find(k)
	fields := c.arr("fields")
	switch {
	case err != nil && err.text == "Not found" && k == Contact:
		return no(plain("Contact is not found"))
	case err != nil && err.text == "Not found" && k == Company:
		return no(plain("Company is not found"))
	case err != nil:
		return no(err)
	case fields == nil:
		return no(plain("Parameter 'fields' must be array."))
	}
	stage := r.str(stageField(k))
	c.write(r, fields, classicFamily, false)
	c.p.settle(r, c.p.opt.Owner, stage)
	c.remember(Updated, k.String(), r.id, r.external())
	return ok(true)
}

func classicDelete(c *call, k Kind) (answer, *refusal) {
	r, err := c.find(k)
	if err != nil {
		return no(err)
	}
	c.p.drop(c, k, r.id)
	return ok(true)
}

func classicList(c *call, k Kind) (answer, *refusal) {
	for _, name := range []string{"order", "filter"} {
		if c.notArray(name) {
			return no(plain("Parameter '%s' must be array.", name))
		}
	}
	filter := upperKeys(c.arr("filter"))
	if c.p.opt.UnknownFilterRefused {
		for _, name := range namesIn(filter) {
			if !c.p.hasField(k, name, classicFamily) && !slices.Contains(multiTypes, name) {
				return no(plain("Failed to get list. General error."))
			}
		}
	}
	rows := slices.DeleteFunc(c.p.listed(k), func(r *record) bool {
		return !matches(filter, c.p.fieldLookup(r, classicFamily))
	})
	order := c.arr("order")
	if order.len() == 0 {
		order = object("ID", "ASC")
	}
	sortBy(rows, order, c.p.orderValue(classicFamily))
	part, total, next := page(rows, c.param("start"))
	selected := texts(c.param("select"))
	if len(selected) == 0 {
		selected = []string{"*", "UF_*"}
	}
	out := newArray()
	for _, r := range part {
		out.push(c.p.classicRow(r, selected, true))
	}
	return answer{result: out, total: total, next: next}, nil
}

// upperKeys spells the fields of a classic filter in capitals.
func upperKeys(filter *array) *array {
	out := newArray()
	for _, k := range filter.names() {
		out.set(strings.ToUpper(k), filter.vals[k])
	}
	return out
}

// hasField tells whether rows of a kind have a field of that name.
func (p *Portal) hasField(k Kind, name string, fam family) bool {
	if fam == classicFamily && byName[k][name] != nil || fam != classicFamily && byItem[k][name] != nil {
		return true
	}
	return slices.ContainsFunc(p.fields[k], func(f UserField) bool { return f.spelled(fam) == name })
}

// fieldLookup gives a filter the values of a row. Phones are compared as they are stored.
func (p *Portal) fieldLookup(r *record, fam family) lookup {
	return func(name string) ([]any, bool) {
		index := byName
		if fam != classicFamily {
			index = byItem
		}
		if f := index[r.kind][name]; f != nil {
			return []any{r.values[f.classic]}, true
		}
		if fam == classicFamily && slices.Contains(multiTypes, name) {
			var out []any
			for _, m := range r.multi[name] {
				out = append(out, m.value)
			}
			return out, true
		}
		if fam != classicFamily && name == "contactIds" {
			return list(r.contacts...).values(), true
		}
		for _, f := range p.fields[r.kind] {
			if f.spelled(fam) == name {
				if several, isList := r.custom[f.Name].([]string); isList {
					return list(several...).values(), true
				}
				return []any{r.custom[f.Name]}, true
			}
		}
		return nil, false
	}
}

func (p *Portal) orderValue(fam family) func(*record, string) any {
	return func(r *record, name string) any {
		if fam == classicFamily {
			name = strings.ToUpper(name)
		}
		values, _ := p.fieldLookup(r, fam)(name)
		if len(values) == 0 {
			return nil
		}
		return values[0]
	}
}

// classicRow prints an object. selected nil is get: everything, phones only when there are some.
func (p *Portal) classicRow(r *record, selected []string, inList bool) *array {
	row := newArray()
	wanted := func(name, group string) bool {
		return selected == nil || slices.ContainsFunc(selected, func(s string) bool {
			return strings.EqualFold(s, name) || s == group
		})
	}
	for _, f := range fieldsOf[r.kind] {
		if wanted(f.classic, "*") || inList && f.classic == "ID" {
			row.set(f.classic, f.show(r.values[f.classic], classicFamily, inList))
		}
	}
	for _, f := range p.fields[r.kind] {
		if wanted(f.Name, "UF_*") {
			row.set(f.Name, f.show(r.custom[f.Name]))
		}
	}
	for _, typ := range multiTypes {
		if len(r.multi[typ]) > 0 && wanted(typ, "") {
			row.set(typ, multiRows(r.multi[typ], typ))
		}
	}
	return row
}
