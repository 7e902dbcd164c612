package service

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// readyLimit is how long the parts of a process may take to say how they are.
const readyLimit = 3 * time.Second

// ServeHealth opens the addresses by which machines see how a process is, whichever
// services it runs: /healthz, /readyz and /metrics. ready says what is not well, or nil.
func ServeHealth(env Env, metrics prometheus.Gatherer, ready func(context.Context) error) {
	env.Mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plainText(w, http.StatusOK, "ok") })
	env.Mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyLimit)
		defer cancel()
		if err := ready(ctx); err != nil {
			env.Log.Warn("not ready", zap.Error(err))
			plainText(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
			return
		}
		plainText(w, http.StatusOK, "ready")
	})
	env.Mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
}

func plainText(w http.ResponseWriter, code int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(words + "\n"))
}
