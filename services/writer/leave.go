package writer

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// This file decides whether a request leaves now, and whether alone or packed.

// few is how many units may be at the portal's door at once without being packed: each
// leaves alone and has its answer soonest. Where nothing is live nobody gains by that.
const few = 2

// pack chooses what leaves now, or says how long to wait for more.
func (g *gateway) pack(now time.Time) (*packing, time.Duration) {
	live, all := g.queue.lanes[priorityLive].waiting+g.aboard[1], len(g.queue.waiting)+g.aboard[0]+g.aboard[1]
	lone := 1
	if live > 0 {
		lone = few
	}
	alone := g.failures > 0 || all <= lone && g.bucket.Room(now) >= len(g.queue.waiting) && !g.crowded.After(now)
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
				return p, 0
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
	if wait := g.departed.Add(g.gap(p, live, now)).Sub(now); wait > 0 && !p.full && p.size < p.most {
		return nil, wait
	}
	if len(p.passengers) == 1 && p.passengers[0].chain != nil {
		if single := newPacking(now, &g.budget, &g.durations, intents); single.alone(p.passengers[0].unit) {
			return single, 0
		}
	}
	return p, 0
}

// gap is how long after the one before a request leaves that is not full.
func (g *gateway) gap(p *packing, live int, now time.Time) time.Duration {
	switch {
	case !p.urgent:
		return g.bucket.Interval()
	case live <= few:
		return 0
	case g.bucket.Room(now) > 2*slots:
		return g.bucket.Interval() / 10 // long enough for those who come at once
	}
	return g.bucket.Interval()
}

// enough is how many writes keep the next requests full.
const enough = 3 * bitrix.MaxBatch

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
