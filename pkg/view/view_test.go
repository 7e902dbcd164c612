package view

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// names keeps the ids of the events, in their order.
var names = Model{
	Name: "names", Version: 1, Schema: "CREATE TABLE names (seq INTEGER PRIMARY KEY, id TEXT NOT NULL) STRICT;",
	Apply: func(tx *Tx, r bus.Recorded) error {
		_, err := tx.Exec("INSERT INTO names VALUES (?, ?)", int64(r.Seq), r.ID)
		return err
	},
}

// house is a broker and the loops of a view that follows it.
type house struct {
	t     *testing.T
	bus   *bus.Bus
	dir   string
	stop  context.CancelFunc
	loops sync.WaitGroup
	view  *View
}

func open(t *testing.T, m Model) *house {
	t.Helper()
	h := &house{t: t, bus: bustest.Open(t), dir: t.TempDir(), stop: func() {}}
	h.start(m)
	t.Cleanup(h.end)
	return h
}

func (h *house) start(m Model) {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	v, err := New(h.bus, h.dir, zap.NewNop()).Start(ctx, m, func(_ string, loop func(context.Context) error) {
		h.loops.Go(func() {
			if err := loop(ctx); err != nil {
				h.t.Errorf("a loop of the view: %v", err)
			}
		})
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.view = v
}

func (h *house) end() {
	h.stop()
	h.loops.Wait()
}

// publish stores n events and returns their ids.
func (h *house) publish(n int) (ids []string) {
	h.t.Helper()
	for range n {
		e, err := event.First("ingress", time.Unix(0, 0), &event.CallReceived{Project: "shop"})
		if err == nil {
			_, err = h.bus.Publish(h.t.Context(), e)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

func (h *house) has(want []string) {
	h.t.Helper()
	if err := h.view.CaughtUp(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if got := h.ids(); !slices.Equal(got, want) {
		h.t.Fatalf("the view holds %d events, want the %d stored ones in their order", len(got), len(want))
	}
}

func (h *house) ids() (ids []string) {
	h.t.Helper()
	db, done := h.view.Read()
	defer done()
	rows, err := db.Query("SELECT id FROM names ORDER BY seq") //nolint:rowserrcheck // it is, below
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			h.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func (h *house) status() Status {
	h.t.Helper()
	s, err := h.view.Status(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) files() (names []string) {
	h.t.Helper()
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".db" || filepath.Ext(e.Name()) == ".new" {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestAnAnswerHasWhatWasStoredBeforeItsQuestionAlsoWhileTheViewIsBuiltAnew(t *testing.T) {
	h := open(t, names)
	ids := h.publish(200)
	for round := 1; round <= 3; round++ {
		h.view.Rebuild()
		h.view.Rebuild() // asking again changes nothing
		for h.status().Built < round {
			ids = append(ids, h.publish(5)...)
			h.has(ids)
		}
	}
	h.has(ids)
	if s := h.status(); s.State != Ready || s.Built != 3 || s.Seq != uint64(len(ids)) || s.Of != s.Seq {
		t.Errorf("status %+v, want ready with all %d events, built three times", s, len(ids))
	}
	bustest.Eventually(t, 20*time.Second, "one file is left", func() bool { return len(h.files()) == 1 })
	h.end()
	h.start(names)
	h.has(ids)
	if got := h.files(); !slices.Equal(got, []string{"names.3.db"}) {
		t.Errorf("files %v, want the newest one taken up again", got)
	}
}

func TestWhoReadsTheOldFileReadsItToItsEnd(t *testing.T) {
	h := open(t, names)
	ids := h.publish(50)
	h.has(ids)
	db, done := h.view.Read()
	rows, err := db.Query("SELECT id FROM names ORDER BY seq")
	if err != nil || !rows.Next() {
		t.Fatalf("read: %v", err)
	}
	h.view.Rebuild()
	bustest.Eventually(t, 20*time.Second, "the view is built anew", func() bool { return h.status().Built == 1 })
	ids = append(ids, h.publish(3)...)
	h.has(ids) // the new one answers
	n := 1
	for rows.Next() {
		n++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || n != 50 { //nolint:sqlclosecheck // the test is about when it is closed
		t.Errorf("the old file gave %d of 50 rows (%v)", n, err)
	}
	if len(h.files()) != 2 {
		t.Errorf("files %v, want the old one kept while it is read", h.files())
	}
	done()
	bustest.Eventually(t, 20*time.Second, "the old file is taken away", func() bool { return len(h.files()) == 1 })
}

func TestARebuildThatFailsLeavesTheOldViewAndSaysWhy(t *testing.T) {
	var mu sync.Mutex
	broken := false
	fragile := names
	fragile.Apply = func(tx *Tx, r bus.Recorded) error {
		mu.Lock()
		defer mu.Unlock()
		if broken && r.Seq == 2 {
			return errors.New("no room")
		}
		return names.Apply(tx, r)
	}
	h := open(t, fragile)
	ids := h.publish(3)
	h.has(ids)
	mu.Lock()
	broken = true
	mu.Unlock()
	h.view.Rebuild()
	bustest.Eventually(t, 20*time.Second, "the rebuild is given up", func() bool { return h.status().State == Ready })
	if s := h.status(); s.Error == "" || s.Built != 0 {
		t.Errorf("status %+v, want why it was given up", s)
	}
	ids = append(ids, h.publish(2)...)
	h.has(ids)
	if got := h.files(); !slices.Equal(got, []string{"names.db"}) {
		t.Errorf("files %v, want nothing half", got)
	}
}

func TestWhatACrashLeavesIsClearedAwayAtTheStart(t *testing.T) {
	h := open(t, names)
	ids := h.publish(4)
	h.has(ids)
	h.end()
	whole, err := os.ReadFile(filepath.Join(h.dir, "names.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"names.2.db": whole,                               // a rebuild that ended right before the crash
		"names.3.db": []byte("no database, but a text\n"), // something else
		"names.new":  whole[:100],                         // a rebuild that did not end
	} {
		if err := os.WriteFile(filepath.Join(h.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(h.dir, "namesakes.db"), []byte("of another view"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.start(names)
	h.has(append(ids, h.publish(1)...))
	if got := h.files(); !slices.Equal(got, []string{"names.2.db", "namesakes.db"}) {
		t.Errorf("files %v, want the newest whole one and what is not ours", got)
	}
}

func TestAFileOfAnotherVersionOrStreamIsBuiltAnew(t *testing.T) {
	h := open(t, names)
	ids := h.publish(4)
	h.has(ids)
	h.end()
	next := names
	next.Version, next.Schema = 2, "CREATE TABLE names (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, more TEXT) STRICT;"
	next.Apply = func(tx *Tx, r bus.Recorded) error {
		_, err := tx.Exec("INSERT INTO names VALUES (?, ?, 'new')", int64(r.Seq), r.ID)
		return err
	}
	h.start(next)
	h.has(ids)
	h.end()
	h.bus = bustest.Open(t) // another stream
	h.start(next)
	h.has(h.publish(2))
}

func TestABatchIsTakenWholeOrNotAtAllAndOnce(t *testing.T) {
	failing := names
	failing.Apply = func(tx *Tx, r bus.Recorded) error {
		if r.ID == "bad" {
			return errors.New("not this one")
		}
		return names.Apply(tx, r)
	}
	v, err := Open(t.Context(), t.TempDir(), failing, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	batch := func(ids ...string) (out []bus.Recorded) {
		for i, id := range ids {
			out = append(out, bus.Recorded{Seq: uint64(i + 1), Envelope: event.Envelope{ID: id}})
		}
		return out
	}
	if err := v.Apply(t.Context(), batch("a", "bad")); err == nil {
		t.Error("a batch with an event that cannot be taken: no error")
	}
	for range 2 { // the word that it was taken may be lost
		if err := v.Apply(t.Context(), batch("a", "b")); err != nil {
			t.Fatal(err)
		}
	}
	h := house{t: t, view: v}
	if got := fmt.Sprint(h.ids()); got != "[a b]" {
		t.Errorf("the view holds %s, want [a b]", got)
	}
}

func TestWhoWaitsForNewsHearsOfEachEvent(t *testing.T) {
	h := open(t, names)
	h.publish(3)
	seen := uint64(0)
	for seen < 3 {
		next, err := h.view.Next(t.Context(), seen)
		if err != nil || next <= seen {
			t.Fatalf("after %d events: %d, %v; want more", seen, next, err)
		}
		seen = next
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if next, err := h.view.Next(ctx, seen); err == nil || next != seen {
		t.Errorf("with nothing new, until the wait was called off: %d, %v; want %d and an error", next, err, seen)
	}
	told := make(chan uint64, 1)
	go func() {
		next, _ := h.view.Next(t.Context(), seen)
		told <- next
	}()
	h.publish(1)
	select {
	case next := <-told:
		if next != 4 {
			t.Errorf("after one more: %d, want 4", next)
		}
	case <-time.After(20 * time.Second):
		t.Error("one more event was stored, and who waited was not told")
	}
}
