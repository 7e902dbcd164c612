package planner

import (
	"slices"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// again says what should be true where a replay has a call decided again: what history
// would have made with today's settings, what is to be undone, and which fields belong
// to a person now. What is missing is made.
func again(id string, r event.CallResolved, s service.Revision) ([]event.BitrixCommand, error) {
	replay := *r.Replay
	r.Replay, r.Amends = nil, false
	commands, err := history(id, r, s)
	if err != nil {
		return nil, err
	}
	rule := Rule(r)
	for _, u := range replay.Undo {
		commands = append(commands, event.BitrixCommand{
			ID:      event.CommandID(r.Project, r.Facts.ID, u.Role),
			Project: r.Project, Call: r.Facts.ID, Role: u.Role, Kind: u.Kind, Rule: rule,
			Plan: id, Revision: s.Number, Lane: r.Facts.Lane(), Unwanted: true, Entity: u.Entity, Task: u.Task,
		})
	}
	for i := range commands {
		c := &commands[i]
		c.Index, c.Of, c.Replay, c.Keep = i+1, len(commands), replay.Plan, replay.Keep[c.Role]
	}
	return commands, nil
}

// history is what the decisions of a call would have left, one after the other: the
// first one makes things, and what became known later changed only those.
func history(id string, r event.CallResolved, s service.Revision) ([]event.BitrixCommand, error) {
	if r.First == nil {
		return Plan(id, r, s)
	}
	grounds := append([]event.Ground{*r.First}, r.Between...)
	grounds = append(grounds, event.Ground{Answerer: r.Answerer, Facts: r.Facts})
	r.First = nil
	var left []event.BitrixCommand
	for i, g := range grounds {
		r.Facts, r.Answerer = g.Facts, g.Answerer
		later, err := Plan(id, r, s)
		if err != nil {
			return nil, err
		}
		if r.First == nil {
			left = later
			if left[0].Kind != event.KindNothing {
				r.First = &grounds[i]
			} // else there is nothing to change, so the call is decided anew
			continue
		}
		for n, made := range left {
			if at := slices.IndexFunc(later, func(c event.BitrixCommand) bool { return c.Role == made.Role }); at >= 0 {
				left[n] = later[at]
			}
		}
	}
	return left, nil
}

// Rule names the row of the decision table that a ground leads to; empty where none does.
func Rule(r event.CallResolved) string {
	rule, _ := rules.Decide(Situation(r))
	return rule.ID
}
