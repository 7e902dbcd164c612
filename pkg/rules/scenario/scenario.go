// Package scenario reads the examples that prove the decision table, and knows which sentence of Ringostat's article
// each one proves. Tests use it, of the table alone and end to end; no service imports it.
//
// A scenario is a text file that somebody without Go can check:
//
//	# article: Не принят входящий звонок, п. 2
//	# Nobody took the call of a client whom the CRM doesn't know.
//	direction: inbound
//	outcome: missed
//	client: new
//	answerer: nobody
//	----
//	missed/new
//	lead on the senior manager …
//	open task on the senior manager …
//
// Below the dashes come the rule's id and what it does, one step a line. Start reading at [Load]; [Sentences] is the
// article's index. The package must never decide anything itself.
package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/rules"
)

// dashes separate the situation from what is expected of it.
const dashes = "----\n"

// pointer opens the comment lines that name a sentence of the article.
const pointer = "article: "

// Scenario is one example of a call and of what the table says about it.
type Scenario struct {
	Name      string   // the file's name without .txt
	Comment   string   // the comment lines, joined with spaces, without the pointers
	Article   []string // the sentences it proves, as Sentence.Pointer gives them; none where the article is silent
	Situation rules.Situation
	Open      string   // "lead" or "deal" for a client with one of them open, else empty. The table treats both alike
	Rule      string   // expected: the rule's id
	Steps     []string // expected: what the rule does, in English words; empty when nothing is made
	Given     string   // the file's text above the dashes, for rewriting what stands below them
}

// Load reads all scenarios (*.txt) of dir in the order of their names. An error names the file and the line.
func Load(dir string) ([]Scenario, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, fmt.Errorf("list scenarios: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no scenarios in %s", dir)
	}
	var all []Scenario
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read scenario: %w", err)
		}
		s, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.Name = strings.TrimSuffix(filepath.Base(path), ".txt")
		all = append(all, s)
	}
	return all, nil
}

// Text is the whole file: what is given, dashes, what is expected.
func (s Scenario) Text() string {
	steps := s.Steps
	if len(steps) == 0 {
		steps = []string{nothing()}
	}
	return s.Given + dashes + s.Rule + "\n" + strings.Join(steps, "\n") + "\n"
}

// nothing is the line that stands for no steps, in the table's own words.
func nothing() string { return rules.Rule{}.StepWords(rules.Situation{}, "en")[0] }

func parse(text string) (Scenario, error) {
	given, expected, found := strings.Cut(text, "\n"+dashes)
	if !found {
		return Scenario{}, fmt.Errorf("no line of four dashes between the situation and what is expected")
	}
	s := Scenario{Given: given + "\n"}
	if err := s.parseGiven(given); err != nil {
		return Scenario{}, err
	}
	lines := strings.Split(strings.TrimSpace(expected), "\n")
	s.Rule = lines[0]
	for _, line := range lines[1:] {
		if line != nothing() {
			s.Steps = append(s.Steps, line)
		}
	}
	return s, nil
}

func (s *Scenario) parseGiven(given string) error {
	keys := map[string]*string{
		"direction": (*string)(&s.Situation.Direction),
		"outcome":   (*string)(&s.Situation.Outcome),
		"client":    (*string)(&s.Situation.Client),
		"answerer":  (*string)(&s.Situation.Answerer),
		"open":      &s.Open,
	}
	var comment []string
	for i, line := range strings.Split(given, "\n") {
		if text, ok := strings.CutPrefix(line, "# "); ok {
			if sentence, ok := strings.CutPrefix(text, pointer); ok {
				s.Article = append(s.Article, sentence)
			} else {
				comment = append(comment, text)
			}
			continue
		}
		key, value, _ := strings.Cut(line, ": ")
		field := keys[key]
		if field == nil || value == "" {
			return fmt.Errorf("line %d: %q, want a comment or one of direction, outcome, client, answerer, open with a value", i+1, line)
		}
		if *field != "" {
			return fmt.Errorf("line %d: %s is given twice", i+1, key)
		}
		*field = value
	}
	s.Comment = strings.Join(comment, " ")
	return s.check()
}

// check finds misspelt values: a scenario about a call that cannot occur would prove nothing.
func (s *Scenario) check() error {
	if _, ok := rules.Decide(s.Situation); !ok {
		return fmt.Errorf("%q cannot occur", s.Situation)
	}
	want := s.Open == ""
	if s.Situation.Client == rules.OpenClient {
		want = s.Open == "lead" || s.Open == "deal"
	}
	if !want {
		return fmt.Errorf("open: %q with client: %s, want lead or deal for an open client and nothing for others", s.Open, s.Situation.Client)
	}
	if s.Comment == "" {
		return fmt.Errorf("no comment says what the scenario is about")
	}
	return nil
}
