// Package classifier turns a stored request into the facts of a call: direction,
// outcome, client, employee, times, recording, traffic source. It asks nobody and
// decides nothing; the same bytes and settings always give the same facts. Several
// requests of one call are folded into one picture, in whatever order they came.
// Start reading at [Start] and [Read].
package classifier

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/service"
)

type classifier struct {
	service.Env
	talks *bus.Store
}

// Start reads every project's requests, each project's one after the other.
func Start(ctx context.Context, env service.Env) error {
	talks, err := openTalks(ctx, env.Bus)
	if err != nil {
		return err
	}
	c := classifier{env, talks}
	return env.Router.Add(bus.Work{
		Name: "classifier", Types: []event.Type{event.TypeCallReceived},
		Lane:   func(e event.Envelope) string { return e.Project },
		Handle: c.handle, Dropped: c.park,
	})
}

// handle says what is known of the call after this request. The call's file is stored
// first, with the event: whoever reads the event finds the file at least as new, and
// after a crash in between the same event is published.
func (c classifier) handle(ctx context.Context, e event.Envelope) ([]event.Envelope, error) {
	received, err := event.As[event.CallReceived](e)
	if err != nil {
		return nil, bus.Drop(err)
	}
	settings, ok := c.Projects.Get(e.Project)
	if !ok {
		return nil, bus.Drop(fmt.Errorf("project %s is not in the settings any more", e.Project))
	}
	report, err := Read(received, settings)
	if err != nil {
		return nil, bus.Drop(err)
	}
	if report, err = c.ofItsCall(ctx, e.Project, report); err != nil {
		return nil, err
	}
	file, err := c.Files.Get(ctx, e.Project, report.ID)
	if err != nil {
		return nil, err
	}
	if file.Classified != nil && file.Classified.Cause == e.ID {
		return []event.Envelope{*file.Classified}, nil
	}
	if slices.Contains(file.Received, e.ID) {
		return nil, nil // given again, and another request was read since
	}
	reports := event.With(file.Reports, report)
	before, after := event.Fold(file.Reports), event.Fold(reports)
	classified := &event.CallClassified{
		Project: e.Project, Received: e.ID, Revision: settings.Number, Retry: received.RetryOf != "",
		Changed: len(file.Reports) == 0 || !event.Same(before, after), Call: after,
	}
	out, err := event.Next(e, "classifier", c.Now(), classified)
	if err != nil {
		return nil, bus.Drop(err)
	}
	fault.Point("classifier", "read")
	_, err = c.Files.Change(ctx, e.Project, report.ID, func(f *callfile.File) (bool, error) {
		f.Reports, f.Classified = event.With(f.Reports, report), &out
		if fault.Wrong("event-not-in-the-file") {
			f.Classified = nil
		}
		f.Received = append(f.Received, e.ID)[max(0, len(f.Received)+1-maxReceived):]
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	fault.Point("classifier", "file kept")
	c.Log.Info("call classified", zap.String("project", e.Project), zap.String("call", after.ID), zap.Bool("final", after.Final),
		zap.String("direction", string(after.Direction)), zap.String("outcome", string(after.Outcome)))
	return []event.Envelope{out}, nil
}

// maxReceived is how many requests of a call its file names; a retry reads those.
const maxReceived = 32

// park keeps what could not be read, with what a person can do about it.
func (c classifier) park(e event.Envelope, cause error) []event.Envelope {
	if fault.Wrong("parked-forgotten") {
		return nil
	}
	p := &event.CallParked{
		Project: e.Project, State: event.ParkedWaiting, Received: []string{e.ID}, Step: "classify",
		Reason: cause.Error(), Remedy: "Look at the raw request in the call's story, correct the settings and retry; or drop it with a reason.",
	}
	if unreadable := (*ringostat.Unreadable)(nil); errors.As(cause, &unreadable) {
		settings, _ := c.Projects.Get(e.Project)
		p.Reason, p.Remedy = unreadable.In(settings.Locale)
		p.ReasonIn = event.InEach(func(lang string) string { reason, _ := unreadable.In(lang); return reason })
		p.RemedyIn = event.InEach(func(lang string) string { _, remedy := unreadable.In(lang); return remedy })
	}
	p.ID = event.Derive("parked", e.ID, p.Step)
	out, err := event.Next(e, "classifier", c.Now(), p)
	if err != nil {
		c.Log.Error("a parked request could not be noted", zap.String("event", e.ID), zap.Error(err))
		return nil
	}
	return []event.Envelope{out}
}
