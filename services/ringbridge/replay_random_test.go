package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// randomHistory sends calls of few clients in every shape that the tests know: answered,
// missed, by nobody's line, hidden, going on, told twice, corrected later, passed on.
func (h *house) randomHistory(dice *rand.Rand, calls int) {
	h.t.Helper()
	for i := range 3 {
		number := fmt.Sprintf("+38067111330%d", i)
		contact := h.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{number}, ResponsibleID: []int{senior, olena, petro}[dice.IntN(3)]})
		if i == 1 {
			h.portal.AddDeal(bitrixtest.Entity{Title: "Six chairs", ContactID: contact, ResponsibleID: petro})
			h.portal.AddDeal(bitrixtest.Entity{Title: "A table", ContactID: contact, ResponsibleID: olena})
		}
	}
	byPetro := url.Values{"connected_with": {"380501110102"}, "staffid": {"102"}}
	strange := url.Values{"connected_with": {strangeLine}, "staffid": {""}}
	outgoing := url.Values{"type": {"out"}, "caller": {"380501110101"}, "outbound_number": {"380441234567"}, "connected_with": {""}}
	for i := range calls {
		number := fmt.Sprintf("+38067111330%d", dice.IntN(8))
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("", 2*3600)).Add(time.Duration(i) * 7 * time.Minute)
		base := url.Values{"caller": {number}, "date": {at.Format(time.RFC3339)}}
		over := []url.Values{nil, byPetro, strange, missedCall, {"status": {"VOICEMAIL"}}, visit, {"caller": {"anonymous"}}, with(outgoing, url.Values{"callee": {number}})}[dice.IntN(8)]
		v := h.call(fmt.Sprintf("r%03d", i), with(base, over))
		switch dice.IntN(5) {
		case 0: // it was reported before it was over, and in the end
			h.sendTo("?event=before", h.call(fmt.Sprintf("r%03d", i), with(base, missedCall, url.Values{"status": {""}})))
			h.send(v)
		case 1: // it was reported twice
			h.send(v)
			h.send(v)
		case 2: // it was reported missed, and later as it was
			h.send(h.call(fmt.Sprintf("r%03d", i), with(base, missedCall)))
			if dice.IntN(2) == 0 {
				h.quiet()
			}
			h.send(v)
		default:
			h.send(v)
		}
		if dice.IntN(3) == 0 {
			h.quiet()
		}
	}
	h.quiet()
}

// corrections are changes of settings that a replay may have to follow.
var corrections = map[string]func(block map[string]any){
	"the senior":      func(b map[string]any) { b["senior"] = petro },
	"the senior back": func(b map[string]any) { b["senior"] = senior },
	"Olena is Petro":  func(b map[string]any) { employees(b)[0].(map[string]any)["bitrix_user"] = petro },
	"Olena is Olena":  func(b map[string]any) { employees(b)[0].(map[string]any)["bitrix_user"] = olena },
	"a line gets a person": func(b map[string]any) {
		employees(b)[1].(map[string]any)["numbers"] = []string{"+380501110102", "+" + strangeLine}
	},
	"a rule off":       func(b map[string]any) { scenarios(b)["off"] = []string{"missed/new"} },
	"another rule off": func(b map[string]any) { scenarios(b)["off"] = []string{"answered/new", "outbound/open/other"} },
	"no rule off":      func(b map[string]any) { delete(scenarios(b), "off") },
	"deals":            func(b map[string]any) { scenarios(b)["new_client"] = "contact+deal" },
	"leads":            func(b map[string]any) { scenarios(b)["new_client"] = "lead" },
	"in turn":          func(b map[string]any) { scenarios(b)["missed_new_client"] = "distribute" },
	"later":            func(b map[string]any) { scenarios(b)["callback_due"] = "4h" },
	"another language": func(b map[string]any) { b["locale"] = "uk" },
	"another zone":     func(b map[string]any) { b["time_zone"] = "America/New_York" },
}

func scenarios(block map[string]any) map[string]any { return block["scenarios"].(map[string]any) }

// TestUnchangedSettingsChangeNothingAndAReplayEndsInPeace goes through random histories:
// with the same settings a plan finds everything the same; after any correction, what a
// plan changes is all there is to change.
func TestUnchangedSettingsChangeNothingAndAReplayEndsInPeace(t *testing.T) {
	for range 4 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			replayInPeace(t, seed, 30)
		})
	}
}

func replayInPeace(t *testing.T, seed uint64, calls int) {
	dice := rand.New(rand.NewPCG(seed, 1))
	h := openHouse(t, bitrixtest.Options{}, "")
	h.randomHistory(dice, calls)
	h.portal.ForgetRequests()
	p := h.plan("{}", true)
	if p.State != "planned" || p.Totals["same"] != len(p.Rows) || len(p.Rows) == 0 {
		t.Fatalf("with unchanged settings the plan is %s (%s)\n%s", p.State, p.Reason, p)
	}
	h.onlyReads("with unchanged settings")
	names := make([]string, 0, len(corrections))
	for name := range corrections {
		names = append(names, name)
	}
	slices.Sort(names)
	for range 3 {
		name := names[dice.IntN(len(names))]
		h.correct(corrections[name])
		p := h.plan("{}", false)
		if p.State != "planned" {
			t.Fatalf("%s: the plan is %s: %s", name, p.State, p.Reason)
		}
		if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
			t.Fatalf("%s: the plan is %s with %d skipped: %s", name, done.State, done.Skipped, done.Reason)
		}
		h.quiet()
		if again := h.plan("{}", false); len(again.Rows) != 0 {
			t.Fatalf("%s: made again the plan is\n%s\nafter\n%s", name, again, p)
		}
		for id, n := range h.portal.Duplicates() {
			t.Errorf("%s: %s was made %d times", name, id, n)
		}
	}
}
