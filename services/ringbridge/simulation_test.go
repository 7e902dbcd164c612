package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	histories = flag.Int("histories", 4000, "how many histories the simulation runs")
	simSeed   = flag.Uint64("seed", 0, "the first history's seed; 0 takes one from the clock")
)

// The simulation runs the real thinking of every stage (fold, choice, decision table,
// plan, journal, pace) against a faulty portal under a virtual clock, with the process
// dying, pausing and being given its work again at any point. One seed is one history; a
// failing one is printed and repeats exactly.
//
//	simulation_calls_test.go    what happens in a history: calls, reports, people, troubles
//	simulation_world_test.go    time and the process
//	simulation_streams_test.go  what outlives it: the broker's streams, the files of calls
//	simulation_stages_test.go   the services around the real cores, as their drivers do it;
//	                            simulation_job_test.go is the writer
//	simulation_gateway_test.go  the one door to the portal, with the real bucket and budget
//	simulation_faults_test.go   what can go wrong with a request
//	simulation_portal_test.go   the portal; simulation_fields_test.go is how it reads
//	simulation_oracles_test.go  what must be true, I1 to I10

// seedFile holds the histories that once found a mistake; they run first, always.
const seedFile = "testdata/simulation/seeds.txt"

func TestHistoriesThatOnceFailedEndWell(t *testing.T) {
	f, err := os.Open(seedFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, count := bufio.NewScanner(f), 0
	for lines.Scan() {
		number, found, _ := strings.Cut(lines.Text(), " ")
		if number == "" || number == "#" {
			continue
		}
		seed, err := strconv.ParseUint(number, 10, 64)
		if err != nil || found == "" {
			t.Fatalf("%s: %q is not a seed and what it found", seedFile, lines.Text())
		}
		count++
		if _, problem := history(seed, nil); problem != "" {
			t.Errorf("seed %d (%s): %s\nto repeat: %s", seed, found, problem, repeat(seed))
		}
	}
	if count == 0 {
		t.Errorf("%s holds no seed", seedFile)
	}
}

// TestSimulation runs histories on every core until one fails.
func TestSimulation(t *testing.T) {
	first := *simSeed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1500))
	var (
		next    atomic.Int64
		stop    atomic.Bool
		workers sync.WaitGroup
		mu      sync.Mutex
		total   tally
	)
	var story func(string, ...any)
	if *histories == 1 && testing.Verbose() {
		story = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	}
	begun := time.Now()
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			var mine tally
			for n := next.Add(1) - 1; n < int64(*histories) && !stop.Load(); n = next.Add(1) - 1 {
				seed := first + uint64(n)
				counted, problem := history(seed, story)
				if problem != "" {
					stop.Store(true)
					t.Errorf("seed %d: %s\nto repeat: %s", seed, problem, repeat(seed))
				}
				mine.add(counted)
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(mine)
		})
	}
	workers.Wait()
	took := time.Since(begun)
	t.Logf("%d histories from seed %d in %.1f s (%.0f a second): %s", total.histories, first, took.Seconds(), float64(total.histories)/took.Seconds(), total)
	if t.Failed() {
		return
	}
	t.Log("0 lost, 0 doubled")
	if *histories >= 3000 {
		total.demand(t)
	}
}

func repeat(seed uint64) string {
	return fmt.Sprintf("make simulate HISTORIES=1 SEED=%d", seed)
}

// history runs the history of a seed, and says what is wrong with its end. One in eight
// is run twice: once calmly, and once with its reports in another order, repeated, and
// with every trouble; both must leave the same portal behind.
func history(seed uint64, story func(string, ...any)) (counted tally, problem string) {
	script := newScript(seed)
	w := newWorld(script, seed)
	w.story = story
	if problem = w.run(); problem != "" || !script.orderly {
		return w.tally, problem
	}
	calm := newWorld(script.calm(), seed)
	if problem = calm.run(); problem != "" {
		return w.tally, "without troubles: " + problem
	}
	w.tally.twins++
	return w.tally, endsEqual(w, calm)
}

// tally counts what happened, so that a simulation that became too kind is noticed.
type tally struct {
	histories, twins, calls, reports, requests, deaths, pauses, redelivered int
	faults                                                                  [faultKinds]int
	troubles                                                                [troubleKinds]int
	adopted, stale, people, refusals, retries                               int
	longestDoubt, longestQuiet                                              time.Duration
}

func (t *tally) add(o tally) {
	for _, p := range []struct {
		into *int
		n    int
	}{
		{&t.histories, o.histories}, {&t.twins, o.twins}, {&t.calls, o.calls}, {&t.reports, o.reports}, {&t.requests, o.requests},
		{&t.deaths, o.deaths}, {&t.pauses, o.pauses}, {&t.redelivered, o.redelivered}, {&t.adopted, o.adopted},
		{&t.stale, o.stale}, {&t.people, o.people}, {&t.refusals, o.refusals}, {&t.retries, o.retries},
	} {
		*p.into += p.n
	}
	for i, n := range o.faults {
		t.faults[i] += n
	}
	for i, n := range o.troubles {
		t.troubles[i] += n
	}
	t.longestDoubt, t.longestQuiet = max(t.longestDoubt, o.longestDoubt), max(t.longestQuiet, o.longestQuiet)
}

func (t tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d calls, %d reports, %d requests, %d deaths, %d pauses, %d events given again, %d writes found again, %d stale intents stopped, %d deeds of people, %d refusals for good, %d retries, %d twins; longest doubt %v and longest way to quiet %v after the last trouble; faults:",
		t.calls, t.reports, t.requests, t.deaths, t.pauses, t.redelivered, t.adopted, t.stale, t.people, t.refusals, t.retries, t.twins,
		t.longestDoubt.Round(time.Second), t.longestQuiet.Round(time.Second))
	for f, n := range t.faults {
		if f != int(noFault) {
			fmt.Fprintf(&b, " %s %d,", mishap(f), n)
		}
	}
	b.WriteString(" troubles:")
	for k, n := range t.troubles {
		fmt.Fprintf(&b, " %s %d,", trouble(k), n)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// demand holds the simulation itself to account: every kind of fault and trouble must
// have happened, and what only happens through them too.
func (t tally) demand(report *testing.T) {
	for f, n := range t.faults {
		if f != int(noFault) && n < t.histories/100 {
			report.Errorf("the simulation is too kind: %q happened %d times in %d histories", mishap(f), n, t.histories)
		}
	}
	for k, n := range t.troubles {
		if n < t.histories/500 {
			report.Errorf("the simulation is too kind: %q happened %d times in %d histories", trouble(k), n, t.histories)
		}
	}
	for name, n := range map[string]int{
		"deaths": t.deaths, "pauses": t.pauses, "events given again": t.redelivered, "writes found again": t.adopted,
		"stale intents": t.stale, "deeds of people": t.people, "refusals": t.refusals, "retries": t.retries, "twins": t.twins,
	} {
		if n < t.histories/100 {
			report.Errorf("the simulation is too kind: %s happened %d times in %d histories", name, n, t.histories)
		}
	}
}
