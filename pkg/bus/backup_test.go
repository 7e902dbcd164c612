package bus_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func backUp(t *testing.T, b *bus.Bus) ([]byte, bus.Summary) {
	t.Helper()
	var file bytes.Buffer
	s, err := b.Backup(t.Context(), &file)
	if err != nil {
		t.Fatalf("back up: %v", err)
	}
	return file.Bytes(), s
}

func restore(t *testing.T, dir string, file []byte) (bus.Summary, error) {
	t.Helper()
	return bus.Restore(t.Context(), bus.Options{Dir: dir, Log: zaptest.NewLogger(t)}, bytes.NewReader(file))
}

func named(t *testing.T, b *bus.Bus, name string) *bus.Store {
	t.Helper()
	s, err := b.Store(t.Context(), name, "of the tests")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARestoredFolderHoldsWhatTheBackedUpOneDid(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	handled := make(chan int, 100)
	work := parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		handled <- number(t, e)
		return nil, nil
	})
	stop := run(t, b, nil, work)
	for n := 1; n <= 20; n++ {
		publish(t, b, numbered(t, "a", n))
	}
	for range 20 {
		receive(t, handled, "the reader handles what was stored")
	}
	stop()
	publish(t, b, numbered(t, "a", 21), numbered(t, "a", 22))
	s := named(t, b, "colours")
	for n := range 5 {
		if _, err := bus.Change(t.Context(), s, "key"+strconv.Itoa(n%3), func(v *string) (bool, error) { *v += strconv.Itoa(n); return true, nil }); err != nil {
			t.Fatal(err)
		}
	}
	file, summary := backUp(t, b)
	if summary.Events != 22 || summary.Stores["colours"] != 3 {
		t.Errorf("the backup says %+v, want 22 events and 3 colours", summary)
	}
	publish(t, b, numbered(t, "a", 23))

	other := filepath.Join(t.TempDir(), "broker")
	if got, err := restore(t, other, file); err != nil || got.Events != 22 {
		t.Fatalf("restored %+v (%v), want 22 events", got, err)
	}
	was := b
	b = open(t, other)
	defer shut(t, b)
	defer shut(t, was)
	if n, err := b.Last(t.Context()); err != nil || n != 22 {
		t.Fatalf("%d events in the restored folder (%v), want 22", n, err)
	}
	for seq := uint64(1); seq <= 22; seq++ {
		want, err := was.Get(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Get(t.Context(), seq); err != nil || got.ID != want.ID || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("event %d is %s (%v), want %s", seq, got.ID, err, want.ID)
		}
	}
	for key, want := range map[string]string{"key0": "03", "key1": "14", "key2": "2"} {
		var got string
		if _, err := named(t, b, "colours").Get(t.Context(), key, &got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", key, got, err, want)
		}
	}
	if at, err := b.Restored(t.Context()); err != nil || time.Since(at) > time.Minute {
		t.Errorf("restored at %v (%v), want a moment ago", at, err)
	}
	if at, err := was.Restored(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("the first one was restored at %v (%v), want never", at, err)
	}
	// A restart must not hand the reader what it had settled, nor leave out the rest.
	defer run(t, b, nil, work)()
	for _, want := range []int{21, 22} {
		if got := receive(t, handled, "the reader goes on"); got != want {
			t.Errorf("the reader went on with event %d, want %d", got, want)
		}
	}
	if seq := publish(t, b, numbered(t, "a", 24)); seq != 23 {
		t.Errorf("the next event was stored as %d, want 23", seq)
	}
}

// TestABackupIsOneMomentWhileEverythingIsWritten lets many writers do what the services
// do: store an event, then note it in a store, key by key over and over. A backup of
// any moment must hold every event that a note of it names, at most one more, and no
// key may be missing because it was being written.
func TestABackupIsOneMomentWhileEverythingIsWritten(t *testing.T) {
	const writers, backups = 8, 6
	b := open(t, t.TempDir())
	defer shut(t, b)
	notes := named(t, b, "notes")
	var flood sync.WaitGroup
	var written, slowest atomic.Int64
	stop, begun := make(chan struct{}), make(chan struct{}, writers)
	for w := range writers {
		flood.Go(func() {
			name := "writer" + strconv.Itoa(w)
			for n := 1; ; n++ {
				e, asked := numbered(t, name, n), time.Now()
				_, err := b.Publish(context.Background(), e)
				slowest.Store(max(slowest.Load(), int64(time.Since(asked))))
				if err != nil {
					t.Errorf("%s could not store event %d: %v", name, n, err)
					return
				}
				if _, err := bus.Change(context.Background(), notes, name, func(v *int) (bool, error) { *v = n; return true, nil }); err != nil {
					t.Errorf("%s could not note event %d: %v", name, n, err)
					return
				}
				written.Add(1)
				if n == 1 {
					begun <- struct{}{}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range writers {
		receive(t, begun, "every writer has written once")
	}
	var files [][]byte
	for range backups {
		before := written.Load()
		file, _ := backUp(t, b)
		files = append(files, file)
		for waited := time.Now(); written.Load() == before; {
			if time.Since(waited) > limit {
				t.Fatal("nothing was written any more after a backup")
			}
		}
	}
	close(stop)
	flood.Wait()
	for i, file := range files {
		dir := filepath.Join(t.TempDir(), "broker")
		if _, err := restore(t, dir, file); err != nil {
			t.Fatalf("restore backup %d: %v", i, err)
		}
		r := open(t, dir)
		stored := map[string]int{}
		last, err := r.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for seq := uint64(1); seq <= last; seq++ {
			e, err := r.Get(t.Context(), seq)
			if err != nil {
				t.Fatal(err)
			}
			stored[e.Call] = max(stored[e.Call], number(t, e))
		}
		for w := range writers {
			name, noted := "writer"+strconv.Itoa(w), 0
			if _, err := named(t, r, "notes").Get(t.Context(), name, &noted); err != nil {
				t.Fatal(err)
			}
			if n := stored[name]; noted < 1 || n < noted || n > noted+1 {
				t.Errorf("backup %d: %s noted %d and stored %d events, want as many or one more", i, name, noted, n)
			}
		}
		shut(t, r)
	}
	t.Logf("%d events and notes were written beside %d backups, the slowest event in %s", written.Load(), backups, time.Duration(slowest.Load()))
}

// gate is who takes a backup and stops reading until it is opened.
type gate struct {
	reached chan struct{}
	open    chan error
}

func (g gate) Write(p []byte) (int, error) {
	select {
	case g.reached <- struct{}{}:
	default:
	}
	if err, more := <-g.open; more {
		return 0, err
	}
	return len(p), nil
}

func TestWhoTakesABackupSlowlyOrLeavesHoldsUpNobody(t *testing.T) {
	b := open(t, t.TempDir())
	defer shut(t, b)
	publish(t, b, numbered(t, "a", 1))
	gone := errors.New("gone")
	for name, leave := range map[string]error{"slow": nil, "leaving": gone} {
		g := gate{make(chan struct{}, 1), make(chan error, 1)}
		ended := make(chan error, 1)
		go func() {
			_, err := b.Backup(context.Background(), g)
			ended <- err
		}()
		receive(t, g.reached, "the first bytes arrive")
		asked := time.Now()
		publish(t, b, numbered(t, name, 1))
		if _, err := bus.Change(t.Context(), named(t, b, "notes"), name, func(v *int) (bool, error) { *v = 1; return true, nil }); err != nil {
			t.Errorf("%s: a note beside the backup: %v", name, err)
		}
		if waited := time.Since(asked); waited > 3*time.Second {
			t.Errorf("%s: writing waited %s for whoever takes the backup", name, waited)
		}
		if leave != nil {
			g.open <- leave
		}
		close(g.open)
		if err := receive(t, ended, "the backup ends"); !errors.Is(err, leave) {
			t.Errorf("%s: the backup ended with %v, want %v", name, err, leave)
		}
		publish(t, b, numbered(t, name, 2))
	}
}
