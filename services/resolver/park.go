package resolver

import (
	"errors"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// refusal is a portal that will not say who a client is, in the words of the project's
// language and of each.
type refusal struct {
	words string
	in    event.Texts
}

func (r *refusal) Error() string { return r.words }

// park keeps a call that could not be resolved.
func (r resolver) park(e event.Envelope, cause error) []event.Envelope {
	p := &event.CallParked{
		ID: event.Derive("parked", e.ID, "resolve"), Project: e.Project, Call: e.Call, State: event.ParkedWaiting, Step: "resolve",
		Reason: cause.Error(), Remedy: "Correct the settings and retry, or drop it with a reason.",
	}
	if no, ok := errors.AsType[*refusal](cause); ok {
		p.ReasonIn = no.in
	}
	if c, err := event.As[event.CallClassified](e); err == nil {
		p.Received = []string{c.Received}
	}
	out, err := event.Next(e, "resolver", r.Now(), p)
	if err != nil {
		r.Log.Error("a parked call could not be noted", zap.String("call", e.Call), zap.Error(err))
		return nil
	}
	return []event.Envelope{out}
}
