package bus

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// dropError says that trying again cannot help.
type dropError struct{ err error }

func (e *dropError) Error() string { return e.err.Error() }
func (e *dropError) Unwrap() error { return e.err }

// Drop marks an error that trying again cannot cure: the event is given up, and the
// work's Dropped says what follows.
func Drop(err error) error { return &dropError{err} }

type retryError struct {
	err error
	in  time.Duration
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }

// RetryIn marks an error after which the event should be tried again in d. Its lane
// waits; the other lanes go on.
func RetryIn(d time.Duration, err error) error { return &retryError{err, d} }

const retryHeader = "ringbridge-retry-in"

// steer leaves the wish of a handler's error where the reader finds it: watermill's
// Nack carries no delay.
func steer(m *message.Message, err error) {
	var retry *retryError
	if errors.As(err, &retry) {
		m.Metadata.Set(retryHeader, retry.in.String())
	}
}

// retryWish is the wait that a handler's error asked for.
func retryWish(m *message.Message) (time.Duration, bool) {
	d, err := time.ParseDuration(m.Metadata.Get(retryHeader))
	return d, err == nil
}

// backoff is 100 ms doubling to 30 s, with a fifth of chance so that many lanes don't
// knock at once.
func backoff(attempt int) time.Duration {
	d := min(100*time.Millisecond<<min(attempt-1, 10), 30*time.Second)
	return d + time.Duration(rand.Int64N(int64(d)/5))
}
