package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/replayplan"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
)

func (r *replayer) routes() {
	api := r.API
	api.HandleFunc("POST /api/v1/projects/{project}/replays", r.post)
	api.HandleFunc("GET /api/v1/projects/{project}/replays", r.list)
	api.HandleFunc("GET /api/v1/projects/{project}/replays/{id}", r.get)
	api.HandleFunc("POST /api/v1/projects/{project}/replays/{id}/apply", func(w http.ResponseWriter, q *http.Request) { r.postApply(w, q, replayplan.Planned, replayplan.Paused) })
	api.HandleFunc("POST /api/v1/projects/{project}/replays/{id}/resume", func(w http.ResponseWriter, q *http.Request) { r.postApply(w, q, replayplan.Paused) })
	api.HandleFunc("POST /api/v1/projects/{project}/replays/{id}/pause", func(w http.ResponseWriter, q *http.Request) { r.postHalt(w, q, replayplan.Paused, "paused by hand") })
	api.HandleFunc("POST /api/v1/projects/{project}/replays/{id}/abort", func(w http.ResponseWriter, q *http.Request) { r.postHalt(w, q, replayplan.Aborted, "aborted by hand") })
}

// project finds the settings of the project that is asked about.
func (r *replayer) project(w http.ResponseWriter, q *http.Request) (service.Revision, bool) {
	p, ok := r.Projects.Get(q.PathValue("project"))
	if !ok {
		service.Problem(w, http.StatusNotFound, "unknown project", "There is no project "+q.PathValue("project")+". GET /api/v1/projects lists them.")
	}
	return p, ok
}

// maxRequest is more than any wish for a plan needs.
const maxRequest = 1 << 20

func (r *replayer) post(w http.ResponseWriter, q *http.Request) {
	s, ok := r.project(w, q)
	if !ok {
		return
	}
	var wish struct {
		Since string   `json:"since"`
		Until string   `json:"until"`
		Calls []string `json:"calls"`
		Rule  string   `json:"rule"`
		Fresh bool     `json:"fresh"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, q.Body, maxRequest))
	d.DisallowUnknownFields()
	if err := d.Decode(&wish); err != nil && !errors.Is(err, io.EOF) {
		service.Problem(w, http.StatusBadRequest, "wrong request", `Send {"since": "2026-01-31", "until": …, "calls": [ids], "rule": "answered/new", "fresh": false}; each may be left out.`)
		return
	}
	request := replayplan.Plan{Project: s.ID, CallIDs: wish.Calls, Rule: wish.Rule, Fresh: wish.Fresh}
	if wish.Rule != "" && !slices.Contains(rules.IDs(), wish.Rule) {
		service.Problem(w, http.StatusBadRequest, "unknown rule", "There is no rule "+strconv.Quote(wish.Rule)+". GET /api/v1/rules lists them.")
		return
	}
	since, until, err := service.ReadSpan(wish.Since, wish.Until, s.Location(), r.Now())
	if errors.Is(err, service.ErrSpan) {
		service.Problem(w, http.StatusBadRequest, "wrong span", err.Error())
		return
	}
	if err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong time", err.Error())
		return
	}
	request.Since, request.Until = optional(since), optional(until)
	b, err := r.begin(q.Context(), request, s)
	if err != nil {
		r.failed(w, err)
		return
	}
	service.Note(q.Context(), "plan", b.plan().ID)
	w.Header().Set("Location", q.URL.Path+"/"+b.plan().ID)
	send(w, http.StatusAccepted, replayplan.Page{Plan: b.plan(), Rows: []replayplan.Row{}})
}

// list shows the plans of a project, the newest first, without their rows.
func (r *replayer) list(w http.ResponseWriter, q *http.Request) {
	s, ok := r.project(w, q)
	if !ok {
		return
	}
	ids, err := r.shelf.list(s.ID)
	if err != nil {
		r.failed(w, err)
		return
	}
	items := []replayplan.Plan{}
	for _, id := range slices.Backward(ids) {
		if b, err := r.shelf.open(q.Context(), s.ID, id); err == nil {
			items = append(items, b.plan())
		}
	}
	service.Answer(w, map[string]any{"items": items})
}

func (r *replayer) book(w http.ResponseWriter, q *http.Request) (*book, bool) {
	s, ok := r.project(w, q)
	if !ok {
		return nil, false
	}
	b, err := r.shelf.open(q.Context(), s.ID, q.PathValue("id"))
	switch {
	case errors.Is(err, errNoPlan):
		service.Problem(w, http.StatusNotFound, "unknown plan", fmt.Sprintf("There is no plan %s of this project: the newest %d are kept, and a backup holds none. GET …/replays lists them; make it again with POST …/replays, or ringbridge replay plan.", q.PathValue("id"), mostPlans))
	case err != nil:
		r.failed(w, err)
	}
	return b, err == nil
}

func (r *replayer) get(w http.ResponseWriter, q *http.Request) {
	b, ok := r.book(w, q)
	if !ok {
		return
	}
	wanted, err := readWish(q.URL.Query())
	if err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
		return
	}
	plan := b.plan()
	rows, next, err := b.rows(q.Context(), wanted)
	if err != nil {
		r.failed(w, err)
		return
	}
	service.Answer(w, replayplan.Page{Plan: plan, Rows: append([]replayplan.Row{}, rows...), Next: next})
}

// postApply carries out a plan that is in one of the states: what nobody approved yet is
// not gone on with.
func (r *replayer) postApply(w http.ResponseWriter, q *http.Request, from ...replayplan.State) {
	b, ok := r.book(w, q)
	if !ok {
		return
	}
	err := r.apply(b, from...)
	switch {
	case errors.Is(err, errStale):
		service.Problem(w, http.StatusConflict, "older than the settings", err.Error())
	case errors.Is(err, errBusy), errors.Is(err, errState), errors.Is(err, errBegun):
		service.Problem(w, http.StatusConflict, "not now", fmt.Sprintf("%s (it is %s)", err, b.plan().State))
	case err != nil:
		r.failed(w, err)
	default:
		code := http.StatusAccepted
		if b.plan().State == replayplan.Done {
			code = http.StatusOK
		}
		send(w, code, replayplan.Page{Plan: b.plan(), Rows: []replayplan.Row{}})
	}
}

func (r *replayer) postHalt(w http.ResponseWriter, q *http.Request, to replayplan.State, reason string) {
	b, ok := r.book(w, q)
	if !ok {
		return
	}
	moved, err := r.halt(b, to, reason)
	switch {
	case err != nil:
		r.failed(w, err)
	case !moved:
		service.Problem(w, http.StatusConflict, "not now", fmt.Sprintf("The plan is %s: only one that is being carried out, or paused, can be %s.", b.plan().State, to))
	default:
		send(w, http.StatusOK, replayplan.Page{Plan: b.plan(), Rows: []replayplan.Row{}})
	}
}

func send(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func (r *replayer) failed(w http.ResponseWriter, err error) {
	r.Log.Error("a request about a replay failed", zap.Error(err))
	service.Problem(w, http.StatusInternalServerError, "internal error", "The log of the service says more.")
}
