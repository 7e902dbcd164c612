package classifier

import (
	"context"
	"net/url"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

const configuration = `
projects:
  - id: shop
    ringostat: {token: hook-of-the-tests-of-reading, fields: {budget: my_budget}}
    bitrix24: {webhook: "https://shop.bitrix24.example/rest/1/secretwebhookofshop/"}
    senior: 1
    employees:
      - {name: Olena Koval, code: "101", extension: "101", sip: [shop_olena], numbers: ["050 111 01 01"], bitrix_user: 7}
      - {name: Petro Bondar, code: "102", extension: "102", sip: [shop_petro], numbers: ["+380501110102"], bitrix_user: 8}
`

var (
	kyiv = time.FixedZone("", 2*60*60)
	// noon is when requests come in.
	noon = time.Date(2026, 1, 2, 12, 0, 0, 0, kyiv)
)

func shop(t testing.TB) service.Revision {
	t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(configuration), nil, nil)
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	return service.Revision{Project: cfg.Projects[0], Number: 1}
}

// form is a webhook's request with these parameters.
func form(v url.Values) *event.CallReceived {
	return &event.CallReceived{
		Project: "shop", Source: event.FromWebhook, Method: "POST", Query: "event=after", Body: []byte(v.Encode()),
		Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, ReceivedAt: noon,
	}
}

// answered is a finished call that Olena took; over replaces parameters.
func answered(over url.Values) url.Values {
	v := url.Values{
		"call_id": {"call-a"}, "type": {"in"}, "status": {"ANSWERED"}, "date": {"2026-01-02 11:55:00"}, "caller": {"380671112233"},
		"callee": {"380441112233"}, "connected_with": {"380501110101"}, "staffid": {"101"}, "call_duration": {"50"}, "waiting": {"20"}, "dialog": {"30"},
	}
	for name, value := range over {
		if v[name] = value; value[0] == "" {
			delete(v, name)
		}
	}
	return v
}

func read(t testing.TB, v url.Values) event.Call {
	t.Helper()
	c, err := Read(*form(v), shop(t))
	if err != nil {
		t.Fatalf("read %v: %v", v, err)
	}
	return c
}

// reader is a classifier and the broker it works on.
type reader struct {
	classifier
	t testing.TB
}

func openReader(t testing.TB) *reader {
	t.Helper()
	b := bustest.Open(t)
	now := func() time.Time { return noon }
	files, err := callfile.Open(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	projects, err := service.LoadProjects(t.Context(), b, now, []settings.Project{shop(t).Project})
	if err != nil {
		t.Fatal(err)
	}
	talks, err := openTalks(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{classifier{service.Env{Bus: b, Files: files, Projects: projects, Now: now, Log: zaptest.NewLogger(t)}, talks}, t}
}

// store puts a request on disk, as the ingress does.
func (r *reader) store(p *event.CallReceived) event.Envelope {
	r.t.Helper()
	e, err := event.First("ingress", noon, p)
	if err == nil {
		_, err = r.Bus.Publish(r.t.Context(), e)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// gives handles a stored request.
func (r *reader) gives(e event.Envelope) {
	r.t.Helper()
	out, err := r.handle(r.t.Context(), e)
	if err != nil {
		r.t.Fatalf("handle: %v", err)
	}
	for _, follows := range out { // as the router does, before the request counts as settled
		if _, err := r.Bus.Publish(r.t.Context(), follows); err != nil {
			r.t.Fatalf("publish: %v", err)
		}
	}
}

// stored are the events of one type on disk.
func stored[T any](r *reader, kind event.Type) (envelopes []event.Envelope, payloads []T) {
	r.t.Helper()
	last, err := r.Bus.Last(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	for seq := uint64(1); seq <= last; seq++ {
		e, err := r.Bus.Get(context.Background(), seq)
		if err != nil {
			r.t.Fatal(err)
		}
		if e.Type != kind {
			continue
		}
		p, err := event.As[T](e)
		if err != nil {
			r.t.Fatal(err)
		}
		envelopes, payloads = append(envelopes, e), append(payloads, p)
	}
	return envelopes, payloads
}
