package main

import (
	"runtime/debug"
	"testing"
)

func TestTheHeapGrowsByAboutTheSameHoweverMuchIsKept(t *testing.T) {
	for alive, want := range map[uint64]int{0: 100, 8 << 20: 100, 48 << 20: 100, 96 << 20: 50, 128 << 20: 37, 192 << 20: 25, 2 << 30: 25} {
		if got := gcPercent(alive); got != want {
			t.Errorf("with %d MiB alive the heap may grow by %d %%, want %d", alive>>20, got, want)
		}
	}
}

// nowGC is how much the heap may grow in percent, and its limit in bytes.
func nowGC() (percent int, limit int64) {
	percent = debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent, debug.SetMemoryLimit(-1)
}

func TestTheStartGivesItsRoomBack(t *testing.T) {
	for variable, settings := range map[string]string{"": "", "GOGC": "70", "GOMEMLIMIT": "300MiB"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv("GOGC", "")
			t.Setenv("GOMEMLIMIT", "")
			if variable != "" {
				t.Setenv(variable, settings)
			}
			percent, limit := nowGC()
			started := roomToStart()
			wantPercent, wantLimit := startGC, int64(startRoom)
			if variable != "" { // somebody else decided
				wantPercent, wantLimit = percent, limit
			}
			if p, l := nowGC(); p != wantPercent || l != wantLimit {
				t.Errorf("while it starts with %q set: %d %% up to %d bytes, want %d %% up to %d", variable, p, l, wantPercent, wantLimit)
			}
			started()
			if p, l := nowGC(); p != percent || l != limit {
				t.Errorf("after the start with %q set: %d %% up to %d bytes, want %d %% up to %d as before", variable, p, l, percent, limit)
			}
		})
	}
}
