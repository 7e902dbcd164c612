package bitrix

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// counter is the portal's side of the pace, in the two ways it may sink.
type counter struct {
	level, rate, limit float64
	at                 time.Time
	stepped            bool
}

func (c *counter) request(now time.Time) bool {
	if c.stepped {
		for !c.at.Add(time.Second).After(now) {
			c.at = c.at.Add(time.Second)
			c.level = max(0, c.level-c.rate)
		}
	} else {
		c.level = max(0, c.level-c.rate*now.Sub(c.at).Seconds())
		c.at = now
	}
	if c.level+1 > c.limit+1e-6 {
		return false
	}
	c.level++
	return true
}

func TestThePortalNeverHasToRefuse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{0.5, 2, 5}).Draw(t, "rate")
		burst := rapid.IntRange(int(2*rate)+1, 60).Draw(t, "burst")
		phase := time.Duration(rapid.IntRange(0, 999).Draw(t, "phase")) * time.Millisecond
		steady := &counter{rate: rate, limit: float64(burst), at: noon}
		stepped := &counter{rate: rate, limit: float64(burst), at: noon.Add(-phase), stepped: true}
		b := NewBucket(rate, burst, false, noon)
		now := noon
		for range 150 {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 300, 5000}).Draw(t, "idle")) * time.Millisecond)
			if wait := b.Take(now); wait > 0 {
				now = now.Add(wait)
				if more := b.Take(now); more != 0 {
					t.Fatalf("after waiting %v: wait %v more", wait, more)
				}
			}
			if !steady.request(now) || !stepped.request(now) {
				t.Fatalf("the portal refuses at %v: bucket %+v, counters %+v %+v", now.Sub(noon), b.State(), steady, stepped)
			}
		}
	})
}

func TestABacklogDrainsAtThePlansPace(t *testing.T) {
	b := NewBucket(2, 50, false, noon)
	now, atOnce := noon, 0
	for range 500 {
		wait := b.Take(now)
		if wait > 0 {
			now = now.Add(wait)
			if b.Take(now) != 0 {
				t.Fatal("the wait was too short")
			}
		} else if now.Equal(noon) {
			atOnce++
		}
	}
	if atOnce != 48 {
		t.Errorf("%d requests at once, want 48: the plan's 50 less one second's leak", atOnce)
	}
	if took := now.Sub(noon).Seconds(); math.Abs(took-(500-48)/2.0) > 0.01 {
		t.Errorf("500 requests took %.2f s, want 226", took)
	}
}

func TestAfterARestartTheBucketAssumesThePortalRemembers(t *testing.T) {
	b := NewBucket(2, 50, true, noon)
	if wait := b.Take(noon); wait != 500*time.Millisecond {
		t.Errorf("first wait %v, want 500ms", wait)
	}
}

func TestWithoutAPaceNobodyWaits(t *testing.T) {
	for _, b := range []Bucket{NewBucket(0, 50, true, noon), NewBucket(2, 0, true, noon), NewBucket(math.Inf(1), 5, true, noon), {}} {
		b.Refused(noon)
		for range 1000 {
			if wait := b.Take(noon); wait != 0 {
				t.Fatalf("%+v: wait %v", b, wait)
			}
		}
	}
}

func TestRefusalsPauseLongerEachTimeAndAreForgotten(t *testing.T) {
	b, now := NewBucket(2, 50, false, noon), noon
	for i, want := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		b.Refused(now)
		b.Refused(now.Add(time.Millisecond)) // another request that was out
		wait := b.Take(now)
		if wait != time.Duration(want)*time.Second {
			t.Fatalf("pause %d: %v, want %d s", i+1, wait, want)
		}
		now = now.Add(wait)
	}
	for range 20 * 3 {
		if wait := b.Take(now); wait > 0 {
			now = now.Add(wait)
			b.Take(now)
		}
	}
	b.Refused(now)
	if wait := b.Take(now); wait != 8*time.Second {
		t.Errorf("after 60 good requests: pause %v, want 8s, three steps down from 60", wait)
	}
}

func TestAfterARefusalTheBucketCountsAsFull(t *testing.T) {
	b := NewBucket(2, 50, false, noon)
	b.Refused(noon)
	now, sent := noon.Add(time.Second), 0
	for b.Take(now) == 0 {
		sent++
	}
	if sent != 2 {
		t.Errorf("%d requests a second after the refusal, want the 2 that leaked", sent)
	}
}

func TestTheBucketSurvivesItsStorage(t *testing.T) {
	b := NewBucket(2, 50, false, noon)
	for range 48 {
		b.Take(noon)
	}
	b.Refused(noon)
	stored, err := json.Marshal(b.State())
	if err != nil {
		t.Fatal(err)
	}
	var state BucketState
	if err := json.Unmarshal(stored, &state); err != nil {
		t.Fatal(err)
	}
	again := NewBucket(2, 50, false, noon)
	again.Restore(state, noon.Add(3*time.Second))
	for i := range 10 {
		at := noon.Add(time.Duration(3000+100*i) * time.Millisecond)
		if got, want := again.Take(at), b.Take(at); got != want {
			t.Fatalf("at %v: restored waits %v, the original %v", at, got, want)
		}
	}
}

func TestAStateThatCannotBeRightIsAFullBucket(t *testing.T) {
	for _, s := range []BucketState{{Level: -5, At: noon}, {Level: math.NaN(), At: noon}, {At: noon.Add(time.Hour)}, {Level: 1e9, At: noon}, {At: noon, Refusals: -1}} {
		b := NewBucket(2, 50, false, noon)
		b.Restore(s, noon)
		if wait := b.Take(noon); wait != 500*time.Millisecond {
			t.Errorf("%+v: wait %v, want 500ms", s, wait)
		}
	}
}

func TestAClockThatJumpsBackNeitherLeaksNorStalls(t *testing.T) {
	b := NewBucket(2, 10, true, noon)
	b.Refused(noon)
	past := noon.Add(-24 * time.Hour)
	wait := b.Take(past)
	if wait < 500*time.Millisecond || wait > longestPause {
		t.Errorf("a day back: wait %v, want at most a minute", wait)
	}
	if again := b.Take(past.Add(wait)); again != 0 {
		t.Errorf("after the wait: %v more", again)
	}
}

// TestWhoSharesTheAddressIsYieldedToAndForgotten puts another program behind the same
// address, which uses half of the plan for a while.
func TestWhoSharesTheAddressIsYieldedToAndForgotten(t *testing.T) {
	portal := &counter{rate: 2, limit: 50, at: noon}
	b, now := NewBucket(2, 50, false, noon), noon
	other := noon
	minute := func(shared bool) (sent, refused int) {
		for end := now.Add(time.Minute); now.Before(end); {
			for ; shared && !other.After(now); other = other.Add(time.Second) {
				portal.request(other)
			}
			if wait := b.Take(now); wait > 0 {
				now = now.Add(min(wait, 100*time.Millisecond))
				continue
			}
			if sent++; !portal.request(now) {
				refused++
				b.Refused(now)
			}
		}
		other = now
		return sent, refused
	}
	for range 10 {
		minute(true)
	}
	sent, refused := 0, 0
	for range 20 {
		s, r := minute(true)
		sent, refused = sent+s, refused+r
	}
	if refused > sent/20 || sent < 20*60*6/10 {
		t.Errorf("beside another program: %d of %d requests refused in 20 minutes, want at most one in 20 and at least 720 sent", refused, sent)
	}
	for range 20 {
		minute(false)
	}
	if sent, refused := minute(false); refused != 0 || sent < 118 {
		t.Errorf("alone again: %d sent and %d refused in a minute, want the plan's 120 and none", sent, refused)
	}
}

func TestTheLoadIsWhatThePortalIsThoughtToCountByNow(t *testing.T) {
	b := NewBucket(2, 50, true, noon)
	if level, limit, yielded := b.Load(noon); level != 48 || limit != 48 || yielded != 0 {
		t.Errorf("at the start: %v of %v, yielded %v; want 48 of 48, nothing yielded", level, limit, yielded)
	}
	if level, _, _ := b.Load(noon.Add(10 * time.Second)); level != 28 {
		t.Errorf("ten seconds later: %v, want 28", level)
	}
}

func TestABookedRequestLeaksAwayOnlyOnceItLeft(t *testing.T) {
	b := NewBucket(2, 50, false, noon)
	for range 10 {
		b.Book(noon)
	}
	later := noon.Add(3 * time.Second)
	if level, _, _ := b.Load(later); level != 10 {
		t.Errorf("ten booked requests count %.1f after three seconds, want 10: the portal did not see them yet", level)
	}
	for range 4 {
		b.Leave(later)
	}
	for range 5 {
		b.Cancel()
	}
	if got := b.State().Level; got != 5 {
		t.Errorf("four that left, five that never will and one that waits are stored as %.1f, want 5", got)
	}
	if level, _, _ := b.Load(later.Add(time.Minute)); level != 1 {
		t.Errorf("a minute later %.1f are counted, want the 1 that waits", level)
	}
	b.Cancel()
	b.Leave(later.Add(time.Minute)) // of none that was booked
	if level, _, _ := b.Load(later.Add(time.Minute)); level != 0 {
		t.Errorf("%.1f are counted at the end, want none", level)
	}
}

func TestBookedRequestsFillTheBucketAsOthersDo(t *testing.T) {
	b := NewBucket(2, 50, false, noon)
	for i := range 48 {
		if wait := b.Book(noon); wait != 0 {
			t.Fatalf("request %d waits %v, want none to wait", i, wait)
		}
	}
	if wait, room := b.Book(noon), b.Room(noon); wait == 0 || room != 0 {
		t.Errorf("after 48: wait %v and room for %d, want a wait and no room", wait, room)
	}
	unlimited := NewBucket(0, 0, false, noon)
	unlimited.Book(noon)
	unlimited.Leave(noon)
	if level, _, _ := unlimited.Load(noon); level != 0 {
		t.Errorf("without a pace %.1f are counted, want none", level)
	}
}
