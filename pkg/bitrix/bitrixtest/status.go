package bitrixtest

import (
	"fmt"
	"slices"
	"strconv"
)

// funnel is a deal category; id 0 is the general one and is always there.
type funnel struct {
	id   int
	name string
	sort int
}

func leadStages() []Status {
	return []Status{
		{"STATUS", "NEW", "Unassigned", 10, ""},
		{"STATUS", "IN_PROCESS", "In progress", 20, ""},
		{"STATUS", "PROCESSED", "Processed", 30, ""},
		{"STATUS", "JUNK", "Junk lead", 50, "F"},
		{"STATUS", "CONVERTED", "Good lead", 40, "S"},
	}
}

func defaultStatuses() []Status {
	all := append(leadStages(), dealStages(0)...)
	for i, source := range [][2]string{
		{"CALL", "Call"}, {"EMAIL", "E-Mail"}, {"WEB", "Website"}, {"ADVERTISING", "Advertising"},
		{"PARTNER", "Existing Client"}, {"RECOMMENDATION", "By Recommendation"}, {"TRADE_SHOW", "Show/Exhibition"},
		{"WEBFORM", "CRM form"}, {"CALLBACK", "Callback"}, {"RC_GENERATOR", "Sales boost"}, {"STORE", "Online Store"},
		{"OTHER", "Other"},
	} {
		all = append(all, Status{"SOURCE", source[0], source[1], 10 * (i + 1), ""})
	}
	return append(all,
		Status{"DEAL_TYPE", "SALE", "Sale", 10, ""}, Status{"DEAL_TYPE", "SERVICES", "Services", 20, ""},
		Status{"CONTACT_TYPE", "CLIENT", "Clients", 10, ""}, Status{"COMPANY_TYPE", "CUSTOMER", "Client", 10, ""})
}

// stageDirectory is the ENTITY_ID of a funnel's stages.
func stageDirectory(category int) string {
	if category == 0 {
		return "DEAL_STAGE"
	}
	return fmt.Sprintf("DEAL_STAGE_%d", category)
}

func dealStages(category int) []Status {
	prefix := ""
	if category != 0 {
		prefix = fmt.Sprintf("C%d:", category)
	}
	dir := stageDirectory(category)
	return []Status{
		{dir, prefix + "NEW", "New", 10, ""},
		{dir, prefix + "PREPARATION", "Create documents", 20, ""},
		{dir, prefix + "EXECUTING", "In progress", 40, ""},
		{dir, prefix + "WON", "Deal won", 60, "S"},
		{dir, prefix + "LOSE", "Deal lost", 70, "F"},
		{dir, prefix + "APOLOGY", "Analyze failure", 80, "F"},
	}
}

// AddFunnel adds a deal category with the default stages (C9:NEW ... C9:APOLOGY for id 9) and returns
// its id.
func (p *Portal) AddFunnel(name string) int {
	p.lock()
	defer p.mu.Unlock()
	id := p.nextID("category")
	p.funnels = append(p.funnels, funnel{id, name, 300 + 100*id})
	p.statuses = append(p.statuses, dealStages(id)...)
	return id
}

// AddStatus adds a row to a directory, such as a source or a stage, or replaces the one with its
// StatusID.
func (p *Portal) AddStatus(s Status) {
	p.lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.statuses, func(o Status) bool { return o.EntityID == s.EntityID && o.StatusID == s.StatusID })
	if i >= 0 {
		p.statuses[i] = s
		return
	}
	p.statuses = append(p.statuses, s)
}

// semantic is P, S or F for a stage; an unknown stage is one of work.
func (p *Portal) semantic(k Kind, stage string) string {
	for _, s := range p.statuses {
		isStage := k == Lead && s.EntityID == "STATUS" || k == Deal && len(s.EntityID) >= 10 && s.EntityID[:10] == "DEAL_STAGE"
		if isStage && s.StatusID == stage && s.Semantics != "" {
			return s.Semantics
		}
	}
	return "P"
}

func (p *Portal) directory(entity string) []Status {
	out := slices.DeleteFunc(slices.Clone(p.statuses), func(s Status) bool { return entity != "" && s.EntityID != entity })
	slices.SortStableFunc(out, func(a, b Status) int { return a.Sort - b.Sort })
	return out
}

func (p *Portal) firstStage(category int) string {
	if stages := p.directory(stageDirectory(category)); len(stages) > 0 {
		return stages[0].StatusID
	}
	return "NEW"
}

// isStage tells whether a stage exists, for a deal in its funnel.
func (p *Portal) isStage(k Kind, category int, stage string) bool {
	dir := "STATUS"
	if k == Deal {
		dir = stageDirectory(category)
	}
	return slices.ContainsFunc(p.directory(dir), func(s Status) bool { return s.StatusID == stage })
}

func statusList(c *call) (answer, *refusal) {
	if c.notArray("filter") || c.notArray("order") {
		return no(plain("Invalid parameters."))
	}
	asked := c.arr("filter")
	rows := newArray()
	for i, s := range c.p.directory("") {
		row := s.row(100 + i)
		if matches(asked, func(name string) ([]any, bool) { return []any{row.get(name)}, row.has(name) }) {
			rows.push(row)
		}
	}
	sortRows(rows, c.arr("order"))
	n := rows.len()
	return answer{result: rows, total: &n}, nil
}

func (s Status) row(id int) *array {
	row := object("ID", strconv.Itoa(id), "ENTITY_ID", s.EntityID, "STATUS_ID", s.StatusID, "NAME", s.Name,
		"NAME_INIT", s.Name, "SORT", strconv.Itoa(s.Sort), "SYSTEM", "Y", "CATEGORY_ID", nil)
	if s.EntityID != "STATUS" && (len(s.EntityID) < 10 || s.EntityID[:10] != "DEAL_STAGE") {
		return row
	}
	var semantics any
	word := "process"
	switch {
	case s.Semantics == "S":
		semantics, word = "S", "success"
	case s.Semantics == "F" && len(s.StatusID) >= 7 && s.StatusID[len(s.StatusID)-7:] == "APOLOGY":
		semantics, word = "F", "apology"
	case s.Semantics == "F":
		semantics, word = "F", "failure"
	}
	row.set("COLOR", "#39A8EF")
	row.set("SEMANTICS", semantics)
	row.set("EXTRA", object("SEMANTICS", word, "COLOR", "#39A8EF"))
	return row
}

func categoryList(c *call) (answer, *refusal) {
	kind := c.exact("entityTypeId")
	switch {
	case kind == nil:
		return no(missing("entityTypeId"))
	case number(kind) != int(Deal):
		return no(refuse(400, "ENTITY_TYPE_NOT_SUPPORTED", "Entity type is not supported"))
	}
	rows := newArray()
	funnels := slices.Clone(c.p.funnels)
	slices.SortStableFunc(funnels, func(a, b funnel) int { return a.sort - b.sort })
	for _, f := range funnels {
		row := object("id", f.id, "name", f.name, "sort", f.sort, "entityTypeId", int(Deal), "isDefault", flag(f.id == 0))
		if f.id != 0 {
			row.set("originId", "")
			row.set("originatorId", "")
		}
		rows.push(row)
	}
	n := rows.len()
	return answer{result: object("categories", rows), total: &n}, nil
}

func modeGet(c *call) (answer, *refusal) {
	if c.p.opt.WithoutLeads {
		return ok(2)
	}
	return ok(1)
}
