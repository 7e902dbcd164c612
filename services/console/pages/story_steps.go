package pages

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
)

// This file tells each kind of step. What came from outside only ever becomes text; an
// address becomes a link only where a browser opens it as a page.

// facts collects what is known.
type facts struct {
	w   words
	all []fact
}

// add notes a fact; nothing is noted of nothing.
func (f *facts) add(key string, parts ...link) {
	parts = slices.DeleteFunc(parts, func(l link) bool { return strings.TrimSpace(l.Text) == "" })
	if len(parts) > 0 {
		f.all = append(f.all, fact{f.w.T("fact." + key), parts})
	}
}

func (f *facts) text(key string, parts ...string) {
	parts = slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" })
	f.add(key, link{Text: strings.Join(parts, " · ")})
}

func (f *facts) seconds(key string, n int) {
	if n > 0 {
		f.text(key, f.w.Span(time.Duration(n)*time.Second))
	}
}

// web is an address as a link, where it is one of a page; else as a text.
func web(address string) link {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return link{Text: address}
	}
	return link{Text: address, Href: address, Outside: true}
}

func (t telling) received(id string, p event.CallReceived) step {
	s := step{Kind: "received", Title: t.T("story.received." + string(event.FromWebhook)), RawID: "raw-" + id}
	s.Title = t.Known("story.received."+string(p.Source), s.Title)
	size := len(p.Body)
	if size == 0 {
		size = len(p.Query)
	}
	s.Words = strings.Join([]string{p.Method, t.Count("story.bytes", size)}, ", ")
	if p.RetryOf != "" {
		s.Title = t.T("story.received.retry")
	}
	s.Raw = raw(p.Method, p.Query, p.Headers, string(p.Body))
	return s
}

// raw is a request as it came, readable.
func raw(method, query string, headers map[string]string, body string) string {
	lines := []string{method}
	if query != "" {
		lines[0] += " ?" + query
	}
	names := make([]string, 0, len(headers))
	for name := range headers {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		lines = append(lines, name+": "+headers[name])
	}
	if !utf8.ValidString(body) {
		body = strings.ToValidUTF8(body, "\uFFFD")
	}
	if body != "" {
		lines = append(lines, "", body)
	}
	return strings.Join(lines, "\n")
}

func (t telling) classified(p event.CallClassified) step {
	c := p.Call
	f := facts{w: t.words}
	switch {
	case p.Again != nil:
		return step{Kind: "minor", Title: t.T("story.again")}
	case !c.Final:
		f.text("client", t.Phone(c.Client), c.ClientName)
		f.text("line", t.Phone(c.Line))
		return step{Kind: "minor", Title: t.T("story.ringing"), Facts: f.all}
	case !p.Changed:
		return step{Kind: "minor", Title: t.T("story.nothing_new")}
	}
	status := c.Status
	if c.StatusUnknown {
		status = t.T("story.status_unknown", c.Status)
	}
	f.text("call", t.What(string(c.Direction), string(c.Outcome)), status)
	if c.Callback {
		f.text("kind", t.T("story.callback"))
	}
	if c.StartedAt != nil {
		at := t.Local(*c.StartedAt)
		f.text("started", t.Date(at)+", "+t.Clock(at))
	}
	f.text("client", orElse(t.Phone(c.Client), t.hidden(c)), c.ClientName)
	f.text("on_call", t.onCall(c.Employee, c.AnsweredOn, c.Outcome))
	f.text("line", t.Phone(c.Line))
	f.seconds("waited", c.Waiting)
	f.seconds("talk", c.Talk)
	for i, leg := range c.Legs {
		parts := []link{{Text: t.T("story.leg", i+1, t.onCall(leg.Employee, leg.AnsweredOn, event.Answered)), Note: t.Span(time.Duration(leg.Talk) * time.Second)}}
		if leg.Recording != "" {
			parts = append(parts, web(leg.Recording))
		}
		f.add("leg", parts...)
	}
	f.add("recording", web(c.Recording))
	f.add("card", web(c.Card))
	f.text("rating", c.Rating)
	u := c.Traffic
	f.text("traffic", u.Source, u.Medium, u.Campaign, u.Content, u.Term)
	f.add("landing", web(u.Landing))
	f.add("referrer", web(u.Referrer))
	f.text("client_id", u.ClientID)
	f.text("department", c.Department)
	f.text("scheme", c.Scheme)
	f.text("pool", c.Pool)
	return step{Kind: "classified", Title: t.T("story.classified"), Facts: f.all}
}

func (t telling) hidden(c event.Call) string {
	if c.Direction == event.Internal {
		return ""
	}
	return t.T("call.hidden")
}

func (t telling) onCall(e *event.Employee, line string, outcome event.Outcome) string {
	switch {
	case e != nil:
		return e.Name
	case line != "":
		return t.T("story.no_employee", t.Phone(line))
	case outcome == event.Answered:
		return t.T("story.nobody_known")
	}
	return t.T("story.nobody")
}

// knew tells what the CRM knew, and why what was chosen was.
func (t telling) knew(p event.CallResolved) step {
	s := step{Kind: "resolved", Title: t.T("story.resolved"), Words: t.Known("story.client."+p.Client.State, t.T("story.client.unasked"))}
	f := facts{w: t.words}
	for _, ref := range []*event.Ref{p.Client.Open, p.Client.Contact, p.Client.Company} {
		if ref != nil {
			f.all = append(f.all, fact{t.Known("kind."+ref.Kind, ref.Kind), []link{t.inPortal(ref.Kind, ref.ID, ref.Title)}})
		}
	}
	f.text("owner", t.person(p.Client.Owner))
	if because := p.Client.ChosenBecause; because != "" {
		f.text("because", t.Known("story.because."+because, because))
	}
	var others []link
	for _, o := range p.Client.Others {
		l := t.inPortal(o.Kind, o.ID, o.Title)
		l.Note = t.person(o.Responsible)
		others = append(others, l)
	}
	f.add("others", others...)
	if p.Facts.Direction != event.Internal {
		f.text("answerer", t.Known("story.answerer."+p.Answerer, p.Answerer))
	}
	if p.Turn != 0 {
		f.text("turn", t.person(p.Turn))
	}
	switch {
	case p.Replay != nil:
		f.all = append(f.all, fact{t.T("fact.decision"), []link{{Text: t.T("story.by_replay"), Href: "/console/p/" + t.Project.ID + "/replays/" + url.PathEscape(p.Replay.Plan)}}})
	case p.Amends:
		f.text("decision", t.T("story.amends"))
	}
	s.Facts = f.all
	return s
}

// person names a user of the portal.
func (t telling) person(id int) string {
	if id == 0 {
		return ""
	}
	if p, ok := t.people[id]; ok && p.Name != "" {
		if !p.Active {
			return t.T("story.dismissed", p.Name)
		}
		return p.Name
	}
	for _, e := range t.Project.Employees {
		if e.BitrixUser == id && e.Name != "" {
			return e.Name
		}
	}
	return t.T("story.user", id)
}

// inPortal leads to an entity or a task in Bitrix24, where the portal is known.
func (t telling) inPortal(kind string, id int, title string) link {
	l := link{Text: t.Known("kind."+kind, kind) + " " + strconv.Itoa(id)}
	if title != "" {
		l.Text += ": " + title
	}
	portal, _, _ := t.Project.Bitrix24.Address()
	if portal == nil || id == 0 {
		return l
	}
	at := portal.Scheme + "://" + portal.Host
	switch kind {
	case "task":
		l.Href = fmt.Sprintf("%s/company/personal/user/0/tasks/task/view/%d/", at, id)
	case "lead", "deal", "contact", "company":
		l.Href = fmt.Sprintf("%s/crm/%s/details/%d/", at, kind, id)
	}
	l.Outside = l.Href != ""
	return l
}

// ruleStep is the row of the table that fired.
type ruleStep struct {
	ID, When, Source string
	Cited            bool     // the source is a heading of the article, as printed
	Then             []string // what it asked for of this call
	Off              bool     // the settings don't want it
}

func (t telling) ruled(c event.BitrixCommand) step {
	s := step{Kind: "rule", Title: t.T("story.rule"), Rule: &ruleStep{ID: c.Rule}}
	if c.Amends {
		s.Title = t.T("story.rule_amends")
	}
	table := rules.Table()
	at := slices.IndexFunc(table, func(r rules.Rule) bool { return r.ID == c.Rule })
	if at < 0 {
		return s
	}
	rule := table[at]
	s.Rule.When, s.Rule.Then = rule.Words(t.Lang)
	s.Rule.Source, s.Rule.Cited = rule.Source.Words(t.Lang), !rule.Source.Silent()
	if p, ok := t.resolved[c.Plan]; ok {
		if now := situation(p); rule.When.Matches(now) {
			s.Rule.Then = rule.StepWords(now, t.Lang)
		}
	}
	s.Rule.Off = slices.Contains(t.Project.Scenarios.Off, c.Rule)
	return s
}

// situation is the call as the table sees it; its internal calls are one situation, and
// an answering machine of the client's is no answer.
func situation(p event.CallResolved) rules.Situation {
	s := rules.Situation{
		Direction: rules.Direction(p.Facts.Direction), Outcome: rules.Outcome(p.Facts.Outcome),
		Client: rules.Client(p.Client.State), Answerer: rules.Answerer(p.Answerer),
	}
	if s.Direction == rules.Outbound && s.Outcome == rules.Voicemail {
		s.Outcome = rules.Missed
	}
	return s
}

func (t telling) stuck(p event.CallParked) step {
	switch p.State {
	case event.ParkedRetried:
		return step{Kind: "minor", Title: t.T("story.retried")}
	case event.ParkedDropped:
		return step{Kind: "minor", Title: t.T("story.dropped"), Words: p.Why}
	}
	s := step{Kind: "parked", Title: t.T("story.parked", t.Known("step."+p.Step, p.Step)), Trouble: t.Said(p.ReasonIn, p.Reason), Remedy: t.words.Remedy(p.Step, p.RemedyIn, p.Remedy)}
	if t.parked[p.ID] == event.ParkedWaiting {
		s.Parked = p.ID
	}
	return s
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
