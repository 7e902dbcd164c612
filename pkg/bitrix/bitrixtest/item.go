package bitrixtest

import (
	"slices"
)

// The universal family: crm.item.* (https://apidocs.bitrix24.com/api-reference/crm/universal/index.html).

// itemCall reads what every crm.item.* method begins with.
func itemCall(run func(c *call, k Kind, fam family) (answer, *refusal)) func(*call) (answer, *refusal) {
	return func(c *call) (answer, *refusal) {
		v := c.exact("entityTypeId")
		if v == nil {
			return no(missing("entityTypeId"))
		}
		k := Kind(number(v))
		if c.p.records[k] == nil {
			return no(refuse(400, "NOT_FOUND", "Smart process not found"))
		}
		fam := itemFamily
		if text(c.exact("useOriginalUfNames")) == "Y" {
			fam = itemOriginal
		}
		return run(c, k, fam)
	}
}

func (c *call) findItem(k Kind) (*record, *refusal) {
	if c.exact("id") == nil {
		return nil, missing("id")
	}
	r := c.p.records[k][number(c.exact("id"))]
	switch {
	case r == nil:
		return nil, refuse(400, "NOT_FOUND", "Element not found")
	case !c.p.mayRead(r):
		return nil, refuse(400, "ACCESS_DENIED", "Access denied")
	}
	return r, nil
}

// itemFields reads "fields"; a scalar under a name that takes several values is refused.
func (c *call) itemFields() (*array, *refusal) {
	v := c.exact("fields")
	if v == nil {
		return nil, missing("fields")
	}
	fields := asArray(v)
	if fields == nil {
		return nil, refuse(400, "100", "Invalid value {%s} to match with parameter {fields}. Should be value of type array.", text(v))
	}
	for _, name := range []string{"fm", "contactIds", "observers"} {
		if fields.get(name) != nil && asArray(fields.get(name)) == nil {
			return nil, refuse(400, "100", "Expected iterable value for multiple field, but got string instead")
		}
	}
	return fields, nil
}

func itemAdd(c *call, k Kind, fam family) (answer, *refusal) {
	fields, err := c.itemFields()
	if err != nil {
		return no(err)
	}
	if err := c.p.required(k, fields, fam); err != nil {
		return no(err)
	}
	r, err := c.create(k, fields, fam)
	if err != nil {
		return no(err)
	}
	return ok(object("item", c.p.itemRow(r, nil, fam)))
}

func itemGet(c *call, k Kind, fam family) (answer, *refusal) {
	r, err := c.findItem(k)
	if err != nil {
		return no(err)
	}
	return ok(object("item", c.p.itemRow(r, nil, fam)))
}

func itemUpdate(c *call, k Kind, fam family) (answer, *refusal) {
	r, err := c.findItem(k)
	if err != nil {
		return no(err)
	}
	fields, err := c.itemFields()
	if err != nil {
		return no(err)
	}
	stage := r.str(stageField(k))
	if to := text(fields.get("stageId")); to != "" && (k == Lead || k == Deal) {
		category := r.int("CATEGORY_ID")
		if fields.has("categoryId") {
			category = number(fields.get("categoryId"))
		}
		if !c.p.isStage(k, category, to) {
			return no(refuse(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value of the field \"Stage\""))
		}
	}
	c.write(r, fields, fam, false)
	c.p.settle(r, c.p.opt.Owner, stage)
	c.remember(Updated, k.String(), r.id, r.external())
	return ok(object("item", c.p.itemRow(r, nil, fam)))
}

func itemDelete(c *call, k Kind, _ family) (answer, *refusal) {
	r, err := c.findItem(k)
	if err != nil {
		return no(err)
	}
	c.p.drop(c, k, r.id)
	return ok(newArray())
}

func itemList(c *call, k Kind, fam family) (answer, *refusal) {
	filter, order := asArray(c.exact("filter")), asArray(c.exact("order"))
	for _, name := range namesIn(filter) {
		if !c.p.hasField(k, name, fam) && !(name == "contactIds" && c.p.opt.ContactIDsFilter && (k == Lead || k == Deal)) {
			return no(refuse(400, "INVALID_ARG_VALUE", "Invalid filter: field '%s' is not allowed in filter", name))
		}
	}
	for _, name := range order.names() {
		if !c.p.hasField(k, name, fam) {
			return no(refuse(400, "INVALID_ARG_VALUE", "Invalid order: field '%s' is not allowed in order", name))
		}
	}
	rows := slices.DeleteFunc(c.p.listed(k), func(r *record) bool {
		return !matches(filter, c.p.fieldLookup(r, fam))
	})
	if order.len() == 0 {
		order = object("id", "ASC")
	}
	sortBy(rows, order, c.p.orderValue(fam))
	part, total, next := page(rows, c.exact("start"))
	selected := texts(c.exact("select"))
	if slices.Contains(selected, "*") {
		selected = nil
	}
	items := newArray()
	for _, r := range part {
		items.push(c.p.itemRow(r, selected, fam))
	}
	return answer{result: object("items", items), total: total, next: next}, nil
}

// itemRow prints an object. selected nil is everything, and the only way to see "fm".
func (p *Portal) itemRow(r *record, selected []string, fam family) *array {
	row := newArray()
	set := func(name string, v any) {
		if selected == nil || slices.Contains(selected, name) || name == "id" {
			row.set(name, v)
		}
	}
	for _, f := range fieldsOf[r.kind] {
		set(f.item, f.show(r.values[f.classic], fam, false))
	}
	if r.kind == Lead || r.kind == Deal {
		set("contactIds", list(r.contacts...))
		set("observers", newArray())
	}
	for _, f := range p.fields[r.kind] {
		set(f.spelled(fam), f.show(r.custom[f.Name]))
	}
	if r.kind != Deal {
		set("phone", r.firstMulti("PHONE", ""))
		set("phoneWork", r.firstMulti("PHONE", "WORK"))
		set("phoneMobile", r.firstMulti("PHONE", "MOBILE"))
		set("email", r.firstMulti("EMAIL", ""))
	}
	if selected == nil {
		if r.kind != Deal {
			row.set("fm", r.fm())
		}
		row.set("entityTypeId", int(r.kind))
	}
	return row
}

func (r *record) firstMulti(typ, kind string) string {
	for _, m := range r.multi[typ] {
		if kind == "" || m.kind == kind {
			return m.value
		}
	}
	return ""
}

func (r *record) fm() *array {
	out := newArray()
	for _, typ := range multiTypes {
		for _, m := range r.multi[typ] {
			out.push(object("id", m.id, "valueType", m.kind, "value", m.value, "typeId", typ))
		}
	}
	return out
}
