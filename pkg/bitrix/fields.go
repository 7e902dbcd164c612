package bitrix

import (
	"slices"
	"strings"
	"unicode"
)

// Link is the id of something in the portal: a number, or a Reference to what
// an earlier command of the same batch makes. The zero Link is none.
type Link struct {
	ID  int
	Ref Reference
}

func (l Link) none() bool { return l.ID == 0 && l.Ref.IsZero() }

func (l Link) value() any {
	if !l.Ref.IsZero() {
		return l.Ref
	}
	return l.ID
}

// UTM are the marks of an advertisement.
type UTM struct{ Source, Medium, Campaign, Content, Term string }

// EntityFields are the fields of a lead, deal, contact or company to write.
// Zero fields are not sent, so an update leaves them as they are. Texts lose
// the characters outside the Basic Multilingual Plane (emoji): some portals'
// databases store an empty text instead.
type EntityFields struct {
	Title             string // cut at 250 characters
	Name, LastName    string
	Phone             string // when updating, one more beside those that are there
	ResponsibleID     int
	Source            string // a STATUS_ID of the directory SOURCE
	SourceDescription string
	Stage             string
	Category          *int // funnel of a deal; 0 is the general one
	Contact, Company  Link
	UTM               UTM
	Comments          string
	OriginatorID      string
	OriginID          string
	Opened            bool              // readable by all employees
	Custom            map[string]string // by the portal's name: UF_CRM_… or upper-case standard ones; wins over the fields above
}

// AddItem makes a lead, deal, contact or company. It is not idempotent: the
// portal makes another one each time. Decode with DecodeItem.
// https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-add.html
func AddItem(kind Kind, f EntityFields) Command {
	return Command{Method: "crm.item.add", Params: Params{
		{"entityTypeId", kinds[kind].typeID}, {"fields", append(f.params(), f.phones()...)}, {"useOriginalUfNames", "Y"},
	}}
}

// UpdateItem sets the fields that are not zero; a phone is added to those that are
// there. Decode with DecodeItem.
// https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-update.html
func UpdateItem(kind Kind, item Link, f EntityFields) Command {
	return Command{Method: "crm.item.update", Params: Params{
		{"entityTypeId", kinds[kind].typeID}, {"id", item.value()}, {"fields", append(f.params(), f.phones()...)}, {"useOriginalUfNames", "Y"},
	}}
}

// Empty reports whether there is nothing to write.
func (f EntityFields) Empty() bool { return len(f.params()) == 0 && f.Phone == "" }

// phones is the multi-field with the phone, which adds one.
func (f EntityFields) phones() Params {
	if f.Phone == "" {
		return nil
	}
	return Params{{"fm", []Params{{{"typeId", "PHONE"}, {"valueType", "WORK"}, {"value", f.Phone}}}}}
}

func (f EntityFields) params() Params {
	var p Params
	text := func(name, value string) {
		if value != "" {
			p = append(p, Param{name, value})
		}
	}
	link := func(name string, l Link) {
		if !l.none() {
			p = append(p, Param{name, l.value()})
		}
	}
	text("title", line(f.Title, 250))
	text("name", line(f.Name, 100))
	text("lastName", line(f.LastName, 100))
	if f.ResponsibleID != 0 {
		p = append(p, Param{"assignedById", f.ResponsibleID})
	}
	text("sourceId", f.Source)
	text("sourceDescription", prose(f.SourceDescription))
	if f.Category != nil {
		p = append(p, Param{"categoryId", *f.Category})
	}
	text("stageId", f.Stage)
	link("contactId", f.Contact)
	link("companyId", f.Company)
	text("utmSource", line(f.UTM.Source, 250))
	text("utmMedium", line(f.UTM.Medium, 250))
	text("utmCampaign", line(f.UTM.Campaign, 250))
	text("utmContent", line(f.UTM.Content, 250))
	text("utmTerm", line(f.UTM.Term, 250))
	text("comments", prose(f.Comments))
	text("originatorId", f.OriginatorID)
	text("originId", f.OriginID)
	if f.Opened {
		p = append(p, Param{"opened", "Y"})
	}
	for _, name := range sortedKeys(f.Custom) {
		p = set(p, itemField(name), prose(f.Custom[name]))
	}
	return p
}

func set(p Params, name string, value any) Params {
	if i := slices.IndexFunc(p, func(q Param) bool { return q.Name == name }); i >= 0 {
		p[i].Value = value
		return p
	}
	return append(p, Param{name, value})
}

// irregular are the standard fields whose name in crm.item.* is not the classic
// one in camel case.
var irregular = map[string]string{"STATUS_ID": "stageId", "DATE_CREATE": "createdTime", "DATE_MODIFY": "updatedTime",
	"CREATED_BY_ID": "createdBy", "MODIFY_BY_ID": "updatedBy"}

// itemField is the name in crm.item.* of a field known by its classic name. User
// fields keep theirs, which useOriginalUfNames asks for.
func itemField(name string) string {
	if strings.HasPrefix(name, "UF_") || name != strings.ToUpper(name) {
		return name
	}
	if camel, ok := irregular[name]; ok {
		return camel
	}
	words := strings.Split(strings.ToLower(name), "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// line makes a single-line text of at most n characters.
func line(s string, n int) string {
	return strings.TrimSpace(cut(strings.Join(strings.Fields(strip(s, "")), " "), n))
}

// prose makes a text that may have several lines.
func prose(s string) string { return strings.TrimSpace(strip(s, "\n\t")) }

// strip drops what portals can't store or what only disturbs: characters of
// four bytes with the joiners of emoji, control characters but those in keep,
// and invisible marks, which can turn a text around on the screen.
func strip(s, keep string) string {
	if onlyPlain(s, keep) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80 && strings.IndexByte(keep, byte(r)) >= 0:
			return r
		case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			return ' '
		case r > 0xFFFF, r == '\uFE0F', r == unicode.ReplacementChar, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}

// onlyPlain says that a text is of printable ASCII, as most are.
func onlyPlain(s, keep string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && strings.IndexByte(keep, c) < 0 {
			return false
		}
	}
	return true
}
