package bitrixtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// record is a CRM object as it is kept.
type record struct {
	kind Kind
	id   int
	// values by classic name: int, float64, time.Time or string. Absent means unset.
	values map[string]any
	// multi by TYPE_ID: PHONE, EMAIL, WEB, IM.
	multi map[string][]multifield
	// contacts linked to a lead or deal, the primary one first.
	contacts []int
	// custom by name UF_*: string, or []string for a multiple field.
	custom  map[string]any
	visible time.Time
}

// multifield is one phone or e-mail; ids are counted through the whole portal.
type multifield struct {
	id          int
	value, kind string
}

var multiTypes = []string{"PHONE", "EMAIL", "WEB", "IM", "LINK"}

func newRecord(kind Kind, id int) *record {
	return &record{kind: kind, id: id, values: map[string]any{"ID": id},
		multi: map[string][]multifield{}, custom: map[string]any{}}
}

func (r *record) str(name string) string { return text(r.values[name]) }
func (r *record) int(name string) int    { return number(r.values[name]) }

func (r *record) external() string {
	if r.str("ORIGIN_ID") == "" {
		return ""
	}
	return r.str("ORIGINATOR_ID") + "/" + r.str("ORIGIN_ID")
}

// link sets the contacts and with them the primary one.
func (r *record) link(contacts []int) {
	r.contacts = nil
	for _, id := range contacts {
		if id > 0 && !slices.Contains(r.contacts, id) {
			r.contacts = append(r.contacts, id)
		}
	}
	delete(r.values, "CONTACT_ID")
	if len(r.contacts) > 0 {
		r.values["CONTACT_ID"] = r.contacts[0]
	}
}

// settle makes the computed fields true again after a write: semantics and closing from the stage,
// defaults, flags. who is the user that wrote.
func (p *Portal) settle(r *record, who int, stageBefore string) {
	now := p.now()
	if r.kind == Lead || r.kind == Deal {
		stage := r.str(stageField(r.kind))
		semantic := p.semantic(r.kind, stage)
		before := r.str(semanticField(r.kind))
		r.values[semanticField(r.kind)] = semantic
		if stage != stageBefore {
			r.values["MOVED_BY_ID"], r.values["MOVED_TIME"] = who, now
		}
		if r.kind == Deal {
			r.values["CLOSED"] = flag(semantic != "P")
		}
		switch {
		case semantic == "P":
			delete(r.values, "DATE_CLOSED")
		case before != semantic:
			if r.kind == Lead {
				r.values["DATE_CLOSED"] = now
			} else {
				r.values["CLOSEDATE"] = now
			}
		}
	}
	if r.kind != Deal {
		r.values["HAS_PHONE"] = flag(len(r.multi["PHONE"]) > 0)
		r.values["HAS_EMAIL"] = flag(len(r.multi["EMAIL"]) > 0)
	}
	r.values["MODIFY_BY_ID"], r.values["DATE_MODIFY"] = who, now
	r.values["LAST_ACTIVITY_BY"], r.values["LAST_ACTIVITY_TIME"] = who, now
}

func flag(b bool) string {
	if b {
		return "Y"
	}
	return "N"
}

// defaults fills what a new object gets by itself.
func (p *Portal) defaults(r *record) {
	set := func(name string, v any) {
		if r.values[name] == nil {
			r.values[name] = v
		}
	}
	now, owner := p.now(), p.opt.Owner
	set("CREATED_BY_ID", owner)
	set("DATE_CREATE", now)
	set("OPENED", "Y")
	if r.int("ASSIGNED_BY_ID") == 0 {
		r.values["ASSIGNED_BY_ID"] = owner
	}
	switch r.kind {
	case Lead:
		set("STATUS_ID", "NEW")
		set("IS_RETURN_CUSTOMER", "N")
	case Deal:
		set("CATEGORY_ID", 0)
		set("STAGE_ID", p.firstStage(r.int("CATEGORY_ID")))
		set("BEGINDATE", day(now))
		set("CLOSEDATE", day(now).AddDate(0, 0, 7))
		set("IS_RETURN_CUSTOMER", "N")
		set("IS_REPEATED_APPROACH", "N")
	case Company:
		set("IS_MY_COMPANY", "N")
	case Contact:
		set("EXPORT", "N")
	}
	if r.kind == Lead || r.kind == Deal {
		set("OPPORTUNITY", 0.0)
		set("IS_MANUAL_OPPORTUNITY", "N")
		set("CURRENCY_ID", "UAH")
		if r.str("TITLE") == "" {
			r.values["TITLE"] = strings.ToUpper(r.kind.String()[:1]) + r.kind.String()[1:] + " #" + strconv.Itoa(r.id)
		}
	}
}

func day(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// mayRead tells whether the webhook's owner sees the object: administrators all, others their own
// and those open to everyone.
func (p *Portal) mayRead(r *record) bool {
	o := p.owner()
	return o.Admin || r.str("OPENED") == "Y" || r.int("ASSIGNED_BY_ID") == o.ID
}

func (p *Portal) mayWrite(r *record) bool { return p.mayRead(r) }

// listed are the objects a list may show, by id.
func (p *Portal) listed(k Kind) []*record {
	now := p.now()
	return slices.DeleteFunc(byID(p.records[k]), func(r *record) bool {
		return r.visible.After(now) || !p.mayRead(r)
	})
}

// canonicalField is the name a user field is kept under.
func canonicalField(prefix, name string) string {
	name = strings.ToUpper(name)
	if strings.HasPrefix(name, prefix) {
		return name
	}
	return prefix + strings.TrimPrefix(name, "UF_")
}

// camelUF spells a user field the way crm.item.* does by default. The rule for names with letters is
// not documented; this is the reading of the digits rule that also fits them.
func camelUF(name string) string {
	rest := strings.TrimPrefix(name, "UF_CRM_")
	if rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		return "ufCrm_" + rest
	}
	var b strings.Builder
	b.WriteString("ufCrm")
	for word := range strings.SplitSeq(rest, "_") {
		if word != "" {
			b.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}

func (f UserField) spelled(fam family) string {
	if fam == itemFamily {
		return camelUF(f.Name)
	}
	return f.Name
}
