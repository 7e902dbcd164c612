package writer

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// desk works the commands of one project.
type desk struct {
	project   string
	portal    settings.Bitrix24 // what the desk was opened with
	projects  *service.Projects
	bus       *bus.Bus
	files     *callfile.Files
	log       *zap.Logger
	now       func() time.Time
	patience  patience
	restored  time.Time // when the broker was restored from a backup; zero if never
	gateway   *gateway
	directory directory
	memory    memory
	// visible is when a search shows everything that was written before this start.
	visible time.Time
	ctx     context.Context

	mu      sync.Mutex
	plans   map[string]*gathering      // plans whose commands are still coming in
	calls   map[string]*callQueue      // calls being worked on
	waiters map[string][]chan struct{} // who waits for a plan to settle
	doubts  map[string]bool            // calls with something in doubt
	jobs    sync.WaitGroup
}

// gathering collects the commands of one plan.
type gathering struct {
	commands []event.BitrixCommand
	causes   map[string]event.Envelope
	settle   []func()
}

// callQueue keeps the plans of one call in order: one is worked on at a time.
type callQueue struct{ waiting []*gathering }

// take collects a command; the last one of its plan starts the work.
func (d *desk) take(delivery bus.Delivery) {
	c, err := event.As[event.BitrixCommand](delivery.Envelope)
	if err != nil || c.Of < 1 {
		d.log.Error("a command that nobody can read was passed over", zap.String("event", delivery.ID), zap.Error(err))
		delivery.Settle()
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.plans[c.Plan]
	if g == nil {
		g = &gathering{causes: map[string]event.Envelope{}}
		d.plans[c.Plan] = g
	}
	g.settle = append(g.settle, delivery.Settle)
	if _, twice := g.causes[c.Role]; twice {
		return
	}
	g.commands, g.causes[c.Role] = append(g.commands, c), delivery.Envelope
	if len(g.commands) < c.Of {
		return
	}
	delete(d.plans, c.Plan)
	queue, working := d.calls[c.Call]
	if working {
		queue.waiting = append(queue.waiting, g)
		return
	}
	d.calls[c.Call] = &callQueue{}
	d.jobs.Add(1)
	fault.Point("writer", "plan gathered")
	go d.work(c.Call, g)
}

// work does one plan after the other of a call.
func (d *desk) work(call string, g *gathering) {
	defer d.jobs.Done()
	for {
		d.workPlan(call, g)
		d.mu.Lock()
		queue := d.calls[call]
		if len(queue.waiting) == 0 || d.ctx.Err() != nil {
			delete(d.calls, call)
			d.mu.Unlock()
			return
		}
		g, queue.waiting = queue.waiting[0], queue.waiting[1:]
		d.mu.Unlock()
	}
}

// workPlan repeats a plan until it is settled: the journal remembers how far it came.
func (d *desk) workPlan(call string, g *gathering) {
	commands := inOrder(g.commands)
	j := &job{
		desk: d, call: call, plan: commands[0].Plan, causes: g.causes, doubted: map[string]bool{},
		since: g.causes[commands[0].Role].Time, keep: keepInFile,
	}
	for {
		err := j.run(d.ctx, commands)
		if err == nil {
			break
		}
		if d.ctx.Err() != nil {
			return
		}
		d.log.Error("a call's commands stumbled and are taken up again", zap.String("call", call), zap.Error(err))
		select {
		case <-d.ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
	d.countDoubt(call, false)
	for _, settle := range g.settle {
		settle()
	}
	d.mu.Lock()
	waiters := d.waiters[j.plan]
	delete(d.waiters, j.plan)
	d.mu.Unlock()
	for _, w := range waiters {
		close(w)
	}
}

func inOrder(commands []event.BitrixCommand) []event.BitrixCommand {
	out := make([]event.BitrixCommand, len(commands))
	for _, c := range commands {
		out[min(max(c.Index, 1), len(out))-1] = c
	}
	return out
}

// settle says what became of every command, parks the call where the portal refused
// something, and closes the plan in the call's file.
func (j *job) settle(ctx context.Context, received []string) error {
	var refused []event.BitrixOutcome
	for _, o := range j.Outcomes() {
		if err := j.tell(ctx, o); err != nil {
			return err
		}
		fault.Point("writer", "outcome told")
		if o.State == event.Refused {
			refused = append(refused, o)
		}
	}
	if len(refused) > 0 {
		if err := j.park(ctx, refused, received); err != nil {
			return err
		}
	}
	_, err := j.files.Change(ctx, j.project, j.call, func(f *callfile.File) (bool, error) {
		f.Wanted = wantedBy(j.Commands, f.Wanted)
		Settle(f, j.Journal, j.plan)
		return true, nil
	})
	if err != nil {
		return err
	}
	fault.Point("writer", "file settled")
	j.log.Info("call settled", zap.String("call", j.call), zap.String("rule", j.Commands[0].Rule), zap.Int("commands", len(j.Commands)), zap.Int("refused", len(refused)))
	return nil
}

// wantedBy are the roles that the decisions of a call want, after one more: an amendment
// wants what it says beside what was wanted before.
func wantedBy(commands []event.BitrixCommand, before []string) []string {
	roles := []string{}
	if commands[0].Amends {
		roles = slices.Clone(before)
	}
	for _, c := range commands {
		if c.Kind != event.KindNothing && !c.Unwanted && !slices.Contains(roles, c.Role) {
			roles = append(roles, c.Role)
		}
	}
	return roles
}

// tell stores the outcome of a command.
func (j *job) tell(ctx context.Context, o event.BitrixOutcome) error {
	if fault.Wrong("outcome-not-told") {
		return nil
	}
	e, err := event.Next(j.causes[o.Role], "writer", j.now(), &o, string(o.State))
	if err != nil {
		return err
	}
	_, err = j.bus.Publish(ctx, e)
	return err
}

// remembered notes what was just made for a client.
func (d *desk) remembered(c event.BitrixCommand, id int) {
	if c.Entity != nil && !fault.Wrong("memory-forgotten") {
		d.memory.add(c.Lane, event.Ref{Kind: string(c.Kind), ID: id, Title: c.Entity.Title, Responsible: c.Entity.Responsible}, d.now())
	}
}

// answerWithin is when a question that can't be answered yet is given back; the asker
// asks again. It is less than an asker waits.
const answerWithin = 50 * time.Second

// settled answers when a call's plan is settled, or that it is not yet.
func (d *desk) settled(ctx context.Context, q crm.Settled) (crm.SettledAnswer, error) {
	d.mu.Lock()
	done := make(chan struct{})
	d.waiters[q.Plan] = append(d.waiters[q.Plan], done)
	d.mu.Unlock()
	// Looked at after waiting began, so a plan that settles in between is not missed.
	file, err := d.files.Get(ctx, d.project, q.Call)
	if err != nil {
		return crm.SettledAnswer{}, err
	}
	if file.Settled == q.Plan {
		return crm.SettledAnswer{Settled: true}, nil
	}
	select {
	case <-done:
		return crm.SettledAnswer{Settled: true}, nil
	case <-ctx.Done():
	case <-time.After(answerWithin):
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiters[q.Plan] = slices.DeleteFunc(d.waiters[q.Plan], func(c chan struct{}) bool { return c == done })
	if len(d.waiters[q.Plan]) == 0 {
		delete(d.waiters, q.Plan)
	}
	return crm.SettledAnswer{}, nil
}

// countDoubt keeps count of the calls with something in doubt.
func (d *desk) countDoubt(call string, doubt bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if doubt {
		d.doubts[call] = true
	} else {
		delete(d.doubts, call)
	}
}

func (d *desk) status(context.Context, crm.StatusQuestion) (crm.Status, error) {
	s := d.gateway.status()
	if reason := bitrix.Reason(s.Portal.Reason); reason != "" {
		s.Portal.ReasonIn = event.InEach((&bitrix.Error{Class: bitrix.Wait, Reason: reason}).Human)
		s.Portal.Reason = s.Portal.ReasonIn.In(d.locale())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.InDoubt = len(d.doubts)
	return s, nil
}

// locale is the project's language, for reasons that people read.
func (d *desk) locale() string {
	p, _ := d.projects.Get(d.project)
	return p.Locale
}
