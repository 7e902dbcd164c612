package analytics

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/pkg/view"
)

const configuration = `
projects:
  - id: shop
    ringostat: {token: hook-of-the-shop}
    bitrix24: {webhook: "https://example.bitrix24.ua/rest/1/secretwebhook/"}
    employees: [{name: Olena Koval, code: "101", bitrix_user: 7}]
    senior: 1
`

const shop = "/api/v1/projects/shop/analytics/"

// kyiv is the project's zone, noon a winter's day there: 10:00 in UTC.
var (
	kyiv, _ = time.LoadLocation("Europe/Kyiv")
	noon    = time.Date(2026, 1, 15, 12, 0, 0, 0, kyiv)
)

// desk is a running analytics.
type desk struct {
	t     testing.TB
	bus   *bus.Bus
	data  string
	mux   *http.ServeMux
	group *service.Group
}

func openDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, bus: bustest.Open(t), data: t.TempDir()}
	d.start()
	t.Cleanup(func() { d.group.Stop() })
	return d
}

// start starts an analytics as it is after a start of the program.
func (d *desk) start() {
	d.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(configuration), nil, nil)
	if err != nil {
		d.t.Fatalf("configuration: %v", err)
	}
	now := func() time.Time { return noon.Add(24 * time.Hour) }
	projects, err := service.LoadProjects(d.t.Context(), d.bus, now, cfg.Projects)
	if err != nil {
		d.t.Fatalf("projects: %v", err)
	}
	log := zaptest.NewLogger(d.t)
	d.mux, d.group = http.NewServeMux(), service.NewGroup(context.Background(), log)
	env := service.Env{
		Bus: d.bus, Projects: projects, API: d.mux, Log: log, Data: d.data, Now: now, Group: d.group,
		Views: view.New(d.bus, filepath.Join(d.data, "views"), log),
	}
	if err := Start(d.t.Context(), env); err != nil {
		d.t.Fatalf("start: %v", err)
	}
	service.ServeViews(env)
}

func (d *desk) ask(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// get asks and decodes an answer that must be 200 and as the console describes it.
func get[T any](d *desk, path, schema string) T {
	d.t.Helper()
	w := d.ask(http.MethodGet, path)
	if w.Code != http.StatusOK {
		d.t.Fatalf("GET %s: %d %s, want 200", path, w.Code, w.Body)
	}
	answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		d.t.Fatalf("GET %s: %v", path, err)
	}
	if err := described(d.t, schema).Validate(answer); err != nil {
		d.t.Errorf("GET %s is not what openapi.yaml describes: %v\n%s", path, err, w.Body)
	}
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		d.t.Fatalf("GET %s: %v", path, err)
	}
	return v
}

// described is a schema of the console's openapi.yaml.
func described(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../console/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = compiler.AddResource("openapi.json", doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("openapi.json#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
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

// tell stores what is known of a finished call, and what the CRM knew of its client.
func (d *desk) tell(id string, minute int, c event.Call, client string) {
	d.t.Helper()
	at := noon.Add(time.Duration(minute) * time.Minute)
	c.ID, c.Event, c.Final, c.StartedAt = id, "after", true, &at
	classified := d.publish(event.First("classifier", at, &event.CallClassified{Project: "shop", Changed: true, Call: c}))
	if client != "" {
		d.publish(event.Next(classified, "resolver", at, &event.CallResolved{Project: "shop", Client: event.Client{State: client}, Decision: 1, Facts: c}))
	}
}

// exported are the lines of …/analytics/calls.
func (d *desk) exported(query string) (out []Call) {
	d.t.Helper()
	w := d.ask(http.MethodGet, shop+"calls"+query)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/jsonl" {
		d.t.Fatalf("GET calls%s: %d %s %s", query, w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	for line := range strings.Lines(w.Body.String()) {
		var c Call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			d.t.Fatalf("line %q: %v", line, err)
		}
		out = append(out, c)
	}
	return out
}

func answeredBy(name, phone string, talk int) event.Call {
	return event.Call{Direction: event.Inbound, Outcome: event.Answered, Client: phone, Employee: &event.Employee{Name: name}, Waiting: 10, Talk: talk}
}

func inVain(phone string) event.Call {
	return event.Call{Direction: event.Inbound, Outcome: event.Missed, Client: phone, Waiting: 30}
}

func number(n int) string { return fmt.Sprintf("+38067111%04d", n) }
