// Package callcounter counts calls by direction, outcome and client. It is the example
// of a consumer: it reads the stream into a file of its own and touches nothing else, so it
// can be copied, changed, stopped and started again without anybody noticing.
package callcounter

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/view"
)

// A change of the tables, or of what apply makes of an event, needs a new version.
var model = view.Model{Name: "callcounter", Version: 1, Apply: apply, Schema: `
CREATE TABLE seen (project TEXT, call TEXT, PRIMARY KEY (project, call)) STRICT, WITHOUT ROWID;
CREATE TABLE counts (project TEXT, direction TEXT, outcome TEXT, client TEXT, calls INTEGER,
	PRIMARY KEY (project, direction, outcome, client)) STRICT, WITHOUT ROWID;`}

// apply counts a call once, however often it is decided.
func apply(tx *view.Tx, r bus.Recorded) error {
	call, err := event.As[event.CallResolved](r.Envelope)
	if r.Type != event.TypeCallResolved || err != nil {
		return nil // another's event, or a later version's
	}
	added, err := tx.Exec("INSERT OR IGNORE INTO seen VALUES (?, ?)", r.Project, r.Call)
	if err == nil && added > 0 {
		_, err = tx.Exec("INSERT INTO counts VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET calls = calls + 1",
			r.Project, call.Facts.Direction, call.Facts.Outcome, call.Client.State)
	}
	return err
}

// answer is the rows of a project, as JSON.
const answer = `SELECT json_group_array(json_object('direction', direction, 'outcome', outcome, 'client', client, 'calls', calls)
	ORDER BY calls DESC, direction, outcome, client) FROM counts WHERE project = ?`

// Start counts from the first event on and answers GET …/callcounter.
func Start(ctx context.Context, env service.Env) error {
	v, err := env.Views.Start(ctx, model, env.Group.Go)
	env.API.HandleFunc("GET /api/v1/projects/{project}/callcounter", func(w http.ResponseWriter, r *http.Request) {
		db, done := v.Read()
		defer done()
		var items string
		if err := db.QueryRowContext(r.Context(), answer, r.PathValue("project")).Scan(&items); err != nil {
			service.Problem(w, http.StatusInternalServerError, "internal error", err.Error())
			return
		}
		service.Answer(w, map[string]any{"items": json.RawMessage(items)})
	})
	return err
}
