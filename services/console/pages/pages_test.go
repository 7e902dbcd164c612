package pages

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/service"
)

const token = "a token for tests only"

// open starts the pages without anything behind them but api.
func open(t *testing.T, api http.Handler) (*httptest.Server, *http.Client) {
	t.Helper()
	mux := http.NewServeMux()
	Open(service.Env{Mux: mux, Log: zap.NewNop(), Now: time.Now, Projects: &service.Projects{}}, Options{Guarded: api, Token: token, Home: true})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	client := server.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return server, client
}

func read(t *testing.T, answer *http.Response, err error) (int, string, http.Header) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

func TestNoPageIsSeenWithoutSigningIn(t *testing.T) {
	server, client := open(t, http.NotFoundHandler())
	for _, p := range (&site{}).pages() {
		method, path, _ := strings.Cut(p.pattern, " ")
		path = strings.NewReplacer("{$}", "", "{project}", "shop", "{id...}", "1", "{id}", "1", "{name}", "olena").Replace(path)
		r, _ := http.NewRequest(method, server.URL+path, nil)
		answer, err := client.Do(r)
		code, _, header := read(t, answer, err)
		if code != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/console/signin") {
			t.Errorf("%s: %d to %q, want the sign-in", p.pattern, code, header.Get("Location"))
		}
	}
}

func TestTheTokenSignsInAndLeadsBack(t *testing.T) {
	server, client := open(t, http.NotFoundHandler())
	wrong, err := client.PostForm(server.URL+"/console/signin", url.Values{"token": {"wrong"}})
	if code, body, _ := read(t, wrong, err); code != http.StatusForbidden || !strings.Contains(body, "role=\"alert\"") {
		t.Errorf("a wrong token: %d, want 403 with the reason", code)
	}
	for to, want := range map[string]string{"/console/people": "/console/people", "https://example.com/": "/console/", "//example.com/console/": "/console/", `/console/\example.com`: "/console/"} {
		right, err := client.PostForm(server.URL+"/console/signin", url.Values{"token": {token}, "to": {to}})
		if code, _, header := read(t, right, err); code != http.StatusSeeOther || header.Get("Location") != want {
			t.Errorf("the token, to %s: %d to %q, want %s", to, code, header.Get("Location"), want)
		}
	}
	home, err := client.Get(server.URL + "/console/")
	if code, _, header := read(t, home, err); code != http.StatusSeeOther || header.Get("Location") != "/console/new" {
		t.Errorf("the start after the sign-in: %d to %s, want the page that makes the first project", code, header.Get("Location"))
	}
}

func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	server, client := open(t, http.NotFoundHandler())
	r, _ := http.NewRequest("POST", server.URL+"/console/signin", strings.NewReader(url.Values{"token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := client.Do(r)
	if code, _, header := read(t, answer, err); code != http.StatusForbidden || header.Get("Set-Cookie") != "" {
		t.Errorf("a form of another site: %d, want 403 and no session", code)
	}
}

func TestEveryAnswerKeepsContentFromActing(t *testing.T) {
	server, client := open(t, http.NotFoundHandler())
	for _, path := range []string{"/console/", "/console/signin", "/console/assets/console.js", "/console/nothing"} {
		answer, err := client.Get(server.URL + path)
		_, _, header := read(t, answer, err)
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for _, name := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy"} {
			if header.Get(name) == "" {
				t.Errorf("%s: no %s", path, name)
			}
		}
	}
}
