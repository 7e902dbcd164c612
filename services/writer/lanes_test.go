package writer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
)

// liveAmong lets n calls come one after the other, a few seconds apart, and says how long
// each waited until its first request left, the longest last.
func liveAmong(ctx context.Context, y *yard, n int) (waits []time.Duration) {
	var all sync.WaitGroup
	came := map[string]time.Time{}
	for i := range n {
		phone := number(9_000_000 + i)
		y.watch(phone)
		came[phone] = time.Now()
		all.Go(func() { y.call(ctx, phone, time.Now(), answeredCall(phone, phone)) })
		time.Sleep(3700 * time.Millisecond)
	}
	all.Wait()
	for phone, at := range came {
		waits = append(waits, y.left(phone).Sub(at))
	}
	slices.Sort(waits)
	return waits
}

func TestALiveCallStartsAtOnceBehindTenThousandOldOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, ctx := openYard(t, bitrixtest.Options{CommandTime: func(string) time.Duration { return 20 * time.Millisecond }})
		g := y.desk.gateway
		g.mu.Lock()
		for n := range 10_000 {
			g.queue.push(&unit{
				client: number(n), priority: priorityBacklog, since: time.Now().Add(-time.Hour), ctx: ctx, done: make(chan struct{}),
				commands: []bitrix.Command{bitrix.Profile().As(fmt.Sprintf("c%d_a", n)), bitrix.Profile().As(fmt.Sprintf("c%d_b", n))},
			})
		}
		g.mu.Unlock()
		g.nudge()
		time.Sleep(30 * time.Second) // the burst is used up
		waits := liveAmong(ctx, y, 20)
		if waiting := y.desk.gateway.status().Waiting; waiting < 1000 {
			t.Fatalf("only %d old calls still wait: nothing was proved", waiting)
		}
		if p95 := waits[len(waits)*95/100]; p95 > 2*time.Second {
			t.Errorf("95 of 100 live calls started within %s, want 2 s; all: %v", p95, waits)
		}
		t.Logf("a live call started after %s at the median, %s at the most", waits[len(waits)/2], waits[len(waits)-1])
	})
}

func TestAfterAnOutageLiveCallsGoBeforeThoseThatWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waited = 500
		y, ctx := openYard(t, bitrixtest.Options{CommandTime: func(string) time.Duration { return 500 * time.Millisecond }})
		y.portal.RevokeWebhook()
		var all sync.WaitGroup
		for n := range waited {
			phone := number(n)
			all.Go(func() { y.call(ctx, phone, time.Now(), missed(phone, phone)) })
		}
		time.Sleep(10 * time.Minute)
		y.portal.RestoreWebhook()
		for y.desk.gateway.status().Portal.State != crmOK {
			time.Sleep(100 * time.Millisecond)
		}
		waits := liveAmong(ctx, y, 10)
		if leads := len(y.portal.Leads()); leads >= waited {
			t.Fatalf("%d leads: the backlog was over, nothing was proved", leads)
		}
		if last := waits[len(waits)-1]; last > 2*time.Second {
			t.Errorf("a live call waited %s behind the backlog, want at most 2 s", last)
		}
		all.Wait()
		if leads := len(y.portal.Leads()); leads != waited+10 || len(y.portal.Duplicates()) > 0 {
			t.Errorf("%d leads in the end, twice: %v; want %d and none", leads, y.portal.Duplicates(), waited+10)
		}
	})
}

func TestAClientWithManyCallsDoesNotHoldTheOthers(t *testing.T) {
	var q queue
	since := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for n := range 500 {
		q.push(&unit{client: "many", since: since.Add(time.Duration(n) * time.Second)})
	}
	for _, client := range []string{"b", "c", "d"} {
		q.push(&unit{client: client, since: since.Add(time.Hour)})
	}
	var order []string
	for range 6 {
		u := q.waiting[0]
		q.remove(u)
		q.served(u)
		order = append(order, u.client)
		if u.client == "b" { // the call goes on
			if len(order) < 3 {
				q.push(&unit{client: "b", since: u.since})
			}
		}
	}
	if got := strings.Join(order, " "); got != "many b c d b many" {
		t.Errorf("order %q, want a turn for each, and b's call finished within its own", got)
	}
	late := &unit{client: "late", since: since.Add(2 * time.Hour)}
	q.push(late)
	if at := slices.Index(q.waiting, late); at > 1 {
		t.Errorf("who comes now is %dth in turn, want among the first", at+1)
	}
}

// company is many calls that write at once, with their look-ups done.
func company(ctx context.Context, y *yard, calls int) {
	var all sync.WaitGroup
	for n := range calls {
		id := fmt.Sprint("call-", n)
		all.Go(func() { y.write(ctx, time.Now().Add(-time.Hour), answeredCall(id, number(n))) })
	}
	all.Wait()
}

func TestOneRefusedCommandDoesNotTouchItsNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 100
		y, ctx := openYard(t, bitrixtest.Options{})
		y.portal.Inject(bitrixtest.Fault{Method: "crm.item.add", Skip: 40, Do: bitrixtest.Refuse(400, "ERROR_CORE", "Required field Branch value not entered")})
		company(ctx, y, calls)
		if j := y.journals(); j[callfile.Rejected] != 2 || j[callfile.Confirmed] != 2*calls-2 {
			t.Errorf("journals: %v, want a lead and its task refused and all others confirmed", j)
		}
		for _, task := range y.portal.Tasks() {
			if task.Status != 5 || len(task.CRM) != 1 {
				t.Errorf("task %+v, want it closed and bound to a lead", task)
			}
		}
		if n := len(y.portal.Leads()); n != calls-1 || len(y.portal.Duplicates()) > 0 {
			t.Errorf("%d leads, twice %v; want %d and none", n, y.portal.Duplicates(), calls-1)
		}
	})
}

// TestWhatUpsetsThePortalSoonTravelsAlone has one command with which every request dies.
func TestWhatUpsetsThePortalSoonTravelsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 60
		y, ctx := openYard(t, bitrixtest.Options{})
		ctx, stop := context.WithTimeout(ctx, 2*time.Hour)
		defer stop()
		poison := commandKey(missed("call-17", number(17))[0])
		killed := 0
		y.portal.Inject(bitrixtest.Fault{When: func(r bitrixtest.Request) bool {
			hit := slices.ContainsFunc(r.Commands, func(c bitrixtest.Command) bool { return c.Key == poison && c.Method == "crm.item.add" })
			if hit && len(r.Commands) > 3 { // its own chain has three
				killed++
			}
			return hit
		}, Times: -1, Do: bitrixtest.HTML502Before})
		company(ctx, y, calls)
		if leads, tasks := len(y.portal.Leads()), len(y.portal.Tasks()); leads != calls-1 || tasks != calls-1 || len(y.portal.Duplicates()) > 0 {
			t.Errorf("%d leads and %d tasks, twice %v; want %d of each and none", leads, tasks, y.portal.Duplicates(), calls-1)
		}
		if killed > 3 {
			t.Errorf("it took %d requests of others down with it, want at most 3", killed)
		}
	})
}

func TestALostRequestOfManyIsSearchedForInFewAndDoublesNothing(t *testing.T) {
	for name, do := range map[string]bitrixtest.Effect{"done": bitrixtest.HTML502After, "not done": bitrixtest.HTML502Before, "half": bitrixtest.CutAfterCommands(20), "cut": bitrixtest.CutAfter} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const calls = 200
				y, ctx := openYard(t, bitrixtest.Options{})
				y.portal.Inject(bitrixtest.Fault{When: func(r bitrixtest.Request) bool { return has(r, "tasks.task.add") && len(r.Commands) > 30 }, Do: do})
				y.portal.Inject(bitrixtest.Fault{When: func(r bitrixtest.Request) bool { return has(r, "crm.item.add") && len(r.Commands) > 30 }, Do: do})
				company(ctx, y, calls)
				if leads, tasks := len(y.portal.Leads()), len(y.portal.Tasks()); leads != calls || tasks != calls || len(y.portal.Duplicates()) > 0 {
					t.Errorf("%d leads and %d tasks, twice %v; want %d of each and none", leads, tasks, y.portal.Duplicates(), calls)
				}
				searches, lost := 0, 0
				for _, r := range y.portal.Requests() {
					if has(r, "crm.item.list") || has(r, "tasks.task.list") {
						searches++
					}
					if r.Fault != "" {
						lost += len(r.Commands)
					}
				}
				if lost < 60 || searches > 20 {
					t.Errorf("%d commands were lost and searched for in %d requests, want at least 60 and at most 20", lost, searches)
				}
			})
		})
	}
}

// TestASlowDiskMakesRequestsSmallerAndStopsNothing stores one journal after the other, so
// that the intents of a full request would be too old when it leaves.
func TestASlowDiskMakesRequestsSmallerAndStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 120
		y, ctx := openYard(t, bitrixtest.Options{})
		turn := make(chan struct{}, 1)
		y.disk = func() {
			turn <- struct{}{}
			time.Sleep(100 * time.Millisecond)
			<-turn
		}
		company(ctx, y, calls)
		if leads, tasks := len(y.portal.Leads()), len(y.portal.Tasks()); leads != calls || tasks != calls || len(y.portal.Duplicates()) > 0 {
			t.Errorf("%d leads and %d tasks, twice %v; want %d of each and none", leads, tasks, y.portal.Duplicates(), calls)
		}
	})
}

func TestABlockedMethodStopsNoOtherAndGoesOnAtItsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		y, ctx := openYard(t, bitrixtest.Options{})
		reset := time.Now().Add(3 * time.Minute).Truncate(time.Second)
		g := y.desk.gateway
		g.mu.Lock()
		g.budget.Observe("tasks.task.add", bitrix.Time{Operating: 479, OperatingResetAt: reset, HasOperating: true})
		g.mu.Unlock()
		done := make(chan struct{})
		go func() { defer close(done); company(ctx, y, 100) }()
		time.Sleep(time.Minute)
		if leads, tasks := len(y.portal.Leads()), len(y.portal.Tasks()); leads != 100 || tasks != 0 {
			t.Errorf("while tasks are blocked there are %d leads and %d tasks, want 100 and none", leads, tasks)
		}
		<-done
		var first time.Time
		for _, r := range y.portal.Requests() {
			if has(r, "tasks.task.add") && first.IsZero() {
				first = r.Time
			}
		}
		if late := first.Sub(reset); late < 0 || late > 2*time.Second {
			t.Errorf("the first task left %s after the reset, want within 2 s", late)
		}
		if tasks := len(y.portal.Tasks()); tasks != 100 {
			t.Errorf("%d tasks in the end, want 100", tasks)
		}
	})
}
