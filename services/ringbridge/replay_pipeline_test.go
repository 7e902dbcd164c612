package main

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
)

// pipeline says where new deals begin.
func pipeline(category int, stage string) func(map[string]any) {
	return func(block map[string]any) {
		scenarios(block)["pipeline"] = map[string]any{"category": category, "stage": stage, "source": "CALL"}
	}
}

// dealsHouse makes deals of new clients, and has a second and a third pipeline.
func dealsHouse(t *testing.T) (h *house, wholesale, repairs int) {
	t.Helper()
	h = openHouse(t, bitrixtest.Options{}, "    scenarios: {new_client: contact+deal}\n")
	wholesale, repairs = h.portal.AddFunnel("Wholesale"), h.portal.AddFunnel("Repairs")
	h.send(h.call("c1", missedCall))
	h.quiet()
	return h, wholesale, repairs
}

// deal is the only deal of a portal: its pipeline and its stage.
func (h *house) deal() string {
	h.t.Helper()
	d := only(h.t, "deals", h.portal.Deals())
	return fmt.Sprint(d.CategoryID, " ", d.StageID)
}

// journalOf is what the journal says of a thing of call c1.
func (h *house) journalOf(role string) callfile.Entry {
	h.t.Helper()
	file, err := h.in.env.Files.Get(context.Background(), "shop", "c1")
	if err != nil {
		h.t.Fatal(err)
	}
	return file.Journal[role]
}

// TestADealIsMovedToThePipelineWhereItShouldHaveBeenMade changes pipeline and stage again
// and again: after each replay portal and journal say the same.
func TestADealIsMovedToThePipelineWhereItShouldHaveBeenMade(t *testing.T) {
	t.Parallel()
	h, wholesale, repairs := dealsHouse(t)
	for _, c := range []struct {
		category int
		stage    string
		want     string
	}{
		{wholesale, "NEW", fmt.Sprintf("%d C%d:NEW", wholesale, wholesale)},
		{wholesale, "PREPARATION", fmt.Sprintf("%d C%d:PREPARATION", wholesale, wholesale)},
		{repairs, fmt.Sprintf("C%d:EXECUTING", repairs), fmt.Sprintf("%d C%d:EXECUTING", repairs, repairs)},
		{0, "EXECUTING", "0 EXECUTING"},
		{0, "NEW", "0 NEW"},
	} {
		h.correct(pipeline(c.category, c.stage))
		p := h.plan("{}", false)
		if len(p.Rows) != 1 || p.Rows[0].Kind != "update" || p.Rows[0].Entity != "deal" {
			t.Fatalf("to %s the plan is\n%s\nwant the deal updated", c.want, p)
		}
		h.carryOut(p)
		e := h.journalOf("deal")
		if got := h.deal(); got != c.want || e.State != callfile.Confirmed || e.Entity.Category != c.category || e.Entity.Stage != c.stage {
			t.Errorf("the deal is in %s, and by the journal (%s) in %d %s; want %s", got, e.State, e.Entity.Category, e.Entity.Stage, c.want)
		}
		if again := h.plan("{}", false); len(again.Rows) != 0 {
			t.Errorf("made again the plan is\n%s", again)
		}
	}
	if left := h.parked(); len(left) != 0 {
		t.Errorf("parked: %+v", left)
	}
}

// TestADealThatAPersonMovedStaysWhereItIs moves the deal by hand, within its pipeline and
// out of it, before the settings change: neither pipeline nor stage is written then, nor
// after the stage is changed once more.
func TestADealThatAPersonMovedStaysWhereItIs(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(d *bitrixtest.Entity, repairs int){
		"to another stage":  func(d *bitrixtest.Entity, _ int) { d.StageID = "PREPARATION" },
		"to the last stage": func(d *bitrixtest.Entity, _ int) { d.StageID = "WON" },
		"to the same stage somewhere else": func(d *bitrixtest.Entity, repairs int) {
			d.CategoryID, d.StageID = repairs, fmt.Sprintf("C%d:NEW", repairs)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, wholesale, repairs := dealsHouse(t)
			h.portal.Edit(bitrixtest.Deal, only(t, "deals", h.portal.Deals()).ID, func(d *bitrixtest.Entity) { move(d, repairs) })
			stays := h.deal()
			for _, stage := range []string{"NEW", "EXECUTING"} {
				h.correct(pipeline(wholesale, stage))
				p := h.plan("{}", false)
				if len(p.Rows) != 1 || p.Rows[0].Kind != "conflict" || p.Rows[0].Entity != "deal" {
					t.Fatalf("to stage %s the plan is\n%s\nwant a conflict about the deal", stage, p)
				}
				h.portal.ForgetRequests()
				h.carryOut(p)
				h.onlyReads("about a deal that a person moved")
				if got := h.deal(); got != stays {
					t.Errorf("the deal is in %s, want it in %s, where the person moved it", got, stays)
				}
				if again := h.plan("{}", false); len(again.Rows) != 0 {
					t.Errorf("made again the plan is\n%s", again)
				}
			}
		})
	}
}

// TestADealWhoseJournalIsWrongAboutItsPipelineIsSentNoStage has the journal of an older
// version, which noted the pipeline of the settings while the deal stayed in its own.
func TestADealWhoseJournalIsWrongAboutItsPipelineIsSentNoStage(t *testing.T) {
	t.Parallel()
	h, wholesale, _ := dealsHouse(t)
	if _, err := h.in.env.Files.Change(context.Background(), "shop", "c1", func(f *callfile.File) (bool, error) {
		f.Journal["deal"].Entity.Category = wholesale
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	h.correct(pipeline(wholesale, "PREPARATION"))
	p := h.plan("{}", false)
	if len(p.Rows) != 1 || p.Rows[0].Kind != "conflict" {
		t.Errorf("the plan is\n%s\nwant a conflict about the deal", p)
	}
	h.portal.ForgetRequests()
	h.carryOut(p)
	h.onlyReads("about a deal in another pipeline")
	if got := h.deal(); got != "0 NEW" {
		t.Errorf("the deal is in %s, want it as it was", got)
	}
}

// TestALateReportMovesNoDeal: pipeline and stage of what is there are people's by then,
// and only a replay looks. The journal says where the deal is.
func TestALateReportMovesNoDeal(t *testing.T) {
	t.Parallel()
	h, wholesale, _ := dealsHouse(t)
	h.correct(pipeline(wholesale, "PREPARATION"))
	h.send(h.call("c1", url.Values{}))
	h.quiet()
	deal := only(t, "deals", h.portal.Deals())
	if deal.ResponsibleID != olena {
		t.Errorf("the deal is on user %d, want Olena, who took the call after all", deal.ResponsibleID)
	}
	if e := h.journalOf("deal"); h.deal() != "0 NEW" || e.State != callfile.Confirmed || e.Entity.Category != 0 || e.Entity.Stage != "NEW" {
		t.Errorf("the deal is in %s, and by the journal (%s, %s) in %d %s; want it where it was made", h.deal(), e.State, e.Error, e.Entity.Category, e.Entity.Stage)
	}
	h.carryOut(h.plan("{}", false))
	if got, want := h.deal(), fmt.Sprintf("%d C%d:PREPARATION", wholesale, wholesale); got != want {
		t.Errorf("after a replay the deal is in %s, want %s", got, want)
	}
}
