package rules

import (
	"fmt"
	"slices"
	"testing"
)

// A mutation is a table with one mistake, and the proof that has to find it (empty: any).
type mutation struct {
	name  string
	table []Rule
	proof string
}

// mutations makes every mistake of each kind that the table offers room for.
func mutations() []mutation {
	var all []mutation
	// add makes one; change gets a table of its own.
	add := func(proof, name string, change func([]Rule) []Rule) {
		all = append(all, mutation{name, change(Table()), proof})
	}
	for i, rule := range Table() {
		add("every situation has exactly one rule", "without "+rule.ID, func(table []Rule) []Rule {
			return slices.Delete(table, i, i+1)
		})
		if len(rule.When.Clients) > 0 {
			add("every situation has exactly one rule", rule.ID+" for any client", func(table []Rule) []Rule {
				table[i].When.Clients = nil
				return table
			})
		}
		for j := i + 1; j < len(table); j++ {
			add("", rule.ID+" over "+table[j].ID, func(table []Rule) []Rule {
				table[i].When = union(table[i].When, table[j].When)
				return slices.Delete(table, j, j+1)
			})
		}
		add("every rule is sourced", rule.ID+" without a source", func(table []Rule) []Rule {
			table[i].Source = Source{}
			return table
		})
		add("every id names one rule and says what it matches", rule.ID+" twice", func(table []Rule) []Rule {
			return append(table, table[i])
		})
		add("every rule and every step is reachable", rule.ID+" for what cannot be", func(table []Rule) []Rule {
			table[i].When = in(Missed, NewClient, ByOwner)
			return table
		})
		if len(rule.Then) > 0 && rule.When.Directions[0] == Inbound {
			add("no call of a client goes unnoticed", rule.ID+" doing nothing", func(table []Rule) []Rule {
				table[i].Then = nil
				return table
			})
		}
		for k, step := range rule.Then {
			name := rule.ID + ", " + step.Key()
			if accepts(rule.When.Answerers, ByUnmapped) && accepts(step.When.Answerers, ByUnmapped) {
				add("no step asks for a person who isn't there", name+" given to the answerer", func(table []Rule) []Rule {
					table[i].Then[k].On = OnAnswerer
					return table
				})
			}
			if accepts(rule.When.Clients, NewClient) || accepts(rule.When.Clients, Anonymous) {
				add("no step asks for a person who isn't there", name+" given to the responsible", func(table []Rule) []Rule {
					table[i].Then[k].On = OnOwner
					return table
				})
			}
			if len(step.With) > 0 && step.Task != Contact {
				add("every step is whole", name+" without details", func(table []Rule) []Rule {
					table[i].Then[k].With = nil
					return table
				})
			}
			add("every step is whole", name+" twice", func(table []Rule) []Rule {
				table[i].Then = append(table[i].Then, table[i].Then[k])
				return table
			})
			add("every step is whole", name+" opened or closed", func(table []Rule) []Rule {
				table[i].Then[k].Closed = !step.Closed
				return table
			})
		}
	}
	return all
}

func union(a, b When) When {
	return When{both(a.Directions, b.Directions), both(a.Outcomes, b.Outcomes), both(a.Clients, b.Clients), both(a.Answerers, b.Answerers)}
}

// both is the column that accepts what either accepts.
func both[T comparable](a, b []T) []T {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	return append(slices.Clone(a), b...)
}

func TestTheProofsFindEveryMistake(t *testing.T) {
	findings := map[string]int{}
	for _, m := range mutations() {
		var found []string
		for _, proof := range proofs {
			if len(proof.find(m.table)) > 0 {
				found = append(found, proof.name)
			}
		}
		if len(found) == 0 || m.proof != "" && !slices.Contains(found, m.proof) {
			t.Errorf("%s: found by %q, want by %q (empty: any)", m.name, found, m.proof)
		}
		findings[m.proof]++
	}
	for _, proof := range proofs {
		if findings[proof.name] == 0 {
			t.Errorf("no mutation is meant for the proof %q", proof.name)
		}
	}
}

func TestAMistakeUnderAWildcardIsFound(t *testing.T) {
	// One row for every answered call of an open client reads well and covers everything; its closed task would be
	// given to an employee who isn't there when the line is unmapped.
	wild := slices.DeleteFunc(Table(), func(r Rule) bool {
		return r.ID == "answered/open/other" || r.ID == "answered/open/unmapped"
	})
	for i := range wild {
		if wild[i].ID == "answered/open/owner" {
			wild[i].When.Answerers = nil
		}
	}
	if got := coverage(wild); len(got) > 0 {
		t.Fatalf("the wildcard should cover everything once, got %q", got)
	}
	want := fmt.Sprintf("answered/open/owner: task:done is given to %q in %v, where there is none",
		OnAnswerer, Situation{Inbound, Answered, OpenClient, ByUnmapped})
	if got := people(wild); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
