// Package analytics keeps what many calls come to: a read model of every call with its
// classification and outcome, sums of them, and what became of the missed ones. The
// analytics page and `ringbridge export` read it. It decides nothing and writes to no
// portal; its file can be thrown away at any time.
//
// Start reading at [Start]; how an event changes a call is in call.go, without a
// database; how calls become rows in model.go, sums in sums.go, and what came after missed
// ones in links.go; what is answered in report.go.
package analytics

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
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
	env.PerProject("GET /api/v1/projects/{project}/analytics/report", a.serve(report))
	env.PerProject("GET /api/v1/projects/{project}/analytics/summary", a.serve(summary))
	env.PerProject("GET /api/v1/projects/{project}/analytics/days", a.serve(days))
	env.PerProject("GET /api/v1/projects/{project}/analytics/hours", a.serve(hours))
	env.PerProject("GET /api/v1/projects/{project}/analytics/weekdays", a.serve(weekdays))
	env.PerProject("GET /api/v1/projects/{project}/analytics/employees", a.serve(employees))
	env.PerProject("GET /api/v1/projects/{project}/analytics/sources", a.serve(sources))
	env.PerProject("GET /api/v1/projects/{project}/analytics/missed", a.serve(func(ctx context.Context, tx *sql.Tx, q question) (any, error) { return missedOnes(ctx, tx, q) }))
	env.PerProject("GET /api/v1/projects/{project}/analytics/calls", a.calls(asJSONL, false))
	env.PerProject("GET /api/v1/projects/{project}/analytics/export.jsonl", a.calls(asJSONL, true))
	env.PerProject("GET /api/v1/projects/{project}/analytics/export.csv", a.calls(asCSV, true))
	env.PerProject("GET /api/v1/projects/{project}/analytics/export.parquet", a.calls(asParquet, true))
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
	since, until, err := service.ReadSpan(q.Get("since"), q.Get("until"), p.Location(), a.Now())
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

// atOnce reads the file as it is at one moment, however many questions that takes.
func atOnce(ctx context.Context, v *view.View, read func(*sql.Tx) error) error {
	db, done := v.Read()
	defer done()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("open the read model: %w", err)
	}
	return errors.Join(read(tx), tx.Rollback())
}

// serve answers with what ask finds, once the read model has caught up.
func (a analytics) serve(ask func(context.Context, *sql.Tx, question) (any, error)) func(http.ResponseWriter, *http.Request, service.Revision) {
	return func(w http.ResponseWriter, r *http.Request, p service.Revision) {
		q, err := a.question(r, p)
		if err != nil {
			service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
			return
		}
		if service.Behind(w, r, a.view) {
			return
		}
		var answer any
		err = atOnce(r.Context(), a.view, func(tx *sql.Tx) (err error) {
			answer, err = ask(r.Context(), tx, q)
			return err
		})
		if err != nil {
			a.Log.Error("a question to the analytics failed", zap.String("path", r.URL.Path), zap.Error(err))
			service.Problem(w, http.StatusInternalServerError, "internal error", "The log of the service says more.")
			return
		}
		service.Answer(w, answer)
	}
}

// calls streams every call in a form, as a file to be kept or not. What begins as 200 and fails later is cut off, so
// that nobody takes a part for the whole.
func (a analytics) calls(form Form, file bool) func(http.ResponseWriter, *http.Request, service.Revision) {
	return func(w http.ResponseWriter, r *http.Request, p service.Revision) {
		q, err := a.question(r, p)
		if err != nil {
			service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
			return
		}
		if service.Behind(w, r, a.view) {
			return
		}
		w.Header().Set("Content-Type", form.Media)
		if file {
			w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="calls-%s.%s"`, p.ID, form.Name))
		}
		buffer := bufio.NewWriterSize(w, 64<<10)
		out := form.Open(buffer)
		err = atOnce(r.Context(), a.view, func(tx *sql.Tx) error { return calls(r.Context(), tx, q.span, q.zone, out.Write) })
		if err == nil {
			err = errors.Join(out.End(), buffer.Flush())
		}
		if err != nil {
			if r.Context().Err() == nil {
				a.Log.Error("an export could not be finished", zap.String("project", p.ID), zap.Error(err))
			}
			panic(http.ErrAbortHandler)
		}
	}
}
