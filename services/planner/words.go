package planner

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// words writes the texts of one project: its language, its time zone, Bitrix24's
// BBCode. Everything that came from outside is put where it cannot act as markup.
type words struct {
	*texts
	zone *time.Location
}

func newWords(s service.Revision) words {
	t, ok := languages[s.Locale]
	if !ok {
		t = languages["uk"]
	}
	return words{t, s.Location()}
}

func (w words) entityTitle(p *plan, kind event.Kind) string {
	if kind == event.KindContact {
		return p.clientName()
	}
	format := w.lead
	switch p.call.Outcome {
	case event.Missed:
		format = w.leadMissed
	case event.Voicemail:
		format = w.leadVoicemail
	}
	return fill(format, w.who(&p.call))
}

// fill puts v where a text has its %s.
func fill(format, v string) string {
	before, after, _ := strings.Cut(format, "%s")
	return before + v + after
}

// who names the client in a title: the name he calls under, and his number.
func (w words) who(c *event.Call) string {
	switch {
	case c.Client == "":
		return w.hidden
	case c.ClientName != "" && c.ClientName != c.Client:
		return c.ClientName + " " + c.Client
	}
	return c.Client
}

func (w words) person(name string, id int) string {
	if name != "" {
		return name
	}
	return fmt.Sprintf(w.user, id)
}

// comments go to the lead or deal, for people who look there first.
func (w words) comments(p *plan) string {
	b := page{text: p.paper[:0]}
	b.visit(w, &p.call)
	return strings.TrimSpace(b.String())
}

// usualText is how long a task's description mostly is, in bytes. Texts are written on a
// paper that is used again.
const usualText = 1024

var papers = sync.Pool{New: func() any { return new([usualText]byte) }}

// task writes title and description.
func (w words) task(p *plan, step *rules.Step) (title, description string) {
	b := page{text: p.paper[:0]}
	voicemail, who, why := p.call.Outcome == event.Voicemail, w.who(&p.call), ""
	switch step.Task {
	case rules.Review:
		title, why = fill(w.review, who), w.reviewWhy
	case rules.Contact:
		title, why = fill(w.contact, who), w.contactWhy
		if voicemail {
			title, why = fill(w.contactVoicemail, who), w.voicemailWhy
		}
	case rules.CheckSettings:
		title, why = fill(w.check, orElse(p.call.AnsweredOn, w.unknownLine)), w.checkWhy
	default:
		title = fill(w.doneIn, who)
		if p.call.Direction == event.Outbound {
			title = fill(w.doneOut, who)
		}
	}
	if why != "" {
		b.say(why)
	}
	for _, name := range p.fellBack {
		b.say(fmt.Sprintf(w.fellBack, name))
	}
	if b.lines > 0 {
		b.line()
	}
	b.facts(w, &p.call)
	if step.Has(rules.Recording) {
		label := w.recording
		if voicemail {
			label = w.voicemailRecording
		}
		b.recordings(w, label, &p.call)
	}
	b.link(w.card, p.call.Card, w.open)
	if step.Has(rules.VisitData) {
		b.visit(w, &p.call)
	}
	b.choice(w, p.resolved.Client)
	return title, b.String()
}

// page is a text in the making.
type page struct {
	text  []byte
	lines int
}

func (b *page) String() string { return string(b.text) }

// line adds a line of these parts, which are markup or plain already.
func (b *page) line(parts ...string) {
	if b.lines++; b.lines > 1 {
		b.text = append(b.text, '\n')
	}
	for _, p := range parts {
		b.text = append(b.text, p...)
	}
}

func (b *page) say(s string) { b.line(plain(s)) }

// row adds "label: value" where there is a value.
func (b *page) row(label, v string) {
	if v != "" {
		b.line("[B]", label, ":[/B] ", plain(v))
	}
}

// link adds a link where the address is one that a browser opens.
func (b *page) link(label, address, text string) {
	scheme, rest, _ := strings.Cut(address, "://")
	if !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") || rest == "" || rest[0] == '/' {
		return
	}
	// A bracket in the address would end the markup early.
	safe := inLink.Replace(address)
	b.line("[B]", label, ":[/B] [URL=", safe, "]", text, "[/URL]")
}

var inLink = strings.NewReplacer("[", "%5B", "]", "%5D", " ", "%20", "\n", "", "\r", "")

func (b *page) facts(w words, c *event.Call) {
	kind := w.inbound
	if c.Direction == event.Outbound {
		kind = w.outbound
	}
	if c.Callback {
		kind += ", " + w.callback
	}
	outcome := ""
	switch c.Outcome {
	case event.Answered:
		outcome = w.answered
	case event.Missed:
		outcome = w.missed
	case event.Voicemail:
		outcome = w.voicemail
	}
	b.row(w.call, kind+", "+outcome)
	if c.StartedAt != nil {
		b.row(w.when, c.StartedAt.In(w.zone).Format("02.01.2006 15:04:05"))
	}
	b.row(w.client, w.who(c))
	switch {
	case len(c.Legs) > 0:
		b.row(w.took, passedOn(c.Legs))
	case c.Employee != nil:
		b.row(w.took, c.Employee.Name)
	default:
		b.row(w.lineOn, c.AnsweredOn)
	}
	if c.Line != c.AnsweredOn {
		b.row(w.line, c.Line)
	}
	status := c.Status
	if c.StatusUnknown {
		status = strings.TrimSpace(status + " (" + w.unknownStatus + ")")
	}
	b.row(w.status, status)
	b.row(w.waiting, w.spell(c.Waiting))
	b.row(w.talk, w.spell(c.Talk))
	b.row(w.rating, c.Rating)
}

// recordings lists every recording: a talk that was passed on has one for each part.
func (b *page) recordings(w words, label string, c *event.Call) {
	listed := false
	for _, l := range c.Legs {
		if l.Recording == "" {
			continue
		}
		detail := onLeg(l)
		if l.StartedAt != nil {
			detail += ", " + l.StartedAt.In(w.zone).Format("15:04:05")
		}
		b.link(label+" ("+plain(detail)+")", l.Recording, w.listen)
		listed = true
	}
	if !listed {
		b.link(label, c.Recording, w.listen)
	}
}

// passedOn names who talked, in their order.
func passedOn(legs []event.Leg) string {
	var names []string
	for _, l := range legs {
		if who := onLeg(l); who != "" && (len(names) == 0 || names[len(names)-1] != who) {
			names = append(names, who)
		}
	}
	return strings.Join(names, " → ")
}

func onLeg(l event.Leg) string {
	if l.Employee != nil {
		return l.Employee.Name
	}
	return l.AnsweredOn
}

func (b *page) visit(w words, c *event.Call) {
	t, begun := &c.Traffic, false
	for _, row := range [...]struct{ label, value string }{
		{w.source, t.Source}, {w.medium, t.Medium}, {w.campaign, t.Campaign}, {w.content, t.Content}, {w.term, t.Term},
		{w.clientID, t.ClientID}, {w.landing, t.Landing}, {w.referrer, t.Referrer}, {w.ip, t.VisitorIP}, {w.agent, t.UserAgent},
		{w.pool, c.Pool}, {w.scheme, c.Scheme}, {w.department, c.Department},
	} {
		if row.value != "" && !begun {
			begun = true
			b.line()
			b.line("[B]", w.visit, "[/B]")
		}
		b.row(row.label, row.value)
	}
}

// choice names what else the number belongs to, and why this one was taken.
func (b *page) choice(w words, c event.Client) {
	if len(c.Others) == 0 {
		return
	}
	names := make([]string, len(c.Others))
	for i, o := range c.Others {
		names[i] = fmt.Sprintf("%s %d", orElse(w.kinds[o.Kind], o.Kind), o.ID)
		if o.Title != "" {
			names[i] += " «" + o.Title + "»"
		}
	}
	b.line()
	b.say(fmt.Sprintf(w.alsoFound, strings.Join(names, ", ")))
	if why := w.chosen[c.ChosenBecause]; why != "" {
		b.say(why)
	}
}

func (w words) spell(seconds int) string {
	if seconds == 0 {
		return ""
	}
	if seconds < 60 {
		before, after, _ := strings.Cut(w.seconds, "%d")
		return before + strconv.Itoa(seconds) + after
	}
	return strconv.Itoa(seconds/60) + ":" + strconv.Itoa(seconds%60/10) + strconv.Itoa(seconds%10)
}

// plain keeps a text from acting as markup: brackets become their full-width
// siblings, also the pointed ones, for a lead's comments are read as HTML too; line
// breaks become blanks.
func plain(s string) string {
	return asText.Replace(s)
}

var asText = strings.NewReplacer("[", "［", "]", "］", "<", "＜", ">", "＞", "\r", " ", "\n", " ", "\x00", "")

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
