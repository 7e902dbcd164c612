package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/pkg/view"
	"github.com/ringbridge/ringbridge/services/console"
)

const (
	phrase  = "an invented pass phrase"
	another = "another invented phrase"
)

// house is the console as it runs: the real API and the real people behind the pages,
// with a clock of the test's.
type house struct {
	t      *testing.T
	bus    *bus.Bus
	people *people.People
	site   *site
	mux    *http.ServeMux
	logs   *observer.ObservedLogs

	mu  sync.Mutex
	now time.Time
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, bus: bustest.Open(t), now: time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC), mux: http.NewServeMux()}
	cfg, err := settings.Parse("test.yaml", []byte(shopBlock), nil, nil)
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	projects, err := service.LoadSettings(t.Context(), h.bus, h.clock, settings.Key{1}, cfg.Projects)
	if err != nil {
		t.Fatalf("projects: %v", err)
	}
	files, err := callfile.Open(t.Context(), h.bus)
	if err != nil {
		t.Fatalf("files: %v", err)
	}
	if h.people, err = people.OpenFast(t.Context(), h.bus, h.clock); err != nil {
		t.Fatalf("people: %v", err)
	}
	core, logs := observer.New(zap.DebugLevel)
	h.logs = logs
	log, registry, data := zap.New(core), prometheus.NewRegistry(), t.TempDir()
	env := service.Env{
		Bus: h.bus, Projects: projects, Files: files, Views: view.New(h.bus, filepath.Join(data, "views"), log), Mux: h.mux, API: http.NewServeMux(),
		Log: log, Metrics: registry, Data: data, Now: h.clock, Group: service.NewGroup(context.Background(), log),
	}
	t.Cleanup(func() { env.Group.Stop() })
	err = console.Start(t.Context(), env, console.Options{People: h.people, Ready: func(context.Context) error { return nil }})
	if err != nil {
		t.Fatalf("console: %v", err)
	}
	h.site = newSite(env, Options{
		Guarded: env.Audited(event.DoorConsole, service.Guarded(env.API, console.Needs)), Token: token, People: h.people, Told: env.Acted,
	})
	h.site.open(h.mux)
	return h
}

// put makes a person without the console.
func (h *house) put(name string, role service.Role, password string) {
	h.t.Helper()
	if _, _, err := h.people.Put(h.t.Context(), name, role, password); err != nil {
		h.t.Fatalf("put %s: %v", name, err)
	}
}

// stored is every event.
func (h *house) stored() (out []event.Envelope) {
	h.t.Helper()
	last, err := h.bus.Last(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for seq := range last {
		e, err := h.bus.Get(h.t.Context(), seq+1)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// browser is one browser of somebody.
type browser struct {
	h       *house
	from    string
	lang    string
	https   bool
	cookies map[string]*http.Cookie
}

func (h *house) browser(from string) *browser {
	return &browser{h: h, from: from, lang: "en", cookies: map[string]*http.Cookie{}}
}

func (b *browser) ask(method, path string, form url.Values) (int, string, http.Header) {
	b.h.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.RemoteAddr = b.from + ":40000"
	r.Header.Set("Accept-Language", b.lang)
	if b.https {
		r.Header.Set("X-Forwarded-Proto", "https")
	}
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	w := httptest.NewRecorder()
	b.h.mux.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w.Code, w.Body.String(), w.Header()
}

func (b *browser) get(path string) (int, string) {
	code, body, _ := b.ask("GET", path, nil)
	return code, body
}

func (b *browser) post(path string, form url.Values) (int, string) {
	code, body, _ := b.ask("POST", path, form)
	return code, body
}

func (b *browser) signIn(name, secret string) (int, string, http.Header) {
	b.h.t.Helper()
	return b.ask("POST", "/console/signin", url.Values{"name": {name}, "token": {secret}})
}

// in signs in and must be let in.
func (b *browser) in(name, secret string) *browser {
	b.h.t.Helper()
	if code, body, _ := b.signIn(name, secret); code != http.StatusSeeOther {
		b.h.t.Fatalf("%q signs in: %d %s", name, code, body)
	}
	return b
}

// signedIn tells whether the browser still sees a page that takes a sign-in.
func (b *browser) signedIn() bool {
	b.h.t.Helper()
	switch code, body := b.get("/console/me"); code {
	case http.StatusOK:
		return true
	case http.StatusSeeOther:
		return false
	default:
		b.h.t.Fatalf("the own page: %d %s", code, body)
		return false
	}
}
