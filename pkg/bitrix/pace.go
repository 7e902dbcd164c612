package bitrix

import (
	"math"
	"time"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Bucket predicts the portal's counter of requests, so that the portal never
// has to refuse one: each request, a batch too, adds one; perSecond of them leak
// away each second; above burst the portal refuses with ReasonQueryLimit.
// https://apidocs.bitrix24.com/limits.html
//
// The portal counts for all programs behind one address, and it is not said
// whether its counter sinks steadily or once a second. A Bucket therefore keeps
// one second's leak in hand where burst allows it. It is a plain value: not safe
// for concurrent use, and every method takes the time.
type Bucket struct {
	rate  float64
	limit float64
	state BucketState
}

// BucketState is what a Bucket remembers. Storing it makes a restart harmless.
type BucketState struct {
	Level    float64   `json:"level"`           // requests the portal is thought to count now
	At       time.Time `json:"at"`              // when Level was right
	Until    time.Time `json:"until,omitzero"`  // nothing before this, after a refusal
	Refusals int       `json:"refusals"`        // sets how long the next pause is
	Passed   int       `json:"passed,omitzero"` // requests since the last refusal
}

// The pause after a refusal doubles from firstPause to longestPause; every
// recovery requests without another one halve it again.
const (
	firstPause   = time.Second
	longestPause = time.Minute
	recovery     = 20
)

// NewBucket makes a bucket for a plan: 2 and 50, Enterprise 5 and 250. Without a
// positive rate or burst it never makes anyone wait. startFull is for a process
// that doesn't know what was sent before it started: it begins as if the portal
// had just counted up to the limit.
func NewBucket(perSecond float64, burst int, startFull bool, now time.Time) Bucket {
	b := Bucket{state: BucketState{At: now}}
	if perSecond > 0 && burst > 0 && !math.IsInf(perSecond, 0) {
		b.rate = perSecond
		b.limit = max(float64(burst)-perSecond, float64(burst)/2, 1)
	}
	if startFull {
		b.state.Level = b.limit
	}
	return b
}

// Take counts one request and returns 0, or returns how long to wait before
// asking again and counts nothing. After exactly that wait it returns 0, if
// nobody else took the place.
func (b *Bucket) Take(now time.Time) time.Duration {
	if b.rate == 0 {
		return 0
	}
	if fault.Wrong("pace-ignored") {
		return 0
	}
	b.leak(now)
	wait := time.Duration(0)
	if surplus := b.state.Level + 1 - b.limit; surplus > tolerance {
		wait = time.Duration(math.Ceil(surplus / b.rate * float64(time.Second)))
	}
	if wait = max(wait, b.state.Until.Sub(now)); wait > 0 {
		return wait
	}
	b.state.Level++
	if b.state.Passed++; b.state.Passed >= recovery {
		b.state.Passed = 0
		b.state.Refusals = max(0, b.state.Refusals-1)
	}
	return 0
}

// tolerance absorbs the rounding of nanoseconds and of adding many fractions.
const tolerance = 1e-6

// Refused tells the bucket that the portal refused a request for its pace:
// somebody else uses the same allowance. The bucket counts as full and pauses,
// longer each time; refusals of requests that were out together count once.
func (b *Bucket) Refused(now time.Time) {
	if b.rate == 0 {
		return
	}
	b.leak(now)
	b.state.Level = b.limit
	b.state.Passed = 0
	if now.Before(b.state.Until) {
		return
	}
	pause := longestPause
	if b.state.Refusals < 6 {
		pause = min(longestPause, firstPause<<b.state.Refusals)
		b.state.Refusals++
	}
	b.state.Until = now.Add(pause)
}

// leak brings the level up to now. A clock that jumped back leaks nothing.
func (b *Bucket) leak(now time.Time) {
	if elapsed := now.Sub(b.state.At).Seconds(); elapsed > 0 {
		b.state.Level = max(0, b.state.Level-elapsed*b.rate)
	}
	if b.state.Until.Sub(now) > longestPause {
		b.state.Until = now.Add(longestPause)
	}
	b.state.At = now
}

// State is what to store.
func (b *Bucket) State() BucketState { return b.state }

// Restore continues from a stored state. A state that can't be right (a
// negative level, one from the future) is read as a full bucket.
func (b *Bucket) Restore(s BucketState, now time.Time) {
	if !(s.Level >= 0) || s.At.After(now) || s.Refusals < 0 || s.Passed < 0 {
		s.Level, s.At, s.Refusals, s.Passed = b.limit, now, max(0, s.Refusals), max(0, s.Passed)
	}
	s.Level, s.Refusals = min(s.Level, b.limit), min(s.Refusals, 6)
	b.state = s
	b.leak(now)
}
