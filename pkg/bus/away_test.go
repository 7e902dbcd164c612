package bus_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
)

// TestWhatIsRefusedWhileTheBrokerIsAwayIsNotStoredLater: who was answered that nothing
// was accepted must not find it accepted once the broker is back.
func TestWhatIsRefusedWhileTheBrokerIsAwayIsNotStoredLater(t *testing.T) {
	line := bustest.Lay(t, bustest.Serve(t))
	b, _ := process(t, line.URL)
	publish(t, b, numbered(t, "before", 1))
	line.Die()
	line.Cut()
	n := 0
	refused := func() (took time.Duration) {
		t.Helper()
		n++
		begin := time.Now()
		_, err := b.Publish(t.Context(), numbered(t, "meanwhile", n))
		if !errors.Is(err, bus.ErrUnavailable) || strings.Contains(err.Error(), "buffer") {
			t.Fatalf("published without a broker: %v, want ErrUnavailable, and that the broker is away", err)
		}
		return time.Since(begin)
	}
	bustest.Eventually(t, limit, "the connection is known to be gone", func() bool { return refused() < time.Second })
	for range 10 {
		if took := refused(); took > time.Second {
			t.Errorf("refused after %s, want at once", took)
		}
	}
	line.Mend()
	bustest.Eventually(t, limit, "it stores again", func() bool {
		_, err := b.Publish(t.Context(), numbered(t, "after", 1))
		return err == nil
	})
	if events, _, err := b.Size(t.Context()); err != nil || events != 2 {
		t.Errorf("%d events are stored (%v), want the one before and the one after", events, err)
	}
}
