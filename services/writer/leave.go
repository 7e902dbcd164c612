package writer

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// This file decides whether a request leaves now, and whether alone or packed.

// few is up to how many live units at the portal's door make no crowd: none waits for
// more to come.
const few = 2

// pack chooses what leaves now, or says how long to wait for more.
func (g *gateway) pack(now time.Time) (*packing, time.Duration) {
	live, all := g.queue.lanes[priorityLive].waiting+g.aboard[1], len(g.queue.waiting)+g.aboard[0]+g.aboard[1]
	alone := g.failures > 0 || all <= 1 && g.bucket.Room(now) >= len(g.queue.waiting) && !g.crowded.After(now)
	// Storing the intents of one request takes well below their age, else a slow disk
	// would stop everything.
	intents := max(1, int(g.intentAge/2/max(g.storing, time.Microsecond)))
	p := newPacking(now, &g.budget, &g.durations, intents)
	if !alone {
		g.start(p)
	}
	for _, u := range g.queue.waiting {
		if u.in == p {
			continue
		}
		if u.priority != priorityLive && g.patient >= slots-kept {
			break
		}
		if alone {
			if p.alone(u) {
				if p.urgent {
					return p, 0
				}
				return p, g.began.Add(g.bucket.Interval() / 100).Sub(now)
			}
			continue
		}
		if p.add(u); p.size >= p.most {
			break
		}
	}
	if p.size == 0 {
		if p.until.After(now) {
			return nil, p.until.Sub(now)
		}
		return nil, forever
	}
	if wait := g.leaves(p, live, now).Sub(now); wait > 0 && !p.full && p.size < p.most {
		return nil, wait
	}
	if len(p.passengers) == 1 && p.passengers[0].chain != nil {
		if single := newPacking(now, &g.budget, &g.durations, intents); single.alone(p.passengers[0].unit) {
			return single, 0
		}
	}
	return p, 0
}

// leaves is when a request goes that is not full. Those that come at once are given time
// to. What is not live, or stays behind for a budget that the requests which are out may
// give back, can wait for what they bring: as long as the bucket is in use, what is not
// sent now can be sent later.
func (g *gateway) leaves(p *packing, live int, now time.Time) time.Time {
	pace, plenty := g.bucket.Interval(), g.bucket.Room(now) > 2*slots
	gap, together := pace, pace/10 // long enough for those who come at once
	switch {
	case p.urgent && live <= 1:
		return now
	case p.urgent && live <= few:
		gap, together = 0, pace/100
	case g.inFlight > 0 && (p.short && live > bitrix.MaxBatch || !p.urgent && (p.short || !plenty)):
		gap = max(pace, liveRequest)
	case p.urgent && plenty:
		gap = pace / 10
	}
	return later(g.departed.Add(gap), g.began.Add(together))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// enough is how many writes keep the requests full that leave until a call which is
// looked up now has gone its way.
const enough = 8 * bitrix.MaxBatch

// start takes some look-ups aboard before anything else where too few writes wait to
// keep the next requests full: a call that is looked up last is written last, and at the
// end of a backlog its steps would travel in empty requests.
func (g *gateway) start(p *packing) {
	writes := 0
	for _, u := range g.queue.waiting {
		if u.chain != nil {
			writes++
		}
		if writes > enough || p.size >= bitrix.MaxBatch/5 || u.priority != g.queue.waiting[0].priority ||
			u.priority != priorityLive && g.patient >= slots-kept {
			return
		}
		if u.find != nil {
			p.add(u)
		}
	}
}
