package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/pkg/view"
	"github.com/ringbridge/ringbridge/services/analytics"
	consoleservice "github.com/ringbridge/ringbridge/services/console"
)

// TestStatesAreThoseOfTheList gives random histories to the console and to analytics,
// who each work out where a call stands: the list and the export must say the same.
func TestStatesAreThoseOfTheList(t *testing.T) {
	t.Parallel()
	b := bustest.Open(t)
	cfg, err := settings.Parse("test.yaml", []byte("projects:\n  - {id: shop, senior: 1, ringostat: {token: hook-of-the-shop},\n"+
		"     bitrix24: {webhook: \"https://example.bitrix24.ua/rest/1/secretwebhook/\"}}\n"), nil, rules.IDs())
	if err != nil {
		t.Fatal(err)
	}
	projects, err := service.LoadProjects(t.Context(), b, time.Now, cfg.Projects)
	if err != nil {
		t.Fatal(err)
	}
	files, err := callfile.Open(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	env := service.Env{
		Bus: b, Files: files, Projects: projects, Mux: http.NewServeMux(), API: http.NewServeMux(), Log: zap.NewNop(), Now: time.Now, Data: data,
		Metrics: prometheus.NewRegistry(), Group: service.NewGroup(context.Background(), zap.NewNop()), Views: view.New(b, filepath.Join(data, "views"), zap.NewNop()),
	}
	t.Cleanup(env.Group.Stop)
	if err := consoleservice.Start(t.Context(), env, consoleservice.Options{Gatherer: prometheus.NewRegistry()}); err != nil {
		t.Fatal(err)
	}
	if err := analytics.Start(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	const seed = 7
	chance := rand.New(rand.NewPCG(seed, seed))
	for n := range 300 {
		for _, e := range aStory(t, chance, fmt.Sprintf("c%d", n)) {
			if _, err := b.Publish(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	listed, exported := statesOf(t, env.API, "calls?limit=500"), statesOf(t, env.API, "analytics/calls")
	if diff := cmp.Diff(listed, exported); diff != "" {
		t.Errorf("states with seed %d (-list +export):\n%s", seed, diff)
	}
	seen := map[string]bool{}
	for _, state := range listed {
		seen[strings.Fields(state)[0]] = true
	}
	if len(seen) != 5 {
		t.Errorf("the histories end in %v only; want every state, or they prove little", seen)
	}
}

// aStory is what may happen to one call, in an order that may be odd.
func aStory(t *testing.T, chance *rand.Rand, id string) (out []event.Envelope) {
	at := time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)
	add := func(e event.Envelope, err error) event.Envelope {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
		return e
	}
	facts := event.Call{ID: id, Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Client: "+380671112233", StartedAt: &at}
	add(event.First("classifier", at, &event.CallClassified{Project: "shop", Changed: true, Call: facts}))
	var plan string
	var commands []event.BitrixCommand
	for range chance.IntN(12) {
		switch chance.IntN(7) {
		case 0:
			again := chance.IntN(2) == 0
			if !again {
				facts.Talk++
			}
			add(event.First("classifier", at, &event.CallClassified{Project: "shop", Changed: !again, Retry: again && chance.IntN(2) == 0, Call: facts}))
		case 1, 2:
			r := add(event.First("resolver", at, &event.CallResolved{Project: "shop", Client: event.Client{State: "new"}, Facts: facts}))
			plan, commands = r.ID, nil
			kind := []event.Kind{event.KindTask, event.KindTask, event.KindNothing}[chance.IntN(3)]
			of := 1
			if kind == event.KindTask {
				of += chance.IntN(2)
			}
			for i := range of {
				c := event.BitrixCommand{ID: event.CommandID("shop", id, fmt.Sprint(kind, i)), Project: "shop", Call: id, Kind: kind, Rule: "answered/new", Plan: plan, Index: i + 1, Of: of}
				commands = append(commands, c)
				add(event.First("planner", at, &c))
			}
		case 3, 4, 5:
			for _, c := range commands {
				state := []event.OutcomeState{event.Executed, event.Executed, event.Refused, event.InDoubt}[chance.IntN(4)]
				add(event.First("writer", at, &event.BitrixOutcome{Command: c.ID, Project: "shop", Call: id, Plan: c.Plan, Kind: c.Kind, State: state}))
			}
		case 6:
			add(event.First("writer", at, &event.CallParked{
				ID: fmt.Sprint(id, "/", chance.IntN(2)), Project: "shop", Call: id, Step: "write",
				State: []event.ParkedState{event.ParkedWaiting, event.ParkedRetried, event.ParkedDropped}[chance.IntN(3)],
			}))
		}
	}
	return out
}

func statesOf(t *testing.T, api http.Handler, path string) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/projects/shop/"+path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	type call struct{ ID, State, Rule string }
	var list struct{ Items []call }
	if strings.HasPrefix(path, "calls") {
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
	} else {
		for line := range strings.Lines(w.Body.String()) {
			var c call
			if err := json.Unmarshal([]byte(line), &c); err != nil {
				t.Fatal(err)
			}
			list.Items = append(list.Items, c)
		}
	}
	out := map[string]string{}
	for _, c := range list.Items {
		out[c.ID] = c.State + " " + c.Rule
	}
	return out
}
