// Package demo is everything around ringbridge that a visitor does not have at hand: a
// simulated Bitrix24 portal with people and clients in it, a simulated Ringostat that
// sends real webhooks over HTTP, and a page that shows what comes of them.
//
// What lies between the two is the real program. The demo must never reach into it: it
// sends webhooks as Ringostat would and reads the API as a browser would. It must never
// be part of a real installation either: its page asks nobody to sign in. Only the
// command line knows it.
//
// Start reading at [Open]; cast.go holds the people, tour.go the calls, hook.go the
// shapes that Ringostat sends them in, page.go what the page asks.
package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// Project is the id of the demo's only project.
const Project = "demo"

// hookToken is the secret part of the project's webhook address: there is nothing
// behind it that would need one.
const hookToken = "demo-hook"

// Options shape the demo. The zero value is what a visitor sees.
type Options struct {
	// Unpaced lifts the portal's limit of 2 requests a second and shortens every wait: for tests.
	Unpaced bool
	// Gap is the time between two calls of the tour, 350 ms by default.
	Gap time.Duration
	// Every is the time between two calls after the tour, 5 s by default; they vary around it.
	Every time.Duration
	// Most is how many calls are made after the tour, 500 by default: a demo that was
	// forgotten in a terminal ends on a quiet page.
	Most int
	// Seed decides which calls come after the tour.
	Seed uint64
	// Rules are the sentences of the decision table, for the page.
	Rules []Rule
	// Log gets what went wrong with a webhook; nothing by default.
	Log *zap.Logger
}

// Rule is one row of the decision table in words, by language (uk, ru, en).
type Rule struct {
	ID     string              `json:"id"`
	Source map[string]string   `json:"source"`
	When   map[string]string   `json:"when"`
	Then   map[string][]string `json:"then"`
}

func (o Options) withDefaults() Options {
	if o.Gap == 0 {
		o.Gap = 350 * time.Millisecond
	}
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	if o.Most == 0 {
		o.Most = 500
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return o
}

// World is the demo's outside: the portal, Ringostat, and the page.
type World struct {
	options Options
	portal  *bitrixtest.Portal
	address string // of the portal's webhook
	server  *http.Server
	page    page

	mu       sync.Mutex
	sent     int               // webhooks so far
	promised map[string]string // call of the tour → the rule it was made for
}

// Open starts the simulated portal on a free port of this machine and fills it. Close it.
func Open(o Options) (*World, error) {
	o = o.withDefaults()
	plan := bitrixtest.Standard
	if o.Unpaced {
		plan = bitrixtest.Unlimited
	}
	w := &World{options: o, promised: map[string]string{}, portal: bitrixtest.New(bitrixtest.Options{Plan: plan, Language: "uk", Seed: o.Seed})}
	w.page = newPage(w)
	furnish(w.portal, time.Now())
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the simulated portal: %w", err)
	}
	w.address = "http://" + listener.Addr().String() + w.portal.WebhookPath()
	w.server = &http.Server{Handler: w.portal, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := w.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("the simulated portal stopped", zap.Error(err))
		}
	}()
	return w, nil
}

// Portal is the simulated portal, to look at what it holds.
func (w *World) Portal() *bitrixtest.Portal { return w.portal }

// Promised tells for each call of the tour made so far, by its id, the row of the
// decision table that it was made for.
func (w *World) Promised() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.promised)
}

// Close stops the portal. Requests under way are cut.
func (w *World) Close() error { return w.server.Close() }

// Config is the configuration of the demo's ringbridge: one project, on the standard
// plan of a cloud portal, keeping its state in the folder data.
func (w *World) Config(listen, data string) (settings.Config, error) {
	pace, doubt := "{per_second: 2, burst: 50}", "request_timeout: 6s, max_execution: 3s, settle: 1s"
	if w.options.Unpaced {
		pace, doubt = "{per_second: 1000, burst: 1000}", "request_timeout: 3s, max_execution: 300ms, settle: 100ms"
	}
	text := fmt.Sprintf(`
listen: %q
data: %q
log: {level: warn, format: console}
projects:
  - id: %s
    name: Демо
    locale: uk
    ringostat: {token: %s}
    bitrix24: {webhook: %q, allow_insecure: true, pace: %s, %s}
    senior: %d
    fields:
      lead: {%s: client_id}
    employees:
`, listen, data, Project, hookToken, w.address, pace, doubt, senior, googleField)
	for _, p := range staff {
		text += fmt.Sprintf("      - {name: %q, email: %q, code: %q, extension: %q, sip: [%s], numbers: [%q], bitrix_user: %d}\n",
			p.full(), p.sip+"@example.com", p.code, p.extension, p.sip, "+"+p.number, p.user)
	}
	cfg, err := settings.Parse("demo", []byte(text), nil, nil)
	if err != nil {
		return cfg, fmt.Errorf("configure the demo: %w", err)
	}
	return cfg, nil
}

// Play makes calls until ctx ends: first the tour, then one every few seconds. base is
// where ringbridge listens, "http://127.0.0.1:8080". Mount comes before.
func (w *World) Play(ctx context.Context, base string) error {
	if err := w.Tour(ctx, base); err != nil {
		return err
	}
	return w.KeepCalling(ctx, base)
}
