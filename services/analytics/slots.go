package analytics

import (
	"math"
	"time"
)

// slot is how much time a row of the sums is about, in milliseconds; slots are numbered
// since 1970 in UTC, not in the project's time: its zone may be changed at any time, and
// a day of any zone is made of quarters of an hour, for that is what each zone of today
// is away from UTC.
const slot = int64(6 * time.Hour / time.Millisecond)

// many slots are summed up together where sums have keys: of a year 46 such spans and
// their shorter rest at both ends.
const many = 32

// quarter is what the sums of all calls are kept by within a slot.
const quarter = int64(15 * time.Minute / time.Millisecond)

const quartersOfSlot = slot / quarter

// floor divides, and rounds down also below zero.
func floor(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

func ceil(a, b int64) int64 { return -floor(-a, b) }

// span is the calls asked about: those of a project that began in [since, until), in
// milliseconds.
type span struct {
	project      string
	since, until int64
}

// Without a beginning or an end a span is as long as time is.
const (
	always = math.MinInt64
	ever   = math.MaxInt64
)

func spanOf(project string, since, until time.Time) span {
	s := span{project, always, ever}
	if !since.IsZero() {
		s.since = since.UnixMilli()
	}
	if !until.IsZero() {
		s.until = until.UnixMilli()
	}
	return s
}

// numbers is a row of numbers from the first to the one before the last.
type numbers struct{ from, to int64 }

// whole is the part of the span that is made of whole units of that length, as their
// numbers, and edges the rest of it.
func (s span) whole(unit int64) (in numbers, edges []span) {
	in = numbers{always, ever}
	if s.since != always {
		in.from = ceil(s.since, unit)
	}
	if s.until != ever {
		in.to = floor(s.until, unit)
	}
	if in.from > in.to {
		return numbers{}, []span{s} // inside one unit
	}
	if s.since != always && s.since < in.from*unit {
		edges = append(edges, span{s.project, s.since, in.from * unit})
	}
	if s.until != ever && in.to*unit < s.until {
		edges = append(edges, span{s.project, in.to * unit, s.until})
	}
	return in, edges
}

// spread divides numbers into those that stand for many, and what is left of them
// before and after.
func (n numbers) spread() (before, together, after numbers) {
	together = numbers{always, ever}
	if n.from != always {
		together.from = ceil(n.from, many)
		before = numbers{n.from, together.from * many}
	}
	if n.to != ever {
		together.to = floor(n.to, many)
		after = numbers{together.to * many, n.to}
	}
	if together.from >= together.to {
		return n, numbers{}, numbers{}
	}
	return before, together, after
}
