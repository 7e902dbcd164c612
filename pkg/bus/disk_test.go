package bus_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// smallDisk mounts a disk of so many MiB in memory. Where that is not possible the test
// is skipped, loudly.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mib), "ringbridge-test", dir).CombinedOutput(); err != nil {
		why := fmt.Sprintf("mount a small disk: %v %s", err, out)
		fmt.Fprintf(os.Stderr, "SKIPPED %s: %s\n", t.Name(), why)
		t.Skip(why)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// fill takes space of a disk, all of it with 0, and returns what gives it back.
func fill(t *testing.T, dir string, mib int) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for n := 0; err == nil && (mib == 0 || n < mib); n++ {
		_, err = f.Write(block)
	}
	if err != nil && mib > 0 {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

func received(t *testing.T, n int) event.Envelope {
	t.Helper()
	e, err := event.First("test", now, &event.CallReceived{
		Project: "demo", Source: event.FromWebhook, Method: "POST", Body: fmt.Appendf(nil, "call_id=%d", n), ReceivedAt: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAlmostFullTheDiskIsKeptForWhatWasTaken(t *testing.T) {
	dir := smallDisk(t, 160)
	b := open(t, filepath.Join(dir, "broker"))
	defer shut(t, b)
	publish(t, b, received(t, 1))
	free := fill(t, dir, 110)
	_, err := b.Publish(t.Context(), received(t, 2))
	if !errors.Is(err, bus.ErrUnavailable) || !strings.Contains(err.Error(), "is full") {
		t.Errorf("with 50 MiB free a webhook was stored: %v, want ErrUnavailable and that the disk is full", err)
	}
	if err := b.Healthy(t.Context()); err == nil {
		t.Error("with 50 MiB free the bus is healthy, want an alarm")
	}
	publish(t, b, numbered(t, "a", 1)) // what follows from a call goes on
	if err := b.Stuck(); err != nil {
		t.Errorf("a disk that is almost full calls for a new start: %v", err)
	}
	free()
	publish(t, b, received(t, 3))
	if err := b.Healthy(t.Context()); err != nil {
		t.Errorf("with space again: %v, want healthy", err)
	}
}

// TestAFullDiskLosesNothingAndSaysWhenToStartAnew lets another program take the whole
// disk. The broker then stores nothing more, also with space again, until a new start.
func TestAFullDiskLosesNothingAndSaysWhenToStartAnew(t *testing.T) {
	dir := smallDisk(t, 160)
	b := open(t, filepath.Join(dir, "broker"))
	publish(t, b, numbered(t, "a", 1))
	free := fill(t, dir, 0)
	stored := 1
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := b.Publish(ctx, bulkyNote(t, stored+1)); err != nil {
			break
		}
		stored++
	}
	if err := b.Healthy(t.Context()); err == nil {
		t.Error("on a full disk the bus is healthy")
	}
	if err := b.Stuck(); err != nil {
		t.Errorf("a new start is asked for while it could not help: %v", err)
	}
	free()
	if err := b.Stuck(); !errors.Is(err, bus.ErrStuck) {
		t.Errorf("with space again Stuck is %v, want ErrStuck", err)
	}
	shut(t, b)
	b = open(t, filepath.Join(dir, "broker"))
	defer shut(t, b)
	if n, err := b.Last(t.Context()); err != nil || n < uint64(stored) {
		t.Errorf("%d events after a new start (%v), want the %d that were acknowledged", n, err, stored)
	}
	publish(t, b, received(t, 1))
	if err := errors.Join(b.Healthy(t.Context()), b.Stuck()); err != nil {
		t.Errorf("after a new start: %v, want all well", err)
	}
}

func bulkyNote(t *testing.T, n int) event.Envelope {
	t.Helper()
	e := numbered(t, "bulky", n)
	p, err := event.As[event.CallParked](e)
	if err != nil {
		t.Fatal(err)
	}
	p.Remedy = strings.Repeat("free some space. ", 500)
	if e, err = event.First("test", now, &p); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestADiskThatCanOnlyBeReadIsNamed(t *testing.T) {
	image, dir := loopDisk(t)
	b, err := bus.Open(t.Context(), bus.Options{Dir: filepath.Join(dir, "broker")})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, received(t, 1))
	// What ext4 does by itself after an error of the device (mount option `abort`).
	command(t, "mount", "-o", "remount,abort", dir)
	for n := range 3 {
		begun := time.Now()
		_, err = b.Publish(t.Context(), received(t, 2+n))
		if waited := time.Since(begun); !errors.Is(err, bus.ErrUnavailable) || n > 0 && waited > time.Second {
			t.Errorf("webhook %d on a disk that can only be read was answered %v after %s, want ErrUnavailable, at once after the first", n, err, waited)
		}
	}
	if err := b.Healthy(t.Context()); err == nil || !strings.Contains(err.Error(), "can only be read") && !strings.Contains(err.Error(), "read-only") {
		t.Errorf("health says %v, want that the disk can only be read", err)
	}
	if err := b.Stuck(); err != nil {
		t.Errorf("a new start is asked for while it could not help: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Logf("closing: %v", err)
	}
	if b, err := bus.Open(t.Context(), bus.Options{Dir: filepath.Join(dir, "broker")}); err == nil {
		shut(t, b)
		t.Error("a broker started on a disk that can only be read")
	} else if !strings.Contains(err.Error(), "read-only") {
		t.Errorf("starting says %q, want that the file system is read-only", err)
	}
	command(t, "umount", dir)
	command(t, "mount", "-o", "loop", image, dir)
	b = open(t, filepath.Join(dir, "broker"))
	defer shut(t, b)
	if n, err := b.Last(t.Context()); err != nil || n != 1 {
		t.Errorf("%d events afterwards (%v), want the one acknowledged", n, err)
	}
}
