package writer

import (
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// This file is what the gateway learns from answers: how the portal is doing, what it
// counts, and how long to leave it alone.

// ahead is how many requests the stored pace is ahead of the real one.
const ahead = 8

// reserve stores a level some requests above the real one, so that a process that dies
// between two stores never comes back thinking that the portal counted fewer.
func (g *gateway) reserve() {
	now, state := g.now(), g.bucket.State()
	g.stored.Restore(g.stored.State(), now) // lets it leak
	if state.Level <= g.stored.State().Level && !state.Until.After(g.stored.State().Until) {
		return
	}
	state.Level += ahead
	g.stored.Restore(state, now)
	g.keep(g.stored.State())
}

// learn notes how the portal is doing from an answer, and how long to leave it alone.
func (g *gateway) learn(r *request, answer bitrix.BatchAnswer, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.spend(r, answer, err, now)
	worst := worstError(answer, err)
	if worst == nil {
		if g.portal.State != crm.PortalOK {
			g.log.Info("the portal works again")
			g.turn(crm.PortalOK, "", now)
			g.alarm(true)
		}
		g.failures = 0
		return
	}
	state, pause := crm.PortalDown, min(time.Second<<min(g.failures, 6), time.Minute)
	switch worst.Reason {
	case bitrix.ReasonQueryLimit:
		g.bucket.Refused(now)
		state, pause = crm.PortalSlow, 0
	case bitrix.ReasonMethodBudget:
		state, pause = crm.PortalSlow, 0
		if fault.Wrong("budget-stops-all") {
			pause = time.Minute
		}
	case bitrix.ReasonTimeout:
		state, pause = crm.PortalSlow, time.Second
	case bitrix.ReasonUnreadable, bitrix.ReasonUnknown:
		if g.failures == 0 {
			state = crm.PortalSlow // one lost answer is no outage yet
		}
	case bitrix.ReasonCredentials, bitrix.ReasonScope, bitrix.ReasonPlan, bitrix.ReasonPortalGone, bitrix.ReasonOverload, bitrix.ReasonMoved, bitrix.ReasonForbidden:
		state, pause = crm.PortalRefused, min(5*time.Second<<min(g.failures, 6), 5*time.Minute)
	}
	// Requests that were out together are one failure: the pause grows with the tries.
	if pause > 0 && !now.Before(g.pause) {
		g.failures++
		g.pause = now.Add(pause)
	}
	if well := g.portal.State == crm.PortalOK; well || g.portal.State != state || g.portal.Reason != string(worst.Reason) {
		g.turn(state, worst.Reason, now)
		if well {
			g.log.Warn("the portal is not well", zap.String("state", string(state)), zap.Error(worst))
			g.alarm(false)
		} else { // people have heard of it: one outage is one alarm
			g.log.Info("what is wrong with the portal changed", zap.String("state", string(state)), zap.Error(worst))
		}
	}
	g.portal.RetryAt = time.Time{}
	if g.pause.After(now) { // else it is the pause of a failure before this one
		g.portal.RetryAt = g.pause
	}
}

// turn notes a new state of the portal; what is known of its plan stays.
func (g *gateway) turn(state crm.PortalState, reason bitrix.Reason, now time.Time) {
	g.portal.State, g.portal.Reason, g.portal.Since, g.portal.RetryAt = state, string(reason), now, time.Time{}
}

// spend books what a request cost, under both ways in which portals bill a batch, and
// tells a command whose method is blocked until when: the portal says it of whole
// requests only.
func (g *gateway) spend(r *request, answer bitrix.BatchAnswer, err error, now time.Time) {
	if err != nil {
		e := asError(err)
		switch {
		case e.Reason == bitrix.ReasonMethodBudget:
			e.RetryAt = g.budget.Refused("batch", e.RetryAt, now)
		case e.Reason == bitrix.ReasonTimeout, e.Status == http.StatusGatewayTimeout:
			for method := range r.takes {
				g.durations.Cut(method)
			}
		}
		return
	}
	g.budget.Observe("batch", answer.Time)
	for i, o := range answer.Outcomes {
		method := r.commands[i].Method
		switch {
		case o.Error == nil:
			g.budget.Observe(method, o.Time)
			g.durations.Observe(method, o.Time)
		case o.Error.Reason == bitrix.ReasonMethodBudget:
			o.Error.RetryAt = g.budget.Refused(method, o.Error.RetryAt, now)
		}
	}
}

// worstError is what an answer says about the portal as a whole; what it says about
// one command is that command's business.
func worstError(answer bitrix.BatchAnswer, err error) *bitrix.Error {
	if err != nil {
		return asError(err)
	}
	for _, o := range answer.Outcomes {
		if o.Error != nil && !o.NotRun && o.Error.Class == bitrix.Wait && !strings.HasPrefix(o.Key, directoryPrefix) {
			return o.Error
		}
	}
	return nil
}

// status is the portal's state and what waits for it.
func (g *gateway) status() crm.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := crm.Status{InFlight: g.inFlight, Waiting: len(g.queue.waiting), Portal: g.portal}
	now := g.now()
	s.Portal.Requests = g.requests
	s.Portal.Level, s.Portal.Limit, s.Portal.Yielded = g.bucket.Load(now)
	for _, u := range g.budget.Uses(now) {
		s.Portal.Methods = append(s.Portal.Methods, crm.MethodUse{
			Method: u.Method, Used: u.Used.Seconds(), Limit: u.Limit.Seconds(), ResetAt: u.ResetAt, BlockedUntil: u.Blocked,
		})
	}
	return s
}
