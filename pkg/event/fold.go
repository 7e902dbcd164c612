package event

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Fold joins what several reports say of one call into its facts. The order in
// which the reports arrived makes no difference: a report that says more (a final
// one before an early one, an answered call before a missed one, more seconds of
// talk before fewer) speaks first, and the others only fill what it left open. So a
// late "before the call" or an orphan leg that rang out never undoes an answer. Of a
// talk that was passed on every part is listed, see [Call.Legs].
func Fold(reports []Call) Call {
	if len(reports) == 0 {
		return Call{}
	}
	folded := fold(reports)
	if slices.ContainsFunc(reports, func(r Call) bool { return r.Transit }) {
		joinLegs(&folded, reports)
	}
	return folded
}

func fold(reports []Call) Call {
	var few [maxReports]*Call
	sorted := few[:0]
	for i := range reports {
		sorted = append(sorted, &reports[i])
	}
	slices.SortStableFunc(sorted, compareReports)
	if fault.Wrong("early-overwrites-late") {
		slices.Reverse(sorted) // what tells the least speaks first
	}
	folded := *sorted[0]
	folded.Extra = maps.Clone(folded.Extra)
	for _, r := range sorted[1:] {
		fill(&folded, r)
	}
	return folded
}

// With adds a report to those already known of a call. A report that says nothing
// new leaves the list as it is; past the limit the least telling one goes.
func With(reports []Call, r Call) []Call {
	for i := range reports {
		if same(&reports[i], &r) {
			return reports
		}
	}
	at := len(reports)
	for at > 0 && compareReports(&r, &reports[at-1]) < 0 {
		at--
	}
	reports = slices.Insert(slices.Clip(reports), at, r)
	return reports[:min(len(reports), maxReports)]
}

// maxReports bounds what is kept of one call: a sender that repeats itself with a
// changing parameter must not grow a call's file for ever.
const maxReports = 16

// canonical is a report as it is stored.
func canonical(c *Call) string {
	b, err := json.Marshal(*c)
	if err != nil {
		// A Call holds strings, numbers and times only; a time beyond year 9999 is the
		// one thing JSON refuses, and no parser of ours lets it through.
		return c.ID
	}
	return string(b)
}

// compareReports orders reports by how much they tell, the most telling first. It
// is a total order over what the reports say, so folding does not depend on luck.
func compareReports(a, b *Call) int {
	byWeight := cmp.Or(
		boolFirst(a.Final, b.Final),
		cmp.Compare(outcomeRank(b.Outcome), outcomeRank(a.Outcome)),
		boolFirst(!a.Transit, !b.Transit),
		cmp.Compare(b.Talk, a.Talk),
		cmp.Compare(eventRank(b.Event), eventRank(a.Event)),
		boolFirst(a.Employee != nil, b.Employee != nil),
		boolFirst(a.Recording != "", b.Recording != ""),
		cmp.Compare(b.Duration, a.Duration),
		boolFirst(a.ClientName != "", b.ClientName != ""),
		boolFirst(a.Traffic != Traffic{}, b.Traffic != Traffic{}),
	)
	if byWeight != 0 || same(a, b) {
		return byWeight
	}
	return cmp.Compare(canonical(b), canonical(a))
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func outcomeRank(o Outcome) int {
	switch o {
	case Answered:
		return 3
	case Voicemail:
		return 2
	case Missed:
		return 1
	}
	return 0
}

func eventRank(e string) int {
	return slices.Index(eventOrder, e)
}

var eventOrder = []string{"before_outgoing", "before", "forward", "answer", "rating", "after_outgoing", "after"}

// fill takes from r what c does not know yet.
func fill(c, r *Call) {
	first(&c.Direction, r.Direction)
	first(&c.Client, r.Client)
	first(&c.ClientName, r.ClientName)
	first(&c.Line, r.Line)
	first(&c.AnsweredOn, r.AnsweredOn)
	first(&c.Extension, r.Extension)
	first(&c.Duration, r.Duration)
	first(&c.Waiting, r.Waiting)
	if !fault.Wrong("recording-lost-in-fold") {
		first(&c.Recording, r.Recording)
	}
	first(&c.Card, r.Card)
	first(&c.Rating, r.Rating)
	first(&c.Department, r.Department)
	first(&c.Scheme, r.Scheme)
	first(&c.Pool, r.Pool)
	first(&c.InsertionType, r.InsertionType)
	c.Callback = c.Callback || r.Callback
	if c.Employee == nil && c.Outcome != Missed && c.Outcome != Voicemail {
		c.Employee = r.Employee
	}
	if c.StartedAt == nil {
		c.StartedAt = r.StartedAt
	}
	t, o := &c.Traffic, &r.Traffic
	first(&t.Source, o.Source)
	first(&t.Medium, o.Medium)
	first(&t.Campaign, o.Campaign)
	first(&t.Content, o.Content)
	first(&t.Term, o.Term)
	first(&t.ClientID, o.ClientID)
	first(&t.Landing, o.Landing)
	first(&t.Referrer, o.Referrer)
	first(&t.VisitorIP, o.VisitorIP)
	first(&t.UserAgent, o.UserAgent)
	for k, v := range r.Extra {
		if _, known := c.Extra[k]; !known {
			if c.Extra == nil {
				c.Extra = map[string]string{}
			}
			c.Extra[k] = v
		}
	}
}

func first[T comparable](have *T, other T) {
	var zero T
	if *have == zero {
		*have = other
	}
}
