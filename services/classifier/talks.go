package classifier

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// This file finds the call that a report belongs to where a talk was passed on: its
// parts come as rows of their own, under ids of their own, in any order.

// gap is how far a transit row may be from a talk and still be a part of it: the time
// that it takes to ring the next person.
const gap = 30 * time.Second

// remembered is how long a client's talks are kept for the rows that follow. The call
// log brings rows hours late; both rows of a talk are then brought together.
const remembered = 48 * time.Hour

// most is how many talks of a client are kept.
const most = 16

// talk is a call of a client, with all its parts, as far as joining needs it.
type talk struct {
	Call string     `json:"call"`
	Span event.Span `json:"span"`
	// Own is false while only transit rows are known of it.
	Own bool `json:"own"`
	// Talked is false of a call that nobody took: a row next to it is no part of it.
	Talked bool     `json:"talked"`
	Legs   []string `json:"legs,omitempty"`
}

func openTalks(ctx context.Context, b *bus.Bus) (*bus.Store, error) {
	return b.StoreFor(ctx, "talks", "the latest talks of each client, to join the legs of one that was passed on", remembered)
}

// ofItsCall returns the report under the id of the call that it belongs to. Where that
// is another's, both the client's talks and the leg's own file remember it, so that the
// same request, given again, and later ones of the leg go the same way.
func (c classifier) ofItsCall(ctx context.Context, project string, r event.Call) (event.Call, error) {
	own, err := c.Files.Get(ctx, project, r.ID)
	if err != nil {
		return r, err
	}
	if own.LegOf != "" {
		return asLeg(r, own.LegOf), nil
	}
	span, known := event.SpanOf(r)
	if !r.Final || r.Client == "" || !known {
		return r, nil
	}
	settled := event.Fold(own.Reports).Final // it was a call of its own before
	of := r.ID
	_, err = bus.Change(ctx, c.talks, project+"."+event.Derive("client", r.Client), func(talks *[]talk) (bool, error) {
		var changed bool
		*talks, of, changed = join(*talks, r, span, settled)
		return changed, nil
	})
	if err != nil {
		return r, fmt.Errorf("look for the talk that a call is a part of: %w", err)
	}
	if of == r.ID {
		return r, nil
	}
	_, err = c.Files.Change(ctx, project, r.ID, func(f *callfile.File) (bool, error) {
		f.LegOf = of
		return true, nil
	})
	return asLeg(r, of), err
}

func asLeg(r event.Call, of string) event.Call {
	r.Leg, r.ID = r.ID, of
	return r
}

// join notes a final report among its client's talks and says which call it belongs
// to. Only a transit row joins a talk of another id, or has the row of its talk joined
// to it: any other row is a call of its own, however close it is.
func join(talks []talk, r event.Call, span event.Span, settled bool) (after []talk, of string, changed bool) {
	i := slices.IndexFunc(talks, func(t talk) bool { return t.Call == r.ID || slices.Contains(t.Legs, r.ID) })
	if i < 0 && !settled {
		i = slices.IndexFunc(talks, func(t talk) bool {
			part := r.Transit && (t.Talked || !t.Own) || !r.Transit && !t.Own && r.Outcome == event.Answered
			return part && t.Span.Adjoins(span, gap)
		})
	}
	if i < 0 {
		after = append(slices.Clone(talks), talk{Call: r.ID, Span: span, Own: !r.Transit, Talked: r.Outcome == event.Answered})
		return after[max(0, len(after)-most):], r.ID, true
	}
	t := talks[i]
	next := t
	next.Span = t.Span.Join(span)
	next.Own, next.Talked = t.Own || !r.Transit, t.Talked || r.Outcome == event.Answered
	if r.ID != t.Call && !slices.Contains(t.Legs, r.ID) {
		next.Legs = append(slices.Clone(t.Legs), r.ID)
	}
	if next.Span == t.Span && next.Own == t.Own && next.Talked == t.Talked && len(next.Legs) == len(t.Legs) {
		return talks, t.Call, false
	}
	after = slices.Clone(talks)
	after[i] = next
	return after, t.Call, true
}

// Joiner finds the calls of reports that were read before, as the service did: for who
// reads the past again. Give it the reports in their order.
type Joiner struct {
	talks map[string][]talk
	// latest is the end of the last talk; older ones than [remembered] are forgotten.
	latest time.Time
}

// CallOf returns the report under the id of the call that it belongs to; sure is false
// where that may have been judged otherwise when it came: then the call's file says it.
func (j *Joiner) CallOf(r event.Call) (of event.Call, sure bool) {
	span, known := event.SpanOf(r)
	if !r.Final || r.Client == "" || !known {
		return r, !r.Transit
	}
	if j.talks == nil {
		j.talks = map[string][]talk{}
	}
	if span.To.After(j.latest.Add(remembered)) {
		maps.DeleteFunc(j.talks, func(_ string, talks []talk) bool {
			return talks[len(talks)-1].Span.To.Before(span.To.Add(-remembered))
		})
		j.latest = span.To
	}
	r.ID = strings.Clone(r.ID) // a part of a request would keep all of it
	talks, call, _ := join(j.talks[r.Client], r, span, false)
	j.talks[r.Client] = talks
	if call == r.ID {
		return r, !r.Transit
	}
	return asLeg(r, call), false
}

// AsLeg returns a report as a part of another call.
func AsLeg(r event.Call, of string) event.Call { return asLeg(r, of) }
