package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
	"log/slog"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Work changes something outside because of events. It is given every event of its
// types at least once; a handler is right when called again with the same one.
type Work struct {
	// Name is the durable's name: changing it reads everything again. It is also the name
	// of the lease that a process needs to do this work.
	Name string
	// Project narrows the work to one project; empty means all.
	Project string
	Types   []event.Type
	// Lane names the queue of an event. Nil means one queue for all.
	Lane func(event.Envelope) string
	// Handle returns the events that follow. They are stored before the event counts as
	// settled. Its error decides: [Drop], [RetryIn], or any other to try again soon.
	Handle func(context.Context, event.Envelope) ([]event.Envelope, error)
	// Dropped says what follows from an event that Handle gave up, or that nobody can
	// read; typically that something is parked.
	Dropped func(event.Envelope, error) []event.Envelope
	// Held is how many events may be read and not settled. Default 1,000.
	Held int
	// AtOnce is how many lanes are worked at the same time: a lane that waits takes a
	// tenth of the memory of one that is worked. 0 is all.
	AtOnce int
	// Urgent says which events go first where lanes wait. Nil means none.
	Urgent func(event.Envelope) bool
}

// Router runs works. Make it with [Bus.Router], add works, then Run.
type Router struct {
	bus    *Bus
	router *message.Router
	log    *zap.Logger
	// timing holds ackWait, grace and retry of every reader; zero means the defaults.
	timing reading

	mu      sync.Mutex
	running context.Context // of the works, once they run
}

// Router makes a router for works. Closing it waits up to 30 seconds for handlers.
func (b *Bus) Router() (*Router, error) {
	// Watermill says "subscriber started" and the like at info level; that is debug news.
	levels := map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug}
	log := watermill.NewSlogLoggerWithLevelMapping(slog.New(zapslog.NewHandler(b.log.Core())), levels)
	r, err := message.NewRouter(message.RouterConfig{CloseTimeout: 30 * time.Second}, log)
	if err != nil {
		return nil, fmt.Errorf("make a router: %w", err)
	}
	return &Router{bus: b, router: r, log: b.log}, nil
}

// Add registers a work; once the router runs, the work begins at once, and the error
// says why it does not. It panics on a second work of the same name: that is a mistake
// in the program, found at its start.
func (r *Router) Add(w Work) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(w)
	if r.running == nil {
		return nil
	}
	return r.begin()
}

// begin starts the works that were added and do not run yet.
func (r *Router) begin() error {
	if err := r.router.RunHandlers(r.running); err != nil {
		return fmt.Errorf("run the works: %w", err)
	}
	return nil
}

func (r *Router) add(w Work) {
	filters := make([]string, len(w.Types))
	for i, t := range w.Types {
		filters[i] = Subject(w.Project, t)
	}
	how := r.timing
	how.durable, how.filters, how.held, how.atOnce = w.Name, filters, w.Held, w.AtOnce
	if w.Lane != nil {
		how.lane = func(m *message.Message) (string, bool) {
			e, err := event.Read(m.Payload)
			if err != nil {
				return "", false
			}
			return w.Lane(e), w.Urgent != nil && w.Urgent(e)
		}
	}
	sub := newSubscriber(r.bus, how)
	log := r.log.With(zap.String("service", w.Name))
	r.router.AddHandler(w.Name, topicEvents, sub, topicEvents, publisher{r.bus}, func(m *message.Message) ([]*message.Message, error) {
		out, err := w.settle(m, log)
		if err != nil {
			steer(m, err)
			return nil, err
		}
		produced := make([]*message.Message, len(out))
		for i, e := range out {
			if produced[i], err = toMessage(e); err != nil {
				return nil, err
			}
			// The handler's context ends with the reader; what follows from finished work
			// is still to be stored.
			produced[i].SetContext(context.WithoutCancel(m.Context()))
		}
		return produced, nil
	})
}

// settle handles one message, turning a panic and a dropped event into what the work
// makes of them.
func (w Work) settle(m *message.Message, log *zap.Logger) (out []event.Envelope, err error) {
	e, err := event.Read(m.Payload)
	if err == nil {
		out, err = w.guarded(m.Context(), e)
	} else {
		err = Drop(err)
		e = event.Envelope{ID: m.UUID, Type: event.Type(m.Metadata.Get(headerType)), Project: m.Metadata.Get(headerProject)}
	}
	var drop *dropError
	if !errors.As(err, &drop) || fault.Wrong("poison-tried-for-ever") {
		return out, err
	}
	log.Error("an event was given up", zap.String("event", e.ID), zap.String("type", string(e.Type)), zap.Error(err))
	if w.Dropped == nil || e.Project == "" {
		return nil, nil
	}
	return w.Dropped(e, err), nil
}

func (w Work) guarded(ctx context.Context, e event.Envelope) (out []event.Envelope, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Drop(fmt.Errorf("%s panicked on event %s: %v\n%s", w.Name, e.ID, p, debug.Stack()))
		}
	}()
	return w.Handle(ctx, e)
}

// Run runs the works until Close.
func (r *Router) Run(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	ended, late := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-r.router.Running():
			// What was added while the others began was not seen by them.
			r.mu.Lock()
			r.running = ctx
			err := r.begin()
			r.mu.Unlock()
			if err != nil {
				err = errors.Join(err, r.router.Close())
			}
			late <- err
		case <-ended:
			late <- nil
		}
	}()
	err := r.router.Run(ctx)
	close(ended)
	if err = errors.Join(err, <-late); err != nil {
		return fmt.Errorf("run the works: %w", err)
	}
	return nil
}

// Running is closed once every work reads.
func (r *Router) Running() <-chan struct{} { return r.router.Running() }

// Close stops reading and waits for the handlers.
func (r *Router) Close() error {
	if err := r.router.Close(); err != nil {
		return fmt.Errorf("close the works: %w", err)
	}
	return nil
}

type stoppingKey struct{}

// Stopping is closed when the reader that gave a handler its event is told to stop: a
// handler that waits for something should give up then. Its work comes again.
func Stopping(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(stoppingKey{}).(<-chan struct{})
	return c
}
