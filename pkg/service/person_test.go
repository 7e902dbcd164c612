package service

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestWhatARoleMayNotDoIsRefused(t *testing.T) {
	api := http.NewServeMux()
	done := 0
	api.HandleFunc("GET /api/things", func(http.ResponseWriter, *http.Request) { done++ })
	api.HandleFunc("POST /api/things", func(http.ResponseWriter, *http.Request) { done++ })
	guarded := Guarded(api, func(pattern string) Role {
		if pattern == "GET /api/things" {
			return Viewer
		}
		return Operator
	})
	for _, c := range []struct {
		role   Role
		method string
		code   int
	}{
		{"", "GET", 403}, {"", "POST", 403}, {"stranger", "GET", 403},
		{Viewer, "GET", 200}, {Viewer, "POST", 403},
		{Operator, "GET", 200}, {Operator, "POST", 200},
		{Admin, "GET", 200}, {Admin, "POST", 200},
	} {
		done = 0
		r, w := httptest.NewRequest(c.method, "/api/things", nil), httptest.NewRecorder()
		guarded.ServeHTTP(w, r.WithContext(As(r.Context(), Person{"Olena", c.role})))
		if w.Code != c.code || (done == 1) != (c.code == 200) {
			t.Errorf("%s as %q: %d, done %d times; want %d", c.method, c.role, w.Code, done, c.code)
		}
		if c.code == 403 {
			isProblem(t, w)
		}
	}
}
