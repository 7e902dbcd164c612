package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// storyTime is the present of all stories.
var storyTime = time.Date(2026, 11, 24, 12, 30, 0, 0, time.UTC)

// storyProjects are the companies of the stories. Their words are English, so that a
// text of the console in another language stands out.
const storyProjects = `
projects:
  - id: shop
    name: Oak Chairs
    locale: en
    ringostat: {token: hook-of-the-stories}
    bitrix24: {webhook: "https://oak.bitrix24.example/rest/1/secret-of-the-stories/"}
    senior: 1
    employees:
      - {name: Olena Koval, email: olena@example.com, code: "101", extension: "101", sip: [shop_olena], numbers: ["+380671110101"], bitrix_user: 7}
      - {name: Petro Bondar, code: "102", extension: "102", sip: [shop_petro], numbers: ["+380671110102"], bitrix_user: 8}
  - id: garden
    name: Garden
    locale: en
    ringostat: {token: hook-of-the-garden}
    bitrix24: {webhook: "https://garden.bitrix24.example/rest/1/secret-of-the-garden/"}
    senior: 1
`

const storyPassword = "a password of the stories"

// stage is where stories are told: the pages, with one story's answers behind them.
type stage struct {
	mux     *http.ServeMux
	cookies map[string][]*http.Cookie // by the role of whom they sign in
	now     *story
	t       *testing.T
}

func openStories(t *testing.T) *stage {
	t.Helper()
	cfg, err := settings.Parse("stories.yaml", []byte(storyProjects), nil, rules.IDs())
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return storyTime }
	b := bustest.Open(t)
	projects, err := service.LoadProjects(t.Context(), b, now, cfg.Projects)
	if err != nil {
		t.Fatal(err)
	}
	known, err := people.Open(t.Context(), b, now)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{mux: http.NewServeMux(), cookies: map[string][]*http.Cookie{"nobody": nil}}
	Open(service.Env{Mux: s.mux, Log: zap.NewNop(), Now: now, Projects: projects}, Options{Guarded: s, Token: token, People: known, Home: true})
	s.signIn(t, "admin", url.Values{"token": {token}})
	for _, role := range []service.Role{service.Viewer, service.Operator} {
		if _, _, err := known.Put(t.Context(), string(role), role, storyPassword); err != nil {
			t.Fatal(err)
		}
		s.signIn(t, string(role), url.Values{"name": {string(role)}, "token": {storyPassword}})
	}
	return s
}

func (s *stage) signIn(t *testing.T, role string, form url.Values) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/console/signin", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if s.cookies[role] = w.Result().Cookies(); len(s.cookies[role]) == 0 {
		t.Fatalf("the %s can't sign in: %d", role, w.Code)
	}
}

// ServeHTTP is the API of the story that is being told.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1")
	answer, ok := s.now.API[at+"?lang="+r.URL.Query().Get("lang")]
	if !ok {
		answer, ok = s.now.API[at]
	}
	if !ok {
		s.t.Errorf("%s asks the API %s, which the story does not tell", s.now.Name, at)
		service.Problem(w, http.StatusNotFound, "not in the story", at)
		return
	}
	var no struct {
		Refused       int
		Title, Detail string
	}
	if json.Unmarshal(answer, &no) == nil && no.Refused != 0 {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(no.Refused)
	}
	w.Header().Set("ETag", `"3"`)
	_, _ = w.Write(answer)
}

// tell renders a story in a language.
func (s *stage) tell(t *testing.T, tale story, lang string) string {
	t.Helper()
	s.now, s.t = &tale, t
	r := httptest.NewRequest(http.MethodGet, tale.Path, nil)
	if tale.Form != "" {
		r = httptest.NewRequest(http.MethodPost, tale.Path, strings.NewReader(tale.Form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	cookies, known := s.cookies[tale.As]
	if !known {
		t.Fatalf("%s is seen by a %q, which nobody is", tale.Name, tale.As)
	}
	for _, c := range append([]*http.Cookie{{Name: languageCookie, Value: lang}}, cookies...) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if w.Code != tale.Code {
		t.Errorf("%s in %s answers %d to %s, want %d", tale.Name, lang, w.Code, fmt.Sprint(w.Header()["Location"]), tale.Code)
	}
	return w.Body.String()
}
