package rules

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The ids are part of the contract: customers switch rules off by them.
func TestTheIDsStayWhatTheyAre(t *testing.T) {
	want := strings.Fields(`
		answered/new answered/new/unmapped
		answered/open/owner answered/open/other answered/open/unmapped
		answered/contact/owner answered/contact/other answered/contact/unmapped
		missed/open missed/contact missed/new
		outbound/open/owner outbound/open/other outbound/open/unmapped
		outbound/new outbound/contact outbound/contact/unmapped
		voicemail/new voicemail/open voicemail/contact
		internal anonymous`)
	if got := IDs(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := ids(Table()); !slices.Equal(got, want) {
		t.Errorf("Table has %q, want the same as IDs", got)
	}
}

func TestSituationsAreCountedOnce(t *testing.T) {
	counts := map[string]int{}
	seen := map[Situation]bool{}
	for _, s := range Possible() {
		if seen[s] {
			t.Errorf("%v is there twice", s)
		}
		seen[s] = true
		counts[string(s.Direction)+" "+string(s.Outcome)]++
	}
	want := map[string]int{
		"inbound answered":  2 + 3 + 3 + 2, // new, contact, open, anonymous
		"inbound missed":    4,
		"inbound voicemail": 4,
		"outbound answered": 2 + 3 + 3 + 2,
		"outbound missed":   2 + 3 + 3 + 2,
		"internal answered": 1,
	}
	if !reflect.DeepEqual(counts, want) {
		t.Errorf("got %v, want %v", counts, want)
	}
}

func TestDecideSaysWhatCannotOccur(t *testing.T) {
	possible := map[Situation]bool{}
	for _, s := range Possible() {
		possible[s] = true
	}
	for _, direction := range append(slices.Clone(directions), "", "sideways") {
		for _, outcome := range append(slices.Clone(outcomes), "", "busy") {
			for _, client := range append(slices.Clone(clients), "", "vip") {
				for _, answerer := range append(slices.Clone(answerers), "", "robot") {
					s := Situation{direction, outcome, client, answerer}
					rule, ok := Decide(s)
					if want := possible[s] || direction == Internal; ok != want {
						t.Errorf("%v: got rule %q, %v, want %v", s, rule.ID, ok, want)
					}
					if !ok && rule.ID != "" {
						t.Errorf("%v: got rule %q for what cannot occur, want none", s, rule.ID)
					}
					if direction == Internal && rule.ID != "internal" {
						t.Errorf("%v: got rule %q, want internal", s, rule.ID)
					}
				}
			}
		}
	}
}

func TestCallersCannotChangeTheTable(t *testing.T) {
	before := Table()
	for _, rule := range Table() {
		for i := range rule.Source.Points {
			rule.Source.Points[i] = 99
		}
		for i := range rule.When.Directions {
			rule.When.Directions[i] = "sideways"
		}
		for i := range rule.Then {
			rule.Then[i].On = "robot"
			for k := range rule.Then[i].With {
				rule.Then[i].With[k] = "nothing"
			}
			for k := range rule.Then[i].When.Outcomes {
				rule.Then[i].When.Outcomes[k] = "busy"
			}
		}
	}
	IDs()[0] = "nothing"
	if !reflect.DeepEqual(Table(), before) {
		t.Errorf("got  %v\nwant %v", Table(), before)
	}
}

func TestARuleHasNoStepsForAnotherSituation(t *testing.T) {
	rule, _ := Decide(Situation{Inbound, Missed, NewClient, ByNobody})
	if got := rule.Steps(Situation{Inbound, Answered, NewClient, ByEmployee}); len(got) != 0 {
		t.Errorf("%s: got %v for an answered call, want no steps", rule.ID, got)
	}
}

func TestAnAnonymousCallHasOneRuleAndAStepForEachEnd(t *testing.T) {
	for _, test := range []struct {
		s    Situation
		want []string
	}{
		{Situation{Inbound, Missed, Anonymous, ByNobody}, []string{"task:contact senior"}},
		{Situation{Inbound, Voicemail, Anonymous, ByNobody}, []string{"task:contact senior"}},
		{Situation{Inbound, Answered, Anonymous, ByEmployee}, []string{"task:done answerer"}},
		{Situation{Inbound, Answered, Anonymous, ByUnmapped}, []string{"task:check senior"}},
		{Situation{Outbound, Answered, Anonymous, ByEmployee}, nil},
		{Situation{Outbound, Missed, Anonymous, ByUnmapped}, nil},
	} {
		rule, ok := Decide(test.s)
		var got []string
		for _, step := range rule.Steps(test.s) {
			got = append(got, step.Key()+" "+string(step.On))
		}
		if !ok || rule.ID != "anonymous" || !slices.Equal(got, test.want) {
			t.Errorf("%v: got %s %q, want anonymous %q", test.s, rule.ID, got, test.want)
		}
	}
}

func TestOnlyTheContactsReviewIsDue(t *testing.T) {
	for _, rule := range Table() {
		for _, step := range rule.Then {
			want := NoDue
			if step.Task == Contact {
				want = DueCallback
			}
			if step.Task == Review && rule.ID == "answered/contact/other" {
				want = DueReview
			}
			if step.Due != want {
				t.Errorf("%s: %s is due %q, want %q", rule.ID, step.Key(), step.Due, want)
			}
		}
	}
}
