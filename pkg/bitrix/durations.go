package bitrix

import (
	"strings"
	"time"
)

// Durations learns from answers how long each method takes on this portal, so that a
// batch is packed by time and not only by number: the portal cuts a request after a
// minute (https://apidocs.bitrix24.com/limits.html), and then nobody knows what of it
// was done. The zero value is ready. Not safe for concurrent use.
type Durations struct{ by map[string]time.Duration }

// What a method is expected to take before it was ever answered: writing starts a
// portal's automation, reading does not.
const (
	writingTakes = 400 * time.Millisecond
	readingTakes = 100 * time.Millisecond
)

// Of is how long one command of the method is expected to take.
func (d *Durations) Of(method string) time.Duration {
	method = strings.ToLower(method)
	if known, ok := d.by[method]; ok {
		return known
	}
	for _, verb := range []string{".add", ".update", ".complete"} {
		if strings.HasSuffix(method, verb) {
			return writingTakes
		}
	}
	return readingTakes
}

// AtMost is what to book for one command in a Budget: more than is expected where the
// method was never answered.
func (d *Durations) AtMost(method string) time.Duration {
	if _, known := d.by[strings.ToLower(method)]; known {
		return d.Of(method)
	}
	return 5 * d.Of(method) / 2
}

// Observe learns from an answer; one without a duration teaches nothing. A portal that
// became slower is believed sooner than one that became faster.
func (d *Durations) Observe(method string, t Time) {
	took := time.Duration(max(t.Duration, t.Processing) * float64(time.Second))
	if took <= 0 {
		return
	}
	expected := d.Of(method)
	if took > expected {
		d.set(method, expected+(took-expected)/3)
		return
	}
	d.set(method, expected-(expected-took)/8)
}

// Cut notes that a request with the method was cut for its time: it takes longer than
// was thought.
func (d *Durations) Cut(method string) {
	d.set(method, min(d.Of(method)*3/2, time.Minute))
}

func (d *Durations) set(method string, expected time.Duration) {
	if d.by == nil {
		d.by = map[string]time.Duration{}
	}
	d.by[strings.ToLower(method)] = max(expected, time.Millisecond)
}
