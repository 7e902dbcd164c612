package service

import (
	"net/http"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/view"
)

// ServeViews opens the addresses that show the read models of this process and build
// one anew.
func ServeViews(env Env) {
	env.API.HandleFunc("GET /api/v1/views", func(w http.ResponseWriter, r *http.Request) {
		items := []view.Status{}
		for _, name := range env.Views.Names() {
			v, _ := env.Views.Get(name)
			s, err := v.Status(r.Context())
			if err != nil {
				Problem(w, http.StatusServiceUnavailable, "not ready", err.Error())
				return
			}
			items = append(items, s)
		}
		Answer(w, map[string]any{"items": items})
	})
	one := func(pattern string, before func(*view.View) int) {
		env.API.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, ok := env.Views.Get(r.PathValue("view"))
			if !ok {
				Problem(w, http.StatusNotFound, "unknown view", "There is no view "+r.PathValue("view")+" here; there are "+strings.Join(env.Views.Names(), ", ")+".")
				return
			}
			code := before(v)
			s, err := v.Status(r.Context())
			if err != nil {
				Problem(w, http.StatusServiceUnavailable, "not ready", err.Error())
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			Answer(w, s)
		})
	}
	one("GET /api/v1/views/{view}/rebuild", func(*view.View) int { return http.StatusOK })
	one("POST /api/v1/views/{view}/rebuild", func(v *view.View) int {
		v.Rebuild()
		return http.StatusAccepted
	})
}

// Behind answers 503 to a question that came before the view had caught up with the
// stream, and says that it did.
func Behind(w http.ResponseWriter, r *http.Request, v *view.View) bool {
	err := v.CaughtUp(r.Context())
	if err == nil {
		return false
	}
	w.Header().Set("Retry-After", "5")
	Problem(w, http.StatusServiceUnavailable, "not ready", err.Error())
	return true
}
