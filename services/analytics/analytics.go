// Package analytics keeps what many calls come to: a read model of every call with its
// classification and outcome, sums of them, and what became of the missed ones. The
// analytics page and `ringbridge export` read it. It decides nothing and writes to no
// portal; its file can be thrown away at any time.
//
// Start reading at [Start]; how an event changes a call is in call.go, without a
// database; how calls become rows and sums in model.go.
package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/view"
)

type analytics struct {
	service.Env
	view *view.View
}

// Start builds the read model and opens GET …/analytics/… on the environment's API.
func Start(ctx context.Context, env service.Env) error {
	v, err := env.Views.Start(ctx, model, env.Group.Go)
	if err != nil {
		return err
	}
	a := analytics{env, v}
	env.PerProject("GET /api/v1/projects/{project}/analytics/summary", a.serve(summary))
	env.PerProject("GET /api/v1/projects/{project}/analytics/days", a.serve(days))
	env.PerProject("GET /api/v1/projects/{project}/analytics/hours", a.serve(hours))
	env.PerProject("GET /api/v1/projects/{project}/analytics/employees", a.serve(employees))
	env.PerProject("GET /api/v1/projects/{project}/analytics/sources", a.serve(sources))
	env.PerProject("GET /api/v1/projects/{project}/analytics/missed", a.serve(missedOnes))
	env.PerProject("GET /api/v1/projects/{project}/analytics/calls", a.calls)
	return nil
}

// question is what is asked of the read model.
type question struct {
	span
	zone  *time.Location
	limit int
}

func (a analytics) question(r *http.Request, p service.Revision) (question, error) {
	q := r.URL.Query()
	since, err := service.ReadTime(q.Get("since"), p.Location(), a.Now())
	if err != nil {
		return question{}, err
	}
	until, err := service.ReadTime(q.Get("until"), p.Location(), a.Now())
	if err != nil {
		return question{}, err
	}
	out := question{spanOf(p.ID, since, until), p.Location(), 200}
	if raw := q.Get("limit"); raw != "" {
		if out.limit, err = strconv.Atoi(raw); err != nil || out.limit < 1 || out.limit > 1000 {
			return out, errors.New("limit is a number from 1 to 1000")
		}
	}
	return out, nil
}

// serve answers with what ask finds, once the read model has caught up.
func (a analytics) serve(ask func(context.Context, *sql.DB, question) (any, error)) func(http.ResponseWriter, *http.Request, service.Revision) {
	return func(w http.ResponseWriter, r *http.Request, p service.Revision) {
		q, err := a.question(r, p)
		if err != nil {
			service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
			return
		}
		if service.Behind(w, r, a.view) {
			return
		}
		db, done := a.view.Read()
		defer done()
		answer, err := ask(r.Context(), db, q)
		if err != nil {
			a.Log.Error("a question to the analytics failed", zap.String("path", r.URL.Path), zap.Error(err))
			service.Problem(w, http.StatusInternalServerError, "internal error", "The log of the service says more.")
			return
		}
		service.Answer(w, answer)
	}
}

// calls streams every call as a line of JSON. What begins as 200 and fails later is cut
// off, so that nobody takes a part for the whole.
func (a analytics) calls(w http.ResponseWriter, r *http.Request, p service.Revision) {
	q, err := a.question(r, p)
	if err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
		return
	}
	if service.Behind(w, r, a.view) {
		return
	}
	db, done := a.view.Read()
	defer done()
	w.Header().Set("Content-Type", "application/jsonl")
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	err = calls(r.Context(), db, q.span, q.zone, func(c Call) error { return lines.Encode(c) })
	if err != nil {
		if r.Context().Err() == nil {
			a.Log.Error("an export could not be finished", zap.String("project", p.ID), zap.Error(err))
		}
		panic(http.ErrAbortHandler)
	}
}

type list struct {
	Items any  `json:"items"`
	Total *int `json:"total,omitempty"`
}

func summary(ctx context.Context, db *sql.DB, q question) (any, error) {
	sums, err := grouped(ctx, db, q.span, byAll)
	if err != nil {
		return nil, err
	}
	after, err := followed(ctx, db, q.span, q.zone)
	if err != nil {
		return nil, err
	}
	out := struct {
		counts
		CalledBack  int `json:"called_back"`
		CalledAgain int `json:"called_again"`
		// NotCalledBack counts clients, not calls.
		NotCalledBack int    `json:"not_called_back"`
		Median        *int64 `json:"median_callback_s,omitempty"`
	}{sums[""], after.byUs, after.byClient, len(after.open), nil}
	if m, ok := after.median(); ok {
		out.Median = &m
	}
	return out, nil
}

// days lists the days with calls, the earliest first.
func days(ctx context.Context, db *sql.DB, q question) (any, error) {
	type item struct {
		Day string `json:"day"`
		counts
	}
	by, err := timed(ctx, db, q.span, func(at time.Time) string { return at.In(q.zone).Format(time.DateOnly) })
	items := []item{}
	for _, day := range slices.Sorted(maps.Keys(by)) {
		items = append(items, item{day, by[day]})
	}
	return list{Items: items}, err
}

// hours lists the 24 hours of the project's day.
func hours(ctx context.Context, db *sql.DB, q question) (any, error) {
	type item struct {
		Hour int `json:"hour"`
		counts
	}
	by, err := timed(ctx, db, q.span, func(at time.Time) int { return at.In(q.zone).Hour() })
	items := make([]item, 24)
	for hour := range items {
		items[hour] = item{hour, by[hour]}
	}
	return list{Items: items}, err
}

// employees are listed by how many calls they had.
func employees(ctx context.Context, db *sql.DB, q question) (any, error) {
	type item struct {
		Employee string `json:"employee"`
		counts
	}
	by, err := grouped(ctx, db, q.span, byEmployee)
	items := []item{}
	for name, n := range by {
		items = append(items, item{name, n})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Employee, b.Employee))
	})
	return list{Items: items}, err
}

// sources are listed by how many incoming calls they brought.
func sources(ctx context.Context, db *sql.DB, q question) (any, error) {
	type item struct {
		Source   string `json:"source"`
		Medium   string `json:"medium"`
		Campaign string `json:"campaign"`
		counts
	}
	by, err := grouped(ctx, db, q.span, bySource)
	items := []item{}
	for key, n := range by {
		parts := sourceParts(key)
		items = append(items, item{parts[0], parts[1], parts[2], n})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Medium, b.Medium), cmp.Compare(a.Campaign, b.Campaign))
	})
	return list{Items: items}, err
}

// missedOnes are the clients who wait to be called back, the latest first.
func missedOnes(ctx context.Context, db *sql.DB, q question) (any, error) {
	after, err := followed(ctx, db, q.span, q.zone)
	if err != nil {
		return nil, err
	}
	total := len(after.open)
	items := append([]waiting{}, after.open[:min(total, q.limit)]...)
	return list{items, &total}, nil
}
