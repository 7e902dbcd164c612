package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestARestoreTouchesNothingThatIsThere(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	publish(t, b, numbered(t, "a", 1))
	file, _ := backUp(t, b)
	if _, err := restore(t, dir, file); err == nil || !strings.Contains(err.Error(), "in use by another ringbridge") {
		t.Errorf("restoring over a running one returned %v, want that it is in use", err)
	}
	publish(t, b, numbered(t, "a", 2))
	shut(t, b)
	if _, err := restore(t, dir, file); !errors.Is(err, bus.ErrNotEmpty) || !strings.Contains(err.Error(), dir) {
		t.Errorf("restoring over a stopped one returned %v, want ErrNotEmpty and the folder's name", err)
	}
	b = open(t, dir)
	defer shut(t, b)
	if n, err := b.Last(t.Context()); err != nil || n != 2 {
		t.Errorf("after the refusals the folder holds %d events (%v), want 2", n, err)
	}
}

func TestADamagedBackupIsRefusedAndWritesNothing(t *testing.T) {
	b := open(t, t.TempDir())
	for n := range 50 {
		publish(t, b, numbered(t, "a", n))
	}
	file, _ := backUp(t, b)
	shut(t, b)
	damaged := map[string][]byte{
		"empty": nil, "text": []byte("hello"), "without its last byte": file[:len(file)-1], "half": file[:len(file)/2],
	}
	for i := range 20 {
		broken := bytes.Clone(file)
		broken[20+i*(len(file)-20)/20] ^= 0x10
		damaged[fmt.Sprintf("with bit flipped in part %d", i)] = broken
	}
	dir := filepath.Join(t.TempDir(), "broker")
	for name, file := range damaged {
		if _, err := restore(t, dir, file); err == nil {
			t.Errorf("a backup %s was restored", name)
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
		if left, err := filepath.Glob(dir + "*"); err != nil || len(left) > 0 {
			t.Errorf("a refused backup %s left %v", name, left)
		}
	}
}

// TestTheSameIdStoredTwiceComesBackTwice is about an id that came again after the broker
// had forgotten it: both have their place, which others may know them by.
func TestTheSameIdStoredTwiceComesBackTwice(t *testing.T) {
	e := numbered(t, "a", 1)
	var file bytes.Buffer
	if err := bus.BackupOf(&file, map[uint64]event.Envelope{1: e, 2: numbered(t, "a", 2), 3: e}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "broker")
	if _, err := restore(t, dir, file.Bytes()); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir)
	defer shut(t, b)
	if got, err := b.Get(t.Context(), 3); err != nil || got.ID != e.ID {
		t.Errorf("event 3 is %s (%v), want %s", got.ID, err, e.ID)
	}
}

func TestAnEventKeepsItsPlaceWhereEarlierOnesAreMissing(t *testing.T) {
	events := map[uint64]event.Envelope{2: numbered(t, "a", 2), 3: numbered(t, "a", 3), 6: numbered(t, "a", 6)}
	var file bytes.Buffer
	if err := bus.BackupOf(&file, events); err != nil {
		t.Fatal(err)
	}
	for round := range 2 { // the second time from a backup of what was restored
		dir := filepath.Join(t.TempDir(), "broker")
		if _, err := restore(t, dir, file.Bytes()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		b := open(t, dir)
		for seq, want := range events {
			if got, err := b.Get(t.Context(), seq); err != nil || got.ID != want.ID {
				t.Errorf("round %d: event %d is %s (%v), want %s", round, seq, got.ID, err, want.ID)
			}
		}
		handled := make(chan int, 10)
		stop := run(t, b, nil, parkedWork("reader"+strconv.Itoa(round), func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
			handled <- number(t, e)
			return nil, nil
		}))
		for _, want := range []int{2, 3, 6} {
			if got := receive(t, handled, "the reader reads past what is missing"); got != want {
				t.Errorf("round %d: the reader was given %d, want %d", round, got, want)
			}
		}
		stop()
		again, _ := backUp(t, b)
		file.Reset()
		file.Write(again)
		shut(t, b)
	}
}
