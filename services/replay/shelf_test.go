package replay

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

func TestTheNewestPlansOfAProjectAreKeptAndThoseThatAreNotOver(t *testing.T) {
	s := newShelf(t.TempDir())
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	begin := func(project string, state replayplan.State) string {
		t.Helper()
		at = at.Add(time.Minute)
		b, err := s.begin(t.Context(), replayplan.Plan{Project: project, State: state}, at)
		if err != nil {
			t.Fatal(err)
		}
		return b.plan().ID
	}
	stay := []string{begin("shop", replayplan.Paused), begin("shop", replayplan.Applying), begin("shop", replayplan.Planning), begin("cafe", replayplan.Done)}
	var gone []string
	for _, state := range []replayplan.State{replayplan.Planned, replayplan.Done, replayplan.Failed, replayplan.Aborted} {
		gone = append(gone, begin("shop", state))
	}
	s.books = map[string]*book{} // as after a start: what is taken away was not opened yet
	for range mostPlans {
		stay = append(stay, begin("shop", replayplan.Planned))
	}
	for _, id := range stay {
		if _, err := s.open(t.Context(), projectOf(id), id); err != nil {
			t.Errorf("plan %s: %v, want it kept", id, err)
		}
	}
	for _, id := range gone {
		if _, err := s.open(t.Context(), "shop", id); !errors.Is(err, errNoPlan) {
			t.Errorf("plan %s: %v, want it gone", id, err)
		}
	}
	ids, err := s.list("shop")
	if want := mostPlans + 3; err != nil || len(ids) != want {
		t.Errorf("%d plans are listed (%v), want %d", len(ids), err, want)
	}
}

func TestAnIdThatLeadsElsewhereIsNoPlan(t *testing.T) {
	s := newShelf(t.TempDir())
	for _, id := range []string{"cafe.20260302-090000", "shop.../../cafe/cafe.20260302-090000", `shop.\..\x`, "", "shop"} {
		if _, err := s.open(t.Context(), "shop", id); !errors.Is(err, errNoPlan) {
			t.Errorf("%s: %v, want no plan", fmt.Sprintf("%q", id), err)
		}
	}
}
