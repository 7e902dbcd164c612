//go:build faults

package main

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// pointsFile lists the points that processes pass between a start, calls, lost answers,
// recoveries and a stop.
const pointsFile = "testdata/kill_points.txt"

func killPoints(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(pointsFile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// fewestPoints is what the list may not shrink below unnoticed.
const fewestPoints = 40

// TestTheListOfKillPointsIsWhatIsPassed: a point that nobody passes proves nothing, and
// at one that is not in the list nobody is killed. -update writes the list anew.
func TestTheListOfKillPointsIsWhatIsPassed(t *testing.T) {
	passed := map[string]bool{}
	if *update {
		for i := range 6 {
			recordPoints(t, uint64(i), passed)
		}
		list := strings.Join(slices.Sorted(maps.Keys(passed)), "\n") + "\n"
		if err := os.WriteFile(pointsFile, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listed := killPoints(t)
	missing := func() (out []string) {
		return slices.DeleteFunc(slices.Clone(listed), func(p string) bool { return passed[p] })
	}
	// What a recovery passes depends on what the process was at when it died: it may take
	// some deaths more.
	for i := 0; i < 5 && len(missing()) > 0; i++ {
		recordPoints(t, uint64(i), passed)
	}
	for _, p := range missing() {
		t.Errorf("the list has the point %q, which no process passed", p)
	}
	for _, p := range slices.Sorted(maps.Keys(passed)) {
		if !slices.Contains(listed, p) {
			t.Errorf("the point %q is not in the list: write it anew with -update", p)
		}
	}
	if len(listed) < fewestPoints {
		t.Errorf("%d points, want at least %d", len(listed), fewestPoints)
	}
	t.Logf("%d points:\n%s", len(passed), strings.Join(slices.Sorted(maps.Keys(passed)), "\n"))
}

// recordPoints adds the points that the processes of one house pass: some are killed
// with their readers' work unfinished, the last one stops in good order.
func recordPoints(t *testing.T, seed uint64, passed map[string]bool) {
	t.Helper()
	record := filepath.Join(t.TempDir(), "points")
	t.Setenv(fault.PointsFile, record)
	count := &killCount{died: map[string]int{}, missed: map[string]int{}, dice: rand.New(rand.NewPCG(seed, 1))}
	k := openKillHouse(t, rand.New(rand.NewPCG(seed, 2)), count, []string{
		"settle/classifier/before", "settle/planner/before", "settle/resolver-shop/before", "settle/writer-shop/before",
		"request/written", "writer/send/answer known", "store/settings/after", "stop/begun",
	})
	k.round(24)
	last := startProcess(t, k.config)
	waitReady(t, k.house)
	if err := last.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := last.Wait(); err != nil {
		t.Errorf("told to stop it ended with %v, want in good order:\n%s", err, last.log)
	}
	data, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	for point := range strings.Lines(string(data)) {
		passed[strings.TrimSpace(point)] = true
	}
}
