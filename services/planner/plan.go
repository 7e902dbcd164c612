package planner

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// retryUnknownProject is how long a call waits for a project that was taken out of
// the settings and may come back.
const retryUnknownProject = time.Minute

var errUnknownProject = errors.New("the project is not in the settings any more; put it back, or drop its calls")

// Plan says what should be true because of a call: at least one command, of kind
// "nothing" where the rule wants nothing or is switched off. id is the call.resolved
// event that the commands follow from.
func Plan(id string, r event.CallResolved, s service.Revision) ([]event.BitrixCommand, error) {
	if r.Replay != nil {
		return again(id, r, s)
	}
	situation := Situation(r)
	rule, ok := rules.Decide(situation)
	if !ok {
		return nil, fmt.Errorf("no rule covers %s", situation)
	}
	paper := papers.Get().(*[usualText]byte)
	defer papers.Put(paper)
	p := &plan{commands: make([]event.BitrixCommand, 0, 2), paper: paper[:0], id: id, call: r.Facts, resolved: r, settings: s, rule: rule, words: newWords(s)}
	steps := p.steps(rule, situation)
	if r.First != nil {
		steps = p.amended(steps, *r.First)
	}
	for _, step := range steps {
		p.take(step)
	}
	if len(p.commands) == 0 {
		p.add("nothing", event.KindNothing)
	}
	for i := range p.commands {
		p.commands[i].Index, p.commands[i].Of = i+1, len(p.commands)
	}
	return p.commands, nil
}

// Situation is the call as the decision table sees it.
func Situation(r event.CallResolved) rules.Situation {
	s := rules.Situation{
		Direction: rules.Direction(r.Facts.Direction), Outcome: rules.Outcome(r.Facts.Outcome),
		Client: rules.Client(r.Client.State), Answerer: rules.Answerer(r.Answerer),
	}
	switch {
	case s.Direction == rules.Internal:
		s.Outcome, s.Client, s.Answerer = rules.Answered, rules.Anonymous, rules.ByEmployee
	case s.Direction == rules.Outbound && s.Outcome == rules.Voicemail:
		s.Outcome = rules.Missed // the client's own answering machine took it
	}
	return s
}

// plan gathers the commands of one call.
type plan struct {
	id       string
	call     event.Call
	resolved event.CallResolved
	settings service.Revision
	rule     rules.Rule
	words    words
	commands []event.BitrixCommand
	paper    []byte // where one text after the other is written
	// made are the entities that this call makes, to bind its tasks to.
	made []event.Link
	// fellBack says for whom the senior manager stands in.
	fellBack []string
}

func (p *plan) add(role string, kind event.Kind) *event.BitrixCommand {
	p.commands = append(p.commands, event.BitrixCommand{
		ID:      event.CommandID(p.resolved.Project, p.call.ID, role),
		Project: p.resolved.Project, Call: p.call.ID, Role: role, Kind: kind, Rule: p.rule.ID,
		Plan: p.id, Revision: p.settings.Number, Lane: p.call.Lane(), Amends: p.resolved.Amends,
	})
	return &p.commands[len(p.commands)-1]
}

// steps are what a rule asks for, unless the project does not want the rule.
func (p *plan) steps(rule rules.Rule, s rules.Situation) (out []wanted) {
	if slices.Contains(p.settings.Scenarios.Off, rule.ID) {
		return nil
	}
	steps := rule.Steps(s)
	out = make([]wanted, 0, len(steps))
	for _, step := range steps {
		out = append(out, wanted{Step: step, role: step.Key()})
	}
	return out
}

// wanted is a step and the role of the command that it becomes: its own, or the one
// under which an earlier decision made the task.
type wanted struct {
	*rules.Step
	role string
}

func (p *plan) take(step wanted) {
	user := p.user(step.On)
	if step.Make == rules.Lead {
		p.makeClient(user)
		return
	}
	c := p.add(step.role, event.KindTask)
	links := p.links()
	for _, l := range links {
		if l.Command != "" {
			c.DependsOn = append(c.DependsOn, l.Command)
		}
	}
	task := &event.Task{Responsible: user, Closed: step.Closed, Links: links}
	task.Title, task.Description = p.words.task(p, step.Step)
	if step.Closed {
		task.ClosedBy = user
		if end := p.call.End(); !end.IsZero() {
			task.ClosedAt = &end
		}
	}
	if due := p.due(step.Due); due > 0 && p.call.StartedAt != nil {
		at := p.call.End().Add(due)
		task.Deadline = &at
	}
	c.Task = task
}

func (p *plan) due(d rules.Due) time.Duration {
	switch d {
	case rules.DueReview:
		return time.Duration(p.settings.Scenarios.ReviewDue)
	case rules.DueCallback:
		return time.Duration(p.settings.Scenarios.CallbackDue)
	}
	return 0
}

// user turns a role into a Bitrix24 user. One that the portal does not know, or that
// is not active any more, is stood in for by the senior manager, and the texts say so.
func (p *plan) user(role rules.Role) int {
	senior := p.settings.Senior
	var user int
	switch role {
	case rules.OnAnswerer:
		user = p.call.Employee.BitrixUser
	case rules.OnOwner:
		user = p.resolved.Client.Owner
	case rules.OnMissed:
		user = p.resolved.Turn
	}
	if user == 0 || user == senior {
		return senior
	}
	if p.resolved.People == nil || p.resolved.People[user].Active {
		return user
	}
	name := p.resolved.People[user].Name
	if name == "" && role == rules.OnAnswerer {
		name = p.call.Employee.Name
	}
	if name = p.words.person(name, user); !slices.Contains(p.fellBack, name) {
		p.fellBack = append(p.fellBack, name)
	}
	return senior
}

// makes says what a new client becomes: the setting, or what the portal's mode makes
// of it.
func (p *plan) makes() []event.Kind {
	wanted := p.settings.Scenarios.NewClient
	if wanted == "" {
		wanted = "lead"
	}
	var kinds []event.Kind
	for _, kind := range strings.Split(wanted, "+") {
		switch {
		case kind == "nothing":
		case kind == "lead" && p.resolved.WithoutLeads:
			kinds = append(kinds, event.KindContact, event.KindDeal)
		default:
			kinds = append(kinds, event.Kind(kind))
		}
	}
	order := []event.Kind{event.KindContact, event.KindLead, event.KindDeal}
	slices.SortFunc(kinds, func(a, b event.Kind) int { return slices.Index(order, a) - slices.Index(order, b) })
	return slices.Compact(kinds)
}

// makeClient adds the lead, deal or contact. A client who is a contact already is not
// made again; what is made is bound to him.
func (p *plan) makeClient(user int) {
	for _, kind := range p.makes() {
		if kind == event.KindContact && p.resolved.Client.State != "new" {
			continue
		}
		c := p.add(string(kind), kind)
		e := p.entity(kind, user)
		if e.Contact != nil && e.Contact.Command != "" {
			c.DependsOn = append(c.DependsOn, e.Contact.Command)
		}
		c.Entity = e
		p.made = append(p.made, event.Link{Kind: kind, Command: c.ID})
	}
}

func (p *plan) entity(kind event.Kind, user int) *event.Entity {
	e := &event.Entity{
		Title: p.words.entityTitle(p, kind), Phone: p.call.Client, Name: p.call.ClientName, Responsible: user,
		Source: p.settings.Scenarios.Pipeline.Source, Traffic: p.call.Traffic, Comments: p.words.comments(p),
		Custom: p.custom(string(kind)),
	}
	switch kind {
	case event.KindLead:
		e.Stage = p.settings.Scenarios.Pipeline.Stage
	case event.KindDeal:
		e.Stage, e.Category = p.settings.Scenarios.Pipeline.Stage, p.settings.Scenarios.Pipeline.Category
		e.Phone, e.Name = "", ""
	case event.KindContact:
		e.Name = p.clientName()
		return e
	}
	client := p.resolved.Client
	switch {
	case client.Contact != nil:
		e.Contact = &event.Link{Kind: event.KindContact, ID: client.Contact.ID}
	case client.Company != nil:
		e.Company = &event.Link{Kind: "company", ID: client.Company.ID}
	}
	for i := range p.made {
		if p.made[i].Kind == event.KindContact {
			e.Contact = &p.made[i]
		}
	}
	return e
}

// clientName is the name that the client calls under, or his number: some portals
// refuse a contact without any name.
func (p *plan) clientName() string {
	if p.call.ClientName != "" {
		return p.call.ClientName
	}
	return p.call.Client
}

// links bind a task to the open lead or deal, else to what this call makes, and to
// the contact and the company.
func (p *plan) links() []event.Link {
	var links []event.Link
	client := p.resolved.Client
	for _, ref := range []*event.Ref{client.Open, client.Contact, client.Company} {
		if ref != nil {
			links = append(links, event.Link{Kind: event.Kind(ref.Kind), ID: ref.ID})
		}
	}
	made := slices.Clone(p.made)
	slices.Reverse(made) // the lead or deal first, as a person would look for it
	return append(made, links...)
}

// custom fills the CRM fields that the settings name, where the call says something.
func (p *plan) custom(kind string) map[string]string {
	out := map[string]string{}
	for field, name := range p.settings.Project.Fields[kind] {
		if v := value(p.call, name); v != "" {
			out[field] = v
		}
	}
	return out
}
