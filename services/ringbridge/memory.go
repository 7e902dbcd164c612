package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The heap may grow by so much between two collections. Go lets it double, and what a
// long history keeps (the broker knows where each call's file is) would count twice.
const (
	growth  = 48 << 20
	leastGC = 25 // percent; less would collect without end
	mostGC  = 100
)

// gcPercent is how much the heap may grow, in percent of what is alive in it.
func gcPercent(alive uint64) int {
	if alive == 0 {
		return mostGC
	}
	return int(min(max(growth*100/alive, leastGC), mostGC))
}

// settled is how long after a start what only the start needed can be given back.
const settled = 3 * time.Second

// keepSmall keeps the process from holding memory that it does not need, until ctx is
// over. Who sets GOGC or GOMEMLIMIT decides it himself.
func keepSmall(ctx context.Context) error {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		<-ctx.Done()
		return nil
	}
	alive := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	percent := 0
	adjust := func() {
		metrics.Read(alive)
		if now := gcPercent(alive[0].Value.Uint64()); now != percent {
			percent = now
			debug.SetGCPercent(now)
		}
	}
	adjust()
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(settled):
	}
	debug.FreeOSMemory()
	again := time.NewTicker(10 * time.Second)
	defer again.Stop()
	for {
		adjust()
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}
