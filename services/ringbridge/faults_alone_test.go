package main

import (
	"slices"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// The faults here concern a whole portal or one method, or need a person to act at the
// right moment; the others are in faults_test.go. Numbers are the rows of the list.

// TestABlockedMethodHoldsUpNobodyWhoDoesNotNeedIt (2): the portal closes one method for
// its operating time.
func TestABlockedMethodHoldsUpNobodyWhoDoesNotNeedIt(t *testing.T) {
	t.Parallel()
	// The portal's clock is behind, so that it opens the method again within seconds.
	c := newCompany(t, "blocked", bitrixtest.Options{Plan: bitrixtest.Unlimited, Now: func() time.Time { return time.Now().Add(-10*time.Minute + 4*time.Second) }})
	leadThere(c, 1)
	h := openTown(t, []*company{c})
	c.call(0) // the answer says when the method opens again
	c.quiet()
	c.portal.Inject(bitrixtest.Fault{Method: "crm.item.add", Do: bitrixtest.OperationTimeLimit})
	c.call(2) // needs a lead
	h.until("the method was refused", func() bool {
		return c.hits(func(r bitrixtest.Request) bool { return r.Has("crm.item.add") }) == 1
	})
	c.call(1) // has one
	h.until("the call that needs no lead is through", func() bool { return c.state(2) == "done" })
	if got := c.state(1); got != "waiting" {
		t.Errorf("the call that needs the blocked method is %s meanwhile, want it waiting", got)
	}
	if s := c.quiet(); s.Parked != 0 {
		t.Errorf("%d calls are parked, want none", s.Parked)
	}
	c.holds(2)
}

// TestAnotherProgramThatUsesUpThePaceOnlyCostsTime (25, 1): the portal counts for all
// programs behind one address.
func TestAnotherProgramThatUsesUpThePaceOnlyCostsTime(t *testing.T) {
	t.Parallel()
	c := newCompany(t, "shared", bitrixtest.Options{})
	c.pace = [2]int{2, 50}
	openTown(t, []*company{c})
	c.portal.SpendBucket("127.0.0.1", 50)
	for n := range 4 {
		c.call(n)
	}
	if s := c.quiet(); s.Parked != 0 {
		t.Errorf("%d calls are parked, want none", s.Parked)
	}
	c.holds(4)
	refused := 0
	for _, r := range c.portal.Requests() {
		if r.Error == "QUERY_LIMIT_EXCEEDED" {
			refused++
		}
	}
	if refused == 0 || refused > 8 {
		t.Errorf("the portal refused %d requests, want some and no storm:\n%s", refused, c.tell())
	}
}

// TestAPersonWhoActsBetweenLookingAndWritingStopsNothing (22): what was found is deleted
// or merged before the task on it is made.
func TestAPersonWhoActsBetweenLookingAndWritingStopsNothing(t *testing.T) {
	t.Parallel()
	acts := map[string]func(c *company, lead int){
		"deleted": func(c *company, lead int) { c.portal.Delete(bitrixtest.Lead, lead) },
		"closed": func(c *company, lead int) {
			c.portal.Edit(bitrixtest.Lead, lead, func(e *bitrixtest.Entity) { e.StageID = "JUNK" })
		},
		"given on": func(c *company, lead int) {
			c.portal.Edit(bitrixtest.Lead, lead, func(e *bitrixtest.Entity) { e.ResponsibleID = petro })
		},
		"merged in": func(c *company, lead int) {
			c.portal.Merge(bitrixtest.Lead, lead, c.portal.AddLead(bitrixtest.Entity{Title: "Chairs", ResponsibleID: olena}))
		},
	}
	names := []string{"deleted", "closed", "given on", "merged in"}
	var companies []*company
	for _, name := range names {
		c := newCompany(t, "person-"+name[:5], bitrixtest.Options{Plan: bitrixtest.Unlimited})
		leadThere(c, 0)
		c.portal.Inject(bitrixtest.Fault{When: func(r bitrixtest.Request) bool { return r.Has("crm.item.list") }, Do: bitrixtest.Stall(2 * time.Second)})
		companies = append(companies, c)
	}
	h := openTown(t, companies)
	for i, name := range names {
		c := companies[i]
		c.call(0)
		h.until("the lead was read", func() bool {
			return slices.ContainsFunc(c.portal.Requests(), func(r bitrixtest.Request) bool {
				return r.Fault != "" && r.Commands[len(r.Commands)-1].Ran // and the answer is held back
			})
		})
		acts[name](c, c.portal.Leads()[0].ID)
		c.portal.Flush()
		s := c.quiet()
		if tasks := c.portal.Tasks(); s.Parked != 0 || c.state(0) != "done" || len(tasks) != 1 || tasks[0].Status != 5 || len(c.portal.Duplicates()) != 0 {
			t.Errorf("lead %s: the call is %s, %d parked, tasks %+v; want it done with one closed task\n%s", name, c.state(0), s.Parked, tasks, c.tell())
		}
	}
}
