// Package console is the program's face: the HTTP API, health, metrics, and the index
// of calls behind them. The index is a view: it can be thrown away at any time and is
// built again from the stream. It decides nothing and writes to no portal.
// Start reading at [Start].
package console

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/service"
)

//go:embed openapi.yaml
var openAPI []byte

// Options are what only the console needs.
type Options struct {
	Gatherer prometheus.Gatherer
	// Ready says what is not well, or nil.
	Ready func(context.Context) error
}

type console struct {
	service.Env
	Options
	index *index
}

// Start builds the index and opens the API on the environment's mux.
func Start(ctx context.Context, env service.Env, o Options) error {
	index, after, err := openIndex(ctx, filepath.Join(env.Data, "views"), func(last place) bool {
		e, err := env.Bus.Get(ctx, last.seq)
		return err == nil && e.ID == last.id
	})
	if err != nil {
		return err
	}
	c := &console{env, o, index}
	env.Group.Go("console", func(ctx context.Context) error {
		// Follow comes back when the group stops; a panic leaves the index open for the next try.
		view := bus.View{Name: "console", After: max(after, index.Seq()), Apply: index.apply}
		err := env.Views.Follow(ctx, env.Bus, view, &index.Progress, index.empty)
		return errors.Join(err, index.close())
	})
	c.routes(env.Mux)
	return nil
}

func (c *console) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plainText(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", c.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(c.Gatherer, promhttp.HandlerOpts{}))

	api := c.API
	api.HandleFunc("GET /api/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openAPI)
	})
	api.HandleFunc("GET /api/v1/rules", c.rules)
	api.HandleFunc("GET /api/v1/projects", c.projects)
	api.HandleFunc("GET /api/v1/views", c.views)
	api.HandleFunc("POST /api/v1/views/{view}/rebuild", c.rebuild)
	project := func(pattern string, serve func(http.ResponseWriter, *http.Request, service.Revision)) {
		api.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			p, ok := c.Projects.Get(r.PathValue("project"))
			if !ok {
				service.Problem(w, http.StatusNotFound, "unknown project", "There is no project "+r.PathValue("project")+". GET /api/v1/projects lists them.")
				return
			}
			serve(w, r, p)
		})
	}
	project("GET /api/v1/projects/{project}/status", c.status)
	project("GET /api/v1/projects/{project}/calls", c.calls)
	project("GET /api/v1/projects/{project}/calls/{id...}", c.call)
	project("GET /api/v1/projects/{project}/parked", c.parked)
	project("POST /api/v1/projects/{project}/parked/{id}/retry", c.retry)
	project("POST /api/v1/projects/{project}/parked/{id}/drop", c.drop)
	project("GET /api/v1/projects/{project}/settings", c.settings)
	project("PUT /api/v1/projects/{project}/settings", c.changeSettings)
}

func (c *console) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if err := c.Ready(ctx); err != nil {
		c.Log.Warn("not ready", zap.Error(err))
		plainText(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
		return
	}
	plainText(w, http.StatusOK, "ready")
}

func plainText(w http.ResponseWriter, code int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(words + "\n"))
}

func (c *console) failed(w http.ResponseWriter, err error) {
	c.Log.Error("a request of the API failed", zap.Error(err))
	service.Problem(w, http.StatusInternalServerError, "internal error", "The log of the service says more.")
}
