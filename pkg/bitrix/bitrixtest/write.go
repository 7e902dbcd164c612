package bitrixtest

import (
	"slices"
	"strconv"
	"strings"
)

// write puts the fields of a request into an object. Fields it does not know, and those that are
// computed, are ignored without a word.
func (c *call) write(r *record, fields *array, fam family, adding bool) {
	p := c.p
	index := byName
	if fam != classicFamily {
		index = byItem
	}
	for _, key := range fields.keys {
		v := fields.vals[key]
		name := key
		if fam == classicFamily {
			name = strings.ToUpper(key)
		}
		f := index[r.kind][name]
		switch {
		case f != nil && f.classic == "CONTACT_ID":
			c.linkPrimary(r, number(v))
		case f != nil && f.classic == "CATEGORY_ID" && !adding && fam == classicFamily:
			// immutable in crm.deal.update
		case f != nil && !f.readOnly:
			if kept := f.accept(v, p.opt.Location); kept == nil {
				delete(r.values, f.classic)
			} else {
				r.values[f.classic] = kept
			}
		case name == "CONTACT_IDS" || name == "contactIds":
			r.link(numbers(v))
			c.returning(r)
		case fam == classicFamily && slices.Contains(multiTypes, name) && r.kind != Deal:
			p.writeMulti(r, name, v)
		case fam != classicFamily && name == "fm" && r.kind != Deal:
			p.writeFM(r, v)
		default:
			p.writeCustom(r, name, v, fam)
		}
	}
	if r.int("COMPANY_ID") != 0 {
		c.returning(r)
	}
	if fam != classicFamily && r.kind == Deal && !adding && fields.has("categoryId") && !fields.has("stageId") {
		r.values["STAGE_ID"] = p.firstStage(r.int("CATEGORY_ID"))
	}
}

// linkPrimary makes a contact the primary one and keeps the others.
func (c *call) linkPrimary(r *record, contact int) {
	if contact == 0 {
		r.link(nil)
		return
	}
	r.link(append([]int{contact}, r.contacts...))
	c.returning(r)
}

// returning marks a lead of a known client. Only writing the lead itself does, linking does not.
func (c *call) returning(r *record) {
	if r.kind == Lead && (len(r.contacts) > 0 || r.int("COMPANY_ID") != 0) {
		r.values["IS_RETURN_CUSTOMER"] = "Y"
	}
}

// writeMulti is the classic way: an element with an ID changes or deletes that value, one without
// adds another, even an equal one.
func (p *Portal) writeMulti(r *record, typ string, v any) {
	for _, element := range asArray(v).values() {
		e := asArray(element)
		value, id := text(e.fold("VALUE")), number(e.fold("ID"))
		at := slices.IndexFunc(r.multi[typ], func(m multifield) bool { return m.id == id })
		switch {
		case id > 0 && at < 0:
		case id > 0 && (yes(e.fold("DELETE")) || value == ""):
			r.multi[typ] = slices.Delete(r.multi[typ], at, at+1)
		case id > 0:
			r.multi[typ][at].value = value
			if kind := text(e.fold("VALUE_TYPE")); kind != "" {
				r.multi[typ][at].kind = kind
			}
		case value != "":
			p.addMulti(r, typ, value, text(e.fold("VALUE_TYPE")))
		}
	}
}

// writeFM is the way of crm.item.*: keys that are ids of values it has change them, an empty value
// deletes, every other key adds.
func (p *Portal) writeFM(r *record, v any) {
	elements := asArray(v)
	newest := p.lastID["multifield"]
	for _, key := range elements.names() {
		e := asArray(elements.vals[key])
		typ, value := strings.ToUpper(text(e.get("typeId"))), text(e.get("value"))
		id, _ := intKey(key)
		if n := number(e.get("id")); n > 0 {
			id = n
		}
		if at, t := r.findMulti(id); at >= 0 && id <= newest {
			if value == "" {
				r.multi[t] = slices.Delete(r.multi[t], at, at+1)
			} else {
				r.multi[t][at].value = value
			}
			continue
		}
		if value != "" && slices.Contains(multiTypes, typ) {
			p.addMulti(r, typ, value, text(e.get("valueType")))
		}
	}
}

func (r *record) findMulti(id int) (at int, typ string) {
	for _, t := range multiTypes {
		if at := slices.IndexFunc(r.multi[t], func(m multifield) bool { return m.id == id }); at >= 0 {
			return at, t
		}
	}
	return -1, ""
}

func (p *Portal) addMulti(r *record, typ, value, kind string) {
	if kind == "" {
		kind = "WORK"
	}
	r.multi[typ] = append(r.multi[typ], multifield{p.nextID("multifield"), value, kind})
}

func multiRows(all []multifield, typ string) *array {
	out := newArray()
	for _, m := range all {
		out.push(object("ID", strconv.Itoa(m.id), "VALUE_TYPE", m.kind, "VALUE", m.value, "TYPE_ID", typ))
	}
	return out
}

func (p *Portal) writeCustom(r *record, name string, v any, fam family) {
	for _, f := range p.fields[r.kind] {
		// The item family takes original names only when it was told to.
		if f.spelled(fam) != name {
			continue
		}
		if f.Multiple {
			r.custom[f.Name] = texts(v)
		} else if s := text(v); s == "" {
			delete(r.custom, f.Name)
		} else {
			r.custom[f.Name] = s
		}
	}
}

// required checks the fields the portal's administrator made mandatory, and names of contacts.
func (p *Portal) required(k Kind, fields *array, fam family) *refusal {
	get := fields.fold
	if fam != classicFamily {
		get = fields.get
	}
	for _, f := range p.fields[k] {
		if f.Mandatory && text(get(f.spelled(fam))) == "" {
			return p.requiredRefusal(f.label(), fam)
		}
	}
	if k == Contact && p.opt.ContactNameRequired && text(fields.fold("NAME")) == "" &&
		text(fields.fold("LAST_NAME")) == "" && text(fields.fold("lastName")) == "" {
		return p.requiredRefusal("Name", fam)
	}
	return nil
}

func (p *Portal) requiredRefusal(label string, fam family) *refusal {
	if fam != classicFamily {
		return refuse(400, "CRM_FIELD_ERROR_REQUIRED", p.say("required item"), label)
	}
	return refuse(400, "ERROR_CORE", p.say("required classic"), label)
}

// texts a portal translates; matching on them is the mistake they are here to catch.
var translated = map[string]map[string]string{
	"required item": {"en": `The "%s" field is required`, "ru": `Поле "%s" обязательно для заполнения`,
		"uk": `Поле "%s" є обов'язковим для заповнення`},
	"required classic": {"en": `The required field "%s" is not filled<br>`, "ru": `Не заполнено обязательное поле "%s"<br>`,
		"uk": `Не заповнено обов'язкове поле "%s"<br>`},
	"no title": {"en": "Task title is not specified<br>", "ru": "Не указано название задачи<br>", "uk": "Не вказано назву завдання<br>"},
	"no user": {"en": `User specified in the "Responsible" field not found<br>`,
		"ru": `Пользователь, указанный в поле "Ответственный", не найден<br>`,
		"uk": `Користувача, вказаного в полі "Відповідальний", не знайдено<br>`},
}

func (p *Portal) say(what string) string {
	if s := translated[what][p.opt.Language]; s != "" {
		return s
	}
	return translated[what]["en"]
}
