package bitrixtest

import (
	"strconv"
	"strings"
	"time"
)

// field is one field of a CRM object under its two names. The names are the documentation's:
// https://apidocs.bitrix24.com/api-reference/crm/leads/crm-lead-fields.html and its neighbours for the
// classic family, https://apidocs.bitrix24.com/api-reference/crm/universal/index.html for the other.
type field struct {
	classic, item string
	// typ as crm.*.fields prints it.
	typ string
	// kinds that have it: any of the letters l, d, c, o (company).
	kinds    string
	readOnly bool
	// status is the directory of a crm_status.
	status string
}

var fieldTable = []field{
	{classic: "ID", item: "id", typ: "integer", kinds: "ldco", readOnly: true},
	{classic: "TITLE", item: "title", typ: "string", kinds: "ldo"},
	{classic: "HONORIFIC", item: "honorific", typ: "crm_status", kinds: "lc", status: "HONORIFIC"},
	{classic: "NAME", item: "name", typ: "string", kinds: "lc"},
	{classic: "SECOND_NAME", item: "secondName", typ: "string", kinds: "lc"},
	{classic: "LAST_NAME", item: "lastName", typ: "string", kinds: "lc"},
	{classic: "COMPANY_TITLE", item: "companyTitle", typ: "string", kinds: "l"},
	{classic: "TYPE_ID", item: "typeId", typ: "crm_status", kinds: "dc", status: "DEAL_TYPE"},
	{classic: "COMPANY_TYPE", item: "typeId", typ: "crm_status", kinds: "o", status: "COMPANY_TYPE"},
	{classic: "INDUSTRY", item: "industry", typ: "crm_status", kinds: "o", status: "INDUSTRY"},
	{classic: "CATEGORY_ID", item: "categoryId", typ: "crm_category", kinds: "d"},
	{classic: "STATUS_ID", item: "stageId", typ: "crm_status", kinds: "l", status: "STATUS"},
	{classic: "STAGE_ID", item: "stageId", typ: "crm_status", kinds: "d", status: "DEAL_STAGE"},
	{classic: "STATUS_SEMANTIC_ID", item: "stageSemanticId", typ: "string", kinds: "l", readOnly: true},
	{classic: "STAGE_SEMANTIC_ID", item: "stageSemanticId", typ: "string", kinds: "d", readOnly: true},
	{classic: "STATUS_DESCRIPTION", item: "statusDescription", typ: "string", kinds: "l"},
	{classic: "POST", item: "post", typ: "string", kinds: "lc"},
	{classic: "BIRTHDATE", item: "birthdate", typ: "date", kinds: "lc"},
	{classic: "SOURCE_ID", item: "sourceId", typ: "crm_status", kinds: "ldc", status: "SOURCE"},
	{classic: "SOURCE_DESCRIPTION", item: "sourceDescription", typ: "string", kinds: "ldc"},
	{classic: "COMMENTS", item: "comments", typ: "string", kinds: "ldco"},
	{classic: "ADDITIONAL_INFO", item: "additionalInfo", typ: "string", kinds: "d"},
	{classic: "CURRENCY_ID", item: "currencyId", typ: "crm_currency", kinds: "ldo"},
	{classic: "OPPORTUNITY", item: "opportunity", typ: "double", kinds: "ld"},
	{classic: "IS_MANUAL_OPPORTUNITY", item: "isManualOpportunity", typ: "char", kinds: "ld"},
	{classic: "PROBABILITY", item: "probability", typ: "integer", kinds: "d"},
	{classic: "REVENUE", item: "revenue", typ: "double", kinds: "o"},
	{classic: "LEAD_ID", item: "leadId", typ: "crm_lead", kinds: "dco", readOnly: true},
	{classic: "COMPANY_ID", item: "companyId", typ: "crm_company", kinds: "ldc"},
	{classic: "CONTACT_ID", item: "contactId", typ: "crm_contact", kinds: "ld"},
	{classic: "IS_RETURN_CUSTOMER", item: "isReturnCustomer", typ: "char", kinds: "ld", readOnly: true},
	{classic: "IS_REPEATED_APPROACH", item: "isRepeatedApproach", typ: "char", kinds: "d", readOnly: true},
	{classic: "BEGINDATE", item: "begindate", typ: "date", kinds: "d"},
	{classic: "CLOSEDATE", item: "closedate", typ: "date", kinds: "d"},
	{classic: "HAS_PHONE", item: "hasPhone", typ: "char", kinds: "lco", readOnly: true},
	{classic: "HAS_EMAIL", item: "hasEmail", typ: "char", kinds: "lco", readOnly: true},
	{classic: "IS_MY_COMPANY", item: "isMyCompany", typ: "char", kinds: "o"},
	{classic: "OPENED", item: "opened", typ: "char", kinds: "ldco"},
	{classic: "EXPORT", item: "export", typ: "char", kinds: "c"},
	{classic: "CLOSED", item: "closed", typ: "char", kinds: "d", readOnly: true},
	{classic: "ASSIGNED_BY_ID", item: "assignedById", typ: "user", kinds: "ldco"},
	{classic: "CREATED_BY_ID", item: "createdBy", typ: "user", kinds: "ldco", readOnly: true},
	{classic: "MODIFY_BY_ID", item: "updatedBy", typ: "user", kinds: "ldco", readOnly: true},
	{classic: "MOVED_BY_ID", item: "movedBy", typ: "user", kinds: "ld", readOnly: true},
	{classic: "DATE_CREATE", item: "createdTime", typ: "datetime", kinds: "ldco", readOnly: true},
	{classic: "DATE_MODIFY", item: "updatedTime", typ: "datetime", kinds: "ldco", readOnly: true},
	{classic: "MOVED_TIME", item: "movedTime", typ: "datetime", kinds: "ld", readOnly: true},
	{classic: "DATE_CLOSED", item: "dateClosed", typ: "datetime", kinds: "l", readOnly: true},
	{classic: "LAST_ACTIVITY_BY", item: "lastActivityBy", typ: "user", kinds: "ldco", readOnly: true},
	{classic: "LAST_ACTIVITY_TIME", item: "lastActivityTime", typ: "datetime", kinds: "ldco", readOnly: true},
	{classic: "ORIGINATOR_ID", item: "originatorId", typ: "string", kinds: "ldco"},
	{classic: "ORIGIN_ID", item: "originId", typ: "string", kinds: "ldco"},
	{classic: "ORIGIN_VERSION", item: "originVersion", typ: "string", kinds: "co"},
	{classic: "UTM_SOURCE", item: "utmSource", typ: "string", kinds: "ldco"},
	{classic: "UTM_MEDIUM", item: "utmMedium", typ: "string", kinds: "ldco"},
	{classic: "UTM_CAMPAIGN", item: "utmCampaign", typ: "string", kinds: "ldco"},
	{classic: "UTM_CONTENT", item: "utmContent", typ: "string", kinds: "ldco"},
	{classic: "UTM_TERM", item: "utmTerm", typ: "string", kinds: "ldco"},
}

// family is how a field is spelled: 0 classic, 1 item with camelCase user fields, 2 item with the
// original names of user fields.
type family int

const (
	classicFamily family = iota
	itemFamily
	itemOriginal
)

// fieldsOf lists a kind's fields; byName and byItem find one of them.
var fieldsOf, byName, byItem = indexFields()

type fieldIndex map[Kind]map[string]*field

func indexFields() (map[Kind][]*field, fieldIndex, fieldIndex) {
	all, classic, item := map[Kind][]*field{}, fieldIndex{}, fieldIndex{}
	for kind, letter := range map[Kind]string{Lead: "l", Deal: "d", Contact: "c", Company: "o"} {
		classic[kind], item[kind] = map[string]*field{}, map[string]*field{}
		for i := range fieldTable {
			if f := &fieldTable[i]; strings.Contains(f.kinds, letter) {
				all[kind] = append(all[kind], f)
				classic[kind][f.classic], item[kind][f.item] = f, f
			}
		}
	}
	return all, classic, item
}

// stageField is the classic name of a kind's stage.
func stageField(k Kind) string {
	if k == Deal {
		return "STAGE_ID"
	}
	return "STATUS_ID"
}

func semanticField(k Kind) string {
	if k == Deal {
		return "STAGE_SEMANTIC_ID"
	}
	return "STATUS_SEMANTIC_ID"
}

// numeric tells the types kept as int.
func (f *field) numeric() bool {
	switch f.typ {
	case "integer", "user", "crm_lead", "crm_company", "crm_contact", "crm_category":
		return true
	}
	return false
}

// link tells the fields that point to another object and are "0" or null when they do not.
func (f *field) link() bool {
	return f.typ == "crm_company" || f.typ == "crm_contact" || f.typ == "crm_lead"
}

// accept turns what was sent into what is kept: int, float64, time.Time or string; nil when empty.
func (f *field) accept(v any, loc *time.Location) any {
	switch {
	case f.numeric():
		return number(v)
	case f.typ == "double":
		n, _ := strconv.ParseFloat(text(v), 64)
		return n
	case f.typ == "datetime" || f.typ == "date":
		t, isTime := parseTime(text(v), loc)
		if !isTime {
			return nil
		}
		return t
	case f.typ == "char":
		if yes(v) {
			return "Y"
		}
		return "N"
	}
	if v == nil {
		return nil
	}
	return text(v)
}

// show turns what is kept into what is sent. inList matters for unset links: "0" in classic lists,
// null in classic get.
func (f *field) show(v any, fam family, inList bool) any {
	switch v := v.(type) {
	case nil:
		return f.unset(fam, inList)
	case int:
		switch {
		case v == 0 && f.link():
			return f.unset(fam, inList)
		case fam == classicFamily:
			return strconv.Itoa(v)
		}
		return v
	case float64:
		if fam == classicFamily {
			return strconv.FormatFloat(v, 'f', 2, 64)
		}
		return v
	case time.Time:
		return v.Format(isoDate)
	}
	return v
}

func (f *field) unset(fam family, inList bool) any {
	switch {
	case f.link() && fam == classicFamily && inList:
		return "0"
	case f.link() && fam != classicFamily && f.typ != "crm_lead":
		return 0
	case fam == classicFamily && (f.typ == "datetime" || f.typ == "date"):
		return ""
	}
	return nil
}

// isoDate is how the portal prints a date: always with an offset in digits, never "Z".
const isoDate = "2006-01-02T15:04:05-07:00"

// layouts a date is accepted in, those with a zone first.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05-07:00",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02",
	"02.01.2006 15:04:05", "02.01.2006",
}

// parseTime reads a date; one without a zone is in the portal's.
func parseTime(s string, loc *time.Location) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t.In(loc), true
		}
	}
	return time.Time{}, false
}
