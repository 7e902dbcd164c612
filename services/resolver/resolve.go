package resolver

import (
	"slices"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// This file is the resolver's thinking, without clock, CRM or chance: what a report
// asks for, and the ground on which a call is decided.

// Facts are all that is known of the call by now: the file is at least as new as any
// event of the classifier, and an event that is given again after a restart must not
// undo what came after it.
func Facts(f callfile.File, c event.CallClassified) event.Call {
	if len(f.Reports) == 0 {
		return c.Call // a file that was lost
	}
	return event.Fold(f.Reports)
}

// Fresh says whether a final report asks for a decision: the first one of its call, one
// that tells more, or one that a person asked to try again, once. cause is the report's event.
func Fresh(f callfile.File, c event.CallClassified, cause string) bool {
	switch {
	case f.ResolvedAs == nil:
		return true
	case f.ResolvedAs.Cause == cause:
		return false
	case c.Retry:
		return !slices.Contains(f.Retried, cause)
	case f.Classified != nil && f.Classified.ID != cause:
		// A newer report of the call is on its way and decides with all that is known.
		// This one may have been given again, before a call of the same client that is
		// being worked on.
		return false
	}
	return !event.Same(f.Resolved.Facts, c.Call) && !fault.Wrong("late-facts-ignored")
}

// Decisions counts how often a call was decided.
func Decisions(f callfile.File) int {
	if f.Resolved == nil {
		return 0
	}
	return f.Resolved.Decision
}

// Again is the ground of a call that was decided before and of which more is known now:
// what the CRM said the first time still counts, for our own writes changed the CRM
// since. again is false where the CRM is to be asked: the first time, when a person asked
// to try again, when the decisions so far made nothing that could be amended, and where
// the portal refused to make something, for it is tried again now, and meanwhile another
// call of the client may have made it.
func Again(f callfile.File, c event.CallClassified, cause string) (resolved event.CallResolved, again bool) {
	if f.Resolved == nil || c.Retry || fault.Wrong("own-lead-taken-for-the-clients") ||
		len(f.Journal) == 0 && f.ResolvedAs != nil && f.Settled == f.ResolvedAs.ID {
		return resolved, false
	}
	for _, e := range f.Journal {
		if e.State == callfile.Rejected && e.BitrixID == 0 {
			return resolved, false
		}
	}
	resolved = *f.Resolved
	was := event.Ground{Answerer: f.Resolved.Answerer, Facts: f.Resolved.Facts, Received: f.Resolved.Received}
	now := answererOf(c.Call, f.Resolved.Client.Owner)
	switch {
	case resolved.First == nil:
		resolved.First = &was
	case was.Answerer != now || was.Facts.Direction != c.Direction || was.Facts.Outcome != c.Outcome:
		resolved.Between = append(slices.Clone(resolved.Between), was)
	}
	resolved.Amends, resolved.Answerer = true, now
	resolved.Classified, resolved.Facts, resolved.Decision = cause, c.Call, f.Resolved.Decision+1
	resolved.Received, resolved.Replay = f.Received, nil
	return resolved, true
}

// Note writes a decision and its event into the call's file.
func Note(f *callfile.File, c event.CallClassified, r *event.CallResolved, as *event.Envelope) {
	f.Resolved, f.ResolvedAs = r, as
	if c.Retry {
		f.Retried = append(slices.Clone(f.Retried), as.Cause)
	}
}

// Resolve is the ground on which a call is decided, from what the CRM knows and whose
// turn it is.
func Resolve(f callfile.File, c event.CallClassified, cause string, s service.Revision, found crm.Found, turn int) event.CallResolved {
	r := event.CallResolved{
		Project: c.Project, Classified: cause, Revision: s.Number, Facts: c.Call, Decision: Decisions(f) + 1,
		WithoutLeads: found.WithoutLeads, Turn: turn, Received: f.Received,
	}
	if len(found.Open)+len(found.Contacts)+len(found.Companies) > 0 {
		r.Found = &event.Found{Open: found.Open, Contacts: found.Contacts, Companies: found.Companies}
	}
	if c.Direction != event.Internal {
		r.Client = Choose(found, c.Client != "", userOf(c.Employee))
	}
	r.Answerer = answererOf(c.Call, r.Client.Owner)
	r.People = people(found, r, c.Call, s)
	return r
}

// Takers are the users who take this call in turn, where the settings give missed calls
// of new clients to the employees in turn; nobody otherwise.
func Takers(s service.Revision, c event.Call, found crm.Found) (users []int) {
	client := Choose(found, c.Client != "", userOf(c.Employee))
	if s.Scenarios.MissedNewClient != "distribute" || client.State != "new" || c.Direction != event.Inbound || c.Outcome == event.Answered {
		return nil
	}
	for _, e := range s.Employees {
		if e.TakesMissed && (found.People == nil || found.People[e.BitrixUser].Active) && !slices.Contains(users, e.BitrixUser) {
			users = append(users, e.BitrixUser)
		}
	}
	return users
}

// answererOf says who was on the call, seen from the client's responsible.
func answererOf(c event.Call, owner int) string {
	switch {
	case c.Direction == event.Inbound && c.Outcome != event.Answered:
		return "nobody"
	case c.Employee == nil:
		return "unmapped"
	case owner != 0 && c.Employee.BitrixUser == owner:
		return "owner"
	}
	return "employee"
}

func userOf(e *event.Employee) int {
	if e == nil {
		return 0
	}
	return e.BitrixUser
}

// people picks the users that a decision about this call may name.
func people(found crm.Found, r event.CallResolved, c event.Call, s service.Revision) map[int]event.Person {
	if found.People == nil {
		return nil
	}
	out := map[int]event.Person{}
	for _, id := range []int{s.Senior, r.Client.Owner, userOf(c.Employee), r.Turn} {
		if id != 0 {
			out[id] = found.People[id]
		}
	}
	return out
}
