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
// one second's leak in hand where burst allows it, and where the portal goes on
// refusing it yields: it takes a smaller part of the pace until that is enough. Who
// knows that others use the address gives rate and burst of his share at once. It is a
// plain value: not safe for concurrent use, and every method takes the time.
type Bucket struct {
	rate  float64
	limit float64
	state BucketState
	held  int // requests that were booked and did not leave yet
}

// BucketState is what a Bucket remembers. Storing it makes a restart harmless.
type BucketState struct {
	Level    float64   `json:"level"`            // requests the portal is thought to count now
	At       time.Time `json:"at"`               // when Level was right
	Until    time.Time `json:"until,omitzero"`   // nothing before this, after a refusal
	Refusals int       `json:"refusals"`         // sets how long the next pause is
	Passed   int       `json:"passed,omitzero"`  // requests since the last refusal
	Yielded  float64   `json:"yielded,omitzero"` // part of the pace left to the others behind our address
}

// The pause after a refusal doubles from firstPause to longestPause; every
// recovery requests without another one halve it again. Refusals that go on also take
// a part of the pace, down to leastPace of it, and recovery gives it back in steps.
const (
	firstPause   = time.Second
	longestPause = time.Minute
	recovery     = 20
	yieldTo      = 0.7
	leastPace    = 0.1
	regain       = 0.05
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
	wait, counted := b.take(now)
	if counted {
		b.state.Level++
	}
	return wait
}

// Book is Take for a request that leaves later. Nothing of it leaks away before Leave:
// the portal counts it when it comes, and what a slow disk held up may come at once.
// (How long the network takes is covered by what is kept in hand.)
func (b *Bucket) Book(now time.Time) time.Duration {
	wait, counted := b.take(now)
	if counted {
		b.held++
	}
	return wait
}

// Leave says that a booked request leaves now.
func (b *Bucket) Leave(now time.Time) {
	if b.held > 0 {
		b.leak(now)
		b.held--
		b.state.Level++
	}
}

// Cancel says that a booked request never left.
func (b *Bucket) Cancel() { b.held = max(0, b.held-1) }

// level is how many requests the portal is thought to count, with those on their way.
func (b *Bucket) level() float64 { return b.state.Level + float64(b.held) }

func (b *Bucket) take(now time.Time) (wait time.Duration, counted bool) {
	if fault.Wrong("pace-ignored") {
		return 0, false
	}
	if wait := b.Wait(now); b.rate == 0 || wait > 0 {
		return wait, false
	}
	if b.state.Passed++; b.state.Passed >= recovery {
		b.state.Passed = 0
		b.state.Refusals = max(0, b.state.Refusals-1)
		b.state.Yielded = max(0, b.state.Yielded-regain)
	}
	return 0, true
}

// Wait is how long Take would make a request wait now. It counts nothing.
func (b *Bucket) Wait(now time.Time) (wait time.Duration) {
	if b.rate == 0 {
		return 0
	}
	b.leak(now)
	if surplus := b.level() + 1 - b.limit; surplus > tolerance {
		wait = time.Duration(math.Ceil(surplus / b.pace() * float64(time.Second)))
	}
	return max(wait, b.state.Until.Sub(now))
}

// Load is how many requests the portal is thought to count now, at how many the next one
// waits, and the part of the pace that is left to others. Without a pace all are 0.
func (b *Bucket) Load(now time.Time) (level, limit, yielded float64) {
	b.leak(now)
	return b.level(), b.limit, b.state.Yielded
}

// Room is how many requests may leave at this moment.
func (b *Bucket) Room(now time.Time) int {
	if b.rate == 0 {
		return math.MaxInt
	}
	b.leak(now)
	if b.state.Until.After(now) {
		return 0
	}
	return max(0, int(b.limit-b.level()+tolerance))
}

// Interval is how far apart requests leave when the burst is used up.
func (b *Bucket) Interval() time.Duration {
	if b.rate == 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / b.pace())
}

// pace is the plan's rate without what is left to others.
func (b *Bucket) pace() float64 { return b.rate * (1 - b.state.Yielded) }

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
	if b.state.Refusals > 0 { // one alone may be the counters' difference
		b.state.Yielded = min(1-leastPace, 1-yieldTo*(1-b.state.Yielded))
	}
	if b.state.Refusals < 6 {
		pause = min(longestPause, firstPause<<b.state.Refusals)
		b.state.Refusals++
	}
	b.state.Until = now.Add(pause)
}

// leak brings the level up to now. A clock that jumped back leaks nothing.
func (b *Bucket) leak(now time.Time) {
	if elapsed := now.Sub(b.state.At).Seconds(); elapsed > 0 {
		b.state.Level = max(0, b.state.Level-elapsed*b.pace())
	}
	if b.state.Until.Sub(now) > longestPause {
		b.state.Until = now.Add(longestPause)
	}
	b.state.At = now
}

// State is what to store: what is booked counts, for it may leave after that.
func (b *Bucket) State() BucketState {
	s := b.state
	s.Level = min(b.level(), b.limit)
	return s
}

// Restore continues from a stored state. A state that can't be right (a
// negative level, one from the future) is read as a full bucket.
func (b *Bucket) Restore(s BucketState, now time.Time) {
	if !(s.Level >= 0) || s.At.After(now) || s.Refusals < 0 || s.Passed < 0 {
		s.Level, s.At, s.Refusals, s.Passed = b.limit, now, max(0, s.Refusals), max(0, s.Passed)
	}
	if !(s.Yielded >= 0 && s.Yielded <= 1-leastPace) {
		s.Yielded = 0
	}
	s.Level, s.Refusals = min(s.Level, b.limit), min(s.Refusals, 6)
	b.state = s
	b.leak(now)
}
