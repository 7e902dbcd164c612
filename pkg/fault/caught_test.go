//go:build faults

package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// check is what must catch a wrong variant: tests of one package, by name.
type check struct {
	pkg   string
	tests string // one or more, with | between them
}

// simulation must catch what is wrong with the protocol of writing: it is the test that
// says "0 lost, 0 doubled".
var simulation = check{"services/ringbridge", "TestSimulation"}

// flags are what a package's tests get beside the names: as many histories as make the
// rarest of these mistakes happen, always the same ones.
var flags = map[string][]string{"services/ringbridge": {"-histories=3000", "-seed=1"}}

var caughtBy = map[string]check{
	"no-waiting":                     simulation,
	"waiting-10s":                    simulation,
	"settle-forgotten":               simulation,
	"search-skipped":                 simulation,
	"mark-before-call":               simulation,
	"journal-forgotten":              simulation,
	"ambiguous-as-not-run":           simulation,
	"batch-retried-whole":            simulation,
	"attempt-in-external-id":         simulation,
	"adopted-as-closed":              simulation,
	"unclosed-task":                  simulation,
	"late-facts-ignored":             simulation,
	"own-lead-taken-for-the-clients": {"services/ringbridge", "TestALaterAnswerCorrectsACallThatWasReportedAsMissed"},

	"intent-after-call":  {"services/ringbridge", "TestTheIntentIsOnDiskBeforeTheRequestLeaves"},
	"dependency-ignored": {"services/writer", "TestNextFollowsTheProtocol"},
	"adopted-unchecked":  {"services/writer", "TestASearchTakesOverOnlyWhatCarriesItsOwnID"},
	"stale-intent-sent":  {"services/writer", "TestAnIntentThatGrewOldIsNotSent"},
	"context-from-message": {
		"services/writer", "TestARequestThatIsOutIsWaitedForWhenTheServiceStops",
	},
	"budget-stops-all": {"services/writer", "TestABlockedMethodDoesNotStopTheOthers"},
	"bucket-forgotten": {"services/writer", "TestADeskGoesOnFromTheStoredPace"},
	"memory-forgotten": {"services/ringbridge", "TestALeadThatNoSearchShowsYetIsNotMadeAgain"},
	"look-ups-at-once": {"services/ringbridge", "TestAfterARestartALookUpWaitsForWhatWasWrittenBefore"},
	"outcome-not-told": {"services/ringbridge", "TestAStoryTellsWhatHappened"},

	"reset-as-not-run":      {"pkg/bitrix", "TestWhereTheConnectionBreaksDecidesTheClass"},
	"5xx-as-not-run":        {"pkg/bitrix", "TestEveryAnswerHasItsClass"},
	"gap-as-not-run":        {"pkg/bitrix", "TestAGapInAHaltedBatchIsAmbiguous"},
	"transport-sends-again": {"pkg/bitrix", "TestAReusedConnectionThatBreaksIsNotTriedAgain"},
	"pace-ignored":          {"pkg/bitrix", "TestThePortalNeverHasToRefuse"},
	"secret-in-error":       {"services/ringbridge", "TestNoSecretAppearsAnywhere"},

	"publish-without-id":        {"pkg/bus", "TestTheSameIDIsStoredOnce"},
	"log-forgets-what-was-read": {"pkg/bus", "TestANewReaderReceivesWhatWasStoredBefore"},
	"sync-off":                  {"pkg/bus", "TestAPowerCutLosesNothingThatWasAcknowledged"},
	"full-disk-accepts":         {"pkg/bus", "TestAlmostFullTheDiskIsKeptForWhatWasTaken"},
	"last-write-wins":           {"pkg/bus", "TestChangeLosesNothingUnderContention"},
	"settled-before-handled":    {"pkg/bus", "TestWhatWasUnsettledAtACrashIsDoneAgainAtOnce"},
	"failed-never-again":        {"pkg/bus", "TestADroppedEventIsNotTriedAgainAndAFailedOneIs"},
	"poison-tried-for-ever":     {"pkg/bus", "TestAnUnreadableMessageIsDroppedAndDoesNotStopTheOthers"},
	"reader-without-heartbeat":  {"pkg/bus", "TestAHundredSlowMessagesInOneLaneAreDeliveredAHundredTimes"},
	"feed-without-heartbeat":    {"pkg/bus", "TestWhatAFeedHoldsIsNotGivenASecondTime"},
	"durable-deleted-at-stop":   {"pkg/bus", "TestADurableOutlivesACleanStopAndARestart"},
	"unsettled-left-waiting":    {"pkg/bus", "TestWhatWasUnsettledAtACrashIsDoneAgainAtOnce"},

	"answered-before-stored": {"services/ingress", "TestWhatCannotBeStoredIsNotAccepted"},
	"body-cut":               {"services/ingress", "TestABodyOverTheLimitIsRefusedWhole"},
	"parked-forgotten":       {"services/classifier", "TestAnUnreadableRequestIsParked"},
	"event-not-in-the-file":  {"services/classifier", "TestAnEventThatACrashSwallowedIsMadeAfterTheStart"},
	"early-overwrites-late":  {"pkg/event", "TestALateEarlyReportNeverUndoesAFinalOne"},
	"recording-lost-in-fold": {"pkg/event", "TestWhateverOnlyOneReportNamesIsKept"},
	"id-from-the-clock":      {"pkg/event", "TestNextMakesTheSameEventAgainWhateverTheClockSays"},
	"parts-run-together":     {"pkg/event", "TestDeriveTellsPartsApart"},
	"zone-of-the-server":     {"pkg/ringostat", "TestEveryShapeOfADateIsRead"},
	"lane-per-call":          {"services/ringbridge", "TestTheNextCallOfAClientWaitsWhileTheLastOneIsInDoubt"},
	"settled-not-awaited":    {"services/ringbridge", "TestTheNextCallOfAClientWaitsWhileTheLastOneIsInDoubt"},
	"early-report-acted-on":  {"services/ringbridge", "TestNothingIsWrittenBeforeTheCallIsOver"},
	"phone-exact-only":       {"services/ringbridge", "TestANumberInAnySpellingFindsItsContact"},
}

// waiting are the variants under which something never comes: their tests fail when they
// have waited long enough, and need no processor meanwhile. They run beside the others.
var waiting = []string{
	"failed-never-again", "log-forgets-what-was-read", "outcome-not-told", "parked-forgotten", "poison-tried-for-ever",
	"reader-without-heartbeat", "settled-before-handled", "unsettled-left-waiting",
}

// limit is how long the tests of one variant may take. Hanging is failing: a variant
// that makes them hang is caught.
const limit = 60 * time.Second

// TestEveryWrongVariantIsCaught turns every wrong variant on, one at a time, and expects
// the test that is named for it to fail, after all these tests passed without one.
func TestEveryWrongVariantIsCaught(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(caughtBy)) {
		if fault.Variants[name] == "" {
			t.Errorf("a test is named for %q, which is no variant", name)
		}
	}
	tests := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(fault.Variants)) {
		c, ok := caughtBy[name]
		if !ok {
			t.Errorf("no test is named that must catch %q", name)
		}
		tests[c.pkg] = append(tests[c.pkg], strings.Split(c.tests, "|")...)
	}
	if t.Failed() {
		t.FailNow()
	}
	programs := build(t, slices.Sorted(maps.Keys(tests)))
	skipped := rightOnes(t, programs, tests)
	if t.Failed() {
		t.FailNow()
	}
	report(t, wrongOnes(programs, skipped))
}

// build compiles the tests of each package once.
func build(t *testing.T, packages []string) (programs map[string]string) {
	t.Helper()
	dir, programs := t.TempDir(), map[string]string{}
	for _, pkg := range packages {
		programs[pkg] = filepath.Join(dir, strings.ReplaceAll(pkg, "/", "-")+".test")
	}
	twoAtATime(packages, func(pkg string) {
		command := exec.Command("go", "test", "-c", "-tags", "faults", "-o", programs[pkg], "./"+pkg)
		command.Dir = root
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("compile the tests of %s: %v\n%s", pkg, err, out)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return programs
}

// rightOnes runs the chosen tests on the program as it is: each must run and pass, or
// say that this machine is not made for it.
func rightOnes(t *testing.T, programs map[string]string, tests map[string][]string) (skipped map[string]bool) {
	t.Helper()
	var mu sync.Mutex
	skipped = map[string]bool{}
	twoAtATime(slices.Sorted(maps.Keys(tests)), func(pkg string) {
		r := run(programs[pkg], pkg, tests[pkg], "")
		mu.Lock()
		defer mu.Unlock()
		if r.err != nil || r.timedOut {
			t.Errorf("%s: without a wrong variant its tests end with %v:\n%s", pkg, r.err, r.output)
		}
		for _, test := range tests[pkg] {
			switch {
			case strings.Contains(r.output, "--- SKIP: "+test+" "):
				skipped[test] = true
			case !strings.Contains(r.output, "--- PASS: "+test+" "):
				t.Errorf("%s: %s did not run", pkg, test)
			}
		}
	})
	return skipped
}

// verdict is what became of one variant.
type verdict struct {
	name, by string
	caught   bool
	skipped  bool
	took     time.Duration
	output   string // of tests that did not catch it
}

func wrongOnes(programs map[string]string, skipped map[string]bool) map[string]verdict {
	var mu sync.Mutex
	verdicts := map[string]verdict{}
	try := func(name string) {
		c := caughtBy[name]
		v := verdict{name: name, skipped: true}
		tests := slices.DeleteFunc(strings.Split(c.tests, "|"), func(test string) bool { return skipped[test] })
		if len(tests) > 0 {
			v = judge(name, run(programs[c.pkg], c.pkg, tests, name))
		}
		mu.Lock()
		defer mu.Unlock()
		verdicts[name] = v
	}
	var beside sync.WaitGroup
	for _, name := range waiting {
		beside.Go(func() { try(name) })
	}
	twoAtATime(slices.DeleteFunc(slices.Sorted(maps.Keys(caughtBy)), func(name string) bool { return slices.Contains(waiting, name) }), try)
	beside.Wait()
	return verdicts
}

var firstFailure = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// judge takes a failing or a hanging test for a catch, and nothing else: tests that
// could not run prove nothing.
func judge(name string, r result) verdict {
	v := verdict{name: name, took: r.took, output: r.output}
	var exit *exec.ExitError
	failed := errors.As(r.err, &exit)
	switch {
	case r.timedOut:
		v.caught, v.by = true, fmt.Sprintf("hanging for %s", limit)
	case failed && exit.ExitCode() == 1 && firstFailure.MatchString(r.output):
		v.caught, v.by = true, firstFailure.FindStringSubmatch(r.output)[1]
	case failed && exit.ExitCode() == 2 && firstFailure.MatchString(r.output) && strings.Contains(r.output, "\npanic: "):
		v.caught, v.by = true, firstFailure.FindStringSubmatch(r.output)[1]+" (panic)"
	}
	return v
}

func report(t *testing.T, verdicts map[string]verdict) {
	t.Helper()
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "variant\twhat is wrong\tcaught by\tseconds")
	caught, tried := 0, 0
	for _, name := range slices.Sorted(maps.Keys(verdicts)) {
		v := verdicts[name]
		switch {
		case v.skipped:
			v.by = "not tried: this machine can not run " + caughtBy[name].tests
		case v.caught:
			tried, caught, v.by = tried+1, caught+1, path.Base(caughtBy[name].pkg)+"."+v.by
		default:
			tried, v.by = tried+1, "NOBODY"
			t.Errorf("variant %q (%s) is not caught by %s of %s:\n%s", name, fault.Variants[name], caughtBy[name].tests, caughtBy[name].pkg, v.output)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.1f\n", name, fault.Variants[name], v.by, v.took.Seconds())
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s%d of %d", text.String(), caught, tried)
}

// result is how a run of tests ended.
type result struct {
	output   string
	err      error
	timedOut bool
	took     time.Duration
}

// run runs tests of a package as go test would, with a variant on.
func run(program, pkg string, tests []string, variant string) result {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := append([]string{"-test.v", "-test.run=^(" + strings.Join(tests, "|") + ")$"}, flags[pkg]...)
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = filepath.Join(root, pkg)
	command.Env = append(os.Environ(), fault.Variant+"="+variant, fault.KillAt+"=", fault.PointsFile+"=")
	// Tests start processes of their own: these go with them.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	begun := time.Now()
	err := command.Run()
	return result{output.String(), err, ctx.Err() != nil, time.Since(begun)}
}

// twoAtATime does something for each of the names.
func twoAtATime(names []string, do func(string)) {
	turn := make(chan struct{}, 2)
	var all sync.WaitGroup
	for _, name := range names {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			do(name)
		})
	}
	all.Wait()
}
