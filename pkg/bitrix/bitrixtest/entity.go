package bitrixtest

import (
	"slices"
	"strings"
	"time"
)

// plainFields are the strings of an Entity with their classic names.
func (e *Entity) plainFields() map[string]*string {
	return map[string]*string{
		"TITLE": &e.Title, "NAME": &e.Name, "LAST_NAME": &e.LastName, "SOURCE_ID": &e.SourceID,
		"SOURCE_DESCRIPTION": &e.SourceDescription, "COMMENTS": &e.Comments,
		"ORIGINATOR_ID": &e.OriginatorID, "ORIGIN_ID": &e.OriginID,
	}
}

func (e *Entity) plainNumbers() map[string]*int {
	return map[string]*int{
		"ASSIGNED_BY_ID": &e.ResponsibleID, "CATEGORY_ID": &e.CategoryID, "COMPANY_ID": &e.CompanyID,
		"LEAD_ID": &e.LeadID, "CREATED_BY_ID": &e.CreatedBy,
	}
}

// fill writes an Entity into a record.
func (p *Portal) fill(r *record, e Entity) {
	has := byName[r.kind]
	for name, s := range e.plainFields() {
		if has[name] == nil {
			continue
		}
		delete(r.values, name)
		if *s != "" {
			r.values[name] = *s
		}
	}
	for name, n := range e.plainNumbers() {
		if has[name] == nil {
			continue
		}
		delete(r.values, name)
		if *n != 0 || name == "CATEGORY_ID" {
			r.values[name] = *n
		}
	}
	if stage := stageField(r.kind); has[stage] != nil {
		delete(r.values, stage)
		if e.StageID != "" {
			r.values[stage] = e.StageID
		}
	}
	for _, utm := range []string{"SOURCE", "MEDIUM", "CAMPAIGN", "CONTENT", "TERM"} {
		delete(r.values, "UTM_"+utm)
		if v := e.UTM[strings.ToLower(utm)]; v != "" {
			r.values["UTM_"+utm] = v
		}
	}
	for name, v := range e.Custom {
		name = canonicalField("UF_CRM_", name)
		p.declare(r.kind, UserField{Name: name})
		r.custom[name] = v
		if strings.Contains(v, "\n") {
			r.custom[name] = strings.Split(v, "\n")
		}
	}
	r.values["OPENED"] = flag(e.Opened)
	if r.kind == Company {
		r.values["IS_MY_COMPANY"] = flag(e.MyCompany)
	}
	if r.kind != Deal {
		p.fillMulti(r, "PHONE", e.Phones)
		p.fillMulti(r, "EMAIL", e.Emails)
	}
	if r.kind == Lead || r.kind == Deal {
		contacts := e.ContactIDs
		if e.ContactID != 0 {
			contacts = append([]int{e.ContactID}, contacts...)
		}
		r.link(contacts)
	}
}

// fillMulti keeps the ids of values that stay.
func (p *Portal) fillMulti(r *record, typ string, values []string) {
	old := r.multi[typ]
	r.multi[typ] = nil
	for _, v := range values {
		m := multifield{value: v, kind: "WORK"}
		if i := slices.IndexFunc(old, func(o multifield) bool { return o.value == v }); i >= 0 {
			m = old[i]
		} else {
			m.id = p.nextID("multifield")
		}
		r.multi[typ] = append(r.multi[typ], m)
	}
}

// keepDates lets an Entity say when things happened.
func (p *Portal) keepDates(r *record, e Entity) {
	closed := "DATE_CLOSED"
	if r.kind == Deal {
		closed = "CLOSEDATE"
	}
	for name, t := range map[string]time.Time{
		"DATE_CREATE": e.Created, "DATE_MODIFY": e.Updated, "LAST_ACTIVITY_TIME": e.LastActivity, closed: e.ClosedAt,
	} {
		if !t.IsZero() && byName[r.kind][name] != nil {
			r.values[name] = t.In(p.opt.Location)
		}
	}
}

// entity copies a record for a test to look at.
func (r *record) entity() Entity {
	e := Entity{ID: r.id, Kind: r.kind, UTM: map[string]string{}, Custom: map[string]string{}}
	for name, s := range e.plainFields() {
		*s = r.str(name)
	}
	for name, n := range e.plainNumbers() {
		*n = r.int(name)
	}
	for _, utm := range []string{"SOURCE", "MEDIUM", "CAMPAIGN", "CONTENT", "TERM"} {
		if v := r.str("UTM_" + utm); v != "" {
			e.UTM[strings.ToLower(utm)] = v
		}
	}
	for name, v := range r.custom {
		if several, isList := v.([]string); isList {
			e.Custom[name] = strings.Join(several, "\n")
		} else {
			e.Custom[name] = text(v)
		}
	}
	for _, m := range r.multi["PHONE"] {
		e.Phones = append(e.Phones, m.value)
	}
	for _, m := range r.multi["EMAIL"] {
		e.Emails = append(e.Emails, m.value)
	}
	e.ContactIDs = slices.Clone(r.contacts)
	e.ContactID = r.int("CONTACT_ID")
	e.StageID, e.Semantic = r.str(stageField(r.kind)), r.str(semanticField(r.kind))
	e.Opened, e.MyCompany = r.str("OPENED") == "Y", r.str("IS_MY_COMPANY") == "Y"
	e.Created, _ = r.values["DATE_CREATE"].(time.Time)
	e.Updated, _ = r.values["DATE_MODIFY"].(time.Time)
	e.LastActivity, _ = r.values["LAST_ACTIVITY_TIME"].(time.Time)
	e.Closed = e.Semantic == "S" || e.Semantic == "F"
	if e.Closed {
		e.ClosedAt, _ = r.values["DATE_CLOSED"].(time.Time)
		if r.kind == Deal {
			e.ClosedAt, _ = r.values["CLOSEDATE"].(time.Time)
		}
	}
	return e
}
