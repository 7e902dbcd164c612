package service

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

const block = `
projects:
  - id: shop
    name: NAME
    ringostat: {token: SECRET-hook-of-the-shop, api_key: SECRET-key-of-the-shop}
    bitrix24: {webhook: "https://shop.bitrix24.example/rest/1/SECRETofthewebhook/"}
    senior: 1
`

func projects(t testing.TB, text string) []settings.Project {
	t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(text), nil, nil)
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	return cfg.Projects
}

func morning() time.Time { return time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC) }

// starts loads the settings as a start of the program does and returns the revision.
func starts(t testing.TB, b *bus.Bus, text string) int {
	t.Helper()
	p, err := LoadProjects(t.Context(), b, morning, projects(t, text))
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	r, ok := p.Get("shop")
	if !ok {
		t.Fatal("the project is not there")
	}
	return r.Number
}

// told are the revisions that were announced.
func told(t testing.TB, b *bus.Bus) (out []event.SettingsChanged) {
	t.Helper()
	last, err := b.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= last; seq++ {
		e, err := b.Get(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(e.Data), "SECRET") {
			t.Errorf("event %d holds a secret: %s", seq, e.Data)
		}
		changed, err := event.As[event.SettingsChanged](e)
		if err != nil || e.Type != event.TypeSettingsChanged {
			t.Fatalf("event %d: %s, %v", seq, e.Type, err)
		}
		out = append(out, changed)
	}
	return out
}

func TestABlockThatChangedIsANewRevision(t *testing.T) {
	b := bustest.Open(t)
	other := strings.Replace(block, "NAME", "Another name", 1)
	steps := []struct {
		what, text string
		want       int
	}{
		{"the first start", block, 1},
		{"the same file", block, 1},
		{"the same with a default written out", block + "    country: UA\n", 1},
		{"another name", other, 2},
		{"the other name again", other, 2},
		{"another secret only", strings.Replace(other, "SECRET-hook", "SECRET-book", 1), 3},
		{"back to the first", block, 4},
	}
	for _, s := range steps {
		if got := starts(t, b, s.text); got != s.want {
			t.Errorf("%s: revision %d, want %d", s.what, got, s.want)
		}
	}
	var revisions []int
	for _, changed := range told(t, b) {
		revisions = append(revisions, changed.Revision)
		if changed.Project != "shop" || changed.By != "configuration file" || len(changed.Settings) == 0 {
			t.Errorf("announced %+v, want the shop's settings by the configuration file", changed)
		}
	}
	if !slices.Equal(revisions, []int{1, 2, 3, 4}) {
		t.Errorf("announced %v, want each revision once", revisions)
	}
}

// TestAStartThatDiedBeforeItKeptTheRevisionAnnouncesItOnce puts the memory of the last
// start back, as a crash between the event and the memory leaves it.
func TestAStartThatDiedBeforeItKeptTheRevisionAnnouncesItOnce(t *testing.T) {
	b := bustest.Open(t)
	starts(t, b, block)
	store, err := b.Store(t.Context(), "settings", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bus.Change(t.Context(), store, "shop", func(s *stored) (bool, error) { *s = stored{}; return true, nil }); err != nil {
		t.Fatal(err)
	}
	if got := starts(t, b, block); got != 1 {
		t.Errorf("the second start: revision %d, want 1", got)
	}
	if got := told(t, b); len(got) != 1 {
		t.Errorf("announced %d times, want once", len(got))
	}
}

func TestProcessesThatStartTogetherAgreeOnTheRevision(t *testing.T) {
	b := bustest.Open(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			p, err := LoadProjects(context.Background(), b, morning, projects(t, block))
			if err != nil {
				t.Errorf("load: %v", err)
				return
			}
			if r, _ := p.Get("shop"); r.Number != 1 {
				t.Errorf("revision %d, want 1", r.Number)
			}
		})
	}
	all.Wait()
	if got := told(t, b); len(got) != 1 {
		t.Errorf("announced %d times, want once", len(got))
	}
}

func TestProjectsAreListedByTheirID(t *testing.T) {
	second := strings.ReplaceAll(strings.Replace(block, "projects:\n", "", 1), "shop", "autos")
	p, err := LoadProjects(t.Context(), bustest.Open(t), morning, projects(t, block+strings.ReplaceAll(second, "SECRET", "SECRET2")))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.IDs(); !slices.Equal(got, []string{"autos", "shop"}) {
		t.Errorf("projects %v, want autos, shop", got)
	}
	if _, ok := p.Get("nobody"); ok {
		t.Error("a project that is not in the file is there")
	}
}
