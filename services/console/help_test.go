package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/pkg/view"
)

const (
	pass   = "token-of-the-tests"
	client = "+380671112233"
	shop   = "/api/v1/projects/shop"
)

const configuration = `
projects:
  - id: shop
    name: Shop
    locale: en
    ringostat: {token: secret-hook-of-the-shop, api_key: secret-key-of-the-shop}
    bitrix24: {webhook: "https://shop.bitrix24.example/rest/1/secretwebhookofshop/"}
    senior: 1
    employees:
      - {name: Olena Koval, code: "101", bitrix_user: 7}
  - id: other
    ringostat: {token: secret-hook-of-the-other}
    bitrix24: {webhook: "https://other.bitrix24.example/rest/1/secretwebhookother/"}
    senior: 2
`

// start of all calls; the console's clock stands an hour later.
var morning = time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)

// desk is a running console and the broker it reads, for a test to tell it events.
type desk struct {
	t       testing.TB
	bus     *bus.Bus
	data    string
	mux     *http.ServeMux
	api     *http.ServeMux
	group   *service.Group
	ready   error
	about   *description
	looking looking
	people  *people.People
	env     service.Env
}

func openDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, bus: bustest.Open(t), data: t.TempDir(), about: describe(t)}
	d.start()
	t.Cleanup(func() { d.group.Stop() })
	return d
}

// start starts a console as it is after a start of the program.
func (d *desk) start() {
	d.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(configuration), nil, nil)
	if err != nil {
		d.t.Fatalf("configuration: %v", err)
	}
	now := func() time.Time { return morning.Add(time.Hour) }
	projects, err := service.LoadSettings(d.t.Context(), d.bus, now, settings.Key{1}, cfg.Projects)
	if err != nil {
		d.t.Fatalf("projects: %v", err)
	}
	log, registry := zaptest.NewLogger(d.t), prometheus.NewRegistry()
	d.mux, d.api, d.group = http.NewServeMux(), http.NewServeMux(), service.NewGroup(context.Background(), log)
	files, err := callfile.Open(d.t.Context(), d.bus)
	if err != nil {
		d.t.Fatalf("files: %v", err)
	}
	known, err := people.OpenFast(d.t.Context(), d.bus, now)
	if err != nil {
		d.t.Fatalf("people: %v", err)
	}
	env := service.Env{Files: files, Views: view.New(d.bus, filepath.Join(d.data, "views"), log),
		Bus: d.bus, Projects: projects, Mux: d.mux, API: d.api, Log: log, Metrics: registry, Data: d.data, Now: now, Group: d.group,
	}
	if err := Start(d.t.Context(), env, Options{People: known, Ready: func(context.Context) error { return d.ready },
		PublicURL: "https://calls.example.com", Look: d.looking.look, Staff: staffOfTests}); err != nil {
		d.t.Fatalf("start: %v", err)
	}
	service.ServeHealth(env, registry, func(context.Context) error { return d.ready })
	d.people, d.env = known, env
	d.mux.Handle("/api/", service.SignedIn(pass, env.Audited(event.DoorAPI, service.Guarded(d.api, Needs))))
}

// request asks the console as a client would. Every answer is held against openapi.yaml.
func (d *desk) request(r *http.Request) *httptest.ResponseRecorder {
	d.t.Helper()
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	d.about.fits(d.t, r, w)
	return w
}

func (d *desk) ask(method, path, body string) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+pass)
	return d.request(r)
}

// get asks and decodes an answer that must be 200.
func get[T any](d *desk, path string) T {
	d.t.Helper()
	var v T
	w := d.ask(http.MethodGet, path, "")
	if w.Code != http.StatusOK {
		d.t.Fatalf("GET %s answered %d %s, want 200", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		d.t.Fatalf("GET %s: %v in %s", path, err, w.Body)
	}
	return v
}

func (d *desk) state(call string) string {
	d.t.Helper()
	return get[callStory](d, shop+"/calls/"+call).State
}

func (d *desk) status() statusAnswer {
	d.t.Helper()
	return get[statusAnswer](d, shop+"/status")
}

func (d *desk) publish(e event.Envelope, err error) event.Envelope {
	d.t.Helper()
	if err == nil {
		_, err = d.bus.Publish(d.t.Context(), e)
	}
	if err != nil {
		d.t.Fatalf("publish: %v", err)
	}
	return e
}

// again gives the index an event that was stored a second time, as it happens when a
// crash lies between two attempts and the broker has forgotten the first.
func (d *desk) again(i index, e event.Envelope, seq uint64) {
	d.t.Helper()
	if err := i.Apply(d.t.Context(), []bus.Recorded{{Envelope: e, Seq: seq}}); err != nil {
		d.t.Fatalf("apply: %v", err)
	}
}

// received is a webhook that was stored.
func (d *desk) received() event.Envelope {
	d.t.Helper()
	return d.publish(event.First("ingress", morning, aRequest()))
}

func aRequest() *event.CallReceived {
	return &event.CallReceived{Project: "shop", Source: event.FromWebhook, Method: "POST", Body: []byte("call_id=1\xff"), ReceivedAt: morning}
}

// aCall is a finished answered call that began so many minutes after the morning.
func aCall(id string, minute int) event.Call {
	at := morning.Add(time.Duration(minute) * time.Minute)
	return event.Call{
		ID: id, Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Client: client, StartedAt: &at,
		Employee: &event.Employee{Name: "Olena Koval", Code: "101", BitrixUser: 7},
	}
}

func (d *desk) classified(cause event.Envelope, c event.Call, over ...func(*event.CallClassified)) event.Envelope {
	d.t.Helper()
	p := &event.CallClassified{Project: "shop", Received: cause.ID, Revision: 1, Changed: true, Call: c}
	for _, change := range over {
		change(p)
	}
	return d.publish(event.Next(cause, "classifier", morning, p))
}

func nothingNew(p *event.CallClassified) { p.Changed = false }
func byHand(p *event.CallClassified)     { p.Changed, p.Retry = false, true }

func (d *desk) resolved(cause event.Envelope, c event.Call, decision int) event.Envelope {
	d.t.Helper()
	return d.publish(event.Next(cause, "resolver", morning, &event.CallResolved{
		Project: "shop", Classified: cause.ID, Revision: 1, Client: event.Client{State: "new"}, Answerer: "employee",
		Decision: decision, Amends: decision > 1, Facts: c,
	}))
}

// planned publishes one command per role; their ids are the same in every plan.
func (d *desk) planned(plan event.Envelope, call string, roles ...string) []event.Envelope {
	d.t.Helper()
	out := make([]event.Envelope, len(roles))
	for i, role := range roles {
		kind, _, _ := strings.Cut(role, ":")
		out[i] = d.publish(event.Next(plan, "planner", morning, &event.BitrixCommand{
			ID: event.CommandID("shop", call, role), Project: "shop", Call: call, Role: role, Kind: event.Kind(kind),
			Rule: "answered/new", Plan: plan.ID, Index: i + 1, Of: len(roles), Revision: 1, Lane: client,
		}, role))
	}
	return out
}

func (d *desk) outcome(command event.Envelope, state event.OutcomeState) event.Envelope {
	d.t.Helper()
	c, err := event.As[event.BitrixCommand](command)
	if err != nil {
		d.t.Fatal(err)
	}
	o := &event.BitrixOutcome{Command: c.ID, Project: "shop", Call: c.Call, Plan: c.Plan, Role: c.Role, Kind: c.Kind, State: state}
	switch {
	case state == event.Refused:
		o.Error = "the portal wants a title"
	case c.Kind != event.KindNothing && state != event.InDoubt:
		o.BitrixID = 512
	}
	return d.publish(event.Next(command, "writer", morning, o, string(state)))
}

// parkedAt parks a call, or a request that could not be read where call is empty.
func (d *desk) parkedAt(cause event.Envelope, step, call string, received ...string) string {
	d.t.Helper()
	id := event.Derive("parked", cause.ID, step)
	d.publish(event.Next(cause, "test", morning, &event.CallParked{
		ID: id, Project: "shop", Call: call, State: event.ParkedWaiting, Received: received, Step: step,
		Reason: "the request has no call id", Remedy: "correct the webhook and retry",
	}, step))
	return id
}

// settled brings a call from its webhook to its end, with these outcomes of its commands.
func (d *desk) settled(id string, minute int, outcomes ...event.OutcomeState) (classified, resolved event.Envelope) {
	d.t.Helper()
	c := aCall(id, minute)
	classified = d.classified(d.received(), c)
	resolved = d.resolved(classified, c, 1)
	roles := []string{"lead", "task:done", "task:review"}[:len(outcomes)]
	for i, command := range d.planned(resolved, id, roles...) {
		d.outcome(command, outcomes[i])
	}
	return classified, resolved
}

func number(n int) string { return fmt.Sprintf("1767348000.%d", n) }
