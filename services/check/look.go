package check

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// Look is a report and what a person who sets the project up chooses from. Lists are
// empty where the portal did not tell; the findings say why.
type Look struct {
	Report
	Blocked bool   `json:"blocked"`
	Portal  Portal `json:"portal"`
}

// Portal is what there is on a portal.
type Portal struct {
	Host string `json:"host"`
	// Reached: the portal answered and let the webhook in.
	Reached bool `json:"reached"`
	// User is the number of the webhook's owner as the address says it.
	User  string `json:"user"`
	Owner *User  `json:"owner,omitempty"`
	// Leads: the portal works with leads; absent while that is not known.
	Leads      *bool              `json:"leads,omitempty"`
	Users      []User             `json:"users"` // active ones
	LeadStages []Entry            `json:"lead_stages"`
	Funnels    []Funnel           `json:"funnels"`
	Sources    []Entry            `json:"sources"`
	Fields     map[string][]Field `json:"fields"` // of leads, deals and contacts: those that a text can be written to
}

// User is an employee of the portal.
type User struct {
	ID        int      `json:"id"`
	Name      string   `json:"name"`
	Email     string   `json:"email,omitempty"`
	Extension string   `json:"extension,omitempty"`
	Numbers   []string `json:"numbers,omitempty"`
}

// Entry is something of a list that the settings name by its id.
type Entry struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Closed: what enters this stage is done with.
	Closed bool `json:"closed,omitempty"`
}

// Funnel is a pipeline of deals with its stages.
type Funnel struct {
	ID     int     `json:"id"`
	Name   string  `json:"name"`
	Stages []Entry `json:"stages"`
}

// Field is a field of a kind.
type Field struct {
	Name     string `json:"name"` // as the settings name it
	Title    string `json:"title"`
	Type     string `json:"type"`
	Required bool   `json:"required,omitempty"`
}

// LookAt is [Run] for a person who is still choosing: it also tells what there is. A
// project without a senior manager is a draft; that it has none, or no employees, is no
// finding then. It takes one request more than [Run].
func LookAt(ctx context.Context, client *bitrix.Client, p settings.Project, lang string) Look {
	d := newDoctor(p, lang)
	answers, failed := ask(ctx, client, p)
	out := Look{Portal: Portal{Host: d.host, User: d.user, Reached: failed == nil, Users: []User{}, LeadStages: []Entry{},
		Funnels: []Funnel{}, Sources: []Entry{}, Fields: map[string][]Field{}}}
	if failed != nil {
		d.unreachable(failed)
	} else {
		d.judge(answers)
		d.list(&out.Portal, answers)
		d.listStages(ctx, client, &out.Portal, answers)
	}
	out.Report, out.Blocked = d.report, d.report.Blocked()
	return out
}

// Unread tells whether the portal was too busy to tell everything.
func (l Look) Unread() bool {
	return slices.ContainsFunc(l.Findings, func(f Finding) bool { return f.ID == "portal.busy" || f.ID == "unread" || f.ID == "unread.optional" })
}

func (d *doctor) list(p *Portal, a answers) {
	if o := a.owner.value; o != nil {
		owner := d.person(*o)
		p.Owner = &owner
	}
	if a.leads.err == nil {
		p.Leads = &a.leads.value
	}
	for _, u := range a.users.value {
		if u.Active {
			p.Users = append(p.Users, d.person(u))
		}
	}
	slices.SortStableFunc(p.Users, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	p.LeadStages, p.Sources = d.entries(a.leadStages.value), d.entries(a.sources.value)
	for i := range p.Sources {
		p.Sources[i].Closed = false
	}
	for kind, told := range a.fields {
		fields := []Field{}
		for _, f := range told.value {
			if f.ReadOnly || f.multiple || !slices.Contains(takes[words], f.Type) {
				continue
			}
			fields = append(fields, Field{Name: d.clean(f.upper), Title: d.clean(cmp.Or(f.label, f.upper)), Type: f.Type, Required: f.Required})
		}
		slices.SortStableFunc(fields, func(a, b Field) int {
			return cmp.Or(own(a)-own(b), cmp.Compare(a.Title, b.Title))
		})
		p.Fields[kind.String()] = fields
	}
}

// listStages asks for the stages of every funnel.
func (d *doctor) listStages(ctx context.Context, client *bitrix.Client, p *Portal, a answers) {
	var commands []bitrix.Command
	funnels := a.categories.value[:min(len(a.categories.value), bitrix.MaxBatch)]
	for _, c := range funnels {
		commands = append(commands, bitrix.StatusList(bitrix.DealStages(c.ID)).As("stages_"+number(c.ID)))
	}
	if len(commands) == 0 {
		return
	}
	answer, err := client.Batch(ctx, commands, false)
	for _, c := range funnels {
		f := Funnel{ID: c.ID, Name: d.clean(c.Name), Stages: []Entry{}}
		if err == nil {
			if stages := read(answer, "stages_"+number(c.ID), bitrix.DecodeStatuses); stages.err == nil {
				f.Stages = d.entries(stages.value)
			}
		}
		p.Funnels = append(p.Funnels, f)
	}
}

func (d *doctor) person(u bitrix.User) User {
	out := User{ID: u.ID, Name: d.clean(cmp.Or(u.FullName(), u.Email, number(u.ID))), Email: d.clean(u.Email), Extension: d.clean(u.InnerPhone)}
	for _, n := range []string{u.WorkPhone, u.Mobile} {
		if n != "" {
			out.Numbers = append(out.Numbers, d.clean(n))
		}
	}
	return out
}

// own puts the fields that an administrator made first.
func own(f Field) int {
	if strings.HasPrefix(f.Name, "UF_") {
		return 0
	}
	return 1
}

func (d *doctor) entries(all []bitrix.Status) []Entry {
	out := make([]Entry, len(all))
	for i, s := range all {
		out[i] = Entry{ID: d.clean(s.ID), Name: d.clean(cmp.Or(s.Name, s.ID)), Closed: s.Semantic != "P"}
	}
	return out
}
