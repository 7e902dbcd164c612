// Package analytics counts calls by direction, outcome and client. It is the example
// of a consumer: it reads the stream and touches nothing else, so it can be copied,
// changed, stopped and started again without anybody noticing.
package analytics

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

type row struct {
	Direction event.Direction `json:"direction"`
	Outcome   event.Outcome   `json:"outcome"`
	Client    string          `json:"client"`
	Calls     int             `json:"calls"`
}

// Start counts from the first event on and answers GET …/analytics/counts.
func Start(env service.Env) {
	var mu sync.Mutex
	seen, counts := map[string]bool{}, map[string]map[row]int{} // a call, decided several times, counts once; project → row → calls
	apply := func(_ context.Context, batch []bus.Recorded) error {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range batch {
			if call, err := event.As[event.CallResolved](r.Envelope); err == nil && !seen[r.Project+"/"+r.Call] {
				seen[r.Project+"/"+r.Call] = true
				if counts[r.Project] == nil {
					counts[r.Project] = map[row]int{}
				}
				counts[r.Project][row{Direction: call.Facts.Direction, Outcome: call.Facts.Outcome, Client: call.Client.State}]++
			}
		}
		return nil
	}
	env.Group.Go("analytics", func(ctx context.Context) error {
		forget := func(context.Context) error { mu.Lock(); defer mu.Unlock(); clear(seen); clear(counts); return nil }
		return env.Views.Follow(ctx, env.Bus, bus.View{Name: "analytics", Types: []event.Type{event.TypeCallResolved}, Apply: apply}, new(bus.Progress), forget)
	})
	env.API.HandleFunc("GET /api/v1/projects/{project}/analytics/counts", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		rows := []row{}
		for r, n := range counts[r.PathValue("project")] {
			rows = append(rows, row{r.Direction, r.Outcome, r.Client, n})
		}
		slices.SortFunc(rows, func(a, b row) int {
			return cmp.Or(b.Calls-a.Calls, cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Client, b.Client))
		})
		service.Answer(w, map[string]any{"items": rows})
	})
}
