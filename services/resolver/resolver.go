// Package resolver finds out what the CRM knows of a finished call's client: nothing,
// a contact only, or an open lead or deal, and whether the person on the call is the
// client's responsible. It asks through the writer, which knows the portal's pace.
//
// From the question until the call's commands are settled it keeps the client's lane,
// so the next call of the same number sees what this one made. Other clients are not
// held up. Start reading at [Start]; the choice among several matches is [Choose].
package resolver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/phone"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// held is how many calls of a project may wait for their portal at once; beyond it they
// wait in the stream, where a call that comes now is behind them. atOnce of them are
// worked, which is what takes memory: about 70 KiB each, against 10 of one that waits.
const (
	held   = 20_000
	atOnce = 1_000
)

type resolver struct {
	service.Env
	turns *bus.Store
}

// Start adds one reader per project: a portal that is down stops its own project only.
func Start(ctx context.Context, env service.Env) error {
	turns, err := env.Bus.Store(ctx, "turns", "whose turn it is to take a missed call of a new client")
	if err != nil {
		return err
	}
	r := resolver{env, turns}
	return env.EachProject("resolver", func(project string) error {
		return env.Router.Add(bus.Work{
			Name: "resolver-" + project, Project: project, Types: []event.Type{event.TypeCallClassified}, Held: held, AtOnce: atOnce,
			Lane: lane, Urgent: r.urgent, Handle: r.handle, Dropped: r.park,
		})
	})
}

// lane is the client; a call that goes on has nothing to wait for and gets its own.
func lane(e event.Envelope) string {
	c, err := event.As[event.CallClassified](e)
	if err != nil {
		return e.ID
	}
	if !c.Final {
		return "unfinished:" + c.Call.ID
	}
	if fault.Wrong("lane-per-call") {
		return c.Call.ID
	}
	return c.Lane()
}

// urgent is a call of now: it does not wait behind those that an outage left lying.
func (r resolver) urgent(e event.Envelope) bool {
	c, err := event.As[event.CallClassified](e)
	return err != nil || !c.Final || r.Now().Sub(c.Call.Came(e.Time)) < crm.LiveFor
}

func (r resolver) handle(ctx context.Context, e event.Envelope) ([]event.Envelope, error) {
	classified, err := event.As[event.CallClassified](e)
	if err != nil {
		return nil, bus.Drop(err)
	}
	if !classified.Final && !fault.Wrong("early-report-acted-on") {
		return nil, nil
	}
	file, err := r.Files.Get(ctx, e.Project, classified.Call.ID)
	if err != nil {
		return nil, err
	}
	classified.Call = Facts(file, classified)
	resolved := file.ResolvedAs
	switch {
	case classified.Again != nil:
		if resolved, err = r.replayed(ctx, e, classified, file); err != nil || resolved == nil {
			return nil, err
		}
	case Fresh(file, classified, e.ID):
		if resolved, err = r.resolve(ctx, e, classified, file); err != nil {
			return nil, err
		}
	}
	// Publishing it once more after a restart is a no-op.
	if file.Settled != resolved.ID {
		if _, err := r.Bus.Publish(ctx, *resolved); err != nil {
			return nil, err
		}
		fault.Point("resolver", "published")
	}
	return nil, r.waitUntilSettled(ctx, e.Project, classified.Call.ID, resolved.ID)
}

// resolve decides the ground of the call's decision and keeps it in the call's file
// before it is published: what the CRM said is asked once and remembered.
func (r resolver) resolve(ctx context.Context, e event.Envelope, c event.CallClassified, f callfile.File) (*event.Envelope, error) {
	resolved, again := Again(f, c, e.ID)
	var err error
	if again {
		resolved, err = r.withPerson(ctx, e, c, resolved)
	} else {
		var found crm.Found
		var turn int
		found, turn, err = r.ask(ctx, e, c)
		settings, _ := r.Projects.Get(e.Project)
		resolved = Resolve(f, c, e.ID, settings, found, turn)
	}
	if err != nil {
		return nil, err
	}
	return r.keep(ctx, e, c, resolved)
}

// replayed decides a call on the ground that an approved plan gives, unless the call was
// decided once more since the plan was made: then nil.
func (r resolver) replayed(ctx context.Context, e event.Envelope, c event.CallClassified, f callfile.File) (*event.Envelope, error) {
	if f.ResolvedAs != nil && f.ResolvedAs.Cause == e.ID {
		return f.ResolvedAs, nil
	}
	settings, ok := r.Projects.Get(e.Project)
	if !ok {
		return nil, bus.Drop(fmt.Errorf("project %s is not in the settings any more", e.Project))
	}
	if Decisions(f) != c.Again.Over {
		r.Log.Info("a call was decided since its replay was planned; it stays as it is", zap.String("project", e.Project), zap.String("call", c.Call.ID))
		return nil, nil
	}
	resolved := c.Again.Ground
	resolved.Classified, resolved.Revision, resolved.Decision = e.ID, settings.Number, c.Again.Over+1
	return r.keep(ctx, e, c, resolved)
}

// keep stores a decision's ground in the call's file and returns it as an event.
func (r resolver) keep(ctx context.Context, e event.Envelope, c event.CallClassified, resolved event.CallResolved) (*event.Envelope, error) {
	resolved.Code = r.Version
	envelope, err := event.Next(e, "resolver", r.Now(), &resolved)
	if err != nil {
		return nil, bus.Drop(err)
	}
	fault.Point("resolver", "asked")
	_, err = r.Files.Change(ctx, e.Project, c.Call.ID, func(f *callfile.File) (bool, error) {
		Note(f, c, &resolved, &envelope)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	fault.Point("resolver", "file kept")
	r.Log.Info("call resolved", zap.String("project", e.Project), zap.String("call", c.Call.ID),
		zap.String("client", resolved.Client.State), zap.String("answerer", resolved.Answerer), zap.Bool("amends", resolved.Amends))
	return &envelope, nil
}

// withPerson adds the person on the call to those known of it: a later report may name
// somebody else, of whom only the list of users is read.
func (r resolver) withPerson(ctx context.Context, e event.Envelope, c event.CallClassified, resolved event.CallResolved) (event.CallResolved, error) {
	user := userOf(c.Employee)
	if _, known := resolved.People[user]; user == 0 || known || resolved.People == nil {
		return resolved, nil
	}
	settings, ok := r.Projects.Get(e.Project)
	if !ok {
		return resolved, bus.Drop(fmt.Errorf("project %s is not in the settings any more", e.Project))
	}
	c.Client = "" // asks for the users only
	found, err := r.lookup(ctx, e, c, settings)
	if err != nil {
		return resolved, err
	}
	resolved.People = maps.Clone(resolved.People)
	resolved.People[user] = found.People[user]
	return resolved, nil
}

// ask finds out what the decision needs from outside: what the CRM knows, and whose
// turn it is where the settings give missed calls in turn.
func (r resolver) ask(ctx context.Context, e event.Envelope, c event.CallClassified) (crm.Found, int, error) {
	settings, ok := r.Projects.Get(e.Project)
	if !ok {
		return crm.Found{}, 0, bus.Drop(fmt.Errorf("project %s is not in the settings any more", e.Project))
	}
	if c.Direction == event.Internal {
		return crm.Found{}, 0, nil
	}
	found, err := r.lookup(ctx, e, c, settings)
	if err != nil {
		return found, 0, err
	}
	takers := Takers(settings, c.Call, found)
	if len(takers) == 0 {
		return found, 0, nil
	}
	next, err := bus.Change(ctx, r.turns, settings.ID, func(n *int) (bool, error) { *n++; return true, nil })
	return found, takers[max(next-1, 0)%len(takers)], err
}

// lookup asks the writer, again and again while the portal or the writer is away.
func (r resolver) lookup(ctx context.Context, e event.Envelope, c event.CallClassified, s service.Revision) (crm.Found, error) {
	q := crm.Lookup{Since: c.Call.Came(e.Time)}
	if c.Client != "" {
		number := phone.Number(c.Client)
		q.Spellings = number.Spellings(s.Country)
		if s.Scenarios.PhoneMatch == "exact" || fault.Wrong("phone-exact-only") {
			q.Spellings = []string{c.Client}
		}
	}
	found, err := wait[crm.Lookup, crm.Found](ctx, r, crm.LookupSubject(e.Project), q)
	if err == nil && found.Refused != "" {
		err = bus.Drop(&refusal{found.Refused, found.RefusedIn})
	}
	return found, err
}

// waitUntilSettled keeps the client's lane until the writer says that all commands of
// the plan have their outcome.
func (r resolver) waitUntilSettled(ctx context.Context, project, call, plan string) error {
	if fault.Wrong("settled-not-awaited") {
		return nil
	}
	for {
		a, err := wait[crm.Settled, crm.SettledAnswer](ctx, r, crm.SettledSubject(project), crm.Settled{Call: call, Plan: plan})
		if err != nil || a.Settled {
			fault.Point("resolver", "told it is settled")
			return err
		}
	}
}

// errStopping gives an event back to the stream: it comes again after the start.
var errStopping = fmt.Errorf("the call is taken up again at the next start: %w", context.Canceled)

// wait asks until there is an answer or the service stops.
func wait[Q, A any](ctx context.Context, r resolver, subject string, q Q) (A, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-bus.Stopping(ctx):
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		once, done := context.WithTimeout(ctx, time.Minute)
		a, err := bus.Ask[Q, A](once, r.Bus, subject, q)
		done()
		if err == nil {
			return a, nil
		}
		pause := 100 * time.Millisecond
		if !errors.Is(err, bus.ErrNobodyAnswers) {
			pause = time.Second
			r.Log.Debug("a question to the portal was not answered and is asked again", zap.String("subject", subject), zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return a, errStopping
		case <-time.After(pause):
		}
	}
}
