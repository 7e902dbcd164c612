package scenario

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/rules"
)

const good = `# article: Не принят входящий звонок, п. 1
# The deal's responsible
# calls back.
direction: inbound
outcome: missed
client: open
answerer: nobody
open: deal
----
missed/open
open task
`

// write makes a folder with one scenario.
func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "01-a-call.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAScenarioIsReadWhole(t *testing.T) {
	all, err := Load(write(t, good))
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v, want one scenario", all, err)
	}
	s := all[0]
	if want := (rules.Situation{Direction: rules.Inbound, Outcome: rules.Missed, Client: rules.OpenClient, Answerer: rules.ByNobody}); s.Situation != want {
		t.Errorf("situation: got %v, want %v", s.Situation, want)
	}
	for what, pair := range map[string][2]string{
		"name":    {s.Name, "01-a-call"},
		"comment": {s.Comment, "The deal's responsible calls back."},
		"article": {strings.Join(s.Article, "|"), "Не принят входящий звонок, п. 1"},
		"open":    {s.Open, "deal"},
		"rule":    {s.Rule, "missed/open"},
		"steps":   {strings.Join(s.Steps, "|"), "open task"},
		"text":    {s.Text(), good},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
}

func TestNothingIsMadeMeansNoSteps(t *testing.T) {
	text := "# Two employees.\ndirection: internal\noutcome: answered\nclient: anonymous\nanswerer: employee\n----\ninternal\nnothing is made\n"
	all, err := Load(write(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if s := all[0]; len(s.Steps) != 0 || s.Text() != text {
		t.Errorf("got steps %q and text %q, want none and %q", s.Steps, s.Text(), text)
	}
}

func TestAScenarioWithAMistakeIsRefused(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"----\n", "---\n", "four dashes"},
		{"answerer: nobody\n", "", "cannot occur"},
		{"answerer: nobody", "answerer: owner", "cannot occur"},
		{"outcome: missed", "outcome: mised", "cannot occur"},
		{"outcome: missed", "result: missed", "line 5"},
		{"outcome: missed", "outcome:", "line 5"},
		{"outcome: missed", "outcome: missed\noutcome: missed", "outcome is given twice"},
		{"open: deal\n", "", "want lead or deal"},
		{"open: deal", "open: contact", "want lead or deal"},
		{"client: open", "client: new", "nothing for others"},
		{"# The deal's responsible\n# calls back.\n", "", "no comment"},
	} {
		text := strings.Replace(good, test.old, test.new, 1)
		all, err := Load(write(t, text))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "01-a-call.txt") {
			t.Errorf("%q for %q: got %v, %v, want an error with the file and %q", test.new, test.old, all, err, test.want)
		}
	}
}

func TestAnEmptyFolderIsAnError(t *testing.T) {
	if all, err := Load(t.TempDir()); err == nil {
		t.Errorf("got %v, want an error: tests over no scenarios would prove nothing", all)
	}
}

func TestAScenarioCannotCiteASentenceThatIsNotThere(t *testing.T) {
	_, err := Sentences([]Scenario{{Name: "01-a-call", Article: []string{notAnswered + ", п. 9"}}})
	if err == nil || !strings.Contains(err.Error(), "01-a-call") || !strings.Contains(err.Error(), "п. 9") {
		t.Errorf("got %v, want an error that names the scenario and the sentence", err)
	}
}

func TestASentenceKnowsItsScenarios(t *testing.T) {
	pointer := notAnswered + ", п. 1"
	sentences, err := Sentences([]Scenario{{Name: "01", Article: []string{pointer}}, {Name: "02"}, {Name: "03", Article: []string{pointer}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sentences {
		var want []string
		if s.Pointer() == pointer {
			want = []string{"01", "03"}
		}
		if !slices.Equal(s.Scenarios, want) {
			t.Errorf("%s: got %q, want %q", s.Pointer(), s.Scenarios, want)
		}
	}
}

func TestTheIndexNamesEverySentenceOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range article() {
		if seen[s.Pointer()] {
			t.Errorf("%s is there twice", s.Pointer())
		}
		seen[s.Pointer()] = true
		if s.Says == "" {
			t.Errorf("%s: says nothing", s.Pointer())
		}
		for _, test := range s.Tests {
			if !strings.HasPrefix(test, "Test") {
				t.Errorf("%s: %q is no test", s.Pointer(), test)
			}
		}
	}
}
