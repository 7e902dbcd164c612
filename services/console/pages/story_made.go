package pages

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// commandStep is one thing that should be true in the CRM, and what became of it.
type commandStep struct {
	Link    link
	State   string // of the last attempt under this plan
	Chip    string
	Title   string
	About   string
	Fields  []fact
	Text    string // a task's description
	Trouble said
	Todo    string
}

// chips are how the states of a command look.
var chips = map[string]string{
	"executed": "good", "already_true": "good", "adopted": "notable", "in_doubt": "warn", "refused": "bad", "waiting": "busy",
}

// made tells what a plan made.
func (t telling) made(plan string) step {
	s := step{Kind: "made", Title: t.T("story.made"), At: t.ended[plan]}
	for _, c := range t.plans[plan] {
		if c.Kind != event.KindNothing {
			s.Commands = append(s.Commands, t.command(c))
		}
	}
	if len(s.Commands) == 0 {
		s.Words = t.T("story.nothing_made")
	}
	return s
}

func (t telling) command(c event.BitrixCommand) commandStep {
	out := commandStep{State: "waiting", Link: t.inPortal(string(c.Kind), 0, "")}
	id := 0
	if o, ok := t.outcomes[c.Plan+" "+c.ID]; ok {
		out.State, id = string(o.State), o.BitrixID
		out.Trouble = t.Said(o.ErrorIn, o.Error)
	}
	if id == 0 {
		id = t.commands[c.ID].BitrixID // made under an earlier plan
	}
	out.Link = link{Text: t.Known("kind."+string(c.Kind), string(c.Kind))}
	if id != 0 {
		out.Link = t.inPortal(string(c.Kind), id, "")
	}
	out.Chip = orElse(chips[out.State], "quiet")
	if out.State == string(event.Refused) || out.State == string(event.InDoubt) {
		out.Todo = t.T("story.todo." + out.State)
	}
	f := facts{w: t.words}
	switch {
	case c.Task != nil:
		t.task(&f, &out, *c.Task)
	case c.Entity != nil:
		t.entity(&f, &out, *c.Entity)
	}
	if c.Unwanted {
		f.text("decision", t.T("story.unwanted"))
	}
	if len(c.Keep) > 0 {
		var kept []string
		for _, name := range c.Keep {
			kept = append(kept, t.Known("fact."+name, name))
		}
		f.text("kept", strings.Join(kept, ", "))
	}
	f.text("external_id", c.ID)
	out.Fields = f.all
	return out
}

func (t telling) task(f *facts, out *commandStep, task event.Task) {
	about := []string{t.person(task.Responsible), t.T("story.task_open")}
	if task.Closed {
		about[1] = t.T("story.task_closed")
	}
	if task.Deadline != nil {
		about = append(about, t.T("story.due", t.Moment(t.Local(*task.Deadline))))
	}
	out.Title, out.About, out.Text = task.Title, dotted(about), plain(task.Description)
	f.add("bound_to", t.links(task.Links)...)
	if task.ClosedAt != nil {
		f.text("closed", t.Moment(t.Local(*task.ClosedAt)), t.person(task.ClosedBy))
	}
}

func (t telling) entity(f *facts, out *commandStep, e event.Entity) {
	out.Title, out.About = orElse(e.Title, e.Name), t.person(e.Responsible)
	if out.Title != e.Name {
		f.text("name", e.Name)
	}
	f.text("phone", t.Phone(e.Phone))
	f.text("source", e.Source, e.SourceNote)
	f.text("stage", e.Stage)
	for _, l := range []*event.Link{e.Contact, e.Company} {
		if l != nil {
			f.add("bound_to", t.links([]event.Link{*l})...)
		}
	}
	u := e.Traffic
	for _, pair := range [][2]string{{"utm_source", u.Source}, {"utm_medium", u.Medium}, {"utm_campaign", u.Campaign}, {"utm_content", u.Content}, {"utm_term", u.Term}} {
		f.text(pair[0], pair[1])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Custom)) {
		if e.Custom[name] != "" {
			f.all = append(f.all, fact{name, []link{{Text: e.Custom[name]}}})
		}
	}
	out.Text = plain(e.Comments)
}

// links are what something is bound to: what exists, or what another command makes.
func (t telling) links(to []event.Link) []link {
	var out []link
	for _, l := range to {
		id := l.ID
		if id == 0 {
			id = t.commands[l.Command].BitrixID
		}
		if id == 0 {
			out = append(out, link{Text: t.Known("kind."+string(l.Kind), string(l.Kind))})
			continue
		}
		out = append(out, t.inPortal(string(l.Kind), id, ""))
	}
	return out
}

func dotted(parts []string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

var (
	marks = regexp.MustCompile(`\[/?(?:B|I|U)\]`)
	urls  = regexp.MustCompile(`\[URL=([^\]]*)\]([^\[]*)\[/URL\]`)
)

// plain takes Bitrix24's marks out of a text.
func plain(text string) string {
	return urls.ReplaceAllString(marks.ReplaceAllString(text, ""), "$2: $1")
}
