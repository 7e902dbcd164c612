package writer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

var (
	start  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	waited = patience{execution: time.Minute, settle: 5 * time.Second}
)

func lead() event.BitrixCommand {
	return event.BitrixCommand{ID: "id-lead", Role: "lead", Kind: event.KindLead, Plan: "plan", Entity: &event.Entity{Title: "Call", Responsible: 7}}
}

func task() event.BitrixCommand {
	return event.BitrixCommand{
		ID: "id-task", Role: "task:done", Kind: event.KindTask, Plan: "plan", DependsOn: []string{"id-lead"},
		Task: &event.Task{Title: "Incoming call", Responsible: 7, Closed: true, Links: []event.Link{{Kind: event.KindLead, Command: "id-lead"}}},
	}
}

func TestNextFollowsTheProtocol(t *testing.T) {
	all := []event.BitrixCommand{lead(), task()}
	other := lead()
	other.Entity = &event.Entity{Title: "Another title", Responsible: 7}
	bound := task()
	bound.Task.Links = []event.Link{{Kind: event.KindLead, ID: 5}}
	amended := task()
	amended.Amends = true
	entry := func(s callfile.State) callfile.Entry {
		return callfile.Entry{State: s, Plan: "plan", SentAt: start, BitrixID: 5, Entity: lead().Entity}
	}
	for _, test := range []struct {
		name    string
		command event.BitrixCommand
		journal map[string]callfile.Entry
		at      time.Duration
		want    action
	}{
		{"what was never tried is made", lead(), nil, 0, actCreate},
		{"what surely did not run is made", lead(), map[string]callfile.Entry{"lead": entry(callfile.Planned)}, 0, actCreate},
		{"an intent found after a crash waits", lead(), map[string]callfile.Entry{"lead": entry(callfile.Intent)}, time.Second, actWait},
		{"a doubt waits until the portal can't be at it any more", lead(), map[string]callfile.Entry{"lead": entry(callfile.InDoubt)}, 66 * time.Second, actWait},
		{"then it is searched for, not sent again", lead(), map[string]callfile.Entry{"lead": entry(callfile.InDoubt)}, 67 * time.Second, actSearch},
		{"what is as it should be stays", lead(), map[string]callfile.Entry{"lead": entry(callfile.Confirmed)}, 0, actDone},
		{"what should be otherwise is brought up to date", other, map[string]callfile.Entry{"lead": entry(callfile.Confirmed)}, 0, actUpdate},
		{"a task that was made open is closed", task(), map[string]callfile.Entry{"task:done": entry(callfile.Made)}, 0, actClose},
		{"a refusal holds for its plan", lead(), map[string]callfile.Entry{"lead": entry(callfile.Rejected)}, 0, actDone},
		{"a retry tries again", lead(), map[string]callfile.Entry{"lead": {State: callfile.Rejected, Plan: "older"}}, 0, actCreate},
		{"a retry makes nothing again that is there", other, map[string]callfile.Entry{"lead": {State: callfile.Rejected, Plan: "older", BitrixID: 5, Entity: lead().Entity}}, 0, actUpdate},
		{"a retry closes what could not be closed", task(), map[string]callfile.Entry{"task:done": {State: callfile.Rejected, Plan: "older", BitrixID: 6, Task: task().Task}}, 0, actClose},
		{"a plan that wants what is there has nothing to do", lead(), map[string]callfile.Entry{"lead": {State: callfile.Rejected, Plan: "older", BitrixID: 5, Entity: lead().Entity}}, 0, actDone},
		{"a task is bound to a lead that could not be changed", task(), map[string]callfile.Entry{"lead": {State: callfile.Rejected, Plan: "plan", BitrixID: 5}}, 0, actCreate},
		{"a lost change is waited out", lead(), map[string]callfile.Entry{"lead": {State: callfile.Confirmed, BitrixID: 5, ChangedAt: start}}, 61 * time.Second, actWait},
		{"and then made again, whatever was written before", lead(), map[string]callfile.Entry{"lead": {State: callfile.Confirmed, BitrixID: 5, ChangedAt: start, Entity: lead().Entity}}, 62 * time.Second, actUpdate},
		{"a task goes along with its lead", task(), nil, 0, actCreate},
		{"a task waits for a lead in doubt", task(), map[string]callfile.Entry{"lead": entry(callfile.InDoubt)}, 0, actBlocked},
		{"what differs in nothing that can be changed stays", bound, map[string]callfile.Entry{"task:done": {State: callfile.Confirmed, BitrixID: 6, Task: task().Task}}, 0, actDone},
		{"a task of a refused lead is refused", task(), map[string]callfile.Entry{"lead": {State: callfile.Rejected, Plan: "plan"}}, 0, actReject},
		{"a late fact makes nothing new", amended, nil, 0, actSkip},
		{"nothing wanted is nothing done", event.BitrixCommand{Kind: event.KindNothing}, nil, 0, actDone},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := next(test.command, test.journal, all, waited, start.Add(test.at)); got.act != test.want {
				t.Errorf("next: got %s, want %s", got.act, test.want)
			}
		})
	}
}

// portal is the outside world of the model: a create is carried out at once, late, or
// not at all, and its answer arrives or is lost, whatever became of it.
type portal struct {
	made map[string]int       // external id → how often it was ever made
	late map[string]time.Time // external id → when a lost request is carried out
}

func (p *portal) catchUp(now time.Time) {
	for id, at := range p.late {
		if !now.Before(at) {
			p.made[id]++
			delete(p.late, id)
		}
	}
}

// TestNothingIsLostAndNothingIsMadeTwice runs the protocol against a portal that
// carries out requests late, loses answers and lets the process die at any step. At the
// end every command was made once and is known to be.
func TestNothingIsLostAndNothingIsMadeTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		all := []event.BitrixCommand{lead(), task()}
		world := &portal{made: map[string]int{}, late: map[string]time.Time{}}
		journal := map[string]callfile.Entry{}
		now := start
		faults := rapid.IntRange(0, 12).Draw(t, "faults")
		for step := 0; ; step++ {
			if step > 500 {
				t.Fatalf("not settled after %d steps: %v", step, journal)
			}
			world.catchUp(now)
			settled := true
			for _, c := range all {
				n := next(c, journal, all, waited, now)
				switch n.act {
				case actCreate:
					settled = false
					if len(c.DependsOn) > 0 && journal["lead"].BitrixID == 0 {
						continue // one request each in this model, so the task follows later
					}
					journal[c.Role] = intend(c, journal[c.Role], now)
					fault := "none"
					if faults > 0 {
						faults--
						fault = []string{"none", "refused", "lost before", "lost after", "late", "died before", "died after"}[dice.IntN(7)]
					}
					e := journal[c.Role]
					switch fault {
					case "none":
						world.made[c.ID]++
						journal[c.Role] = made(c, e, 5, false)
					case "refused":
						e.State = callfile.Planned
						journal[c.Role] = e
					case "lost before":
						e.State = callfile.InDoubt
						journal[c.Role] = e
					case "lost after":
						world.made[c.ID]++
						e.State = callfile.InDoubt
						journal[c.Role] = e
					case "late":
						world.late[c.ID] = now.Add(time.Duration(dice.Int64N(int64(waited.execution))))
						e.State = callfile.InDoubt
						journal[c.Role] = e
					case "died before": // the journal keeps the intent
					case "died after":
						world.made[c.ID]++
					}
				case actSearch:
					settled = false
					e := journal[c.Role]
					if world.made[c.ID] > 0 {
						e.Adopted = true
						journal[c.Role] = made(c, e, 5, false)
					} else {
						e.State = callfile.Planned
						journal[c.Role] = e
					}
				case actClose:
					settled = false
					journal[c.Role] = made(c, journal[c.Role], 5, true)
				case actWait, actBlocked:
					settled = false
				}
			}
			if settled {
				break
			}
			now = now.Add(time.Duration(dice.Int64N(int64(20 * time.Second))))
		}
		for _, c := range all {
			if n := world.made[c.ID]; n != 1 {
				t.Errorf("%s was made %d times, want once; journal %+v", c.Role, n, journal[c.Role])
			}
			if o := outcome(c, journal, nil); o.State != event.Executed && o.State != event.Adopted {
				t.Errorf("%s ends as %s, want executed or adopted", c.Role, o.State)
			}
		}
		if len(world.late) > 0 {
			t.Errorf("settled while %v may still be carried out", world.late)
		}
	})
}

func TestAnOutcomeTellsWhatHappenedUnderThisPlan(t *testing.T) {
	c := lead()
	confirmed := callfile.Entry{State: callfile.Confirmed, Plan: c.Plan, BitrixID: 5, Entity: c.Entity}
	older := confirmed
	older.Plan = "older"
	adopted := confirmed
	adopted.Adopted = true
	refused := callfile.Entry{State: callfile.Rejected, Plan: c.Plan, Reason: "invalid", Error: "a field is missing"}
	for i, test := range []struct {
		now, before map[string]callfile.Entry
		want        event.OutcomeState
	}{
		{map[string]callfile.Entry{"lead": confirmed}, nil, event.Executed},
		{map[string]callfile.Entry{"lead": confirmed}, map[string]callfile.Entry{"lead": confirmed}, event.Executed},
		{map[string]callfile.Entry{"lead": older}, map[string]callfile.Entry{"lead": older}, event.AlreadyTrue},
		{map[string]callfile.Entry{"lead": adopted}, nil, event.Adopted},
		{map[string]callfile.Entry{"lead": refused}, nil, event.Refused},
		{map[string]callfile.Entry{"lead": {State: callfile.InDoubt}}, nil, event.InDoubt},
		{nil, nil, event.AlreadyTrue},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if got := outcome(c, test.now, test.before); got.State != test.want {
				t.Errorf("outcome: got %s, want %s", got.State, test.want)
			}
		})
	}
}
