package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// laneModel is what readers of one durable may do: it is told of every handling.
type laneModel struct {
	mu     sync.Mutex
	busy   map[string]bool
	done   map[string]int // by client, the last event that was handled well
	sent   map[string]int
	errors map[string]int // events that fail, and how often still
	wrong  []string
}

func (m *laneModel) complain(format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
}

// handle fails as often as was drawn for the event, and notes what is out of order.
func (m *laneModel) handle(t testing.TB, e event.Envelope) error {
	n := number(t, e)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.busy[e.Call]:
		m.complain("two handlers of client %s at once", e.Call)
	case n > m.done[e.Call]+1:
		m.complain("client %s: event %d after %d", e.Call, n, m.done[e.Call])
	}
	m.busy[e.Call] = true
	m.mu.Unlock()
	// Others may come in between here.
	m.mu.Lock()
	m.busy[e.Call] = false
	if m.errors[e.ID] > 0 {
		m.errors[e.ID]--
		return bus.RetryIn(time.Millisecond, errors.New("by the model"))
	}
	m.done[e.Call] = max(m.done[e.Call], n)
	return nil
}

func (m *laneModel) through() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for client, n := range m.sent {
		if m.done[client] < n {
			return false
		}
	}
	return true
}

// TestTheModelOfTheLanes publishes events of few clients, lets handlers fail, and stops
// and starts the reader at any time. Each client's events are handled in their order, by
// one handler at a time, and none is lost. After a stop one may come again.
func TestTheModelOfTheLanes(t *testing.T) {
	b := bustest.Open(t)
	readers := 0
	rapid.Check(t, func(rt *rapid.T) {
		readers++
		name := fmt.Sprintf("reader-%d", readers)
		m := &laneModel{busy: map[string]bool{}, done: map[string]int{}, sent: map[string]int{}, errors: map[string]int{}}
		// Each history has a project of its own, so that it reads nothing of the others.
		publishNext := func(client string, fails int) {
			m.mu.Lock()
			m.sent[client]++
			n := m.sent[client]
			e, err := event.First("test", now, &event.CallParked{
				ID: fmt.Sprintf("%s/%s/%d", name, client, n), Project: name, Call: client, State: event.ParkedWaiting,
				Step: "test", Reason: fmt.Sprint(n), Remedy: "none",
			})
			if err != nil {
				m.mu.Unlock()
				rt.Fatalf("make an event: %v", err)
			}
			m.errors[e.ID] = fails
			m.mu.Unlock()
			publish(t, b, e)
		}
		work := parkedWork(name, func(_ context.Context, e event.Envelope) ([]event.Envelope, error) { return nil, m.handle(t, e) })
		work.Project = name
		stop := func() {}
		running := false
		begin := func() { stop, running = run(t, b, nil, work), true }
		halt := func() { stop(); running = false }
		defer func() { stop() }()
		begin()
		for range rapid.IntRange(1, 7).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"publish", "publish", "publish", "publish", "stop or start"}).Draw(rt, "step") {
			case "publish":
				client := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "client")
				for range rapid.IntRange(1, 6).Draw(rt, "events") {
					publishNext(client, max(0, rapid.IntRange(-3, 2).Draw(rt, "fails")))
				}
			case "stop or start":
				if running {
					halt()
				} else {
					begin()
				}
			}
		}
		if !running {
			begin()
		}
		bustest.Eventually(t, limit, "every event is handled", m.through)
		halt()
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.wrong) > 0 {
			rt.Fatalf("%v", m.wrong)
		}
	})
}
