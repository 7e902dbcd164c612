package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// begin starts making a plan and returns at once.
func (r *replayer) begin(ctx context.Context, request replayplan.Plan, s service.Revision) (*book, error) {
	request.State, request.Revision, request.Totals = replayplan.Planning, s.Number, map[string]int{}
	b, err := r.shelf.begin(ctx, request, r.Now())
	if err != nil {
		return nil, err
	}
	r.work <- func(ctx context.Context) {
		if err := r.make(ctx, b, s); err != nil && ctx.Err() == nil {
			r.Log.Error("a plan of a replay could not be made", zap.String("plan", b.plan().ID), zap.Error(err))
			if _, err := b.move(replayplan.Failed, err.Error(), replayplan.Planning); err != nil {
				r.Log.Error("a plan of a replay could not be kept", zap.Error(err))
			}
		}
	}
	return b, nil
}

// make decides every call of the range again and writes down what differs.
func (r *replayer) make(ctx context.Context, b *book, s service.Revision) error {
	a, err := newArchive(ctx, b.path+".work")
	if err != nil {
		return err
	}
	defer a.remove()
	p := &planning{replayer: r, book: b, archive: a, settings: s, request: b.plan(), blocks: map[int]map[string]string{}}
	if err := r.gather(ctx, p.request, s, a); err != nil {
		return err
	}
	var known hindsight
	for n := 1; ; n++ {
		p.world, p.last = newWorld(known), 0
		calls, totals, err := p.pass(ctx)
		if err != nil {
			return err
		}
		late := p.world.late(known)
		if late && n == mostPasses {
			r.Log.Warn("the calls of a client depend on each other at length; the next plan finds what is left", zap.String("plan", p.request.ID))
		}
		if !late || n == mostPasses {
			return r.planned(ctx, b, calls, totals)
		}
		known = p.world.hindsight
		if err := b.clear(ctx); err != nil {
			return err
		}
	}
}

// mostPasses bounds how often the calls are gone through: each further one is needed only
// where a later call changes what an earlier one was decided on.
const mostPasses = 8

// pass decides the calls in their order.
func (p *planning) pass(ctx context.Context) (calls int, totals map[string]int, err error) {
	batch := &looking{planning: p}
	totals = map[string]int{}
	told := p.Now()
	err = p.calls(ctx, p.settings.ID, p.archive, func(in input) error {
		v, err := p.decide(ctx, in)
		if err != nil || v == nil {
			return err
		}
		calls++
		if err := batch.add(ctx, v, totals); err != nil {
			return err
		}
		if p.Now().Sub(told) < progressEvery {
			return nil
		}
		told = p.Now()
		return p.book.change(func(doc *replayplan.Plan) { doc.Calls, doc.Totals = calls, maps.Clone(totals) })
	})
	if err == nil {
		err = batch.flush(ctx, totals)
	}
	return calls, totals, err
}

// planned tells of a plan that is complete.
func (r *replayer) planned(ctx context.Context, b *book, calls int, totals map[string]int) error {
	todo, err := b.jobs(ctx)
	if err != nil {
		return err
	}
	p := b.plan()
	e, err := event.First("replay", r.Now(), &event.ReplayPlanned{
		ID: p.ID, Project: p.Project, Revision: p.Revision, Code: r.Version, Since: p.Since, Until: p.Until,
		CallIDs: p.CallIDs, Rule: p.Rule, Fresh: p.Fresh, Calls: calls, Totals: totals,
	})
	if err != nil {
		return err
	}
	e.ID = event.Derive("replay", p.ID)
	if _, err := r.Bus.Publish(ctx, e); err != nil {
		return err
	}
	r.Log.Info("a replay is planned", zap.String("project", p.Project), zap.String("plan", p.ID), zap.Int("calls", calls), zap.Any("totals", totals))
	return b.change(func(p *replayplan.Plan) {
		p.State, p.Calls, p.Totals, p.ToApply, p.Event = replayplan.Planned, calls, totals, todo, e.ID
	})
}

// looking gathers verdicts until the things they would touch are worth a request, and
// then looks what people changed. The order of the calls stays.
type looking struct {
	*planning
	verdicts []*verdict
	touched  int
}

// mostHeld bounds the verdicts in memory, mostLooked what is looked at at once.
const (
	mostHeld   = 500
	mostLooked = 10 * crm.MostTouched
)

func (l *looking) add(ctx context.Context, v *verdict, totals map[string]int) error {
	n := 0
	for _, d := range v.drafts {
		if d.looks() {
			n++
		}
	}
	if l.touched+n > mostLooked {
		if err := l.flush(ctx, totals); err != nil {
			return err
		}
	}
	l.verdicts, l.touched = append(l.verdicts, v), l.touched+n
	if len(l.verdicts) >= mostHeld {
		return l.flush(ctx, totals)
	}
	return nil
}

func (l *looking) flush(ctx context.Context, totals map[string]int) error {
	there, err := l.look(ctx)
	if err != nil {
		return err
	}
	for _, v := range l.verdicts {
		v.settle(there, l.settings)
		l.stays(v, there)
		for _, row := range v.rows {
			totals[row.Kind]++
		}
	}
	err = l.book.add(ctx, l.verdicts)
	l.verdicts, l.touched = nil, 0
	return err
}

// stays notes what should be undone, and is not because a person works on it.
func (l *looking) stays(v *verdict, there map[event.Ref]*crm.SeenItem) {
	for _, d := range v.drafts {
		r := key(string(d.kind), d.entry.BitrixID)
		if _, left := v.Ground.Replay.Keep[d.role]; left && d.what == replayplan.Compensate && there[r] != nil && !there[r].Gone {
			l.world.stay(r)
		}
	}
}

// look reads what the portal holds of everything that a verdict would touch.
func (l *looking) look(ctx context.Context) (map[event.Ref]*crm.SeenItem, error) {
	var q crm.Look
	for _, v := range l.verdicts {
		for _, d := range v.drafts {
			if !d.looks() {
				continue
			}
			t := crm.Touched{Kind: d.kind, ID: d.entry.BitrixID}
			if d.entry.Entity != nil {
				t.Custom = slices.Sorted(maps.Keys(d.entry.Entity.Custom))
			}
			for _, c := range d.changes {
				if strings.ToUpper(c.Field) == c.Field && !slices.Contains(t.Custom, c.Field) {
					t.Custom = append(t.Custom, c.Field)
				}
			}
			q.Touched = append(q.Touched, t)
		}
	}
	there := map[event.Ref]*crm.SeenItem{}
	var asking sync.WaitGroup
	parts := slices.Collect(slices.Chunk(q.Touched, crm.MostTouched))
	answers, errs := make([]crm.Seen, len(parts)), make([]error, len(parts))
	for i, part := range parts {
		asking.Go(func() { answers[i], errs[i] = l.seen(ctx, part) })
	}
	asking.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i, part := range parts {
		for n, t := range part {
			there[key(string(t.Kind), t.ID)] = &answers[i].Items[n]
		}
	}
	return there, nil
}

// seen asks one question. The writer packs those that wait into one request.
func (l *looking) seen(ctx context.Context, part []crm.Touched) (crm.Seen, error) {
	seen, err := askPortal[crm.Look, crm.Seen](ctx, l.replayer, crm.LookSubject(l.settings.ID), crm.Look{Touched: part})
	switch {
	case err != nil:
		return seen, err
	case seen.Refused != "":
		return seen, fmt.Errorf("the portal refuses to show what people changed: %s", seen.Refused)
	case len(seen.Items) != len(part):
		return seen, errors.New("the portal showed something else than was asked for")
	}
	return seen, nil
}

// settle turns the drafts of a verdict into its rows, and into what the pipeline is told.
func (v *verdict) settle(seen map[event.Ref]*crm.SeenItem, s service.Revision) {
	replay := v.Ground.Replay
	for _, d := range v.drafts {
		there := seen[key(string(d.kind), d.entry.BitrixID)]
		rows, keep := d.settle(there, s.Scenarios.Compensate)
		if len(keep) > 0 {
			if replay.Keep == nil {
				replay.Keep = map[string][]string{}
			}
			replay.Keep[d.role] = keep
		}
		for _, row := range rows {
			row.Call, row.Phone, row.RuleOld, row.RuleNew = v.Call, v.phone, v.ruleOld, v.ruleNew
			if row.Kind == replayplan.Compensate {
				replay.Undo = append(replay.Undo, undo(d, there, s.Scenarios.Compensate, v.Call, replay.Plan, s.Locale))
			}
			if row.Kind != replayplan.Same {
				row.Explain(v.why...)
			}
			v.rows = append(v.rows, row)
		}
	}
}

// optional is a time that may not be given.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
