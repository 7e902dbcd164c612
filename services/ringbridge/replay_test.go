package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestAfterAMistakeInTheSettingsTheWeekIsPutRight goes through each kind of mistake: 30
// calls wrong, the settings corrected, a plan, and what it makes of the portal is what
// right settings would have made.
func TestAfterAMistakeInTheSettingsTheWeekIsPutRight(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			h := wrongWeek(t, m)
			h.portal.ForgetRequests()
			if before := h.plan("{}", false); len(before.Rows) != 0 {
				t.Errorf("with the settings as they were the plan is\n%s", before)
			}
			h.correct(m.correct)
			p := h.plan("{}", false)
			if p.State != "planned" {
				t.Fatalf("the plan is %s: %s", p.State, p.Reason)
			}
			h.onlyReads("while planning")
			golden(t, "replay."+strings.ReplaceAll(m.name, " ", "-")+".txt", p.String())
			if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
				t.Fatalf("the plan is %s with %d skipped: %s", done.State, done.Skipped, done.Reason)
			}
			h.quiet()
			if got, want := h.sorted(), rightWeek(t, m); got != want {
				t.Errorf("the portal holds:\n%s\nwant what right settings make:\n%s", got, want)
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again the plan is\n%s", again)
			}
			h.portal.ForgetRequests()
			if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/apply", "", ""); code != http.StatusOK {
				t.Errorf("the second apply answered %d %s, want 200", code, body)
			}
			h.quiet()
			h.onlyReads("by the second apply")
			for id, n := range h.portal.Duplicates() {
				t.Errorf("%s was made %d times", id, n)
			}
			if left := h.parked(); len(left) != 0 {
				t.Errorf("%d things are still parked", len(left))
			}
		})
	}
}

// TestWhatAPersonChangedMeanwhileIsLeftAlone edits what the wrong settings made: a lead is
// given to somebody else, a task is rewritten, one is deleted, one is moved on.
func TestWhatAPersonChangedMeanwhileIsLeftAlone(t *testing.T) {
	for _, m := range mistakes[:2] {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			h := wrongWeek(t, m)
			h.correct(m.correct)
			touched := map[string][]int{} // what a replay would change
			for _, r := range h.plan("{}", false).Rows {
				if r.BitrixID != 0 && r.Kind != "same" && !slices.Contains(touched[r.Entity], r.BitrixID) {
					touched[r.Entity] = append(touched[r.Entity], r.BitrixID)
				}
			}
			if len(touched["lead"]) < 2 || len(touched["task"]) < 2 {
				t.Fatalf("a replay would change %v, want two leads and two tasks at least", touched)
			}
			leads := touched["lead"]
			given, deleted, rewritten := leads[0], touched["task"][0], touched["task"][1]
			h.portal.Edit(bitrixtest.Lead, given, func(e *bitrixtest.Entity) { e.ResponsibleID = olena })
			h.portal.Edit(bitrixtest.Lead, leads[1], func(e *bitrixtest.Entity) { e.Title = "Twelve oak chairs" })
			h.portal.DeleteTask(deleted)
			h.portal.EditTask(rewritten, func(t *bitrixtest.Task) { t.Description, t.ResponsibleID = "Called back, wants chairs.", olena })
			p := h.plan("{}", false)
			conflicts := map[string]bool{}
			for _, r := range p.Rows {
				if r.Kind == "conflict" {
					conflicts[fmt.Sprint(r.Entity, " ", r.BitrixID)] = true
				}
			}
			for _, what := range []string{fmt.Sprint("lead ", given), fmt.Sprint("task ", deleted), fmt.Sprint("task ", rewritten)} {
				if !conflicts[what] {
					t.Errorf("%s was changed by a person and is no conflict in\n%s", what, p)
				}
			}
			if len(conflicts) != 3 {
				t.Errorf("%d conflicts, want 3: %v", len(conflicts), conflicts)
			}
			if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
				t.Fatalf("the plan is %s with %d skipped: %s", done.State, done.Skipped, done.Reason)
			}
			h.quiet()
			for _, lead := range h.portal.Leads() {
				if lead.ID == given && lead.ResponsibleID != olena {
					t.Errorf("the lead that a person gave to Olena is on user %d", lead.ResponsibleID)
				}
				if lead.ID == leads[1] && lead.Title != "Twelve oak chairs" {
					t.Errorf("the lead that a person named is called %q", lead.Title)
				}
			}
			for _, task := range h.portal.Tasks() {
				if task.ID == rewritten && (task.Description != "Called back, wants chairs." || task.ResponsibleID != olena) {
					t.Errorf("the task that a person rewrote is on %d and says %q", task.ResponsibleID, task.Description)
				}
				if task.ID == deleted {
					t.Error("the task that a person deleted is there again")
				}
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again the plan is\n%s", again)
			}
			for id, n := range h.portal.Duplicates() {
				t.Errorf("%s was made %d times", id, n)
			}
		})
	}
}
