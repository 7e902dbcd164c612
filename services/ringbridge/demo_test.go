package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/services/demo"
)

// shown is a demo that runs in this process, without the portal's pace.
type shown struct {
	t     *testing.T
	in    *instance
	world *demo.World
}

func showDemo(t *testing.T) *shown {
	t.Helper()
	o := demo.Options{Unpaced: true, Gap: 5 * time.Millisecond, Every: 4 * time.Millisecond, Most: 40, Seed: 7}
	in, world, err := startDemo(context.Background(), "127.0.0.1:0", t.TempDir(), o, zaptest.NewLogger(t, zaptest.Level(zapcore.ErrorLevel)))
	if err != nil {
		t.Fatalf("start the demo: %v", err)
	}
	t.Cleanup(func() {
		if err := in.stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := world.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &shown{t, in, world}
}

func (s *shown) base() string { return "http://" + s.in.Addr }

func (s *shown) get(path string, into any) *http.Response {
	s.t.Helper()
	r, err := http.Get(s.base() + path)
	if err != nil {
		s.t.Fatalf("get %s: %v", path, err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		s.t.Fatalf("get %s: %s %q, %v; want 200", path, r.Status, body, err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			s.t.Fatalf("get %s: %v in %q", path, err, body)
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

type demoPicture struct {
	Status statusView
	Calls  []struct{ ID, Rule, State, Client string }
	Parked struct {
		Items []struct{ Step, Reason, Remedy string }
	}
	Tasks []struct {
		Title, Call string
		ID          int
	}
	Entities map[string][]struct{ Title, Call string }
}

// settled waits until nothing waits, is in flight or in doubt.
func (s *shown) settled() (p demoPicture) {
	s.t.Helper()
	deadline := time.After(2 * limit)
	for {
		s.get("/demo/data.json", &p)
		if p.Status.Waiting+p.Status.InFlight+p.Status.InDoubt == 0 {
			return p
		}
		select {
		case <-deadline:
			s.t.Fatalf("not quiet: %+v", p.Status)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestTheDemoMakesEveryRuleFire(t *testing.T) {
	s := showDemo(t)
	if err := s.world.Tour(t.Context(), s.base()); err != nil {
		t.Fatalf("tour: %v", err)
	}
	p := s.settled()
	promised, fired := s.world.Promised(), map[string]bool{}
	adopted := 0
	for _, c := range p.Calls {
		fired[c.Rule] = true
		if c.Rule != promised[c.ID] {
			t.Errorf("call %s made rule %s fire, want %s", c.ID, c.Rule, promised[c.ID])
		}
		if c.State != "done" && c.State != "ignored" {
			t.Errorf("call %s of rule %s ends as %s, want done or ignored", c.ID, c.Rule, c.State)
		}
		var story storyView
		s.get("/demo/api/calls/"+c.ID, &story)
		for _, command := range story.Commands {
			if command.State == "adopted" {
				adopted++
			}
		}
	}
	for _, id := range rules.IDs() {
		if !fired[id] {
			t.Errorf("no call of the tour makes rule %s fire; fired: %v", id, slices.Sorted(maps.Keys(fired)))
		}
	}
	if len(p.Parked.Items) != 1 || p.Status.Parked != 1 || p.Parked.Items[0].Step != "classify" {
		t.Errorf("parked: %+v, want the unreadable webhook and nothing else", p.Parked.Items)
	}
	if adopted != 1 {
		t.Errorf("%d commands were adopted, want the one whose answer was lost", adopted)
	}
	wantNoDoubles(t, s.world.Portal())
	for _, task := range p.Tasks {
		if task.Call == "" {
			t.Errorf("task %d %q is shown without the call that made it", task.ID, task.Title)
		}
	}
}

// wantNoDoubles looks at all that ever was in the portal.
func wantNoDoubles(t *testing.T, portal *bitrixtest.Portal) {
	t.Helper()
	made := map[string]int{}
	for _, change := range portal.History() {
		if change.Action == bitrixtest.Added && change.Method != "" && change.ExternalID != "" {
			made[change.Object+" "+change.ExternalID]++
		}
	}
	if len(made) < 10 {
		t.Errorf("the portal's history holds %d objects of ours, want at least 10", len(made))
	}
	for what, n := range made {
		if n != 1 {
			t.Errorf("%s was made %d times, want once", what, n)
		}
	}
}

func TestTheDemoGoesOnWithCallsOfChanceAndEnds(t *testing.T) {
	s := showDemo(t)
	if err := s.world.KeepCalling(t.Context(), s.base()); err != nil {
		t.Fatalf("keep calling: %v", err)
	}
	p := s.settled()
	if len(p.Calls) != 40 {
		t.Errorf("%d calls were made, want the 40 of Most", len(p.Calls))
	}
	for _, c := range p.Calls {
		if c.State != "done" && c.State != "ignored" {
			t.Errorf("call %s of rule %s ends as %s, want done or ignored", c.ID, c.Rule, c.State)
		}
	}
	wantNoDoubles(t, s.world.Portal())
}

func TestTheDemosPageRunsItsOwnFilesOnly(t *testing.T) {
	s := showDemo(t)
	const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
	for path, kind := range map[string]string{
		"/": "text/html", "/demo/assets/demo.css": "text/css", "/demo/assets/demo.js": "text/javascript", "/demo/assets/story.js": "text/javascript",
		"/demo/assets/portal.js": "text/javascript", "/demo/assets/texts.js": "text/javascript", "/demo/data.json": "application/json",
		"/demo/rules.json": "application/json", "/demo/api/status": "application/json",
	} {
		r := s.get(path, nil)
		if got := r.Header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s has the policy %q, want %q", path, got, policy)
		}
		if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, kind) {
			t.Errorf("%s is %q, want %s", path, got, kind)
		}
		if got := r.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options is %q, want nosniff", path, got)
		}
	}
}

func TestThePageOfTheDemoLeadsToTheConsole(t *testing.T) {
	s := showDemo(t)
	body, _ := io.ReadAll(s.get("/", nil).Body)
	if !bytes.Contains(body, []byte(`<a href="/console/"`)) {
		t.Error("the demo's page has no link to the console")
	}
	r := s.get("/console/", nil)
	if body, _ := io.ReadAll(r.Body); r.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`name="token"`)) {
		t.Errorf("the console of the demo: %d, want its sign-in", r.StatusCode)
	}
}

func TestThePageOfTheDemoOnlyReads(t *testing.T) {
	s := showDemo(t)
	for _, path := range []string{"/demo/api/parked/x/drop", "/demo/api/settings", "/demo/data.json", "/"} {
		r, err := http.Post(s.base()+path, "application/json", strings.NewReader(`{"why":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s answered %d, want 405", path, r.StatusCode)
		}
	}
	r := s.get("/demo/api/settings", nil)
	if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("demo-hook")) || bytes.Contains(body, []byte("/rest/1/secret")) {
		t.Errorf("the settings show a secret: %s", body)
	}
}

// words collects what a command writes while it runs.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
	some chan struct{}
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.some <- struct{}{}:
	default:
	}
	return w.text.Write(b)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestTheDemoSaysWhereItIsAndStopsCleanly(t *testing.T) {
	out := &written{some: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- demoCmd{Listen: "127.0.0.1:0"}.run(ctx, console{out, io.Discard}, demo.Options{Unpaced: true})
	}()
	select {
	case <-out.some:
	case err := <-ended:
		t.Fatalf("the demo ended: %v", err)
	case <-time.After(limit):
		t.Fatal("the demo said nothing")
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the demo ended with %v, want a clean stop", err)
		}
	case <-time.After(2 * limit):
		t.Fatal("the demo did not stop")
	}
	for _, want := range []string{"http://127.0.0.1:", "curl -H 'Authorization: Bearer ", "Ctrl-C"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the greeting lacks %q:\n%s", want, out)
		}
	}
}

func TestAnAddressToOpenIsOneThatABrowserReaches(t *testing.T) {
	for listen, want := range map[string]string{
		"0.0.0.0:8080": "127.0.0.1:8080", "[::]:8080": "127.0.0.1:8080", ":8080": "127.0.0.1:8080", "127.0.0.1:9": "127.0.0.1:9", "192.0.2.7:80": "192.0.2.7:80",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("%s is reached at %s, want %s", listen, got, want)
		}
	}
}
