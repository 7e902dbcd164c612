package writer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// This file packs what waits into one request: it chooses and takes nothing.

// How long a request may be expected to take. The portal cuts it at 60 s; a call that
// is live must not wait long for what is not.
const (
	longRequest = 20 * time.Second
	liveRequest = 2 * time.Second
)

// request is what leaves together.
type request struct {
	commands   []bitrix.Command
	halt       bool
	urgent     bool // somebody waits for it now
	passengers []*passenger
	takes      map[string]time.Duration // what is booked in the budget, by method
	left       bool                     // the portal counts it
}

// passenger is a unit with what of the request is its own.
type passenger struct {
	*unit
	commands []bitrix.Command
	question string // the name of its question in the request
}

// packing is a request that is being packed.
type packing struct {
	request
	now       time.Time
	budget    *bitrix.Budget
	durations *bitrix.Durations
	intents   int // how many units with something to store may still come along

	questions []*question
	shared    []bitrix.Command
	size      int
	most      int
	took      time.Duration
	room      map[string]time.Duration
	until     time.Time // when a method that was in the way may be asked again
	full      bool      // somebody had to stay behind for lack of space
	short     bool      // somebody had to stay behind for lack of a method's budget
}

func newPacking(now time.Time, budget *bitrix.Budget, durations *bitrix.Durations, intents int) *packing {
	return &packing{
		request: request{takes: map[string]time.Duration{}}, now: now, budget: budget, durations: durations, intents: intents,
		most: bitrix.MaxBatch, room: map[string]time.Duration{},
	}
}

// alone packs one unit as a request of its own, in one chain where it has one and every
// method of it has room.
func (p *packing) alone(u *unit) bool {
	if u.chain == nil || !p.afford(u, u.chain) {
		return p.add(u)
	}
	p.request.commands, p.halt = u.chain, true
	p.board(u, u.chain, u.chain)
	return true
}

// add takes a unit aboard, or part of it where it may go apart. It says whether it did.
func (p *packing) add(u *unit) bool {
	if u.prepare != nil && p.intents == 0 {
		p.full = true
		return false
	}
	var shared []bitrix.Command
	if u.shared != nil {
		for _, c := range u.shared() {
			if !p.taken([]bitrix.Command{c}) {
				shared = append(shared, c)
			}
		}
	}
	own, asks := u.commands, (*question)(nil)
	join := -1
	if u.find != nil && len(u.find.spellings) > 0 || u.list != nil {
		asks = &question{find: u.find, list: u.list, name: fmt.Sprintf("q%d_", len(p.questions)), units: []*unit{u}}
		own = asks.commands()
		for i, q := range p.questions {
			if more := q.with(u); more != nil {
				join, asks = i, more
				own = more.commands()[len(q.commands()):] // what it takes more
				break
			}
		}
	}
	if u.apart {
		if own = p.part(u); len(own) == 0 {
			return false
		}
	}
	costs := slices.Concat(shared, own)
	if asks == nil && p.taken(own) {
		return false
	}
	if !p.afford(u, costs) {
		p.short = true
		return false
	}
	if !p.fits(u, costs) {
		return false
	}
	p.shared = append(p.shared, shared...)
	switch {
	case join >= 0:
		p.questions[join] = asks
		own = nil
	case asks != nil:
		p.questions = append(p.questions, asks)
		own = nil
	default:
		p.request.commands = append(p.request.commands, own...)
	}
	p.board(u, own, costs)
	return true
}

// taken says that a key is in use: two units ask for the same, and one waits.
func (p *packing) taken(commands []bitrix.Command) bool {
	return slices.ContainsFunc(commands, func(c bitrix.Command) bool {
		same := func(o bitrix.Command) bool { return o.Key == c.Key }
		return slices.ContainsFunc(p.shared, same) || slices.ContainsFunc(p.request.commands, same)
	})
}

// part is what of a unit's commands there is room for.
func (p *packing) part(u *unit) (part []bitrix.Command) {
	for _, c := range u.commands {
		more := append(part[:len(part):len(part)], c)
		if !p.afford(u, more) {
			p.short = true
		} else if p.fits(u, more) {
			part = more
		}
	}
	return part
}

func (p *packing) board(u *unit, own, costs []bitrix.Command) {
	p.passengers, u.in = append(p.passengers, &passenger{unit: u, commands: own}), p
	p.urgent = p.urgent || u.priority == priorityLive
	if u.company > 0 {
		p.most = min(p.most, u.company)
	}
	if u.prepare != nil {
		p.intents--
	}
	for _, c := range costs {
		expected := p.durations.AtMost(c.Method)
		p.size++
		p.took += p.durations.Of(c.Method)
		p.takes[c.Method] += expected
		p.takes["batch"] += expected
		for _, method := range []string{c.Method, "batch"} {
			for _, urgent := range []string{"", "!"} {
				if left, known := p.room[method+urgent]; known {
					p.room[method+urgent] = left - expected
				}
			}
		}
	}
}

// fits says whether so many commands more find a place beside those that are there.
func (p *packing) fits(u *unit, more []bitrix.Command) bool {
	if p.size == 0 {
		return true
	}
	long := longRequest
	if p.urgent && u.priority != priorityLive {
		long = liveRequest
	}
	took := p.took
	for _, c := range more {
		took += p.durations.Of(c.Method)
	}
	switch {
	case p.size+len(more) > p.most, took > longRequest:
		p.full = true
		return false
	case took > long, u.company > 0 && p.size+len(more) > u.company:
		return false
	}
	return true
}

// afford says whether every method of these commands has room.
func (p *packing) afford(u *unit, commands []bitrix.Command) bool {
	spent := map[string]time.Duration{}
	for _, c := range commands {
		for _, method := range []string{c.Method, "batch"} {
			if p.left(method, u.priority == priorityLive)-spent[method] <= 0 {
				return false
			}
			spent[method] += p.durations.AtMost(c.Method)
		}
	}
	return true
}

func (p *packing) left(method string, urgent bool) time.Duration {
	key := method
	if urgent {
		key += "!"
	}
	left, known := p.room[key]
	if !known {
		var until time.Time
		if left, until = p.budget.Room(method, urgent, p.now); left <= 0 && (p.until.IsZero() || until.Before(p.until)) {
			p.until = until
		}
		left -= p.takes[method]
		p.room[key] = left
	}
	return left
}

// close is the request as it leaves.
func (p *packing) close() *request {
	commands := slices.Clone(p.shared)
	for _, q := range p.questions {
		words := q.commands()
		commands = append(commands, words...)
		for _, one := range p.passengers {
			if slices.Contains(q.units, one.unit) {
				one.commands, one.question, one.together = words, q.name, len(q.units) > 1
			}
		}
	}
	p.request.commands = append(commands, p.request.commands...)
	for _, one := range p.passengers {
		if one.shared != nil {
			one.commands = slices.Concat(one.commands, p.shared)
		}
	}
	return &p.request
}

// of is what an answer says to one passenger.
func (one *passenger) of(outcomes map[string]bitrix.Outcome, answer bitrix.BatchAnswer) bitrix.BatchAnswer {
	own := bitrix.BatchAnswer{Time: answer.Time, Moved: answer.Moved}
	for _, c := range one.commands {
		o, there := outcomes[c.Key]
		if !there { // an answer that is missing is no answer, least of all "nothing found"
			o = bitrix.BatchAnswer{}.Get(c.Key)
		}
		o.Key = strings.TrimPrefix(o.Key, one.question) // how it was asked is nothing to the asker
		own.Outcomes = append(own.Outcomes, o)
	}
	return own
}

func (one *passenger) brings(c bitrix.Command) bool {
	return slices.ContainsFunc(one.commands, func(o bitrix.Command) bool { return o.Key == c.Key })
}

// without drops a passenger who can't leave, with what only he brought.
func (r *request) without(one *passenger) {
	r.passengers = slices.DeleteFunc(r.passengers, func(o *passenger) bool { return o == one })
	r.commands = slices.DeleteFunc(slices.Clone(r.commands), func(c bitrix.Command) bool {
		return one.brings(c) && !slices.ContainsFunc(r.passengers, func(o *passenger) bool { return o.brings(c) })
	})
}
