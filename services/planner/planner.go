// Package planner asks the decision table what should be true in the CRM because of a
// call, and says it as commands. It is pure: the same call, settings and table always
// give the same commands with the same ids. It asks nobody and knows no portal.
// Start reading at [Plan].
package planner

import (
	"context"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/service"
)

type planner struct{ service.Env }

// Start reads every project's resolved calls.
func Start(env service.Env) error {
	p := planner{env}
	return env.Router.Add(bus.Work{
		Name: "planner", Types: []event.Type{event.TypeCallResolved},
		Lane:   func(e event.Envelope) string { return e.Project },
		Handle: p.handle, Dropped: p.park,
	})
}

func (p planner) handle(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
	resolved, err := event.As[event.CallResolved](e)
	if err != nil {
		return nil, bus.Drop(err)
	}
	settings, ok := p.Projects.Get(e.Project)
	if !ok {
		return nil, bus.RetryIn(retryUnknownProject, errUnknownProject)
	}
	commands, err := Plan(e.ID, resolved, settings)
	if err != nil {
		return nil, bus.Drop(err)
	}
	out := make([]event.Envelope, len(commands))
	for i := range commands {
		commands[i].Code = p.Version
		if out[i], err = event.Next(e, "planner", p.Now(), &commands[i], commands[i].Role); err != nil {
			return nil, bus.Drop(err)
		}
	}
	fault.Point("planner", "planned")
	p.Log.Info("call planned", zap.String("project", e.Project), zap.String("call", e.Call),
		zap.String("rule", commands[0].Rule), zap.Int("commands", len(commands)))
	return out, nil
}

// park keeps a call that could not be planned.
func (p planner) park(e event.Envelope, cause error) []event.Envelope {
	parked := &event.CallParked{
		ID: event.Derive("parked", e.ID, "plan"), Project: e.Project, Call: e.Call, State: event.ParkedWaiting, Step: "plan",
		Reason: cause.Error(), Remedy: "This is a mistake in the program, not in your settings. Report it, and retry after the update.",
	}
	out, err := event.Next(e, "planner", p.Now(), parked)
	if err != nil {
		p.Log.Error("a parked call could not be noted", zap.String("call", e.Call), zap.Error(err))
		return nil
	}
	return []event.Envelope{out}
}
