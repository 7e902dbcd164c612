package bitrix

import (
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

// Budget remembers, per method, how much execution time the portal says is used
// up, so that a method is left alone before the portal blocks it, and no other
// method with it. Portals bill a batch either to the commands in it or to the
// method "batch" itself: observe both, and ask about both. A Budget is a plain
// value: not safe for concurrent use, and every method takes the time.
type Budget struct {
	limit   float64
	methods map[string]usage
}

type usage struct {
	operating float64
	resetAt   time.Time
	blocked   time.Time // refused; not before
}

// NewBudget makes a budget; 0 means DefaultOperatingLimit.
func NewBudget(limit time.Duration) Budget {
	if limit <= 0 {
		limit = DefaultOperatingLimit
	}
	return Budget{limit: limit.Seconds(), methods: map[string]usage{}}
}

// Observe notes what an answer says. An answer without the counters says
// nothing.
func (b *Budget) Observe(method string, t Time) {
	if !t.HasOperating {
		return
	}
	method = strings.ToLower(method)
	u := b.methods[method]
	u.operating, u.resetAt = t.Operating, t.OperatingResetAt
	b.methods[method] = u
}

// Refused notes that the portal blocked the method (ReasonMethodBudget);
// retryAt is Error.RetryAt and may be zero.
func (b *Budget) Refused(method string, retryAt, now time.Time) {
	method = strings.ToLower(method)
	u := b.methods[method]
	switch {
	case retryAt.After(now):
		u.blocked = retryAt
	case u.resetAt.After(now):
		u.blocked = u.resetAt
	default:
		u.blocked = now.Add(blindPause)
	}
	u.blocked = earlier(u.blocked, now.Add(operatingWindow))
	b.methods[method] = u
}

// Blocked reports whether to leave the method alone, and until when: after a
// refusal, and when 95 % of the limit are used.
func (b *Budget) Blocked(method string, now time.Time) (until time.Time, blocked bool) {
	u := b.methods[strings.ToLower(method)]
	if u.operating >= 0.95*b.limit {
		until = earlier(u.resetAt, now.Add(operatingWindow))
	}
	if u.blocked.After(until) {
		until = u.blocked
	}
	if !until.After(now) {
		return time.Time{}, false
	}
	return until, true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
