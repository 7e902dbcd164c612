package demo

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"sync"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

//go:embed assets
var assets embed.FS

// page serves the demo's page and what it asks for.
type page struct {
	world *World
	api   http.Handler

	mu      sync.Mutex
	made    map[string]string // external id → the call that made the object
	told    map[string]bool   // calls whose commands are in made
	adopted map[string]bool   // calls of which an answer of the portal was lost and made good
	order   map[string]int    // calls by when they were first heard of
}

func newPage(w *World) page {
	return page{world: w, made: map[string]string{}, told: map[string]bool{}, adopted: map[string]bool{}, order: map[string]int{}}
}

// saw notes that a call is made now.
func (p *page) saw(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.order[id] == 0 {
		p.order[id] = len(p.order) + 1
	}
}

// Mount opens the page at / and what it reads under /demo/. api is the program's own
// API without its door: the demo asks nobody to sign in, and lets nobody write.
func (w *World) Mount(mux *http.ServeMux, api http.Handler) {
	p := &w.page
	p.api = api
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	mux.Handle("GET /{$}", strict(http.FileServerFS(files)))
	mux.Handle("GET /demo/assets/", strict(http.StripPrefix("/demo/assets/", http.FileServerFS(files))))
	mux.Handle("GET /demo/data.json", strict(http.HandlerFunc(p.data)))
	mux.Handle("GET /demo/rules.json", strict(http.HandlerFunc(p.rules)))
	mux.Handle("GET /demo/api/{path...}", strict(http.HandlerFunc(p.relay)))
}

// strict lets the page run its own files only, so that a client's name can never be
// more than text.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// relay passes a question of the page on to the project's part of the API.
func (p *page) relay(w http.ResponseWriter, r *http.Request) {
	p.api.ServeHTTP(w, apiRequest(r.Context(), "/"+r.PathValue("path"), r.URL.RawQuery))
}

func apiRequest(ctx context.Context, path, query string) *http.Request {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/api/v1/projects/" + Project + path, RawQuery: query},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody}
	return r.WithContext(ctx)
}

// ask reads one answer of the project's part of the API.
func (p *page) ask(ctx context.Context, path string) (json.RawMessage, error) {
	if p.api == nil {
		return nil, fmt.Errorf("ask %s: the page is not mounted", path)
	}
	where, err := url.Parse(path)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	a := answer{header: http.Header{}, code: http.StatusOK}
	p.api.ServeHTTP(&a, apiRequest(ctx, where.Path, where.RawQuery))
	if a.code != http.StatusOK {
		return nil, fmt.Errorf("ask %s: answered %d", path, a.code)
	}
	return a.body.Bytes(), nil
}

// answer keeps what a handler answers.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (p *page) rules(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, p.world.options.Rules)
}

func writeJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "could not be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// kinds are the objects of the portal that the page shows, by their names in the data.
func (p *page) kinds() map[string][]bitrixtest.Entity {
	portal := p.world.portal
	return map[string][]bitrixtest.Entity{"lead": portal.Leads(), "deal": portal.Deals(), "contact": portal.Contacts(), "company": portal.Companies()}
}
