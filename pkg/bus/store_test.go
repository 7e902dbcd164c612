package bus_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
)

type entry struct {
	Name  string   `json:"name"`
	Count int      `json:"count"`
	Notes []string `json:"notes,omitempty"`
}

func store(t *testing.T, b *bus.Bus) *bus.Store {
	t.Helper()
	s, err := b.Store(t.Context(), "journal", "for a test")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAMissingKeyHasRevisionNought(t *testing.T) {
	var v entry
	revision, err := store(t, bustest.Open(t)).Get(t.Context(), "nobody", &v)
	if err != nil || revision != 0 || !cmp.Equal(v, entry{}) {
		t.Errorf("got %+v at revision %d (%v), want nothing at 0", v, revision, err)
	}
}

func TestSetRefusesWhatWasChangedMeanwhile(t *testing.T) {
	s := store(t, bustest.Open(t))
	ctx := t.Context()
	first, err := s.Set(ctx, "lead.demo-1", entry{Name: "first"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Set(ctx, "lead.demo-1", entry{Name: "made twice"}, 0); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("making a key that exists returned %v, want ErrConflict", err)
	}
	second, err := s.Set(ctx, "lead.demo-1", entry{Name: "second"}, first)
	if err != nil || second <= first {
		t.Fatalf("writing at the newest revision returned %d (%v), want more than %d", second, err, first)
	}
	if _, err := s.Set(ctx, "lead.demo-1", entry{Name: "late"}, first); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("writing at an old revision returned %v, want ErrConflict", err)
	}
	var v entry
	if revision, err := s.Get(ctx, "lead.demo-1", &v); err != nil || revision != second || v.Name != "second" {
		t.Errorf("read %+v at %d (%v), want second at %d", v, revision, err, second)
	}
}

func TestAStoreOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	want := entry{Name: "kept", Count: 7, Notes: []string{"a"}}
	revision, err := store(t, b).Set(t.Context(), "key", want, 0)
	if err != nil {
		t.Fatal(err)
	}
	shut(t, b)
	b = open(t, dir)
	defer shut(t, b)
	var got entry
	again, err := store(t, b).Get(t.Context(), "key", &got)
	if err != nil || again != revision || !cmp.Equal(got, want) {
		t.Errorf("after a restart %+v at %d (%v), want %+v at %d", got, again, err, want, revision)
	}
}

func TestChangeLosesNothingUnderContention(t *testing.T) {
	s := store(t, bustest.Open(t))
	const workers, each = 8, 25
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if _, err := bus.Change(context.Background(), s, "turn", func(v *entry) (bool, error) {
					v.Count++
					return true, nil
				}); err != nil {
					t.Errorf("change: %v", err)
				}
			}
		})
	}
	wg.Wait()
	var v entry
	if _, err := s.Get(t.Context(), "turn", &v); err != nil || v.Count != workers*each {
		t.Errorf("the count is %d (%v) after %d changes", v.Count, err, workers*each)
	}
}

func TestChangeWritesNothingWhereItIsToldNotTo(t *testing.T) {
	s := store(t, bustest.Open(t))
	ctx := t.Context()
	revision, err := s.Set(ctx, "key", entry{Count: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("not that one")
	for name, result := range map[string]error{"left as it is": nil, "refused": refusal} {
		v, err := bus.Change(ctx, s, "key", func(v *entry) (bool, error) {
			v.Name = "looked at"
			return false, result
		})
		if !errors.Is(err, result) || v.Count != 1 {
			t.Errorf("%s: got %+v and %v, want what is stored and %v", name, v, err, result)
		}
	}
	var v entry
	if now, err := s.Get(ctx, "key", &v); err != nil || now != revision || v.Name != "" {
		t.Errorf("stored %+v at %d (%v), want it untouched at %d", v, now, err, revision)
	}
}

func TestAValueThatIsNoJSONOfItsTypeIsAnError(t *testing.T) {
	s := store(t, bustest.Open(t))
	if _, err := s.Set(t.Context(), "key", []int{1}, 0); err != nil {
		t.Fatal(err)
	}
	var v entry
	if _, err := s.Get(t.Context(), "key", &v); err == nil {
		t.Errorf("a list was read as %+v, want an error", v)
	}
}
