package planner

import (
	"slices"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
)

// amended fits what today's facts ask for to what the first decision made, where the
// two are different rules: a call that was reported missed turns out to be answered, a
// talk was passed on. Amending never makes a task, so one that is there already becomes
// the one that is wanted: the open task becomes the next open one, or else is closed as
// the call's history. What is left stays as the people know it.
func (p *plan) amended(today []wanted, first event.Ground) []wanted {
	then := p.resolved
	then.Facts, then.Answerer = first.Facts, first.Answerer
	situation := Situation(then)
	rule, ok := rules.Decide(situation)
	if !ok {
		return today
	}
	made := p.steps(rule, situation)
	left := func(open bool) int {
		return slices.IndexFunc(today, func(w wanted) bool {
			return w.Task != "" && w.role == w.Key() && w.Closed != open && !has(made, w.role)
		})
	}
	for _, old := range made {
		if old.Task == "" || old.Closed || has(today, old.role) {
			continue
		}
		i := left(true)
		if i < 0 {
			i = left(false)
		}
		if i >= 0 {
			today[i].role = old.role
		}
	}
	return today
}

func has(steps []wanted, role string) bool {
	return slices.ContainsFunc(steps, func(w wanted) bool { return w.role == role })
}
