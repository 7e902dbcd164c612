package writer

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// backlog lets so many missed calls of new clients come at once and waits until all of
// them are in the portal.
func backlog(t *testing.T, o bitrixtest.Options, calls int, age time.Duration) (f figures) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		y, ctx := openYard(t, o)
		begun := time.Now()
		var all sync.WaitGroup
		for n := range calls {
			phone := number(n)
			all.Go(func() {
				y.call(ctx, phone, begun.Add(-age-time.Duration(calls-n)*time.Millisecond), missed(phone, phone))
			})
		}
		all.Wait()
		f = y.figures(begun)
		if leads, tasks := len(y.portal.Leads()), len(y.portal.Tasks()); leads != calls || tasks != calls || len(y.portal.Duplicates()) > 0 {
			t.Errorf("%d leads and %d tasks, %d made twice; want %d of each and none", leads, tasks, len(y.portal.Duplicates()), calls)
		}
	})
	return f
}

const crowd = 1500

func TestABacklogOfNewClientsIsPacked(t *testing.T) {
	for name, age := range map[string]time.Duration{"of now": 0, "of an hour ago": time.Hour} {
		t.Run(name, func(t *testing.T) {
			const each = 20 * time.Millisecond
			f := backlog(t, bitrixtest.Options{CommandTime: func(string) time.Duration { return each }}, crowd, age)
			t.Logf("%s", f)
			if f.perCall(crowd) > 0.10 || f.fill() < 40 || f.refusals > 0 || f.took > f.ideal(each)*115/100 {
				t.Errorf("%s; want at most 0.10 a call, at least 40 commands each, no refusal, and at most 15 %% more than the ideal %s", f, f.ideal(each))
			}
		})
	}
}

// TestABacklogUsesTheMethodsBudgetAndNeverOverrunsIt is under both ways in which portals
// bill a batch. The ceiling is what the limit allows in the long run.
func TestABacklogUsesTheMethodsBudgetAndNeverOverrunsIt(t *testing.T) {
	const calls, limit, each = 300, 96 * time.Second, 500 * time.Millisecond
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprintf("batch billed whole: %v", whole), func(t *testing.T) {
			f := backlog(t, bitrixtest.Options{CommandTime: func(string) time.Duration { return each }, BillBatchWhole: whole, OperatingLimit: limit}, calls, time.Hour)
			share := f.ofCeiling(each, limit, whole)
			t.Logf("%s, %.2f of the ceiling", f, share)
			if f.refusals > 0 || share < 0.9 {
				t.Errorf("%s, %.2f of the ceiling; want no refusal and at least 0.9", f, share)
			}
		})
	}
}

// BenchmarkBacklog is 1,500 missed calls of new numbers on a portal of 50 and 2 a second,
// in a bubble's time: what it reports is the portal's view, not this machine's.
func BenchmarkBacklog(b *testing.B) {
	const quick, slow, slowest = 20 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond
	for _, c := range []struct {
		each, age time.Duration
		whole     bool
	}{{quick, 0, false}, {quick, time.Hour, false}, {slow, 0, false}, {slow, 0, true}, {slowest, 0, false}, {slowest, 0, true}} {
		b.Run(fmt.Sprintf("command=%s/age=%s/whole=%v", c.each, c.age, c.whole), func(b *testing.B) {
			var f figures
			for b.Loop() {
				ok := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) {
					f = backlog(t, bitrixtest.Options{CommandTime: func(string) time.Duration { return c.each }, BillBatchWhole: c.whole}, crowd, c.age)
				}}})
				if !ok {
					b.Fatal("the backlog did not come through")
				}
			}
			b.ReportMetric(f.perCall(crowd), "requests/call")
			b.ReportMetric(f.fill(), "commands/request")
			b.ReportMetric(float64(f.refusals), "refusals")
			b.ReportMetric(f.took.Seconds(), "drain-s")
			if c.each == quick { // else the limit of execution time is what holds it up
				b.ReportMetric(f.took.Seconds()/f.ideal(c.each).Seconds(), "of-ideal")
			} else {
				b.ReportMetric(f.ofCeiling(c.each, bitrix.DefaultOperatingLimit, c.whole), "of-ceiling")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
