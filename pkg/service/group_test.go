package service

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// TestALoopThatStopsIsStartedAgain lets a loop fail in every way: in between the group
// says that it is not well, and afterwards that it is.
func TestALoopThatStopsIsStartedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		stumble func() error
		word    string
	}{
		"with an error": {func() error { return errors.New("the disk is full") }, "the disk is full"},
		"by a panic":    {func() error { panic("nil map") }, "panic: nil map"},
		"without one":   {func() error { return nil }, "ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewGroup(t.Context(), zap.NewNop())
				starts := 0
				g.Go("reader", func(ctx context.Context) error {
					if starts++; starts == 1 {
						return c.stumble()
					}
					<-ctx.Done()
					return nil
				})
				synctest.Wait()
				if err := g.Healthy(); err == nil || !strings.Contains(err.Error(), "reader: ") || !strings.Contains(err.Error(), c.word) {
					t.Errorf("while the loop is down: %v, want reader and %q", err, c.word)
				}
				<-time.After(1100 * time.Millisecond)
				synctest.Wait()
				if err := g.Healthy(); err != nil || starts != 2 {
					t.Errorf("a second later: %v after %d starts, want well after 2", err, starts)
				}
				g.Stop()
			})
		})
	}
}

func TestALoopThatFailsForEverIsTriedOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(t.Context(), zap.NewNop())
		starts := 0
		g.Go("reader", func(context.Context) error { starts++; return errors.New("no") })
		<-time.After(10*time.Second + time.Millisecond)
		synctest.Wait()
		if starts != 11 {
			t.Errorf("%d starts in ten seconds, want 11", starts)
		}
		g.Stop()
	})
}

func TestStopEndsTheLoopsAndWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(t.Context(), zap.NewNop())
		var ended atomic.Int32
		for range 3 {
			g.Go("reader", func(ctx context.Context) error {
				<-ctx.Done()
				<-time.After(5 * time.Second) // finishes what it has in hand
				ended.Add(1)
				return ctx.Err()
			})
		}
		g.Go("failing", func(context.Context) error { return errors.New("no") }) // waits for its next start
		synctest.Wait()
		g.Stop()
		if ended.Load() != 3 || g.Context().Err() == nil {
			t.Errorf("after Stop %d of 3 loops have ended, context %v", ended.Load(), g.Context().Err())
		}
	})
}

func TestHealthyNamesWhatIsNotWellInOrder(t *testing.T) {
	g := NewGroup(t.Context(), zap.NewNop())
	for _, name := range []string{"writer", "console", "resolver"} {
		g.Report(name, errors.New("no"))
	}
	if got, want := g.Healthy().Error(), "console: no\nresolver: no\nwriter: no"; got != want {
		t.Errorf("not well: %q, want %q", got, want)
	}
	for _, name := range []string{"writer", "console", "resolver", "never reported"} {
		g.Report(name, nil)
	}
	if err := g.Healthy(); err != nil {
		t.Errorf("all well again: %v", err)
	}
}
