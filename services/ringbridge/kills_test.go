//go:build faults

package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var kills = flag.Int("kills", 100, "how many processes the test of named points kills")

// lanesOfKills are how many houses are worked at once: most of a life is waiting for the
// disk, for a doubt to settle, or for a death by chance.
const lanesOfKills = 4

// killsPerHouse is when a house is judged and left for a new one: its data grow, and so
// does the time that a start and the last look take.
const killsPerHouse = 100

// killCount is what was done and found.
type killCount struct {
	mu                             sync.Mutex
	named, random, calls, requests int
	lost, doubled                  int
	rest                           time.Duration  // the longest that a house took to come to rest
	restless                       atomic.Int64   // houses that came to no rest, and so were not judged
	died                           map[string]int // by point
	deck                           []string
	dice                           *rand.Rand
	missed                         map[string]int // points that were not reached in time
}

// TestKilledAtNamedPointsNothingIsLostOrDoubled starts the real process again and again
// with a point at which it ends by SIGKILL, or kills it at any time, also while it
// recovers from the last kill. Calls come all the while, their sender repeats what was
// not answered 200, and the portal loses answers. In the end every call that was
// answered 200 must have led to exactly what it should have: nothing less, nothing twice.
// A seed repeats the points and the calls, not the moments.
//
//	go test -tags faults ./services/ringbridge -run TestKilledAtNamedPoints -kills 2000 -v
func TestKilledAtNamedPointsNothingIsLostOrDoubled(t *testing.T) {
	seed := *simSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	points := killPoints(t)
	count := &killCount{died: map[string]int{}, missed: map[string]int{}, dice: rand.New(rand.NewPCG(seed, 0))}
	begun := time.Now()
	var lanes sync.WaitGroup
	for lane := range lanesOfKills {
		lanes.Go(func() {
			share := (*kills + lane) / lanesOfKills
			for round := 0; share > 0 && !t.Failed(); round++ {
				n := min(share, killsPerHouse)
				share -= n
				t.Run(fmt.Sprintf("house %d.%d", lane, round), func(t *testing.T) {
					dice := rand.New(rand.NewPCG(seed, uint64(1+lane+round*lanesOfKills)))
					openKillHouse(t, dice, count, points).round(n)
				})
			}
		})
	}
	lanes.Wait()
	spent := time.Since(begun)
	if len(count.missed) > 0 {
		t.Logf("not reached in time, and killed then: %v", count.missed)
	}
	t.Logf("%d kills (%d at a named point, %d at random) at %d of %d points, %d calls, %d requests at the portal: %d lost, %d doubled, in %.0f s (at rest at most %.1f s after the last start)",
		count.named+count.random, count.named, count.random, len(count.died), len(points), count.calls, count.requests,
		count.lost, count.doubled, spent.Seconds(), count.rest.Seconds())
	if n := count.restless.Load(); n > 0 {
		t.Errorf("%d houses came to no rest: what they lost is not counted", n)
	}
	if *kills >= 2*len(points) && len(count.died) < len(points) {
		for _, p := range points {
			if count.died[p] == 0 {
				t.Errorf("no process died at the point %q", p)
			}
		}
	}
}

// next is the point whose turn it is: each comes once before any comes again.
func (c *killCount) next(points []string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.deck) == 0 {
		c.deck = append(c.deck, points...)
		c.dice.Shuffle(len(c.deck), func(i, j int) { c.deck[i], c.deck[j] = c.deck[j], c.deck[i] })
	}
	point := c.deck[0]
	c.deck = c.deck[1:]
	return point
}

// killed counts a death: at the point, or by the test's hand, because the dice said so
// or because the point was not reached. Then its turn comes once more.
func (c *killCount) killed(point string, atPoint bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case atPoint:
		c.named++
		c.died[point]++
		return
	case point != "":
		c.missed[point]++
		c.deck = append(c.deck, point)
	}
	c.random++
}

// rested notes how long a house took after its last start.
func (c *killCount) rested(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rest = max(c.rest, d)
}

// oncePerLife are points that a process passes once, or a few times in its start.
func oncePerLife(point string) bool {
	for _, prefix := range []string{"start/", "stop/", "bus/", "reader/", "publish/event.shop.settings", "store/settings"} {
		if strings.HasPrefix(point, prefix) {
			return true
		}
	}
	return strings.HasSuffix(point, "/opened")
}

// pass draws at which pass of a point the process dies: the first one where it was not
// reached before.
func (c *killCount) pass(point string, dice *rand.Rand) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if oncePerLife(point) || c.missed[point] > c.died[point] {
		return 1
	}
	return 1 + dice.IntN(3)
}
