package ingress

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

const (
	hook    = "first-secret-of-the-shop"
	newHook = "second-secret-of-the-shop"
	address = "/ringostat/shop/" + hook
)

// configuration has a project whose secret is being changed, and one with a single one.
const configuration = `
projects:
  - id: shop
    ringostat: {token: [` + hook + `, ` + newHook + `]}
    bitrix24: {webhook: "https://shop.bitrix24.example/rest/1/secretwebhookofshop/"}
    senior: 1
  - id: other
    ringostat: {token: only-secret-of-the-other}
    bitrix24: {webhook: "https://other.bitrix24.example/rest/1/secretwebhookother/"}
    senior: 2
`

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123_456_789, time.UTC)

// door is a running ingress.
type door struct {
	t       testing.TB
	bus     *bus.Bus
	env     service.Env
	mux     *http.ServeMux
	group   *service.Group
	metrics *prometheus.Registry
	logs    *observer.ObservedLogs
	skip    uint64 // events that were stored before the first request
}

func openDoor(t testing.TB) *door {
	t.Helper()
	return openDoorOn(t, bustest.Open(t))
}

func openDoorOn(t testing.TB, b *bus.Bus) *door {
	t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(configuration), nil, nil)
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	now := func() time.Time { return noon }
	projects, err := service.LoadProjects(t.Context(), b, now, cfg.Projects)
	if err != nil {
		t.Fatalf("projects: %v", err)
	}
	core, logs := observer.New(zap.DebugLevel)
	d := &door{t: t, bus: b, mux: http.NewServeMux(), metrics: prometheus.NewRegistry(), logs: logs}
	d.group = service.NewGroup(context.Background(), zap.New(core))
	t.Cleanup(d.group.Stop)
	if d.skip, err = b.Last(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.env = service.Env{Bus: b, Projects: projects, Mux: d.mux, Log: zap.New(core), Metrics: d.metrics, Now: now, Group: d.group}
	if err := Start(d.env); err != nil {
		t.Fatalf("start: %v", err)
	}
	return d
}

func (d *door) knock(method, path string, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, httptest.NewRequest(method, path, body))
	return w
}

// stored are the requests on disk.
func (d *door) stored() (envelopes []event.Envelope, requests []event.CallReceived) {
	d.t.Helper()
	last, err := d.bus.Last(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	for seq := d.skip + 1; seq <= last; seq++ {
		e, err := d.bus.Get(d.t.Context(), seq)
		if err != nil {
			d.t.Fatal(err)
		}
		r, err := event.As[event.CallReceived](e)
		if err != nil {
			d.t.Fatal(err)
		}
		envelopes, requests = append(envelopes, e), append(requests, r)
	}
	return envelopes, requests
}
