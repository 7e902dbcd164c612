package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// script is all that comes from outside in a history: which calls, which reports of
// them and when, what the CRM held before, what people do, and what goes wrong.
type script struct {
	begun    time.Time
	settings service.Revision
	// orderly is true for a history that is run twice: its calls don't overlap, and
	// nobody but this program changes the portal.
	orderly  bool
	reports  []arrival
	base     []arrival // in the order they happened, each once
	calls    int
	clients  int
	known    []*thing // in the CRM before
	portal   portalKind
	troubles []interval
	// How much may still go wrong.
	faults, deaths, pauses, people, refusals int
	lostAcks                                 bool
	// wire sends and stores everything as JSON, as the program does.
	wire bool
	// facts are what all reports together say of each call.
	facts map[string]event.Call
}

type arrival struct {
	at     time.Duration
	report *event.Call
}

// portalKind is what portals differ in, as far as anybody knows.
type portalKind struct {
	leakBySecond  bool          // its counter of requests sinks once a second
	ignoresXMLID  bool          // the filter by XML_ID is not documented
	clock         time.Duration // how far its clock is from ours
	perSecond     float64
	burst         int
	operatingTold bool // it says when a blocked method is free again
}

// trouble is something that goes wrong for a while, for every request.
type trouble int

const (
	portalDown  trouble = iota // nobody answers for minutes
	portalGone                 // nobody answers for a day
	portalPages                // pages instead of answers, for minutes
	credentials                // the webhook is refused for a while
	otherClient                // another program takes most of the allowance
	budgetSpent                // one method is blocked for up to ten minutes
	troubleKinds
)

func (t trouble) String() string {
	return [...]string{"down", "down for a day", "pages", "credentials", "another program", "method budget"}[t]
}

// interval is when a trouble reigns. method is of budgetSpent.
type interval struct {
	trouble
	from, to time.Duration
	method   string
}

var numbers = []string{"+380671112200", "+380671112201", "+380671112202"}

func newScript(seed uint64) *script {
	dice := rand.New(rand.NewPCG(seed, 0x5ca1ab1e))
	within := func(d time.Duration) time.Duration { return time.Duration(dice.Int64N(int64(d))) }
	one := func(in int) bool { return dice.IntN(in) == 0 }
	s := &script{
		begun: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), facts: map[string]event.Call{}, orderly: one(8), wire: one(200),
		portal: portalKind{
			leakBySecond: one(2), ignoresXMLID: one(2), clock: within(100*time.Minute) - 50*time.Minute,
			perSecond: 2, burst: []int{4, 12, 50}[dice.IntN(3)], operatingTold: one(2),
		},
		faults: dice.IntN(12), deaths: dice.IntN(4), pauses: dice.IntN(3) / 2, lostAcks: one(4),
	}
	if one(4) {
		s.portal.perSecond, s.portal.burst = 0.5, 6
	}
	p := settings.Project{ID: "shop", Locale: "en", TimeZone: "Europe/Kyiv", Country: "UA", Senior: senior}
	p.Scenarios.CallbackDue, p.Scenarios.ReviewDue = settings.Duration(time.Hour), settings.Duration(3*time.Hour)
	if one(4) {
		p.Scenarios.NewClient = "contact+deal"
	}
	s.settings = service.Revision{Project: p, Number: 1}
	if !s.orderly {
		s.people, s.refusals = max(0, dice.IntN(5)-2), max(0, dice.IntN(4)-2)
	}
	s.clients = 1 + dice.IntN(len(numbers))
	s.addKnown(dice)
	s.calls = 2 + dice.IntN(6)
	spread := []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, 2 * time.Hour}[dice.IntN(4)]
	for i := range s.calls {
		from := within(spread)
		if s.orderly {
			from = time.Duration(i) * 3 * time.Hour
		}
		s.addCall(dice, i, from)
	}
	if one(2) {
		s.addTrouble(dice, spread)
	}
	return s
}

// addKnown fills the CRM: some clients have a contact, some an open lead.
func (s *script) addKnown(dice *rand.Rand) {
	for _, number := range numbers {
		kind := []string{"", "", "", "contact", "lead"}[dice.IntN(5)]
		if kind != "" {
			s.known = append(s.known, &thing{id: len(s.known) + 1, kind: kind, phone: number, responsible: []int{olena, petro}[dice.IntN(2)]})
		}
	}
}

// addCall adds the reports of a call: an early one, the final one, more final ones that
// know the recording or the visit, in any order and some of them many times.
func (s *script) addCall(dice *rand.Rand, i int, from time.Duration) {
	within := func(d time.Duration) time.Duration { return time.Duration(dice.Int64N(int64(d))) }
	one := func(in int) bool { return dice.IntN(in) == 0 }
	id, started := fmt.Sprintf("17724366%02d.%d", i, i), s.begun.Add(from)
	final := event.Call{
		ID: id, Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Status: "ANSWERED",
		Client: numbers[dice.IntN(s.clients)], StartedAt: &started, Duration: 40, Waiting: 10, Talk: 30,
		Employee: &event.Employee{Name: "Olena Koval", BitrixUser: []int{olena, petro}[dice.IntN(2)]}, AnsweredOn: "line",
	}
	nobody := func(c event.Call) event.Call {
		c.Outcome, c.Status, c.Talk, c.Employee, c.AnsweredOn = event.Missed, "NO ANSWER", 0, nil, ""
		return c
	}
	switch dice.IntN(12) {
	case 0, 1:
		final = nobody(final)
	case 2, 3:
		final.Direction, final.Event = event.Outbound, "after_outgoing"
	case 4:
		final = nobody(final)
		final.Outcome, final.Status = event.Voicemail, "VOICEMAIL"
	case 5:
		final.Employee = nil
	case 6:
		final.Client = ""
	case 7:
		final.Direction = event.Internal
	}
	early := final
	early.Event, early.Final, early.Outcome, early.Status, early.Employee, early.Talk = "before", false, "", "", nil, 0
	if one(6) {
		early.Client = ""
	}
	reports := []event.Call{early, final}
	if one(16) {
		reports = reports[:1] // the final one never comes
	} else {
		if one(3) {
			more := final
			more.Recording = "https://records.example/" + id
			reports = append(reports, more)
		}
		if one(4) {
			more := final
			more.Talk += dice.IntN(2)
			more.ClientName, more.Traffic = "Halyna", event.Traffic{Source: "google", Medium: "cpc", Landing: "https://shop.example/"}
			reports = append(reports, more)
		}
		if !s.orderly && final.Outcome == event.Answered && one(8) {
			reports = append(reports, nobody(final)) // a leg that rang out
		}
	}
	if !s.orderly && one(4) {
		reports = reports[1:]
	}
	if len(reports) > 0 {
		s.facts[id] = event.Fold(reports)
	}
	for n, r := range reports {
		at := from + within(90*time.Second)
		if s.orderly {
			at = from + within(5*time.Minute)
		}
		if r.Recording != "" && one(8) {
			at += 20*time.Hour + within(10*time.Hour)
		}
		report := &reports[n]
		s.base = append(s.base, arrival{from + time.Duration(n)*20*time.Second, report})
		s.reports = append(s.reports, arrival{at, report})
		switch {
		case one(200):
			for range 49 {
				s.reports = append(s.reports, arrival{at + within(time.Second), report})
			}
		case one(4):
			s.reports = append(s.reports, arrival{at + within(time.Minute), report})
		}
	}
}

// addTrouble adds one trouble; a day without a portal is rare because it makes every
// later minute quiet.
func (s *script) addTrouble(dice *rand.Rand, spread time.Duration) {
	within := func(d time.Duration) time.Duration { return time.Duration(dice.Int64N(int64(d))) }
	i := interval{trouble: trouble(dice.IntN(int(troubleKinds))), from: within(min(spread, 10*time.Minute) + 3*time.Minute)}
	length := time.Minute + within(9*time.Minute)
	if i.trouble == portalGone && dice.IntN(12) > 0 {
		i.trouble = portalDown
	}
	switch i.trouble {
	case portalGone:
		length = 24 * time.Hour
		if s.orderly {
			length = time.Hour // less than lies between two calls
		}
	case credentials:
		length = time.Minute + within(30*time.Minute)
	case budgetSpent:
		i.method = []string{"crm.item.add", "tasks.task.add", "tasks.task.complete", "tasks.task.list", "crm.item.update"}[dice.IntN(5)]
	}
	i.to = i.from + length
	s.troubles = append(s.troubles, i)
}

// calm is the same history as it would be on a good day: every report once, in its
// order, and nothing goes wrong.
func (s *script) calm() *script {
	calm := *s
	calm.reports, calm.troubles = s.base, nil
	calm.faults, calm.deaths, calm.pauses, calm.lostAcks = 0, 0, 0, false
	return &calm
}

func (s *script) during(kind trouble, now time.Time) (interval, bool) {
	at := now.Sub(s.begun)
	i := slices.IndexFunc(s.troubles, func(i interval) bool { return i.trouble == kind && at >= i.from && at < i.to })
	if i < 0 {
		return interval{}, false
	}
	return s.troubles[i], true
}
