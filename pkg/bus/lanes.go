package bus

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	wmnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// subscription is one running read: it lasts as long as the reader's lease.
type subscription struct {
	reading
	pull     []jetstream.PullConsumeOpt
	log      *zap.Logger
	stopping <-chan struct{}
	handling context.Context
	abandon  context.CancelFunc
	out      chan *message.Message
	done     chan struct{}

	mu      sync.Mutex
	lanes   map[string][]*delivery // a key is present while its lane waits or is worked
	waiting map[string]bool        // lanes that wait for a place
	ready   [2][]string            // the same in the order of their turns: what is urgent, the others
	working int
	held    map[*delivery]struct{}
	work    sync.WaitGroup
	shut    bool
}

type delivery struct {
	jetstream.Msg
	urgent bool
}

// deliver puts a message into its lane and starts the lane if nobody works it and there
// is a place.
func (s *subscription) deliver(m jetstream.Msg) {
	if Held(s.handling) != nil {
		giveBack(m, s.log)
		return
	}
	d := &delivery{Msg: m}
	lane, urgent := s.laneOf(d)
	d.urgent = urgent
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return
	}
	s.held[d] = struct{}{}
	queue, there := s.lanes[lane]
	s.lanes[lane] = append(queue, d)
	if !there || urgent && s.waiting[lane] {
		s.lineUp(lane, urgent)
	}
	s.startLanes()
}

// lineUp lets a lane wait for a place. One that waits already moves to those that are
// urgent: what is in front of an urgent event in its lane is as urgent.
func (s *subscription) lineUp(lane string, urgent bool) {
	if s.waiting == nil {
		s.waiting = map[string]bool{}
	}
	s.waiting[lane] = true
	which := 1
	if urgent {
		which = 0
	}
	s.ready[which] = append(s.ready[which], lane)
}

// startLanes gives the free places to the lanes that wait. A quarter of the places is
// only for what is urgent.
func (s *subscription) startLanes() {
	for which, places := range [2]int{s.atOnce, s.atOnce - s.atOnce/4} {
		for len(s.ready[which]) > 0 && (s.atOnce == 0 || s.working < places) && !s.shut {
			lane := s.ready[which][0]
			s.ready[which] = s.ready[which][1:]
			if !s.waiting[lane] {
				continue // it has moved up
			}
			delete(s.waiting, lane)
			s.working++
			s.work.Add(1)
			go s.runLane(lane)
		}
	}
}

// giveBack returns a message that came when the lease was lost already, so that its new
// holder is given it at once.
func giveBack(m jetstream.Msg, log *zap.Logger) {
	if err := m.Nak(); err != nil {
		log.Debug("an event could not be given back; it comes again when the broker loses patience", zap.Error(err))
	}
}

// laneOf survives a lane function that panics: it runs in a goroutine of the client
// library, where a panic would end the process, now and after every restart.
func (s *subscription) laneOf(d *delivery) (lane string, urgent bool) {
	if s.lane == nil {
		return "", false
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("no lane could be chosen for an event; it takes the common one", zap.Any("panic", p))
			lane, urgent = "", false
		}
	}()
	return s.lane(read(d))
}

func (s *subscription) runLane(lane string) {
	defer s.work.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.working--; s.startLanes() }()
	for len(s.lanes[lane]) > 0 && !s.shut {
		d := s.lanes[lane][0]
		s.lanes[lane] = s.lanes[lane][1:]
		s.mu.Unlock()
		settled := s.handle(d)
		s.mu.Lock()
		delete(s.held, d)
		if !settled {
			// The reader stops. The lane stays taken, so that what still arrives does not
			// overtake what is given back.
			return
		}
		if len(s.lanes[lane]) > 0 && len(s.ready[0])+len(s.ready[1]) > 0 {
			// Others wait for the place.
			s.lineUp(lane, slices.ContainsFunc(s.lanes[lane], func(d *delivery) bool { return d.urgent }))
			return
		}
	}
	delete(s.lanes, lane)
}

// handle gives a message to the handler until it is settled. It returns false when
// the reader stops first.
func (s *subscription) handle(d *delivery) bool {
	fault.Point("given", s.durable)
	if fault.Wrong("settled-before-handled") {
		_ = d.Ack()
	}
	for attempt := 1; ; attempt++ {
		m := read(d)
		settled, again := s.offer(m)
		if settled {
			fault.Point("settle", s.durable, "before")
			if err := d.Ack(); err != nil {
				s.log.Warn("the broker was not told that an event is settled; it will come again", zap.Error(err))
			}
			fault.Point("settle", s.durable, "after")
			return true
		}
		if !again {
			return false
		}
		wait, named := retryWish(m)
		if !named {
			wait = s.retry(attempt)
		}
		select {
		case <-time.After(wait):
		case <-s.stopping:
			return false
		}
	}
}

// offer gives a message to the handler once and waits for its verdict. Neither settled
// nor again means that the reader stopped before there was one.
func (s *subscription) offer(m *message.Message) (settled, again bool) {
	if Held(s.handling) != nil {
		return false, false
	}
	ctx, over := context.WithCancel(context.WithValue(s.handling, stoppingKey{}, s.stopping))
	defer over()
	m.SetContext(ctx)
	select {
	case s.out <- m:
	case <-s.stopping:
		return false, false
	}
	select {
	case <-m.Acked():
		return true, false
	case <-m.Nacked():
		return fault.Wrong("failed-never-again"), true
	case <-s.handling.Done():
		return false, false
	}
}

// heartbeat tells the broker that the held messages are being worked on.
func (s *subscription) heartbeat() {
	tick := time.NewTicker(s.ackWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		if Held(s.handling) != nil {
			return // they are another's by now
		}
		s.mu.Lock()
		held := make([]*delivery, 0, len(s.held))
		for d := range s.held {
			held = append(held, d)
		}
		s.mu.Unlock()
		for _, d := range held {
			if fault.Wrong("reader-without-heartbeat") {
				continue
			}
			if err := d.InProgress(); err != nil {
				s.log.Debug("the broker did not hear that an event is being worked on", zap.Error(err))
			}
		}
	}
}

// consume reads from a consumer into the lanes.
func (s *subscription) consume(c jetstream.Consumer) (jetstream.ConsumeContext, error) {
	return c.Consume(s.deliver, append(slices.Clone(s.pull), jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		s.log.Warn("reading from the broker stumbled", zap.Error(err))
	}))...)
}

// keepReading goes on until ctx is over: where the broker ends a read (its consumer was
// deleted, say), it is taken up again.
func (s *subscription) keepReading(ctx context.Context, consuming jetstream.ConsumeContext, again func() (jetstream.ConsumeContext, error)) {
	for {
		select {
		case <-ctx.Done():
			consuming.Stop()
			<-consuming.Closed()
			return
		case <-consuming.Closed():
		}
		for {
			s.log.Error("the broker ended a read; it is taken up again")
			select {
			case <-ctx.Done():
				return
			case <-time.After(resumeAfter):
			}
			next, err := again()
			if err == nil {
				consuming = next
				break
			}
			s.log.Error("a read could not be taken up", zap.Error(err))
		}
	}
}

// resumeAfter is the pause before a read that the broker ended is taken up.
const resumeAfter = 500 * time.Millisecond

// finish ends the subscription once its context is over: no new messages, running
// handlers may finish within the grace.
func (s *subscription) finish(ctx context.Context, consuming jetstream.ConsumeContext, again func() (jetstream.ConsumeContext, error)) {
	s.keepReading(ctx, consuming, again)
	s.mu.Lock()
	s.shut = true
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { s.work.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(s.grace):
		s.log.Warn("handlers did not finish in time; their events will come again")
	}
	s.abandon()
	<-ended
	close(s.done)
}

// read decodes the wire format without ever refusing: of a repeated header the first
// value counts.
func read(d *delivery) *message.Message {
	id := d.Headers().Get(wmnats.WatermillUUIDHdr)
	if id == "" {
		if meta, err := d.Metadata(); err == nil {
			id = "seq-" + strconv.FormatUint(meta.Sequence.Stream, 10)
		}
	}
	m := message.NewMessage(id, d.Data())
	for k, v := range d.Headers() {
		if k != wmnats.WatermillUUIDHdr && k != retryHeader && len(v) > 0 {
			m.Metadata.Set(k, v[0])
		}
	}
	return m
}
