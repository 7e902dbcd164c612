package rules_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/rules/scenario"
)

// Read the diff before committing it: it is a change of what customers get.
var update = flag.Bool("update", false, "write RULES.md, ARTICLE.md and the expected halves of the scenarios")

const dir = "testdata/scenarios"

func load(t *testing.T) []scenario.Scenario {
	t.Helper()
	all, err := scenario.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// golden compares got with the file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the table says; go test ./rules -update, and read the diff\ngot\n%s\nwant\n%s", path, got, want)
	}
}

func TestScenarios(t *testing.T) {
	for _, s := range load(t) {
		t.Run(s.Name, func(t *testing.T) {
			rule, ok := rules.Decide(s.Situation)
			if !ok {
				t.Fatalf("%v has no rule", s.Situation)
			}
			s.Rule, s.Steps = rule.ID, rule.StepWords(s.Situation, "en")
			golden(t, filepath.Join(dir, s.Name+".txt"), s.Text())
		})
	}
}

func TestEverySituationHasAScenarioOrIsLikeOneThatHas(t *testing.T) {
	told := map[string]bool{}
	key := func(s rules.Situation) string {
		rule, _ := rules.Decide(s)
		return rule.ID + ": " + strings.Join(rule.StepWords(s, "en"), "; ")
	}
	for _, s := range load(t) {
		told[key(s.Situation)] = true
	}
	for _, s := range rules.Possible() {
		if !told[key(s)] {
			t.Errorf("%v: no scenario shows %q", s, key(s))
		}
	}
}

func TestEveryRuleHasAScenario(t *testing.T) {
	var told []string
	for _, s := range load(t) {
		told = append(told, s.Rule)
	}
	for _, id := range rules.IDs() {
		if !slices.Contains(told, id) {
			t.Errorf("%s has no scenario", id)
		}
	}
}

// A scenario that cites a sentence of a rule's section must show the rule that cites it, and a rule of our own making
// must not pass for the article's.
func TestScenariosAndRulesCiteTheSameSentences(t *testing.T) {
	cited := map[string]bool{}
	for _, rule := range rules.Table() {
		for _, pointer := range rule.Source.Pointers() {
			cited[pointer] = true
		}
	}
	for _, s := range load(t) {
		rule, _ := rules.Decide(s.Situation)
		if rule.Source.Silent() != (len(s.Article) == 0) {
			t.Errorf("%s cites %q, and its rule %s comes from %q", s.Name, s.Article, rule.ID, rule.Source.Words("en"))
		}
		for _, pointer := range s.Article {
			if cited[pointer] && !slices.Contains(rule.Source.Pointers(), pointer) {
				t.Errorf("%s cites %q, which its rule %s does not", s.Name, pointer, rule.ID)
			}
		}
	}
}

// sentences is the index, with the scenarios of this folder.
func sentences(t *testing.T) []scenario.Sentence {
	t.Helper()
	all, err := scenario.Sentences(load(t))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEverySentenceOfTheArticleIsProven(t *testing.T) {
	for _, s := range sentences(t) {
		if len(s.Scenarios)+len(s.Tests) == 0 {
			t.Errorf("%s (%s): neither a scenario nor a test proves it", s.Pointer(), s.Says)
		}
	}
}

func TestEverySentenceThatARuleCitesHasAScenario(t *testing.T) {
	proven := map[string]int{}
	for _, s := range sentences(t) {
		proven[s.Pointer()] = len(s.Scenarios)
	}
	for _, rule := range rules.Table() {
		for _, pointer := range rule.Source.Pointers() {
			if proven[pointer] == 0 {
				t.Errorf("%s cites %q, which no scenario proves", rule.ID, pointer)
			}
		}
	}
}

func TestTheTableFollowsTheArticle(t *testing.T) {
	place := map[string]int{}
	for i, s := range sentences(t) {
		place[s.Pointer()] = i
	}
	last := 0
	for _, rule := range rules.Table() {
		for i, pointer := range rule.Source.Pointers() {
			here, found := place[pointer]
			if !found {
				t.Errorf("%s cites %q, which is not in the index", rule.ID, pointer)
			}
			if i > 0 {
				continue // a row is placed by its first sentence
			}
			if here < last {
				t.Errorf("%s cites %q after a row that comes later in the article", rule.ID, pointer)
			}
			last = here
		}
	}
}
