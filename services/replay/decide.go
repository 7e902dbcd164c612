package replay

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// job is what has to be done for one call.
type job struct {
	Call string `json:"call"`
	Lane string `json:"lane"`
	// Over counts the decisions that are known; Seen are the requests that were read by
	// then. Where either is another at the time of doing, the call is left.
	Over int      `json:"over"`
	Seen []string `json:"seen,omitempty"`
	// Received are the requests that Reports were read from today.
	Received []string           `json:"received"`
	Reports  []event.Call       `json:"reports"`
	Ground   event.CallResolved `json:"ground"`
	// Parked is what waits for a person and is taken up with this.
	Parked []event.CallParked `json:"parked,omitempty"`
	// Needs says who makes what the ground has no id of yet.
	Needs map[int]need `json:"needs,omitempty"`
}

// need is a thing that an earlier call's job makes.
type need struct {
	Call string `json:"call"`
	Role string `json:"role"`
}

// verdict is a call decided again.
type verdict struct {
	job
	phone            string
	ruleOld, ruleNew string
	why              []replayplan.Reason
	drafts           []draft
	rows             []replayplan.Row
}

// changes says whether there is anything to do.
func (v *verdict) changes() bool {
	return slices.ContainsFunc(v.rows, func(r replayplan.Row) bool { return r.Kind != replayplan.Same })
}

// planning makes one plan.
type planning struct {
	*replayer
	book     *book
	archive  *archive
	settings service.Revision
	request  replayplan.Plan
	world    world
	last     int // whose turn it was last
	// people are the portal's users, asked for when the first unknown one is named.
	people map[int]event.Person
	asked  bool
	blocks map[int]map[string]string
}

// decide decides one call again; nil where there is nothing to say of it: it goes on, is
// being worked on, or lies outside the range.
func (p *planning) decide(ctx context.Context, in input) (*verdict, error) {
	f := in.file
	call := facts(in.reports)
	if !call.Final || f.LegOf != "" || !p.inRange(call) {
		return nil, nil
	}
	switch {
	case f.ResolvedAs != nil && f.Settled != f.ResolvedAs.ID:
		return nil, nil // in work; today's settings hold for it anyway
	case f.Resolved == nil && len(in.parked) == 0:
		return nil, nil // waits for its turn
	}
	return p.ground(ctx, in, call)
}

func (p *planning) inRange(c event.Call) bool {
	if c.StartedAt == nil {
		return p.request.Since == nil && p.request.Until == nil
	}
	return (p.request.Since == nil || !c.StartedAt.Before(*p.request.Since)) && (p.request.Until == nil || c.StartedAt.Before(*p.request.Until))
}

// ground finds what the call is decided on and drafts what differs; nil where that is not
// asked for, or can't be known.
func (p *planning) ground(ctx context.Context, in input, call event.Call) (*verdict, error) {
	f := in.file
	v := &verdict{phone: call.Client, job: job{Call: in.id, Lane: call.Lane(), Seen: f.Received, Parked: in.parked, Needs: map[int]need{}}}
	for _, r := range in.reports {
		v.Reports, v.Received = event.With(v.Reports, r.call), append(v.Received, r.id)
	}
	if f.Resolved != nil {
		v.Over, v.ruleOld = f.Resolved.Decision, p.Rule(*f.Resolved)
	}
	then, received := call, f.Received
	if f.Resolved == nil {
		received = v.Received
	}
	if f.Resolved != nil && f.Resolved.First != nil {
		received = f.Resolved.First.Received
		then = today(in, *f.Resolved.First)
	}
	found, recorded, err := p.found(ctx, f, then)
	if err != nil {
		return nil, err
	}
	for _, e := range f.Journal {
		if markedUndone(e) { // an older version may have taken it for the client's
			p.world.undone[key(string(e.Kind), e.BitrixID)] = true
		}
	}
	touched := p.world.adjust(&found, v)
	if !slices.ContainsFunc(slices.Collect(maps.Values(f.Journal)), func(e callfile.Entry) bool { return e.Entity != nil && e.BitrixID != 0 }) {
		touched = p.world.offer(&found, v) || touched
	}
	var commands []event.BitrixCommand
	for {
		if commands, err = p.commands(ctx, v, in, found, then, received, call, recorded && !touched); err != nil {
			p.Log.Warn(fmt.Sprintf("call %s can't be decided again: %v", in.id, err))
			return nil, nil
		}
		if !newClient(commands, f) {
			break
		}
		if p.world.offer(&found, v) {
			touched = true
			continue
		}
		made, err := p.madeLater(ctx, in, call)
		if err != nil {
			return nil, err
		}
		if made == nil || slices.ContainsFunc(found.Open, func(i crm.Item) bool { return i.Ref == made.Ref }) {
			break
		}
		found.Open, touched = append(found.Open, *made), true
	}
	v.ruleNew = p.Rule(v.Ground)
	if p.request.Rule != "" && v.ruleOld != p.request.Rule && v.ruleNew != p.request.Rule {
		return nil, nil // and what it would change is not for others to see
	}
	v.drafts = compare(commands, f)
	p.world.note(v, commands, f)
	v.why = p.why(ctx, v, f, call)
	return v, nil
}

// commands are what today's settings want of a call, in v's ground. faithful is true
// where nothing but the settings is other than it was.
func (p *planning) commands(ctx context.Context, v *verdict, in input, found crm.Found, then event.Call, received []string, call event.Call, faithful bool) ([]event.BitrixCommand, error) {
	s, f := p.settings, in.file
	turn := 0
	if f.Resolved != nil {
		turn = f.Resolved.Turn
	}
	known := found.People
	// Whose turn it was is kept as long as he takes such calls; who takes them now is asked
	// for only where somebody else is needed.
	anybody := found
	anybody.People = nil
	named := p.Takers(s, then, anybody)
	if !slices.Contains(named, turn) {
		if len(named) > 0 && known != nil {
			found.People = p.everybody(ctx, known)
		}
		turn = nextOf(named, p.last, p.Takers(s, then, found))
	}
	p.last = cmp.Or(turn, p.last)
	base := p.Resolve(callfile.File{Received: received}, event.CallClassified{Project: s.ID, Call: then}, "", s, found, turn)
	if old := f.Resolved; faithful && old.Found == nil && userOf(old.Facts.Employee) == userOf(then.Employee) {
		base.Client, base.Found = old.Client, nil // what was chosen is known, why it was is not
	}
	ground, users := base, []int{userOf(then.Employee), userOf(call.Employee), base.Client.Owner}
	if f.Resolved != nil && f.Resolved.First != nil {
		for _, g := range append(between(in), event.Ground{Facts: call, Received: f.Received}) {
			before := ground
			ground, _ = p.Again(callfile.File{Resolved: &before, Received: g.Received, Journal: map[string]callfile.Entry{"": {}}},
				event.CallClassified{Project: s.ID, Call: g.Facts}, "")
			users = append(users, userOf(g.Facts.Employee))
		}
		ground.Amends = false
	}
	if ground.People != nil {
		ground.People = maps.Clone(ground.People)
		for _, id := range append(slices.Collect(maps.Keys(ground.People)), users...) {
			if id == 0 || id == s.Senior {
				continue
			}
			person, ok := known[id]
			if !ok {
				person = p.person(ctx, id)
			}
			ground.People[id] = person
		}
	}
	ground.Replay = &event.Replay{Plan: p.request.ID}
	v.Ground = ground
	return p.Plan("", ground, s)
}

// nextOf is who of takers comes after the last one, in the order of named. A plan made
// again finds the same: the turns that were kept meanwhile lead it there.
func nextOf(named []int, last int, takers []int) int {
	for i := range named {
		if user := named[(slices.Index(named, last)+1+i)%len(named)]; slices.Contains(takers, user) {
			return user
		}
	}
	return 0
}

// today is what the requests of an earlier decision say by today's reading.
func today(in input, g event.Ground) event.Call {
	if len(g.Received) == 0 {
		return g.Facts // of a version that did not note them
	}
	return facts(in.reports, g.Received...)
}

// between are the decisions of a call between its first and its last, read today.
func between(in input) (out []event.Ground) {
	for _, g := range in.file.Resolved.Between {
		out = append(out, event.Ground{Facts: today(in, g), Received: g.Received})
	}
	return out
}

func userOf(e *event.Employee) int {
	if e == nil {
		return 0
	}
	return e.BitrixUser
}

// newClient says whether a lead or a deal would be made that is not there, or not wanted
// so far.
func newClient(commands []event.BitrixCommand, f callfile.File) bool {
	return slices.ContainsFunc(commands, func(c event.BitrixCommand) bool {
		e := f.Journal[c.Role]
		return (c.Kind == event.KindLead || c.Kind == event.KindDeal) && (e.BitrixID == 0 || !wantedBefore(f, c.Role, e))
	})
}
