package planner

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

var update = flag.Bool("update", false, "write the golden files anew; read the difference before you commit it")

const (
	senior = 1
	olena  = 7
	petro  = 8
)

func project(locale string) service.Revision {
	p := settings.Project{ID: "shop", Locale: locale, TimeZone: "Europe/Kyiv", Country: "UA", Senior: senior}
	p.Scenarios.ReviewDue, p.Scenarios.CallbackDue = settings.Duration(3*time.Hour), settings.Duration(time.Hour)
	p.Scenarios.Pipeline = settings.Pipeline{Stage: "NEW", Source: "CALL"}
	p.Fields = map[string]map[string]string{"lead": {"UF_CRM_GOOGLE_CID": "client_id", "UF_CRM_BRANCH": "branch"}}
	return service.Revision{Project: p, Number: 3}
}

// resolved is a call in a given situation, with everything that a text may show.
func resolved(s rules.Situation) event.CallResolved {
	started := time.Date(2026, 3, 2, 9, 30, 0, 0, time.FixedZone("", 2*3600))
	r := event.CallResolved{
		Project: "shop", Classified: "classified", Revision: 3, Answerer: string(s.Answerer),
		People: map[int]event.Person{senior: {Name: "Iryna Shevchuk", Active: true}, olena: {Name: "Olena Koval", Active: true}, petro: {Name: "Petro Bondar", Active: true}},
		Facts: event.Call{
			ID: "1772436600.1", Event: "after", Final: true, Direction: event.Direction(s.Direction), Outcome: event.Outcome(s.Outcome), Status: "ANSWERED",
			Client: "+380671112233", ClientName: "Halyna", Line: "+380441234567", AnsweredOn: "+380501110101", StartedAt: &started,
			Duration: 95, Waiting: 20, Talk: 75, Recording: "https://records.example/1.wav", Card: "https://cards.example/1",
			Traffic: event.Traffic{Source: "google", Medium: "cpc", Campaign: "spring", ClientID: "116.155", Landing: "https://shop.example/chairs"},
			Extra:   map[string]string{"branch": "Lviv"},
		},
		Client: event.Client{State: string(s.Client)},
	}
	if s.Outcome != rules.Answered {
		r.Facts.Status = "NO ANSWER"
	}
	switch s.Client {
	case rules.OpenClient:
		r.Client.Open, r.Client.Owner = &event.Ref{Kind: "deal", ID: 40, Title: "Chairs", Responsible: olena}, olena
		r.Client.Contact = &event.Ref{Kind: "contact", ID: 30, Responsible: olena}
		r.Client.Others = []event.Ref{{Kind: "lead", ID: 20, Title: "Older [B]question[/B]", Responsible: petro}}
		r.Client.ChosenBecause = "deal_before_lead"
	case rules.ContactOnly:
		r.Client.Contact, r.Client.Owner = &event.Ref{Kind: "contact", ID: 30, Responsible: olena}, olena
	case rules.Anonymous:
		r.Facts.Client, r.Facts.ClientName = "", ""
	}
	switch s.Answerer {
	case rules.ByOwner:
		r.Facts.Employee = &event.Employee{Name: "Olena Koval", Code: "101", BitrixUser: olena}
	case rules.ByEmployee:
		r.Facts.Employee = &event.Employee{Name: "Petro Bondar", Code: "102", BitrixUser: petro}
	case rules.ByNobody:
		r.Facts.AnsweredOn = ""
	}
	return r
}

func mustPlan(t *testing.T, r event.CallResolved, s service.Revision) []event.BitrixCommand {
	t.Helper()
	commands, err := Plan("plan", r, s)
	if err != nil {
		t.Fatalf("plan %s: %v", Situation(r), err)
	}
	return commands
}

func TestEverySituationHasAPlanThatHangsTogether(t *testing.T) {
	for _, s := range rules.Possible() {
		r := resolved(s)
		commands := mustPlan(t, r, project("en"))
		rule, _ := rules.Decide(Situation(r))
		made, ids := map[string]bool{}, map[string]bool{}
		for i, c := range commands {
			if c.Rule != rule.ID || c.Index != i+1 || c.Of != len(commands) || c.Plan != "plan" || c.Revision != 3 {
				t.Errorf("%s: command %d is %+v, want rule %s, index %d of %d", s, i, c, rule.ID, i+1, len(commands))
			}
			if c.ID != event.CommandID("shop", r.Facts.ID, c.Role) || ids[c.ID] {
				t.Errorf("%s: %s has id %s, want its own, made of project, call and role", s, c.Role, c.ID)
			}
			ids[c.ID] = true
			for _, d := range c.DependsOn {
				if !made[d] {
					t.Errorf("%s: %s depends on %s, which does not come before it", s, c.Role, d)
				}
			}
			made[c.ID] = true
			if c.Task != nil && c.Task.Responsible == 0 || c.Entity != nil && c.Entity.Responsible == 0 {
				t.Errorf("%s: %s is on nobody", s, c.Role)
			}
		}
		if again := mustPlan(t, r, project("en")); !cmp.Equal(commands, again) {
			t.Errorf("%s: planned twice differs:\n%s", s, cmp.Diff(commands, again))
		}
	}
}

// TestPlansReadWell keeps the commands of telling situations in files that people read.
func TestPlansReadWell(t *testing.T) {
	in := func(o rules.Outcome, c rules.Client, a rules.Answerer) rules.Situation {
		return rules.Situation{Direction: rules.Inbound, Outcome: o, Client: c, Answerer: a}
	}
	for _, test := range []struct {
		name, locale string
		situation    rules.Situation
	}{
		{"answered-new", "uk", in(rules.Answered, rules.NewClient, rules.ByEmployee)},
		{"answered-new", "ru", in(rules.Answered, rules.NewClient, rules.ByEmployee)},
		{"answered-new", "en", in(rules.Answered, rules.NewClient, rules.ByEmployee)},
		{"answered-open-other", "uk", in(rules.Answered, rules.OpenClient, rules.ByEmployee)},
		{"answered-contact-other", "en", in(rules.Answered, rules.ContactOnly, rules.ByEmployee)},
		{"answered-new-unmapped", "uk", in(rules.Answered, rules.NewClient, rules.ByUnmapped)},
		{"missed-new", "ru", in(rules.Missed, rules.NewClient, rules.ByNobody)},
		{"voicemail-open", "uk", in(rules.Voicemail, rules.OpenClient, rules.ByNobody)},
		{"anonymous-missed", "en", in(rules.Missed, rules.Anonymous, rules.ByNobody)},
		{"outbound-open", "uk", rules.Situation{Direction: rules.Outbound, Outcome: rules.Missed, Client: rules.OpenClient, Answerer: rules.ByOwner}},
	} {
		t.Run(test.name+"."+test.locale, func(t *testing.T) {
			golden(t, test.name+"."+test.locale+".txt", render(mustPlan(t, resolved(test.situation), project(test.locale))))
		})
	}
}

// render writes commands for people: the texts as they will be read, the rest as JSON.
func render(commands []event.BitrixCommand) string {
	var b strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&b, "== %s (rule %s, %d of %d)\n", c.Role, c.Rule, c.Index, c.Of)
		if c.Task != nil {
			task := *c.Task
			fmt.Fprintf(&b, "%s\n\n%s\n\n", task.Title, task.Description)
			task.Title, task.Description = "", ""
			c.Task = &task
		}
		what := any(c.Task)
		if c.Entity != nil {
			what = c.Entity
		}
		data, _ := json.MarshalIndent(what, "", "  ")
		fmt.Fprintf(&b, "%s\n\n", data)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestTheSeniorStandsInForWhoIsNotActive(t *testing.T) {
	for _, test := range []struct {
		name  string
		leave func(*event.CallResolved)
		s     rules.Situation
		said  string
	}{
		{"an inactive answerer", func(r *event.CallResolved) { r.People[petro] = event.Person{Name: "Petro Bondar"} },
			rules.Situation{Direction: rules.Inbound, Outcome: rules.Answered, Client: rules.NewClient, Answerer: rules.ByEmployee}, "Petro Bondar"},
		{"an unknown answerer", func(r *event.CallResolved) { delete(r.People, petro) },
			rules.Situation{Direction: rules.Inbound, Outcome: rules.Answered, Client: rules.NewClient, Answerer: rules.ByEmployee}, "Petro Bondar"},
		{"an unknown responsible", func(r *event.CallResolved) { delete(r.People, olena) },
			rules.Situation{Direction: rules.Inbound, Outcome: rules.Missed, Client: rules.OpenClient, Answerer: rules.ByNobody}, "user 7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := resolved(test.s)
			test.leave(&r)
			for _, c := range mustPlan(t, r, project("en")) {
				if c.Entity != nil && c.Entity.Responsible != senior {
					t.Errorf("%s is on %d, want the senior manager", c.Role, c.Entity.Responsible)
				}
				if c.Task != nil && (c.Task.Responsible != senior || !strings.Contains(c.Task.Description, test.said)) {
					t.Errorf("%s is on %d and says %q, want the senior manager and the name %q", c.Role, c.Task.Responsible, c.Task.Description, test.said)
				}
			}
		})
	}
}

func TestUsersThatMayNotBeReadAreTakenAsActive(t *testing.T) {
	r := resolved(rules.Situation{Direction: rules.Inbound, Outcome: rules.Answered, Client: rules.NewClient, Answerer: rules.ByEmployee})
	r.People = nil
	if got := mustPlan(t, r, project("en"))[0].Entity.Responsible; got != petro {
		t.Errorf("lead on %d, want the answerer %d", got, petro)
	}
}

func TestWhatANewClientBecomesIsASetting(t *testing.T) {
	newClient := rules.Situation{Direction: rules.Inbound, Outcome: rules.Answered, Client: rules.NewClient, Answerer: rules.ByEmployee}
	known := newClient
	known.Client = rules.ContactOnly
	for _, test := range []struct {
		setting      string
		withoutLeads bool
		situation    rules.Situation
		want         string
	}{
		{"", false, newClient, "lead task:done"},
		{"", true, newClient, "contact deal task:done"},
		{"lead", true, newClient, "contact deal task:done"},
		{"deal", false, newClient, "deal task:done"},
		{"contact", false, newClient, "contact task:done"},
		{"contact+lead", false, newClient, "contact lead task:done"},
		{"contact+lead", true, newClient, "contact deal task:done"},
		{"contact+deal", false, newClient, "contact deal task:done"},
		{"nothing", false, newClient, "task:done"},
		{"contact+lead", false, known, "lead task:done task:review"},
		{"", true, known, "deal task:done task:review"},
		{"contact", false, known, "task:done task:review"},
	} {
		t.Run(fmt.Sprintf("%s %v %s", test.setting, test.withoutLeads, test.situation.Client), func(t *testing.T) {
			s, r := project("en"), resolved(test.situation)
			s.Scenarios.NewClient, r.WithoutLeads = test.setting, test.withoutLeads
			var roles []string
			for _, c := range mustPlan(t, r, s) {
				roles = append(roles, c.Role)
			}
			if got := strings.Join(roles, " "); got != test.want {
				t.Errorf("commands: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestARuleThatIsSwitchedOffWantsNothing(t *testing.T) {
	s := project("en")
	s.Scenarios.Off = []string{"missed/open"}
	commands := mustPlan(t, resolved(rules.Situation{Direction: rules.Inbound, Outcome: rules.Missed, Client: rules.OpenClient, Answerer: rules.ByNobody}), s)
	if len(commands) != 1 || commands[0].Kind != event.KindNothing || commands[0].Rule != "missed/open" {
		t.Errorf("commands: got %+v, want one that wants nothing, by rule missed/open", commands)
	}
}

func TestNothingFromOutsideActsAsMarkup(t *testing.T) {
	r := resolved(rules.Situation{Direction: rules.Inbound, Outcome: rules.Answered, Client: rules.OpenClient, Answerer: rules.ByEmployee})
	evil := "[/B][URL=https://evil.example]click[/URL]\r\n[IMG]x[/IMG]"
	r.Facts.ClientName, r.Facts.Status, r.Facts.Traffic.Campaign, r.Facts.Line, r.Client.Others[0].Title = evil, evil, evil, evil, evil
	r.Facts.Recording = "https://records.example/1.wav][/URL][URL=https://evil.example"
	r.Facts.Card = "javascript:alert(1)"
	for _, c := range mustPlan(t, r, project("en")) {
		for _, line := range strings.Split(c.Task.Description, "\n") {
			if strings.Contains(line, "[URL=https://evil") || strings.Contains(line, "[IMG]") || strings.Contains(line, "javascript:") {
				t.Errorf("%s: markup from outside in %q", c.Role, line)
			}
			if strings.Count(line, "[B]") != strings.Count(line, "[/B]") || strings.Count(line, "[URL=") != strings.Count(line, "[/URL]") {
				t.Errorf("%s: markup does not close in %q", c.Role, line)
			}
		}
	}
}

func TestEveryParameterCanFillAField(t *testing.T) {
	started := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	c := event.Call{
		ID: "x", Event: "after", Direction: event.Inbound, Status: "ANSWERED", Client: "+380671112233", Line: "line", AnsweredOn: "on", Extension: "101", StartedAt: &started,
		Duration: 3, Waiting: 1, Talk: 2, Recording: "rec", Employee: &event.Employee{Name: "Olena", Code: "101"}, Department: "d", Scheme: "s", Pool: "p",
		InsertionType: "static", Card: "card",
		Traffic: event.Traffic{Source: "1", Medium: "2", Campaign: "3", Content: "4", Term: "5", ClientID: "6", Landing: "7", Referrer: "8", VisitorIP: "9", UserAgent: "10"},
	}
	names := strings.Fields(`call_id event direction status date caller callee connected_with outbound_number call_duration waiting talk recording
		recording_wav has_recording extension employee_name employee_code department scheme pool insertion_type client_id landing referrer visitor_ip user_agent call_card
		utm_source utm_medium utm_campaign utm_content utm_term`)
	for _, name := range names {
		if value(c, name) == "" {
			t.Errorf("%s is empty", name)
		}
	}
	c.Extra = map[string]string{"branch": "Lviv", "status": "shadowed"}
	if value(c, "branch") != "Lviv" || value(c, "status") != "ANSWERED" {
		t.Errorf("custom: got %q and %q, want Lviv and ANSWERED", value(c, "branch"), value(c, "status"))
	}
}
