// Package check is the doctor for a person who sets a project up: it asks the portal
// what works, what is missing and what would go wrong with the first call, and says in
// plain words what to do about each.
//
// It must never write anything to the portal, never repeat a request, and never print
// the webhook's secret, not even where the portal repeats it. It promises nothing about
// tomorrow: rights, stages and fields change, so it is run again when something fails.
//
// Start reading at [Run]; [LookAt] is the same for a person who is still choosing. ask.go is what the portal is asked, in two requests as a
// rule. The judge files turn the answers into findings and are pure: portal.go,
// people.go, pipeline.go, fields.go. levels.go lists every finding there is; its texts
// are in words_en.go, words_ru.go and words_uk.go.
package check

import (
	"context"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// Level is how much a finding matters.
type Level string

const (
	// OK is something that works, or that is good to know.
	OK Level = "ok"
	// Advice is something that works worse than it could; calls are still written.
	Advice Level = "advice"
	// Blocks is something because of which calls would not be written, or written
	// without what the settings ask for.
	Blocks Level = "blocks"
)

// Finding is one thing that was found out. Title, Detail and Remedy are plain text in
// the report's language; Detail and Remedy may be empty.
type Finding struct {
	ID     string `json:"id"` // a stable word: address, scope.crm, employee.unknown, …
	Level  Level  `json:"level"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
}

// Report is what was found out about one project, in the order in which a person would
// mend it: what a finding hides comes after it or is left out.
type Report struct {
	Project  string    `json:"project"`
	Findings []Finding `json:"findings"`

	lang string
}

// Blocked reports whether anything would keep calls from being written as the settings
// ask. What could not be looked at counts as blocking.
func (r Report) Blocked() bool {
	return r.count(Blocks) > 0
}

func (r Report) count(level Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// Run asks the portal and judges the answers against the project's settings. lang is
// "uk", "ru" or "en"; anything else means the project's locale. It only reads, with few
// requests (two on a portal of up to fifty employees) and without keeping a pace of its
// own. Every fault becomes a finding; what can't be known because of an earlier one is
// left out.
func Run(ctx context.Context, client *bitrix.Client, p settings.Project, lang string) Report {
	d := newDoctor(p, lang)
	answers, failed := ask(ctx, client, p)
	if failed != nil {
		d.unreachable(failed)
		return d.report
	}
	d.judge(answers)
	return d.report
}

func (d *doctor) judge(answers answers) {
	d.portal(answers)
	d.people(answers)
	d.pipeline(answers)
	d.fields(answers)
	d.extras(answers)
	d.tellUnread()
}

// doctor writes a report.
type doctor struct {
	settings settings.Project
	host     string
	user     string // number of the webhook's owner, as the address says it
	secret   string
	words    language
	report   Report
	unread   []unread
}

func newDoctor(p settings.Project, lang string) *doctor {
	words, ok := languages[lang]
	if !ok {
		lang = p.Locale
		words, ok = languages[lang]
	}
	if !ok {
		lang = "en"
		words = languages[lang]
	}
	d := &doctor{settings: p, words: words, report: Report{Project: p.ID, Findings: []Finding{}, lang: lang}}
	portal, user, secret := p.Bitrix24.Address()
	if portal != nil {
		d.host = portal.Host
	}
	d.user, d.secret = user, secret.Reveal()
	return d
}

// add writes a finding. pairs are the names and values that its texts mention.
func (d *doctor) add(id string, pairs ...string) {
	fill := func(text string) string { return d.fill(text, pairs) }
	t := d.words.findings[id]
	d.report.Findings = append(d.report.Findings, Finding{
		ID: id, Level: levels[id], Title: fill(t.title), Detail: fill(t.detail), Remedy: fill(t.remedy),
	})
}

// fill puts values in the place of {names}. Values come from the portal and the
// settings, so they are made harmless first; one value never names another.
func (d *doctor) fill(text string, pairs []string) string {
	replace := []string{"{host}", d.clean(d.host), "{user}", d.clean(d.user)}
	for i := 0; i+1 < len(pairs); i += 2 {
		replace = append(replace, "{"+pairs[i]+"}", d.clean(pairs[i+1]))
	}
	return strings.Join(strings.Fields(strings.NewReplacer(replace...).Replace(text)), " ")
}

// maxValue bounds what the portal can put into a report, in characters.
const maxValue = 2000

// clean takes the secret and everything that could act on a terminal out of a text.
func (d *doctor) clean(s string) string {
	if d.secret != "" {
		s = strings.ReplaceAll(s, d.secret, settings.Mask)
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfffd:
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > maxValue {
		return string(runes[:maxValue]) + "…"
	}
	return s
}

// word is a short text that other texts are made of.
func (d *doctor) word(name string, pairs ...string) string { return d.fill(d.words.words[name], pairs) }

// unread is something that the portal did not tell.
type unread struct {
	what     string // name of a word
	optional bool
	err      error
}

// known reports whether the portal told something; if not, that is noted. A missing
// scope is no news: it has its own finding.
func (d *doctor) known(err error, what string, optional bool) bool {
	if err == nil {
		return true
	}
	if e := asError(err); e.Reason != bitrix.ReasonScope {
		d.unread = append(d.unread, unread{what, optional, err})
	}
	return false
}

// tellUnread writes what could not be looked at, one finding for each cause.
func (d *doctor) tellUnread() {
	type cause struct {
		why      string
		optional bool
	}
	var order []cause
	names := map[cause][]string{}
	for _, u := range d.unread {
		c := cause{d.explain(u.err), u.optional}
		if names[c] == nil {
			order = append(order, c)
		}
		names[c] = append(names[c], d.word("what."+u.what))
	}
	for _, c := range order {
		id := "unread"
		if c.optional {
			id = "unread.optional"
		}
		d.add(id, "what", strings.Join(names[c], ", "), "why", c.why)
	}
}
