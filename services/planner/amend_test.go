package planner

import (
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
)

// corrected is a call that was decided on the first situation and of which another is
// true now.
func corrected(first, now rules.Situation) event.CallResolved {
	was, r := resolved(first), resolved(now)
	r.Amends, r.First = true, &event.Ground{Answerer: was.Answerer, Facts: was.Facts}
	return r
}

func TestATaskThatIsThereBecomesTheOneThatIsWanted(t *testing.T) {
	in := func(o rules.Outcome, c rules.Client, a rules.Answerer) rules.Situation {
		return rules.Situation{Direction: rules.Inbound, Outcome: o, Client: c, Answerer: a}
	}
	for _, c := range []struct {
		name       string
		first, now rules.Situation
		want       string // roles, with * where the task is closed
	}{
		{"missed, then answered", in(rules.Missed, rules.NewClient, rules.ByNobody), in(rules.Answered, rules.NewClient, rules.ByEmployee), "lead task:contact*"},
		{"missed, then answered by a colleague", in(rules.Missed, rules.OpenClient, rules.ByNobody), in(rules.Answered, rules.OpenClient, rules.ByEmployee), "task:done* task:contact"},
		{"the responsible's call went on with a colleague", in(rules.Answered, rules.OpenClient, rules.ByOwner), in(rules.Answered, rules.OpenClient, rules.ByEmployee), "task:done* task:review"},
		{"the same rule", in(rules.Missed, rules.NewClient, rules.ByNobody), in(rules.Missed, rules.NewClient, rules.ByNobody), "lead task:contact"},
	} {
		t.Run(c.name, func(t *testing.T) {
			commands, err := Plan("plan", corrected(c.first, c.now), project("en"))
			if err != nil {
				t.Fatal(err)
			}
			var roles []string
			for _, command := range commands {
				role := command.Role
				if command.Task != nil && command.Task.Closed {
					role += "*"
				}
				roles = append(roles, role)
				if !command.Amends {
					t.Errorf("%s would be made, want it only brought up to date", role)
				}
				if want := event.CommandID("shop", command.Call, command.Role); command.ID != want {
					t.Errorf("%s has id %s, want %s: the one under which it was made", role, command.ID, want)
				}
			}
			if got := strings.Join(roles, " "); got != c.want {
				t.Errorf("commands: got %s, want %s", got, c.want)
			}
		})
	}
}
