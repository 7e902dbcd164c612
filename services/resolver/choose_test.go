package resolver

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func item(kind string, id, responsible, hour int) crm.Item {
	return crm.Item{Ref: event.Ref{Kind: kind, ID: id, Responsible: responsible}, Active: time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)}
}

func TestTheChoiceAmongSeveralMatches(t *testing.T) {
	const olena, petro = 7, 8
	for _, test := range []struct {
		name     string
		open     []crm.Item
		onCall   int
		want     int
		because  string
		wantRest int
	}{
		{"the one whose responsible is on the call", []crm.Item{item("deal", 1, petro, 12), item("lead", 2, olena, 1)}, olena, 2, "responsible_on_call", 1},
		{"then a deal before a lead", []crm.Item{item("lead", 1, olena, 12), item("deal", 2, olena, 1)}, olena, 2, "deal_before_lead", 1},
		{"then the most recently active", []crm.Item{item("deal", 1, petro, 1), item("deal", 2, petro, 5)}, olena, 2, "most_recently_active", 1},
		{"then the lowest id", []crm.Item{item("deal", 9, petro, 5), item("deal", 4, petro, 5)}, 0, 4, "lowest_id", 1},
		{"an only one needs no reason", []crm.Item{item("lead", 3, petro, 5)}, olena, 3, "", 0},
		{"nobody on the call does not match a thing of nobody", []crm.Item{item("lead", 1, 0, 1), item("deal", 2, petro, 1)}, 0, 2, "deal_before_lead", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Choose(crm.Found{Open: test.open}, true, test.onCall)
			if got.State != "open" || got.Open.ID != test.want || got.ChosenBecause != test.because || len(got.Others) != test.wantRest {
				t.Errorf("choice: got %+v (open %+v), want %d because %q and %d others", got, got.Open, test.want, test.because, test.wantRest)
			}
		})
	}
}

func TestTheChoiceDoesNotDependOnTheOrderOfTheAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var found crm.Found
		for id := range rapid.IntRange(1, 8).Draw(t, "open") {
			kind := rapid.SampledFrom([]string{"lead", "deal"}).Draw(t, "kind")
			found.Open = append(found.Open, item(kind, id+1, rapid.IntRange(6, 8).Draw(t, "responsible"), rapid.IntRange(0, 3).Draw(t, "hour")))
		}
		for id := range rapid.IntRange(0, 3).Draw(t, "contacts") {
			found.Contacts = append(found.Contacts, item("contact", id+1, 7, id))
		}
		want := Choose(found, true, 7)
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		dice.Shuffle(len(found.Open), func(i, j int) { found.Open[i], found.Open[j] = found.Open[j], found.Open[i] })
		dice.Shuffle(len(found.Contacts), func(i, j int) { found.Contacts[i], found.Contacts[j] = found.Contacts[j], found.Contacts[i] })
		if got := Choose(found, true, 7); !cmp.Equal(got, want) {
			t.Errorf("shuffled, the choice differs:\n%s", cmp.Diff(want, got))
		}
		named := 1 + len(want.Others)
		if want.Contact != nil {
			named++
		}
		if all := len(found.Open) + len(found.Contacts); named != all {
			t.Errorf("%d of %d things found are named", named, all)
		}
	})
}

func TestWhatTheCRMKnowsDecidesTheState(t *testing.T) {
	contact, company := item("contact", 5, 7, 1), item("company", 6, 8, 1)
	lead := item("lead", 3, 9, 1)
	lead.Contact = 5
	for _, test := range []struct {
		name         string
		found        crm.Found
		known        bool
		state        string
		owner        int
		contact, com bool
	}{
		{"nothing found is a new client", crm.Found{}, true, "new", 0, false, false},
		{"a hidden number is anonymous", crm.Found{Contacts: []crm.Item{contact}}, false, "anonymous", 0, false, false},
		{"a contact with nothing open", crm.Found{Contacts: []crm.Item{contact}}, true, "contact", 7, true, false},
		{"a company with nothing open counts as a contact", crm.Found{Companies: []crm.Item{company}}, true, "contact", 8, false, true},
		{"a contact before a company", crm.Found{Contacts: []crm.Item{contact}, Companies: []crm.Item{company}}, true, "contact", 7, true, true},
		{"an open lead before its contact", crm.Found{Open: []crm.Item{lead}, Contacts: []crm.Item{contact}}, true, "open", 9, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Choose(test.found, test.known, 0)
			if got.State != test.state || got.Owner != test.owner || (got.Contact != nil) != test.contact || (got.Company != nil) != test.com {
				t.Errorf("client: got %+v, want %s with responsible %d", got, test.state, test.owner)
			}
		})
	}
}

func TestTheContactOfTheChosenDealIsTaken(t *testing.T) {
	deal := item("deal", 3, 9, 1)
	deal.Contact = 6
	found := crm.Found{Open: []crm.Item{deal}, Contacts: []crm.Item{item("contact", 5, 7, 9), item("contact", 6, 7, 1)}}
	got := Choose(found, true, 0)
	if got.Contact.ID != 6 || !slices.ContainsFunc(got.Others, func(r event.Ref) bool { return r.ID == 5 }) {
		t.Errorf("contact: got %+v with others %+v, want 6, and 5 among the others", got.Contact, got.Others)
	}
}

func TestWhoWasOnTheCall(t *testing.T) {
	olena := &event.Employee{BitrixUser: 7}
	for _, test := range []struct {
		call  event.Call
		owner int
		want  string
	}{
		{event.Call{Direction: event.Inbound, Outcome: event.Missed, Employee: olena}, 7, "nobody"},
		{event.Call{Direction: event.Inbound, Outcome: event.Voicemail}, 7, "nobody"},
		{event.Call{Direction: event.Inbound, Outcome: event.Answered}, 7, "unmapped"},
		{event.Call{Direction: event.Inbound, Outcome: event.Answered, Employee: olena}, 7, "owner"},
		{event.Call{Direction: event.Inbound, Outcome: event.Answered, Employee: olena}, 8, "employee"},
		{event.Call{Direction: event.Outbound, Outcome: event.Missed, Employee: olena}, 0, "employee"},
	} {
		if got := answererOf(test.call, test.owner); got != test.want {
			t.Errorf("on the call of %+v with owner %d: got %s, want %s", test.call, test.owner, got, test.want)
		}
	}
}

func TestACallOfWhichNothingWasMadeIsDecidedAnewWhenMoreIsKnown(t *testing.T) {
	ignored := callfile.File{
		Resolved: &event.CallResolved{Facts: event.Call{ID: "c1", Outcome: event.Missed}, Answerer: "nobody", Decision: 1}, ResolvedAs: &event.Envelope{ID: "plan"}, Settled: "plan",
	}
	now := event.CallClassified{Call: event.Call{ID: "c1", Outcome: event.Answered}}
	if r, again := Again(ignored, now, "report"); again {
		t.Errorf("an ignored call is amended: %+v, want the CRM asked", r)
	}
	ignored.Journal = map[string]callfile.Entry{"task:contact": {State: callfile.Confirmed}}
	r, again := Again(ignored, now, "report")
	if !again || !r.Amends || r.First == nil || r.First.Facts.Outcome != event.Missed || r.First.Answerer != "nobody" {
		t.Errorf("a call with a task: again %v, %+v, want it amended, with what the task was made on", again, r)
	}
	ignored.Resolved = &r
	if next, _ := Again(ignored, now, "another"); next.First.Facts.Outcome != event.Missed {
		t.Errorf("the next amendment thinks that the task was made on %+v, want what the first decision was made on", next.First)
	}
}
