package callfile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

func open(t testing.TB) *Files {
	t.Helper()
	f, err := Open(t.Context(), bustest.Open(t))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return f
}

func TestACallNeverHeardOfHasAnEmptyFile(t *testing.T) {
	file, err := open(t).Get(t.Context(), "shop", "never")
	if err != nil || file.Reports != nil || file.Resolved != nil || file.Journal != nil || file.Settled != "" {
		t.Errorf("file %+v, %v; want an empty one", file, err)
	}
}

// TestThreeWritersKeepEachOthersParts lets the classifier, the resolver and the writer
// change one file at once, many times.
func TestThreeWritersKeepEachOthersParts(t *testing.T) {
	const rounds = 40
	files := open(t)
	parts := []func(n int, f *File){
		func(n int, f *File) {
			f.Received = append(f.Received, fmt.Sprint(n))
			f.Reports = append(f.Reports, event.Call{ID: "call", Talk: n})
		},
		func(n int, f *File) {
			if f.Resolved == nil {
				f.Resolved = &event.CallResolved{}
			}
			f.Resolved.Decision++
		},
		func(n int, f *File) {
			if f.Journal == nil {
				f.Journal = map[string]Entry{}
			}
			f.Journal[fmt.Sprint("task:", n)] = Entry{State: Intent, Attempt: n}
		},
	}
	var writers sync.WaitGroup
	for _, part := range parts {
		writers.Go(func() {
			for n := range rounds {
				if _, err := files.Change(context.Background(), "shop", "call", func(f *File) (bool, error) { part(n, f); return true, nil }); err != nil {
					t.Errorf("change: %v", err)
					return
				}
			}
		})
	}
	writers.Wait()
	file, err := files.Get(t.Context(), "shop", "call")
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Received) != rounds || len(file.Reports) != rounds || file.Resolved.Decision != rounds || len(file.Journal) != rounds {
		t.Errorf("%d received, %d reports, %d decisions, %d entries; want %d of each",
			len(file.Received), len(file.Reports), file.Resolved.Decision, len(file.Journal), rounds)
	}
	for n, got := range file.Received {
		if got != fmt.Sprint(n) {
			t.Errorf("received %v: out of the writer's order", file.Received)
			break
		}
	}
}

func TestAChangeThatIsNotWantedOrFailsLeavesTheFile(t *testing.T) {
	files := open(t)
	set := func(plan string, write bool, fail error) error {
		_, err := files.Change(t.Context(), "shop", "call", func(f *File) (bool, error) { f.Settled = plan; return write, fail })
		return err
	}
	no := errors.New("no")
	if err := set("first", true, nil); err != nil {
		t.Fatal(err)
	}
	if err := set("second", false, nil); err != nil {
		t.Errorf("not wanted: %v", err)
	}
	if err := set("third", true, no); !errors.Is(err, no) {
		t.Errorf("failed: %v, want the change's own error", err)
	}
	if file, err := files.Get(t.Context(), "shop", "call"); err != nil || file.Settled != "first" {
		t.Errorf("file %+v, %v; want it as the first change left it", file, err)
	}
}

func TestEveryCallHasAFileOfItsOwn(t *testing.T) {
	files := open(t)
	calls := []string{"1767348000.1", "1767348000.10", "a b", "a/b", "a*b", "a>b", "дзвінок", "", ".", "a.b"}
	for _, project := range []string{"shop", "shop-2"} {
		for _, call := range calls {
			want := project + " " + call
			if _, err := files.Change(t.Context(), project, call, func(f *File) (bool, error) { f.Settled += want; return true, nil }); err != nil {
				t.Errorf("call %q: %v", call, err)
			}
		}
	}
	for _, project := range []string{"shop", "shop-2"} {
		for _, call := range calls {
			if f, err := files.Get(t.Context(), project, call); err != nil || f.Settled != project+" "+call {
				t.Errorf("call %q of %s: %q, %v; want its own file", call, project, f.Settled, err)
			}
		}
	}
}
