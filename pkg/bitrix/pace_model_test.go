package bitrix

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTheModelOfThePace plays a bucket against the portal's counter, which sinks
// steadily or once a second, with restarts that keep the state and other programs behind
// the same address. Our own requests never fill the counter; where others do, the bucket
// gives way and comes back; nobody waits longer than can be told.
func TestTheModelOfThePace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{0.5, 2, 5}).Draw(t, "rate")
		size := rapid.IntRange(int(2*rate)+1, 60).Draw(t, "burst")
		stepped := rapid.Bool().Draw(t, "the counter sinks once a second")
		phase := time.Duration(rapid.IntRange(0, 999).Draw(t, "phase")) * time.Millisecond
		counter := func() *counter {
			return &counter{rate: rate, limit: float64(size), at: noon.Add(-phase), stepped: stepped}
		}
		real, ours := counter(), counter() // with the others' requests, and without
		b, now := NewBucket(rate, size, false, noon), noon
		longest := longestPause + time.Duration(10/rate*float64(time.Second)) + time.Second
		request := func() bool {
			if wait := b.Take(now); wait > 0 {
				if wait > longest {
					t.Fatalf("a wait of %s, want at most %s: %+v", wait, longest, b.State())
				}
				if now = now.Add(wait); b.Take(now) != 0 {
					t.Fatalf("after waiting exactly %s more is to be waited: %+v", wait, b.State())
				}
			}
			accepted, alone := real.request(now), *ours
			if !alone.request(now) {
				t.Fatalf("our requests alone fill the portal's counter at %s: bucket %+v, counter %+v", now.Sub(noon), b.State(), ours)
			}
			if !accepted {
				b.Refused(now)
				return false
			}
			*ours = alone
			return true
		}
		t.Repeat(map[string]func(*rapid.T){
			"request": func(*rapid.T) { request() },
			"burst": func(*rapid.T) {
				for range 20 {
					request()
				}
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			},
			"another program": func(t *rapid.T) {
				for range rapid.IntRange(1, 60).Draw(t, "its requests") {
					real.request(now)
				}
			},
			"restart": func(t *rapid.T) {
				stored, err := json.Marshal(b.State())
				if err != nil {
					t.Fatal(err)
				}
				var state BucketState
				if err := json.Unmarshal(stored, &state); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "down for ms")) * time.Millisecond)
				b = NewBucket(rate, size, true, now)
				b.Restore(state, now)
			},
		})
		// The others are gone: after a while nothing is refused any more.
		now = now.Add(time.Duration(float64(size) / rate * float64(time.Second)))
		for range 10 {
			request()
		}
		for i := range 50 {
			if !request() {
				t.Fatalf("alone with the portal, request %d is refused: bucket %+v, counter %+v", i, b.State(), real)
			}
		}
	})
}
