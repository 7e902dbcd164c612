package bitrix

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is a kind of CRM entity, written as crm.duplicate.findbycomm does.
type Kind string

// The kinds this program works with.
const (
	Lead    Kind = "LEAD"
	Deal    Kind = "DEAL"
	Contact Kind = "CONTACT"
	Company Kind = "COMPANY"
)

// kinds holds what the portal calls each kind elsewhere.
// https://apidocs.bitrix24.com/api-reference/crm/data-types.html
var kinds = map[Kind]struct {
	typeID  int    // entityTypeId of crm.item.*
	prefix  string // in a task's UF_CRM_TASK
	classic string // in names of classic methods
	selects []string
}{
	Lead: {1, "L", "lead", []string{"id", "title", "name", "lastName", "assignedById", "stageId", "stageSemanticId",
		"contactId", "companyId", "sourceId", "originatorId", "originId", "createdTime", "updatedTime", "lastActivityTime"}},
	Deal: {2, "D", "deal", []string{"id", "title", "assignedById", "categoryId", "stageId", "stageSemanticId", "closed",
		"contactId", "companyId", "sourceId", "originatorId", "originId", "createdTime", "updatedTime", "lastActivityTime"}},
	Contact: {3, "C", "contact", []string{"id", "name", "lastName", "assignedById", "companyId", "sourceId",
		"originatorId", "originId", "createdTime", "updatedTime", "lastActivityTime"}},
	Company: {4, "CO", "company", []string{"id", "title", "assignedById", "isMyCompany",
		"originatorId", "originId", "createdTime", "updatedTime", "lastActivityTime"}},
}

// MaxSpellings is how many numbers one FindByPhone can ask for.
// https://apidocs.bitrix24.com/api-reference/crm/duplicates/crm-duplicate-find-by-comm.html
const MaxSpellings = 20

// MaxFound is how many ids of a kind one FindByPhone shows. Where it shows that
// many there may be more, and it leaves out the other kinds.
const MaxFound = 20

// FindByPhone looks for entities of one kind (not Deal, which has no phones), or
// with "" of all that have phones, that have one of these numbers. The portal
// compares digits exactly, so all spellings of a number are asked for at once;
// those beyond MaxSpellings are left out. Closed leads are found too. The answer
// does not say which number an entity has. Decode with DecodeFound.
func FindByPhone(kind Kind, spellings []string) Command {
	distinct := make([]string, 0, len(spellings))
	for _, s := range spellings {
		if s != "" && len(distinct) < MaxSpellings && !slices.Contains(distinct, s) {
			distinct = append(distinct, s)
		}
	}
	p := Params{{"type", "PHONE"}, {"values", distinct}}
	if kind != "" {
		p = append(p, Param{"entity_type", string(kind)})
	}
	return Command{Method: "crm.duplicate.findbycomm", Params: p}
}

// DecodeFound gives the ids of this kind in ascending order, because the portal
// promises no order. Nothing found is an empty list in the portal's answer.
func DecodeFound(kind Kind, raw json.RawMessage) ([]int, error) {
	found, err := asRow(raw)
	if err != nil {
		return nil, undecodable("crm.duplicate.findbycomm", "the result is not an object")
	}
	var ids []int
	for _, s := range found.texts(string(kind)) {
		id, err := strconv.Atoi(s)
		if err != nil || id <= 0 {
			return nil, undecodable("crm.duplicate.findbycomm", "an id is not a number")
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// Item is a lead, deal, contact or company as crm.item.* shows it. What the
// portal left out, or the kind doesn't have, is zero.
type Item struct {
	Kind          Kind
	ID            int
	Title         string
	Name          string
	LastName      string
	ResponsibleID int
	StageID       string
	Semantic      string // "P" in progress, "S" won, "F" lost
	ContactID     int
	CompanyID     int
	CategoryID    int // funnel of a deal; 0 is the general one
	Created       time.Time
	Updated       time.Time
	LastActivity  time.Time
	OriginatorID  string
	OriginID      string
	OwnCompany    bool              // one of the portal owner's own companies, never a client
	Fields        map[string]string // every plain value of the answer under its name there, null as ""
	closed        bool
}

// Open reports whether a lead or deal is still worked on. It goes by the
// stage's meaning, never by its name, which every portal may change.
func (i Item) Open() bool {
	if i.Semantic != "" {
		return i.Semantic == "P" && !i.closed
	}
	return i.Kind == Deal && !i.closed && i.Fields["closed"] != ""
}

// DecodeItems reads the result of a list of items.
func DecodeItems(kind Kind, raw json.RawMessage) ([]Item, error) {
	result, err := asRow(raw)
	if err != nil {
		return nil, undecodable("crm.item.list", "the result is not an object")
	}
	rows, err := asRows(result["items"])
	if err != nil {
		return nil, undecodable("crm.item.list", "items is not a list of objects")
	}
	items := make([]Item, 0, len(rows))
	for _, r := range rows {
		item := readItem(kind, r)
		if item.ID <= 0 {
			return nil, undecodable("crm.item.list", "an item without an id")
		}
		items = append(items, item)
	}
	return items, nil
}

// DecodeItem reads the result of AddItem, UpdateItem or GetItem. A result
// without an id is Ambiguous: the portal did something, and it isn't known to
// what.
func DecodeItem(kind Kind, raw json.RawMessage) (Item, error) {
	result, err := asRow(raw)
	if err == nil {
		var r row
		if r, err = asRow(result["item"]); err == nil {
			if item := readItem(kind, r); item.ID > 0 {
				return item, nil
			}
		}
	}
	return Item{}, undecodable("crm.item", "the result holds no item with an id")
}

func readItem(kind Kind, r row) Item {
	item := Item{
		Kind: kind, ID: r.num("id"), Title: r.text("title"), Name: r.text("name"), LastName: r.text("lastName"),
		ResponsibleID: r.num("assignedById"), StageID: r.text("stageId"), Semantic: r.text("stageSemanticId"),
		ContactID: r.num("contactId"), CompanyID: r.num("companyId"), CategoryID: r.num("categoryId"),
		Created: r.date("createdTime"), Updated: r.date("updatedTime"), LastActivity: r.date("lastActivityTime"),
		OriginatorID: r.text("originatorId"), OriginID: r.text("originId"),
		OwnCompany: r.flag("isMyCompany"), closed: r.flag("closed"), Fields: make(map[string]string, len(r)),
	}
	for name, raw := range r {
		if len(raw) > 0 && raw[0] != '{' && raw[0] != '[' {
			item.Fields[name] = scalarText(raw)
		}
	}
	return item
}

// By says which items to list: those with one of these ids, or linked to one of
// these contacts (as their primary contact) or companies. Several criteria are
// alternatives. None at all is an error when the command is sent.
type By struct {
	IDs        []int
	ContactIDs []int
	CompanyIDs []int
}

func (b By) filter(also ...Param) Params {
	var any Params
	for _, c := range []struct {
		field string
		ids   []int
	}{{"@id", b.IDs}, {"@contactId", b.ContactIDs}, {"@companyId", b.CompanyIDs}} {
		if len(c.ids) > 0 {
			any = append(any, Param{c.field, c.ids})
		}
	}
	switch len(any) {
	case 0:
		return Params{{"@id", []int{}}} // has no form, see Params.Query
	case 1:
		return append(also, any[0])
	}
	alternatives := Params{{"logic", "OR"}}
	for i, p := range any {
		alternatives = append(alternatives, Param{strconv.Itoa(i), Params{p}})
	}
	return append(also, Param{"0", alternatives})
}

// ListOpenLeads asks for leads in progress, newest first, at most fifty.
// Decode with DecodeItems.
func ListOpenLeads(by By) Command {
	return list(Lead, by.filter(Param{"stageSemanticId", "P"}), "DESC")
}

// ListOpenDeals asks for deals that are not closed, newest first, at most
// fifty. Decode with DecodeItems.
func ListOpenDeals(by By) Command {
	return list(Deal, by.filter(Param{"closed", "N"}), "DESC")
}

// ListItems asks for items of any kind and stage by their ids, oldest first, at
// most fifty. Ids that are gone or not visible to the webhook are left out.
// Decode with DecodeItems.
func ListItems(kind Kind, ids []int) Command {
	return list(kind, By{IDs: ids}.filter(), "ASC")
}

// ReadItems is ListItems with everything that EntityFields write, and the custom fields
// that are named: DecodeItems puts them into Fields.
func ReadItems(kind Kind, ids []int, custom []string) Command {
	command := ListItems(kind, ids)
	selects := append(slices.Clone(kinds[kind].selects), "sourceDescription", "comments", "utmSource", "utmMedium", "utmCampaign", "utmContent", "utmTerm")
	for _, name := range custom {
		selects = append(selects, itemField(name))
	}
	command.Params = set(command.Params, "select", selects)
	return command
}

// FindByOrigin asks for what this program made under external ids, oldest
// first. The count of rows is switched off, because the portal promises no
// index on these fields. The portal keeps them neither unique nor private, so
// there may be several. Decode with DecodeItems.
func FindByOrigin(kind Kind, originator string, originIDs []string) Command {
	cmd := list(kind, Params{{"originatorId", originator}, {"@originId", originIDs}}, "ASC")
	cmd.Params = append(cmd.Params, Param{"start", -1})
	return cmd
}

func list(kind Kind, filter Params, order string) Command {
	return Command{Method: "crm.item.list", Params: Params{
		{"entityTypeId", kinds[kind].typeID}, {"select", kinds[kind].selects}, {"filter", filter},
		{"order", Params{{"id", order}}}, {"useOriginalUfNames", "Y"},
	}}
}

// GetItem asks for all fields of one item. A missing one is Refused with
// ReasonNotFound. Decode with DecodeItem.
func GetItem(kind Kind, id int) Command {
	return Command{Method: "crm.item.get", Params: Params{
		{"entityTypeId", kinds[kind].typeID}, {"id", id}, {"useOriginalUfNames", "Y"},
	}}
}

// String is the kind as a word: "lead".
func (k Kind) String() string { return strings.ToLower(string(k)) }
