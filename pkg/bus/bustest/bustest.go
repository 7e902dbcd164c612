// Package bustest runs a real broker inside a test.
package bustest

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// Open starts a broker of the test's own, without fsync, gone with the test.
func Open(t testing.TB) *bus.Bus {
	t.Helper()
	return OpenIn(t, t.TempDir())
}

// OpenIn is Open on a given folder, for tests that stop a broker and start it again.
func OpenIn(t testing.TB, dir string) *bus.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, err := bus.Open(ctx, bus.Options{Dir: dir, Fast: true, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatalf("open the broker: %v", err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close the broker: %v", err)
		}
	})
	return b
}

// Eventually waits until ok, at most limit, and fails the test otherwise.
func Eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("after %s still not: %s", limit, what)
		case <-tick.C:
		}
	}
}
