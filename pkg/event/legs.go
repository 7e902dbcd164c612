package event

import (
	"cmp"
	"slices"
	"time"
)

// This file joins the parts of a talk that was passed on. Ringostat names no session:
// the only trace is a row of type transitin or transitout, under the same id or another.
// What joins rows of other ids is the classifier's business; here they are reports of
// one call that say which row they came from.

// part tells the rows of a call apart: its own, and each transit row.
type part struct {
	leg     string
	transit bool
	at      int64
}

func partOf(r Call) part {
	p := part{leg: r.Leg, transit: r.Transit}
	if r.Transit && r.StartedAt != nil {
		p.at = r.StartedAt.Unix()
	}
	return p
}

// joinLegs gives a folded call what the single parts say: the direction and the line of
// the row that is no transit leg, the last employee who really talked, and the list of
// the parts.
func joinLegs(c *Call, reports []Call) {
	rows := map[part][]Call{}
	for _, r := range reports {
		rows[partOf(r)] = append(rows[partOf(r)], r)
	}
	parts := make([]Call, 0, len(rows))
	for _, said := range rows {
		parts = append(parts, fold(said))
	}
	slices.SortFunc(parts, func(a, b Call) int {
		return cmp.Or(compareStart(a.StartedAt, b.StartedAt), boolFirst(!a.Transit, !b.Transit), compareReports(&a, &b))
	})
	if i := slices.IndexFunc(parts, func(p Call) bool { return !p.Transit && p.Direction != "" }); i >= 0 {
		own := parts[i]
		c.Direction, c.Transit, c.Callback = own.Direction, false, own.Callback
		c.Line = cmp.Or(own.Line, c.Line)
		if own.StartedAt != nil {
			c.StartedAt = own.StartedAt
		}
	}
	c.Leg = ""
	for _, p := range parts {
		if !p.Final || p.Talk == 0 && p.Recording == "" || slices.ContainsFunc(c.Legs, func(l Leg) bool { return l.is(p) }) {
			continue
		}
		c.Legs = append(c.Legs, Leg{
			ID: cmp.Or(p.Leg, p.ID), Employee: p.Employee, AnsweredOn: p.AnsweredOn, Extension: p.Extension,
			StartedAt: p.StartedAt, Talk: p.Talk, Recording: p.Recording,
		})
		if p.Outcome == Answered && p.Talk > 0 && p.Employee != nil {
			c.Employee, c.AnsweredOn, c.Extension = p.Employee, p.AnsweredOn, p.Extension
		}
		if end := p.End(); c.StartedAt != nil && end.After(c.End()) {
			c.Duration = int(end.Sub(*c.StartedAt) / time.Second)
		}
	}
	if len(c.Legs) < 2 {
		c.Legs = nil
	}
}

// is says whether a row tells of the same part again, under another type.
func (l Leg) is(p Call) bool {
	if l.Recording != "" || p.Recording != "" {
		return l.Recording == p.Recording
	}
	return compareStart(l.StartedAt, p.StartedAt) == 0 && l.Talk == p.Talk && l.AnsweredOn == p.AnsweredOn
}

func compareStart(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(*b)
}

// Span is when a call was, for telling whether another adjoins it.
type Span struct{ From, To time.Time }

// SpanOf is when a call was; ok is false where that is not known.
func SpanOf(c Call) (s Span, ok bool) {
	if c.StartedAt == nil {
		return s, false
	}
	return Span{*c.StartedAt, c.End()}, true
}

// Adjoins says whether two spans overlap, or have at most gap between them.
func (s Span) Adjoins(o Span, gap time.Duration) bool {
	return !s.From.After(o.To.Add(gap)) && !o.From.After(s.To.Add(gap))
}

// Join is the span from the first to the last of both.
func (s Span) Join(o Span) Span {
	if o.From.Before(s.From) {
		s.From = o.From
	}
	if o.To.After(s.To) {
		s.To = o.To
	}
	return s
}
