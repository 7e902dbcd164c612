package service

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/settings"
)

func TestTheAPIOpensToItsTokenOnly(t *testing.T) {
	api := http.NewServeMux()
	api.HandleFunc("GET /api/things", func(w http.ResponseWriter, _ *http.Request) { Answer(w, map[string]int{"things": 1}) })
	api.HandleFunc("POST /api/things", func(w http.ResponseWriter, _ *http.Request) { Answer(w, map[string]int{"things": 2}) })
	const token = settings.Secret("the token of this test")
	cases := []struct {
		name   string
		token  settings.Secret
		sign   string
		method string
		path   string
		code   int
		allow  string
	}{
		{"the token", token, "Bearer the token of this test", "GET", "/api/things", 200, ""},
		{"the scheme in any case", token, "bearer the token of this test", "GET", "/api/things", 200, ""},
		{"HEAD comes with GET", token, "Bearer the token of this test", "HEAD", "/api/things", 200, ""},
		{"no header", token, "", "GET", "/api/things", 401, ""},
		{"no token", token, "Bearer", "GET", "/api/things", 401, ""},
		{"an empty token", token, "Bearer ", "GET", "/api/things", 401, ""},
		{"another token", token, "Bearer the token of that test", "GET", "/api/things", 401, ""},
		{"its beginning", token, "Bearer the token", "GET", "/api/things", 401, ""},
		{"more than it", token, "Bearer the token of this test!", "GET", "/api/things", 401, ""},
		{"another scheme", token, "Basic the token of this test", "GET", "/api/things", 401, ""},
		{"no scheme", token, "the token of this test", "GET", "/api/things", 401, ""},
		{"an unknown address without the token", token, "", "GET", "/api/nothing", 401, ""},
		{"no token configured, none given", "", "Bearer ", "GET", "/api/things", 401, ""},
		{"no token configured, no header", "", "", "GET", "/api/things", 401, ""},
		{"an unknown address", token, "Bearer the token of this test", "GET", "/api/nothing", 404, ""},
		{"another method", token, "Bearer the token of this test", "DELETE", "/api/things", 405, "GET, HEAD, POST"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, w := httptest.NewRequest(c.method, c.path, nil), httptest.NewRecorder()
			if c.sign != "" {
				r.Header.Set("Authorization", c.sign)
			}
			SignedIn(c.token, Guarded(api, func(string) Role { return Admin })).ServeHTTP(w, r)
			if w.Code != c.code || w.Header().Get("Allow") != c.allow {
				t.Errorf("%s %s with %q: %d, Allow %q; want %d, %q", c.method, c.path, c.sign, w.Code, w.Header().Get("Allow"), c.code, c.allow)
			}
			if got := w.Header().Get("WWW-Authenticate") != ""; got != (c.code == 401) {
				t.Errorf("%d with WWW-Authenticate: %v", w.Code, got)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v, want no-store and nosniff", w.Header())
			}
			if c.code >= 400 {
				isProblem(t, w)
			}
		})
	}
}

// isProblem wants an error as RFC 9457 describes it.
func isProblem(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	body, _ := io.ReadAll(w.Body)
	if err := json.Unmarshal(body, &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s %s: %v; want problem+json", w.Header().Get("Content-Type"), body, err)
	}
	if p.Status != w.Code || p.Type != "about:blank" || p.Title == "" || p.Detail == "" {
		t.Errorf("problem %s, want status %d, a title and a detail", body, w.Code)
	}
}
