package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/rules/scenario"
)

var update = flag.Bool("update", false, "write the golden files anew; read the difference before you commit it")

const scenarioDir = "../../pkg/rules/testdata/scenarios"

func loadScenarios(t *testing.T) []scenario.Scenario {
	t.Helper()
	all, err := scenario.Load(scenarioDir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// golden compares with a file under testdata/e2e, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "e2e", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// TestEveryScenarioHoldsFromTheWebhookToThePortal runs the examples that prove the
// decision table through the whole program. What comes out is compared with a file that
// people read, and, on its own, with what the rule asks for.
func TestEveryScenarioHoldsFromTheWebhookToThePortal(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ran, fired := map[string]bool{}, map[string]bool{}
	all := loadScenarios(t)
	t.Run("scenario", func(t *testing.T) {
		for _, s := range all {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				rule := runScenario(t, s)
				mu.Lock()
				defer mu.Unlock()
				ran[s.Name], fired[rule] = true, true
			})
		}
	})
	if strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return // somebody looks at one scenario
	}
	files, err := filepath.Glob(filepath.Join(scenarioDir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("list %s: %v", scenarioDir, err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".txt"); !ran[name] {
			t.Errorf("scenario %s was not run", name)
		}
	}
	for _, id := range rules.IDs() {
		if !fired[id] {
			t.Errorf("rule %s never fired, want every rule", id)
		}
	}
	results, err := filepath.Glob(filepath.Join("testdata", "e2e", "[0-9][0-9]-*.txt"))
	if err != nil || len(results) != len(all) {
		t.Errorf("testdata/e2e has %d results, want one for each of %d scenarios (%v)", len(results), len(all), err)
	}
}

func runScenario(t *testing.T, s scenario.Scenario) (fired string) {
	h := buildHouse(t, bitrixtest.Options{}, `
    fields:
      lead: {UF_CRM_GOOGLE_CID: client_id}
`)
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_GOOGLE_CID"})
	h.start()
	before := h.seed(s.Situation, s.Open)
	h.send(h.webhook("1772436600.1", s.Situation))
	h.quiet()
	story := h.story("1772436600.1")
	if story.Rule != s.Rule {
		t.Errorf("%s: rule %q fired, want %q", s.Situation, story.Rule, s.Rule)
	}
	state := "done"
	if len(s.Steps) == 0 {
		state = "ignored"
	}
	if story.State != state {
		t.Errorf("%s: the call is %s, want %s", s.Situation, story.State, state)
	}
	h.compareWithTable(s, before)
	golden(t, s.Name+".txt", fmt.Sprintf("%s\nrule %s\n----\n%s", s.Situation, story.Rule, h.render()))
	return story.Rule
}

// compareWithTable holds the portal against the steps of the rule.
func (h *house) compareWithTable(s scenario.Scenario, before seeded) {
	h.t.Helper()
	rule, ok := rules.Decide(s.Situation)
	if !ok {
		h.t.Fatalf("no rule for %s", s.Situation)
	}
	steps := rule.Steps(s.Situation)
	if len(steps) != len(s.Steps) {
		h.t.Errorf("the rule has %d steps, the scenario %d", len(steps), len(s.Steps))
	}
	person := map[rules.Role]int{rules.OnAnswerer: olena, rules.OnOwner: before.owner, rules.OnSenior: senior, rules.OnMissed: senior}
	leads, tasks := made(h.portal.Leads()), h.portal.Tasks()
	wantLeads, wantTasks := 0, 0
	for _, step := range steps {
		id := event.CommandID("shop", "1772436600.1", step.Key())
		if step.Make == rules.Lead {
			wantLeads++
			i := slices.IndexFunc(leads, func(e bitrixtest.Entity) bool { return e.OriginID == id })
			if i < 0 {
				h.t.Errorf("no lead was made: %+v", h.portal.Leads())
				continue
			}
			h.compareLead(leads[i], *step, person[step.On], before)
			continue
		}
		wantTasks++
		i := slices.IndexFunc(tasks, func(e bitrixtest.Task) bool { return e.XMLID == id })
		if i < 0 {
			h.t.Errorf("task %s was not made: %+v", step.Key(), tasks)
			continue
		}
		h.compareTask(tasks[i], *step, person[step.On], s)
	}
	if len(leads) != wantLeads || len(tasks) != wantTasks {
		h.t.Errorf("%d leads and %d tasks were made, want %d and %d", len(leads), len(tasks), wantLeads, wantTasks)
	}
	if n := len(made(h.portal.Deals())) + len(made(h.portal.Contacts())) + len(made(h.portal.Companies())); n != 0 {
		h.t.Errorf("%d deals, contacts and companies were made, want none", n)
	}
}

func (h *house) compareLead(e bitrixtest.Entity, step rules.Step, on int, before seeded) {
	h.t.Helper()
	if e.ResponsibleID != on || e.Closed || e.ContactID != before.contact || !slices.Equal(e.Phones, []string{client}) {
		h.t.Errorf("the lead is %+v, want it open, on user %d, with phone %s and contact %d", e, on, client, before.contact)
	}
	if !step.Has(rules.TrafficSource) {
		return
	}
	if e.SourceID != "CALL" || e.UTM["source"] != "google" || e.UTM["campaign"] != "spring" || e.Custom["UF_CRM_GOOGLE_CID"] != visit.Get("client_id") {
		h.t.Errorf("the lead has source %q, UTM %v and fields %v, want where the visit came from", e.SourceID, e.UTM, e.Custom)
	}
}

func (h *house) compareTask(task bitrixtest.Task, step rules.Step, on int, s scenario.Scenario) {
	h.t.Helper()
	if task.ResponsibleID != on || (task.Status == 5) != step.Closed {
		h.t.Errorf("task %s is on user %d with status %d, want user %d, closed: %v", step.Key(), task.ResponsibleID, task.Status, on, step.Closed)
	}
	due, dated := dueAfter(task)
	want := map[rules.Due]time.Duration{rules.DueReview: 3 * time.Hour, rules.DueCallback: time.Hour}[step.Due]
	if dated != (step.Due != rules.NoDue) || due != want {
		h.t.Errorf("task %s is due %s after the call (dated: %v), want %q = %s", step.Key(), due, dated, step.Due, want)
	}
	recorded := s.Situation.Outcome != rules.Missed
	shows := map[string]bool{
		"[URL=https://records.example/1772436600.1.wav]": step.Has(rules.Recording) && recorded,
		visit.Get("landing"):                             step.Has(rules.VisitData),
	}
	if step.Has(rules.LineName) {
		shows["+"+strangeLine] = true
	}
	if step.Has(rules.CallStatus) {
		shows[map[rules.Outcome]string{rules.Answered: "ANSWERED", rules.Missed: "NO ANSWER"}[s.Situation.Outcome]] = true
	}
	for text, want := range shows {
		if strings.Contains(task.Description, text) != want {
			h.t.Errorf("task %s shows %q: %v, want %v:\n%s", step.Key(), text, !want, want, task.Description)
		}
	}
}
