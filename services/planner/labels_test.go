package planner

import (
	"regexp"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/rules"
)

var label = regexp.MustCompile(`(?m)^\[B\](.+?):\[/B\]`)

func TestNoTwoLinesOfATaskHaveOneLabel(t *testing.T) {
	for locale := range languages {
		for _, s := range rules.Possible() {
			for _, c := range mustPlan(t, resolved(s), project(locale)) {
				if c.Task == nil {
					continue
				}
				seen := map[string]bool{}
				for _, m := range label.FindAllStringSubmatch(c.Task.Description, -1) {
					if seen[m[1]] {
						t.Fatalf("%s, %s: two lines are labelled %q:\n%s", locale, s, m[1], c.Task.Description)
					}
					seen[m[1]] = true
				}
			}
		}
	}
}
