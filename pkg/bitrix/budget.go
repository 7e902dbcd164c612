package bitrix

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// DefaultOperatingLimit is how much execution time of one method the vendor's
// example allows within ten minutes.
// https://apidocs.bitrix24.com/limits.html
const DefaultOperatingLimit = 480 * time.Second

// operatingWindow is after how long a used second is forgotten at the latest,
// and blindPause how long to leave a method alone that was refused by a portal
// that never said when it will be free.
const (
	operatingWindow = 10 * time.Minute
	blindPause      = time.Minute
)

// How much of the limit may be used: by what can wait freely up to easyShare, from
// there to patientShare spread over the time until the portal forgets some of it, and
// by what can't wait up to urgentShare at once.
const (
	easyShare    = 0.70
	patientShare = 0.95
	urgentShare  = 0.98
)

// spreadStep is how much of the spread budget is given out at a time: small steps would
// make a request for every command.
const spreadStep = 10 * time.Second

// aMoment is the room for one command, of whatever length: the portal looks at its
// counter before it runs a command.
const aMoment = time.Nanosecond

// Budget remembers, per method, how much execution time the portal says is used
// up, so that a method is left alone before the portal blocks it, and no other
// method with it. Portals bill a batch either to the commands in it or to the
// method "batch" itself: observe both, and ask about both. A Budget is not safe for
// concurrent use, and every method takes the time.
type Budget struct {
	limit   time.Duration
	methods map[string]*usage
}

type usage struct {
	operating time.Duration
	resetAt   time.Time
	out       time.Duration // asked for and not answered yet
	blocked   time.Time     // refused; not before
	refused   bool          // since then no command of it was answered
	spread    time.Time     // nothing that can wait before
}

// NewBudget makes a budget; 0 means DefaultOperatingLimit.
func NewBudget(limit time.Duration) Budget {
	if limit <= 0 {
		limit = DefaultOperatingLimit
	}
	return Budget{limit: limit, methods: map[string]*usage{}}
}

func (b *Budget) of(method string) *usage {
	method = strings.ToLower(method)
	u := b.methods[method]
	if u == nil {
		u = &usage{}
		b.methods[method] = u
	}
	return u
}

// Room is for how long the method may be asked to run now: commands may be sent while
// what is left is above zero, the last one may go beyond. Where there is none it says
// when to ask again. urgent is for what can't wait, for which the last of the budget is
// kept. A portal that shows no counters leaves room until it refuses.
func (b *Budget) Room(method string, urgent bool, now time.Time) (room time.Duration, until time.Time) {
	u := b.of(method)
	if u.blocked.After(now) {
		return 0, u.blocked
	}
	if u.refused {
		return u.probe(now)
	}
	used := u.operating + u.out
	left := b.share(patientShare) - used
	if urgent {
		left = b.share(urgentShare) - used
	}
	switch {
	case left <= 0 && u.resetAt.After(now):
		return 0, earlier(u.resetAt, now.Add(operatingWindow))
	case left <= 0:
		return u.probe(now)
	case urgent:
		return left, time.Time{}
	case used < b.share(easyShare):
		return b.share(easyShare) - used, time.Time{}
	case !u.resetAt.After(now):
		return u.probe(now)
	case u.spread.After(now):
		return 0, u.spread
	}
	return max(aMoment, min(left, time.Duration(u.rate(left, now)*float64(spreadStep)))), time.Time{}
}

// Use is what is known of a method's budget.
type Use struct {
	Method      string
	Used, Limit time.Duration
	ResetAt     time.Time // zero where the portal did not say
	Blocked     time.Time // zero where it is not
}

// Uses lists the methods whose time the portal counts, the fullest first. What the portal
// has forgotten by now is left out.
func (b *Budget) Uses(now time.Time) []Use {
	var out []Use
	for method, u := range b.methods {
		use := Use{Method: method, Limit: b.limit}
		if u.resetAt.After(now) {
			use.Used, use.ResetAt = u.operating, u.resetAt
		}
		if u.blocked.After(now) {
			use.Blocked = u.blocked
		}
		if use.Used > 0 || !use.Blocked.IsZero() {
			out = append(out, use)
		}
	}
	slices.SortFunc(out, func(a, b Use) int {
		return cmp.Or(cmp.Compare(b.Used, a.Used), cmp.Compare(a.Method, b.Method))
	})
	return out
}

func (b *Budget) share(s float64) time.Duration { return time.Duration(s * float64(b.limit)) }

// probe lets one command find out how much the portal has forgotten meanwhile.
func (u *usage) probe(now time.Time) (time.Duration, time.Time) {
	if u.out > 0 {
		return 0, now.Add(time.Second)
	}
	return aMoment, time.Time{}
}

// rate is how much a second may use up so that what is left lasts until the portal
// forgets some.
func (u *usage) rate(left time.Duration, now time.Time) float64 {
	return float64(left) / float64(max(min(u.resetAt.Sub(now), operatingWindow), time.Second))
}

// Reserve notes that the method is about to be asked to run that long; Release takes it
// back when there is an answer.
func (b *Budget) Reserve(method string, expected time.Duration, urgent bool, now time.Time) {
	u := b.of(method)
	used := u.operating + u.out
	u.out += expected
	left := b.share(patientShare) - used
	if urgent || used < b.share(easyShare) || left <= 0 || !u.resetAt.After(now) {
		return
	}
	u.spread = earlier(now.Add(time.Duration(float64(expected)/u.rate(left, now))), u.resetAt)
}

// Release takes back what was reserved.
func (b *Budget) Release(method string, expected time.Duration) {
	u := b.of(method)
	u.out = max(0, u.out-expected)
}

// Observe notes what the answer to a command that was not refused says. One without the
// counters says nothing about them, and one that was overtaken by a newer one neither.
func (b *Budget) Observe(method string, t Time) {
	u := b.of(method)
	u.refused = false
	if !t.HasOperating {
		return
	}
	operating, resetAt := time.Duration(t.Operating*float64(time.Second)), t.OperatingResetAt
	if !resetAt.IsZero() {
		resetAt = resetAt.Add(time.Second) // the portal leaves out the part of a second
	}
	switch {
	case resetAt.IsZero() || resetAt.After(u.resetAt):
		u.operating, u.resetAt = operating, resetAt
	case resetAt.Equal(u.resetAt):
		u.operating = max(u.operating, operating)
	}
}

// Refused notes that the portal blocked the method (ReasonMethodBudget) and returns
// until when; retryAt is Error.RetryAt and may be zero. Then one command is tried.
func (b *Budget) Refused(method string, retryAt, now time.Time) (until time.Time) {
	u := b.of(method)
	switch {
	case retryAt.After(now):
		u.blocked = retryAt
	case u.resetAt.After(now):
		u.blocked = u.resetAt
	case u.blocked.After(now):
	default:
		u.blocked = now.Add(blindPause)
	}
	u.blocked, u.refused = earlier(u.blocked, now.Add(operatingWindow)), true
	return u.blocked
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
