package service

import (
	"bytes"
	"context"
	"errors"
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

var key = settings.Key{1, 2, 3}

func loads(t testing.TB, b *bus.Bus, k settings.Key, text string) (*Projects, error) {
	t.Helper()
	return LoadSettings(t.Context(), b, morning, k, projects(t, text))
}

// TestSettingsThatWerePutOutliveTheStartAndTheirSecretsAreSealed also reads the store as
// a thief would.
func TestSettingsThatWerePutOutliveTheStartAndTheirSecretsAreSealed(t *testing.T) {
	b := bustest.Open(t)
	p, err := loads(t, b, key, block)
	if err != nil {
		t.Fatal(err)
	}
	had, _ := p.Get("shop")
	next := had.Project
	next.Senior, next.Ringostat.APIKey = 5, "SECRET-put-by-the-api"
	changed := p.Changed()
	put, err := p.Put(t.Context(), next, had.Number, "api")
	if err != nil || put.Number != 2 {
		t.Fatalf("put: revision %d, %v; want 2", put.Number, err)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told of the change")
	}
	if again, err := p.Put(t.Context(), next, 2, "api"); err != nil || again.Number != 2 {
		t.Errorf("the same settings once more: revision %d, %v; want still 2", again.Number, err)
	}
	if _, err := p.Put(t.Context(), had.Project, 1, "api"); !errors.Is(err, ErrStale) {
		t.Errorf("a change of an older revision: %v, want ErrStale", err)
	}
	store, err := b.Store(t.Context(), "settings", "")
	if err != nil {
		t.Fatal(err)
	}
	var kept stored
	if _, err := store.Get(t.Context(), "shop", &kept); err != nil || kept.Sealed == nil {
		t.Fatalf("kept %+v, %v; want something sealed", kept, err)
	}
	if bytes.Contains(kept.Sealed, []byte("SECRET")) {
		t.Error("a secret lies open in the store")
	}
	after, err := loads(t, b, key, block)
	if err != nil {
		t.Fatalf("the next start: %v", err)
	}
	if r, _ := after.Get("shop"); r.Number != 2 || r.Senior != 5 || r.Ringostat.APIKey != "SECRET-put-by-the-api" {
		t.Errorf("after the start: revision %d, senior %d; want 2, 5 and the new secret", r.Number, r.Senior)
	}
	if _, err := loads(t, b, settings.Key{9}, block); !errors.Is(err, settings.ErrSealed) {
		t.Errorf("with another secret_key: %v, want ErrSealed", err)
	}
	// A changed block of the file is the newest word, and needs no key.
	if got := starts(t, b, strings.Replace(block, "NAME", "Another name", 1)); got != 3 {
		t.Errorf("after the file changed: revision %d, want 3", got)
	}
	var by []string
	for _, changed := range told(t, b) {
		by = append(by, changed.By)
	}
	if !slices.Equal(by, []string{"configuration file", "api", "configuration file"}) {
		t.Errorf("announced by %q", by)
	}
}

func TestAnotherProcessTakesOverWhatWasPut(t *testing.T) {
	b := bustest.Open(t)
	one, err := loads(t, b, key, block)
	if err != nil {
		t.Fatal(err)
	}
	two, err := loads(t, b, key, block)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = two.Follow(ctx) })
	defer done.Wait()
	defer stop()
	had, _ := one.Get("shop")
	next := had.Project
	next.Senior = 5
	changed := two.Changed()
	if _, err := one.Put(t.Context(), next, 1, "api"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	case <-time.After(20 * time.Second):
		t.Fatal("the other process never heard of it")
	}
	if r, _ := two.Get("shop"); r.Number != 2 || r.Senior != 5 {
		t.Errorf("the other process has revision %d, senior %d; want 2 and 5", r.Number, r.Senior)
	}
}

func TestAProjectThatWasMadeStaysWithoutTheFile(t *testing.T) {
	b := bustest.Open(t)
	key := settings.Key{1}
	load := func(text string) *Projects {
		t.Helper()
		p, err := LoadSettings(t.Context(), b, morning, key, projects(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	next := projects(t, strings.ReplaceAll(block, "shop", "made"))[0]
	p := load(block)
	r, err := p.Create(t.Context(), next, "olena")
	if err != nil || r.Number != 1 {
		t.Fatalf("made revision %d, %v; want 1", r.Number, err)
	}
	if _, err := p.Create(t.Context(), next, "olena"); !errors.Is(err, ErrExists) {
		t.Errorf("made again: %v, want %v", err, ErrExists)
	}
	if _, err := load(block).Create(t.Context(), projects(t, block)[0], "olena"); !errors.Is(err, ErrExists) {
		t.Errorf("made over the file's: %v, want %v", err, ErrExists)
	}
	for what, text := range map[string]string{"the same file": block, "no file": ""} {
		again := load(text)
		if r, ok := again.Get("made"); !ok || r.Number != 1 || r.Ringostat.Tokens[0] != next.Ringostat.Tokens[0] {
			t.Errorf("after a start with %s: revision %d, there: %v; want 1 with its secret", what, r.Number, ok)
		}
		if _, ok := again.Get("shop"); ok != (text != "") {
			t.Errorf("after a start with %s the file's project is there: %v", what, ok)
		}
	}
	if all := told(t, b); len(all) != 2 || all[1].Project != "made" || all[1].By != "olena" {
		t.Errorf("announced %+v, want the file's project and then the one made by olena, each once", all)
	}
	if _, err := LoadSettings(t.Context(), b, morning, settings.Key{2}, nil); err == nil || !strings.Contains(err.Error(), "put that key back") {
		t.Errorf("with another key: %v, want a refusal that says what to do", err)
	}
}

func TestEveryProcessTakesUpAProjectThatWasMadeInAnother(t *testing.T) {
	b := bustest.Open(t)
	var both [2]Env
	var started [2][]string
	taken := make(chan struct{}, 4)
	for i := range both {
		p, err := LoadSettings(t.Context(), b, morning, settings.Key{1}, projects(t, block))
		if err != nil {
			t.Fatal(err)
		}
		both[i] = Env{Projects: p}
		if err := both[i].EachProject("test", func(id string) error {
			started[i] = append(started[i], id)
			taken <- struct{}{}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		<-taken
	}
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = both[0].Projects.Follow(ctx) })
	done.Go(func() { _ = both[1].Projects.Follow(ctx) })
	if _, err := both[0].Projects.Create(t.Context(), projects(t, strings.ReplaceAll(block, "shop", "made"))[0], "olena"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case <-taken:
		case <-time.After(20 * time.Second):
			t.Fatal("a process never took the project up")
		}
	}
	stop()
	done.Wait()
	for i, ids := range started {
		if !slices.Equal(ids, []string{"shop", "made"}) {
			t.Errorf("process %d started with %v, want shop and then made, each once", i, ids)
		}
	}
}
