// Package callcounter counts calls by direction, outcome and client. It is the example
// of a consumer: it reads the stream and touches nothing else, so it can be copied,
// changed, stopped and started again without anybody noticing.
package callcounter

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

// Start counts from the first event on and answers GET …/callcounter.
func Start(env service.Env) {
	var mu sync.Mutex
	seen := map[string]bool{}          // a call may be decided several times and counts once
	counts := map[string]map[row]int{} // project → row without its number → calls
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
	env.Group.Go("callcounter", func(ctx context.Context) error {
		return env.Bus.Follow(ctx, bus.View{Name: "callcounter", Types: []event.Type{event.TypeCallResolved}, Apply: apply}, new(bus.Progress))
	})
	env.API.HandleFunc("GET /api/v1/projects/{project}/callcounter", func(w http.ResponseWriter, r *http.Request) {
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
