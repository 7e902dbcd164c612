package service

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/settings"
)

// SignedIn opens an API to requests that carry the bearer token, compared in constant
// time. Its refusal has the form of RFC 9457.
func SignedIn(token settings.Secret, api http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(given)))
		if !strings.EqualFold(scheme, "Bearer") || token == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			neverStored(w)
			w.Header().Set("WWW-Authenticate", `Bearer realm="ringbridge"`)
			Problem(w, http.StatusUnauthorized, "sign in", "Send the header `Authorization: Bearer TOKEN` with the console's token.")
			return
		}
		api.ServeHTTP(w, r.WithContext(As(r.Context(), TokenHolder)))
	})
}

// Guarded is the API for people who are known (see [As]), whichever door they came by:
// what a role may not do is refused. needs tells the least role for a pattern of the
// mux. Its refusals, and the mux's own (unknown address, other method), have the form
// of RFC 9457.
func Guarded(api *http.ServeMux, needs func(pattern string) Role) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		neverStored(w)
		if _, pattern := api.Handler(r); pattern != "" {
			if needed := needs(pattern); !Who(r.Context()).Role.May(needed) {
				Problem(w, http.StatusForbidden, "not allowed", "This takes the role "+string(needed)+". Ask an admin.")
				return
			}
			api.ServeHTTP(w, r)
			return
		}
		probe := &refusal{header: http.Header{}}
		api.ServeHTTP(probe, r)
		if allow := probe.header.Get("Allow"); probe.code == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allow)
			Problem(w, probe.code, "method not allowed", "This address takes "+allow+".")
			return
		}
		Problem(w, http.StatusNotFound, "no such address", "GET /api/openapi.yaml describes what there is.")
	})
}

func neverStored(w http.ResponseWriter) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
}

// refusal catches what a mux would have answered.
type refusal struct {
	header http.Header
	code   int
}

func (r *refusal) Header() http.Header         { return r.header }
func (r *refusal) Write(b []byte) (int, error) { return len(b), nil }
func (r *refusal) WriteHeader(code int)        { r.code = code }

// Problem answers with an error as RFC 9457 describes it.
func Problem(w http.ResponseWriter, code int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "status": code, "title": title, "detail": detail})
}

// Answer answers with a value as JSON.
func Answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
