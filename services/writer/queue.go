package writer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
)

// Lanes of what waits for the portal, the first served first.
const (
	priorityLive = iota
	prioritySearch
	priorityBacklog
	priorities
)

// priorityOf is the lane of a call that came at since.
func priorityOf(since, now time.Time) int {
	if now.Sub(since) > crm.LiveFor {
		return priorityBacklog
	}
	return priorityLive
}

// unit is what a call wants of the portal next. It has commands of its own, or a
// question that can be asked together with those of other calls.
type unit struct {
	what string // look-up, or the step of the call's move
	// client is whose turn it is when calls of many wait.
	client   string
	priority int
	// since is when the call came: among equals the older one goes first.
	since time.Time

	// chain goes as a request of its own, in which the portal stops at the first failure.
	// Nil where commands and questions do as well alone.
	chain []bitrix.Command
	// commands can travel with those of others: none needs another.
	commands []bitrix.Command
	// apart says that some of the commands may go without the others.
	apart bool
	find  *finding
	list  *listing
	// shared are commands that one unit brings along for all of its request.
	shared func() []bitrix.Command
	// company is the most commands its request may have; 0 is no limit.
	company int
	// prepare runs when it is the unit's turn, right before it leaves, and is told what
	// leaves; an error takes it out of the request.
	prepare func(sent []bitrix.Command, halt bool) error
	ctx     context.Context

	turn   int
	number int
	queued bool
	in     *packing // the last one that took it aboard

	answer bitrix.BatchAnswer
	err    error
	// together says that the question was asked with those of others.
	together bool
	done     chan struct{}
}

// alone asks the unit's question apart from those of others.
func (u *unit) alone() {
	if u.find != nil {
		ask := *u.find
		ask.single, u.find = true, &ask
	}
	if u.list != nil {
		ask := *u.list
		ask.single, u.list = true, &ask
	}
}

// queue holds what waits, in the order of its turns: by lane, within a lane a turn for
// each client, within a turn what others wait for and then the older call first. A call that goes on keeps its turn,
// so that what was begun is finished before more is begun.
type queue struct {
	waiting []*unit
	lanes   [priorities]lane
	number  int
}

type lane struct {
	waiting int
	turn    int
	last    map[string]turn
}

type turn struct {
	since time.Time
	turn  int
}

func order(a, b *unit) int {
	return cmp.Or(
		cmp.Compare(a.priority, b.priority), cmp.Compare(a.turn, b.turn), cmp.Compare(b.unlocks(), a.unlocks()),
		a.since.Compare(b.since), cmp.Compare(a.number, b.number),
	)
}

// unlocks is 1 for a unit of which more can be sent once it is done.
func (u *unit) unlocks() int {
	if len(u.chain) > len(u.commands) {
		return 1
	}
	return 0
}

func (q *queue) push(u *unit) {
	l := &q.lanes[u.priority]
	if l.last == nil {
		l.last = map[string]turn{}
	}
	u.turn = l.turn
	if last, ok := l.last[u.client]; ok {
		if last.since.Equal(u.since) {
			u.turn = last.turn
		} else {
			u.turn = max(l.turn, last.turn+1)
		}
	}
	l.last[u.client] = turn{u.since, u.turn}
	l.waiting++
	q.number++
	u.number, u.queued = q.number, true
	at, _ := slices.BinarySearchFunc(q.waiting, u, order)
	q.waiting = slices.Insert(q.waiting, at, u)
}

// remove takes a unit out and says whether it was there.
func (q *queue) remove(u *unit) bool {
	if !u.queued {
		return false
	}
	at, _ := slices.BinarySearchFunc(q.waiting, u, order)
	q.waiting = slices.Delete(q.waiting, at, at+1)
	u.queued = false
	l := &q.lanes[u.priority]
	if l.waiting--; l.waiting == 0 {
		l.last = nil
	}
	return true
}

// served notes whose turn it was.
func (q *queue) served(u *unit) {
	l := &q.lanes[u.priority]
	l.turn = max(l.turn, u.turn)
}

// live is where a unit that is out is counted, see [gateway.aboard].
func live(one *passenger) int {
	if one.priority == priorityLive {
		return 1
	}
	return 0
}
