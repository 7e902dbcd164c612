package bus_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestASecondBrokerOnTheSameFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	publish(t, b, numbered(t, "a", 1))
	_, err := bus.Open(t.Context(), bus.Options{Dir: dir, Fast: true})
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use by another ringbridge") {
		t.Errorf("a second Open returned %v, want an error that names the folder and who uses it", err)
	}
	publish(t, b, numbered(t, "a", 2))
	shut(t, b)
	b = open(t, dir)
	defer shut(t, b)
	if n, err := b.Last(t.Context()); err != nil || n != 2 {
		t.Errorf("after the first one closed the folder holds %d events (%v), want 2", n, err)
	}
}

func TestAFullStoreRefusesAndLosesNothing(t *testing.T) {
	dir := t.TempDir()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir, Fast: true, MaxStore: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	var stored []event.Envelope
	var refusal error
	for n := 0; refusal == nil && n < 10000; n++ {
		// Random bytes, so that the stream's compression can't make room.
		e := bulky(t, n)
		if _, refusal = b.Publish(t.Context(), e); refusal == nil {
			stored = append(stored, e)
		}
	}
	if !errors.Is(refusal, bus.ErrUnavailable) {
		t.Fatalf("after %d events a full store answered %v, want ErrUnavailable", len(stored), refusal)
	}
	if len(stored) == 0 {
		t.Fatal("not one event was stored before the limit")
	}
	shut(t, b)
	b = open(t, dir)
	defer shut(t, b)
	if n, err := b.Last(t.Context()); err != nil || n != uint64(len(stored)) {
		t.Fatalf("%d events after a restart (%v), want %d", n, err, len(stored))
	}
	for i, want := range stored {
		if got, err := b.Get(t.Context(), uint64(i+1)); err != nil || got.ID != want.ID {
			t.Errorf("event %d is %s (%v), want %s", i+1, got.ID, err, want.ID)
		}
	}
	publish(t, b, numbered(t, "a", 1))
}

func bulky(t *testing.T, n int) event.Envelope {
	t.Helper()
	body := make([]byte, 4<<10)
	for i := range body {
		body[i] = byte((i*i*2654435761 + n*40503 + i>>3*97) >> 7)
	}
	e, err := event.First("test", now, &event.CallReceived{Project: "demo", Source: event.FromWebhook, Method: "POST", Body: body, ReceivedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnOpenBusIsHealthyAndAClosedOneIsNot(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	if !b.Embedded() {
		t.Error("a bus without a URL is not embedded")
	}
	if err := b.Healthy(t.Context()); err != nil {
		t.Errorf("an open bus is not healthy: %v", err)
	}
	shut(t, b)
	if err := b.Healthy(t.Context()); err == nil {
		t.Error("a closed bus is healthy")
	}
	if _, err := b.Publish(t.Context(), numbered(t, "a", 1)); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("publishing on a closed bus returned %v, want ErrUnavailable", err)
	}
}

func TestWhatIsAskedOfAnUnknownReaderOrEventIsAnError(t *testing.T) {
	b := bustest.Open(t)
	if _, _, err := b.Lag(t.Context(), "nobody"); err == nil {
		t.Error("the lag of an unknown reader is no error")
	}
	if e, err := b.Get(t.Context(), 99); err == nil {
		t.Errorf("an event that isn't there was read: %v", e)
	}
}

func TestASubjectHoldsTheProjectAndTheNameWithoutItsVersion(t *testing.T) {
	for _, c := range []struct {
		project string
		name    event.Type
		want    string
	}{
		{"demo", event.TypeCallReceived, "event.demo.call.received"},
		{"demo", "", "event.demo.>"},
		{"", event.TypeBitrixCommand, "event.*.bitrix.command"},
		{"", "", "event.*.>"},
	} {
		if got := bus.Subject(c.project, c.name); got != c.want {
			t.Errorf("Subject(%q, %q) = %q, want %q", c.project, c.name, got, c.want)
		}
	}
}

// TestAStartThatWasKilledDoesNotLeaveTheBrokerUnwell: the broker tries at each start
// whether it may write, by a file that it removes at once. Killed in between it leaves
// the file, and took it for an account that nobody knows at every later start.
func TestAStartThatWasKilledDoesNotLeaveTheBrokerUnwell(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "jetstream", "_test_149520726")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir)
	defer shut(t, b)
	if err := b.Healthy(t.Context()); err != nil {
		t.Errorf("with %s left by a killed start: got %v, want a broker that is well", filepath.Base(left), err)
	}
}
