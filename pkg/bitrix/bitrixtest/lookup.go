package bitrixtest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// extension is what follows a number: "#123", ";123", ",123", "ext. 123". It takes no part in matching.
var extension = regexp.MustCompile(`(?i)\s*([#;,]|ext\.?|доб\.?).*$`)

// digits is the portal's way to compare phones: the extension cut, everything but digits dropped. It
// adds and removes no country code, so 0671112233 and 380671112233 are different numbers.
func digits(phone string) string {
	if strings.ContainsAny(phone, "#;,eEдД") {
		phone = extension.ReplaceAllString(phone, "")
	}
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

const (
	maxCommValues = 20
	// enoughHits in one type make the answer leave the following types out.
	enoughHits = 20
)

func badComm(p *Portal, sentence, description string) *refusal {
	if p.opt.FindByCommTextCodes {
		return refuse(400, sentence, "%s", description)
	}
	return plain("%s", sentence)
}

// findByComm is crm.duplicate.findbycomm
// (https://apidocs.bitrix24.com/api-reference/crm/duplicates/crm-duplicate-find-by-comm.html). The
// order of ids is not promised; the newest comes first here, to find out who relies on it.
func findByComm(c *call) (answer, *refusal) {
	typ := strings.ToUpper(text(c.param("type")))
	values := texts(c.param("values"))
	entity := strings.ToUpper(text(c.param("entity_type")))
	switch {
	case typ == "":
		return no(badComm(c.p, "Communication type is not defined", "Parameter 'type' is required."))
	case typ != "PHONE" && typ != "EMAIL":
		return no(badComm(c.p, "Communication type '"+typ+"' is not supported in current context", "Use PHONE or EMAIL."))
	case len(values) == 0:
		return no(badComm(c.p, "Communication values is not defined", "Parameter 'values' is required."))
	}
	normal := strings.ToLower
	if typ == "PHONE" {
		normal = digits
	}
	wanted := map[string]bool{}
	for _, v := range values[:min(len(values), maxCommValues)] {
		if n := normal(strings.TrimSpace(v)); n != "" {
			wanted[n] = true
		}
	}
	out := newArray()
	for _, k := range []Kind{Lead, Contact, Company} {
		if entity != "" && entity != upper(k) {
			continue
		}
		var ids []int
		for _, r := range c.p.listed(k) {
			if slices.ContainsFunc(r.multi[typ], func(m multifield) bool { return wanted[normal(m.value)] }) {
				ids = append(ids, r.id)
			}
		}
		slices.Reverse(ids)
		if len(ids) > 0 {
			out.set(upper(k), list(ids[:min(len(ids), enoughHits)]...))
		}
		if len(ids) >= enoughHits {
			break
		}
	}
	return ok(out)
}

// searchEntities is telephony.externalCall.searchCrmEntities
// (https://apidocs.bitrix24.com/api-reference/telephony/telephony-external-call-search-crm-entities.html).
func searchEntities(c *call) (answer, *refusal) {
	phone := digits(text(c.param("PHONE_NUMBER")))
	if phone == "" {
		return no(refuse(400, "ERROR_CORE", "PHONE_NUMBER is empty"))
	}
	out := newArray()
	for _, r := range c.p.byPhone(phone) {
		name := strings.TrimSpace(r.str("NAME") + " " + r.str("LAST_NAME"))
		if name == "" {
			name = r.str("TITLE")
		}
		row := object("CRM_ENTITY_TYPE", upper(r.kind), "CRM_ENTITY_ID", r.id, "ASSIGNED_BY_ID", r.int("ASSIGNED_BY_ID"), "NAME", name)
		if u := c.p.users[r.int("ASSIGNED_BY_ID")]; u != nil {
			row.set("ASSIGNED_BY", object("ID", strconv.Itoa(u.ID), "TIMEMAN_STATUS", "CLOSED",
				"USER_PHONE_INNER", orNil(u.InnerPhone), "WORK_PHONE", orNil(u.WorkPhone), "PERSONAL_PHONE", nil,
				"PERSONAL_MOBILE", orNil(u.Mobile)))
		}
		out.push(row)
	}
	return ok(out)
}

// byPhone finds contacts, then companies, then open leads.
func (p *Portal) byPhone(phone string) (out []*record) {
	for _, k := range []Kind{Contact, Company, Lead} {
		for _, r := range p.listed(k) {
			open := k != Lead || r.str("STATUS_SEMANTIC_ID") == "P"
			if open && slices.ContainsFunc(r.multi["PHONE"], func(m multifield) bool { return digits(m.value) == phone }) {
				out = append(out, r)
			}
		}
	}
	return out
}

// The contacts of a lead or deal
// (https://apidocs.bitrix24.com/api-reference/crm/deals/contacts/index.html).

func (c *call) findOwner(k Kind) (*record, *refusal) {
	id := number(c.param("id"))
	if id <= 0 {
		return nil, plain("The parameter 'ownerEntityID' is invalid or not defined.")
	}
	r := c.p.records[k][id]
	switch {
	case r == nil:
		return nil, plain("Not found.")
	case !c.p.mayRead(r):
		return nil, plain("Access denied.")
	}
	return r, nil
}

func contactItemsGet(c *call, k Kind) (answer, *refusal) {
	r, err := c.findOwner(k)
	if err != nil {
		return no(err)
	}
	out := newArray()
	for i, id := range r.contacts {
		out.push(object("CONTACT_ID", id, "SORT", 10*(i+1), "ROLE_ID", 0, "IS_PRIMARY", flag(i == 0)))
	}
	return ok(out)
}

func contactAdd(c *call, k Kind) (answer, *refusal) {
	r, err := c.findOwner(k)
	if err != nil {
		return no(err)
	}
	fields := c.arr("fields")
	if fields == nil {
		return no(plain("The parameter 'fields' must be array."))
	}
	contact := number(fields.fold("CONTACT_ID"))
	switch {
	case contact <= 0 || c.p.records[Contact][contact] == nil:
		return no(plain("The parameter 'fields' is not valid."))
	case slices.Contains(r.contacts, contact):
		return ok(false)
	case yes(fields.fold("IS_PRIMARY")):
		r.link(append([]int{contact}, r.contacts...))
	default:
		r.link(append(slices.Clone(r.contacts), contact))
	}
	c.remember(Updated, k.String(), r.id, r.external())
	return ok(true)
}

func contactItemsSet(c *call, k Kind) (answer, *refusal) {
	r, err := c.findOwner(k)
	if err != nil {
		return no(err)
	}
	var primary, others []int
	for _, v := range c.arr("items").values() {
		item := asArray(v)
		if id := number(item.fold("CONTACT_ID")); yes(item.fold("IS_PRIMARY")) {
			primary = append(primary, id)
		} else {
			others = append(others, id)
		}
	}
	r.link(append(primary, others...))
	c.remember(Updated, k.String(), r.id, r.external())
	return ok(true)
}

// convert turns a lead into a contact and a deal, as simple mode does
// (https://apidocs.bitrix24.com/tutorials/crm/how-to-add-crm-objects/how-to-add-objects-with-crm-mode.html).
func (p *Portal) convert(lead int) {
	r := p.records[Lead][lead]
	if r == nil || r.str("STATUS_ID") == "CONVERTED" {
		return
	}
	copyTo := func(k Kind, names ...string) *record {
		to := newRecord(k, p.nextID(k.String()))
		to.visible = r.visible
		for _, n := range append(names, "ASSIGNED_BY_ID", "SOURCE_ID", "SOURCE_DESCRIPTION", "COMMENTS", "OPENED",
			"UTM_SOURCE", "UTM_MEDIUM", "UTM_CAMPAIGN", "UTM_CONTENT", "UTM_TERM") {
			if v := r.values[n]; v != nil {
				to.values[n] = v
			}
		}
		to.values["LEAD_ID"] = lead
		p.records[k][to.id] = to
		return to
	}
	contacts := r.contacts
	if len(contacts) == 0 {
		contact := copyTo(Contact, "NAME", "SECOND_NAME", "LAST_NAME")
		for typ, all := range r.multi {
			for _, m := range all {
				p.addMulti(contact, typ, m.value, m.kind)
			}
		}
		p.defaults(contact)
		p.settle(contact, p.opt.Owner, "")
		p.remember(nil, Added, "contact", contact.id, "")
		contacts = []int{contact.id}
	}
	deal := copyTo(Deal, "TITLE", "COMPANY_ID", "OPPORTUNITY", "CURRENCY_ID")
	deal.link(contacts)
	p.defaults(deal)
	p.settle(deal, p.opt.Owner, "")
	p.remember(nil, Added, "deal", deal.id, "")
	stage := r.str("STATUS_ID")
	r.link(contacts)
	r.values["STATUS_ID"] = "CONVERTED"
	p.settle(r, p.opt.Owner, stage)
	p.remember(nil, Updated, "lead", lead, r.external())
}

// Convert turns a lead into a contact and a deal as a person or a robot would, in any mode. It does
// nothing when the lead is converted already or not there.
func (p *Portal) Convert(lead int) {
	p.lock()
	defer p.mu.Unlock()
	p.convert(lead)
}
