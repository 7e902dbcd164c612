package reconciler

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/ringostat/ringostattest"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// noon is when the tests begin.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// house is the reconciliation of one project between a call log and a broker, with a
// clock that stands still until it is moved. Nobody else runs.
type house struct {
	t     *testing.T
	bus   *bus.Bus
	log   *ringostattest.Log
	files *callfile.Files
	api   *http.ServeMux
	told  *observer.ObservedLogs
	now   time.Time
	*desk
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, bus: bustest.Open(t), log: ringostattest.Start(t, time.UTC), now: noon}
	var err error
	if h.files, err = callfile.Open(t.Context(), h.bus); err != nil {
		t.Fatal(err)
	}
	h.restart()
	return h
}

// restart is what a new process knows: what the broker kept.
func (h *house) restart() {
	h.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(`
projects:
  - id: shop
    locale: en
    ringostat: {token: hook-of-the-tests, api_key: `+h.log.Key+`, api_url: "`+h.log.URL+`"}
    bitrix24: {webhook: "https://shop.bitrix24.example/rest/1/secretofshop/", allow_insecure: true}
    senior: 1
  - id: nokey
    ringostat: {token: hook-of-the-other}
    bitrix24: {webhook: "https://other.bitrix24.example/rest/1/secretofother/"}
    senior: 1
`), nil, nil)
	if err != nil {
		h.t.Fatalf("configuration: %v", err)
	}
	env := service.Env{
		Bus: h.bus, Files: h.files, Mux: http.NewServeMux(), API: http.NewServeMux(), Metrics: prometheus.NewRegistry(),
		Now: func() time.Time { return h.now },
	}
	core, told := observer.New(zap.InfoLevel)
	env.Log, h.told, h.api = zap.New(core), told, env.API
	env.Group = service.NewGroup(h.t.Context(), env.Log)
	env.Group.Stop() // nobody reads but the test
	if env.Projects, err = service.LoadProjects(h.t.Context(), h.bus, env.Now, cfg.Projects); err != nil {
		h.t.Fatalf("projects: %v", err)
	}
	r, err := open(h.t.Context(), env, Options{Pause: 1})
	if err != nil {
		h.t.Fatalf("open: %v", err)
	}
	h.desk = r.desk("shop")
}

// reads reads the log once, as it is done every few minutes.
func (h *house) reads() {
	h.t.Helper()
	if err := h.pass(h.t.Context()); err != nil {
		h.t.Fatalf("read the log: %v", err)
	}
}

// after moves the clock and reads.
func (h *house) after(d time.Duration) {
	h.t.Helper()
	h.now = h.now.Add(d)
	h.reads()
}

// brought lists the requests that came from the call log, oldest first.
func (h *house) brought() (out []event.CallReceived) {
	h.t.Helper()
	last, err := h.bus.Last(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for seq := uint64(1); seq <= last; seq++ {
		e, err := h.bus.Get(h.t.Context(), seq)
		if err != nil {
			h.t.Fatal(err)
		}
		if e.Type != event.TypeCallReceived {
			continue
		}
		r, err := event.As[event.CallReceived](e)
		if err != nil {
			h.t.Fatal(err)
		}
		if r.Source != event.FromWebhook {
			out = append(out, r)
		}
	}
	return out
}

// wantBrought fails unless so many requests came from the call log by now.
func (h *house) wantBrought(n int, when string) {
	h.t.Helper()
	if got := h.brought(); len(got) != n {
		h.t.Errorf("%s: %d rows were brought, want %d", when, len(got), n)
	}
}

func (h *house) state() state {
	h.t.Helper()
	var s state
	if _, err := h.states.Get(h.t.Context(), "shop", &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// webhook puts a call into its file as the classifier does after its webhook.
func (h *house) webhook(c event.Call) {
	h.t.Helper()
	_, err := h.files.Change(h.t.Context(), "shop", c.ID, func(f *callfile.File) (bool, error) {
		f.Reports = event.With(f.Reports, c)
		return true, nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// ended is a call that was answered, as its webhook told of it.
func ended(id string) event.Call {
	at := noon.Add(-time.Hour)
	return event.Call{
		ID: id, Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Status: "ANSWERED",
		Client: "+380671112233", StartedAt: &at, Talk: 30, Duration: 50, Recording: "https://records.example/" + id + ".wav",
	}
}
