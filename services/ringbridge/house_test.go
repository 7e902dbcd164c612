package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// The people of the tests' company. Users of the portal are employees of the same
// first letter; the senior manager is the webhook's owner.
const (
	senior  = 1
	olena   = 7 // extension 101
	petro   = 8 // extension 102
	client  = "+380671112233"
	hook    = "hook-of-the-tests"
	apiPass = "token-of-the-tests"
	// portalSecret ends the portal's webhook address.
	portalSecret = "portal-secret-of-the-tests"
	// limit is how long anything may take in these tests before it counts as stuck.
	limit = 30 * time.Second
)

// configuration is a company with two employees; tests put further lines under
// scenarios and fields.
const configuration = `
listen: 127.0.0.1:0
data: %s
console: {token: ` + apiPass + `}
projects:
  - id: shop
    locale: en
    ringostat: {token: ` + hook + `}
    bitrix24:
      webhook: %s
      allow_insecure: true
      pace: {per_second: 1000, burst: 1000}
      request_timeout: 3s
      max_execution: 300ms
      settle: 100ms
    senior: 1
    employees:
      - {name: Olena Koval, code: "101", extension: "101", sip: [shop_olena], numbers: ["+380501110101"], bitrix_user: 7}
      - {name: Petro Bondar, code: "102", extension: "102", sip: [shop_petro], numbers: ["+380501110102"], bitrix_user: 8}
`

// house is a whole ringbridge beside a simulated portal.
type house struct {
	t       testing.TB
	portal  *bitrixtest.Portal
	address string // of the portal's webhook
	in      *instance
	config  string
	log     *logBook
	started time.Time // when calls begin, unless they say otherwise
	valid   sync.Once // the events are looked at in the end
}

// openHouse starts everything in this process: webhook in, real broker, all services,
// simulated portal. more is YAML of the project, indented by four.
func openHouse(t testing.TB, o bitrixtest.Options, more string, replace ...string) *house {
	t.Helper()
	h := buildHouse(t, o, more, replace...)
	h.start()
	return h
}

// buildHouse makes the portal and the configuration and starts nothing yet. replace are
// pairs of a text of the configuration and what stands there instead.
func buildHouse(t testing.TB, o bitrixtest.Options, more string, replace ...string) *house {
	t.Helper()
	o.Plan, o.Secret = bitrixtest.Unlimited, portalSecret
	portal, address := bitrixtest.Start(t, o)
	portal.AddUser(bitrixtest.User{ID: olena, Name: "Olena", LastName: "Koval", Active: true})
	portal.AddUser(bitrixtest.User{ID: petro, Name: "Petro", LastName: "Bondar", Active: true})
	h := &house{t: t, portal: portal, address: address, log: &logBook{}, started: time.Now().Truncate(time.Second)}
	h.config = fmt.Sprintf(configuration, t.TempDir(), address) + more
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(h.config, replace[i]) {
			t.Fatalf("the configuration has no %q to replace", replace[i])
		}
		h.config = strings.ReplaceAll(h.config, replace[i], replace[i+1])
	}
	t.Cleanup(func() {
		h.stop()
		if t.Failed() {
			t.Logf("the log of ringbridge:\n%s", h.log.tail(60))
		}
	})
	return h
}

func (h *house) start() {
	h.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		h.t.Fatalf("configuration: %v", err)
	}
	log := newLogger(settings.Log{Level: "debug", Format: "json"}, console{err: h.log})
	if h.in, err = start(context.Background(), cfg, options{fast: true, log: log}); err != nil {
		h.t.Fatalf("start: %v", err)
	}
}

func (h *house) stop() {
	if h.in == nil {
		return
	}
	if err := h.in.stop(context.Background()); err != nil {
		h.t.Errorf("stop: %v", err)
	}
	h.in = nil
}

// call is a finished call's webhook in Ringostat's own names; over replaces parameters,
// and an empty value takes one away.
func (h *house) call(id string, over url.Values) url.Values {
	v := url.Values{
		"call_id": {id}, "type": {"in"}, "status": {"ANSWERED"}, "date": {h.started.Format(time.RFC3339)},
		"caller": {client}, "callee": {"380441234567"}, "connected_with": {"380501110101"}, "staffid": {"101"},
		"call_duration": {"50"}, "waiting": {"20"}, "dialog": {"30"},
		"recording": {"https://records.example/" + id + ".wav"}, "has_recording": {"1"},
	}
	for name, value := range over {
		if v[name] = value; value[0] == "" {
			delete(v, name)
		}
	}
	return v
}

// send posts a webhook and expects it to be taken.
func (h *house) send(v url.Values) {
	h.t.Helper()
	h.sendTo("", v)
}

// sendTo is send with a query behind the address, such as "?event=before".
func (h *house) sendTo(query string, v url.Values) {
	h.t.Helper()
	code, body := h.request(http.MethodPost, "/ringostat/shop/"+hook+query, "application/x-www-form-urlencoded", v.Encode())
	if code != http.StatusOK || body != "ok" {
		h.t.Fatalf("webhook answered %d %q, want 200 \"ok\"", code, body)
	}
}

// request makes any request, signed in, and returns status and body.
func (h *house) request(method, path, contentType, body string) (code int, answer string) {
	h.t.Helper()
	return h.requestWith(method, path, body, "Content-Type", contentType)
}

// requestWith is request with a header; an empty one is left out.
func (h *house) requestWith(method, path, body, header, value string) (code int, answer string) {
	h.t.Helper()
	request, err := http.NewRequest(method, "http://"+h.in.Addr+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+apiPass)
	if value != "" {
		request.Header.Set(header, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, string(raw)
}

// api asks the API and decodes its answer.
func (h *house) api(method, path string, into any) int {
	h.t.Helper()
	code, body := h.request(method, path, "", "")
	if into != nil && code == http.StatusOK {
		if err := json.Unmarshal([]byte(body), into); err != nil {
			h.t.Fatalf("%s %s: %v in %s", method, path, err, body)
		}
	}
	return code
}

type statusView struct {
	Waiting  int `json:"waiting"`
	InFlight int `json:"in_flight"`
	InDoubt  int `json:"in_doubt"`
	Parked   int `json:"parked"`
	Portal   struct{ State, Reason string }
}

// quiet waits until nothing waits, is in flight or in doubt.
func (h *house) quiet() statusView {
	h.t.Helper()
	var s statusView
	deadline := time.After(limit)
	for {
		h.api(http.MethodGet, "/api/v1/projects/shop/status", &s)
		if s.Waiting+s.InFlight+s.InDoubt == 0 {
			return s
		}
		select {
		case <-deadline:
			h.t.Fatalf("not quiet after %s: %+v", limit, s)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

type storyView struct {
	ID, Direction, Outcome, Client, Phone, Employee, Rule, State string
	Events                                                       []struct {
		Type, Words string
		Data        json.RawMessage
	}
	Commands []struct {
		ID, Role, Rule, Kind, State, Error string
		BitrixID                           int `json:"bitrix_id"`
	}
}

func (h *house) story(id string) storyView {
	h.t.Helper()
	var s storyView
	if code := h.api(http.MethodGet, "/api/v1/projects/shop/calls/"+url.PathEscape(id), &s); code != http.StatusOK {
		h.t.Fatalf("the story of call %s answered %d", id, code)
	}
	return s
}

type parkedView struct {
	ID, Step, Reason, Remedy string
	CallID                   string      `json:"call_id"`
	ReasonIn                 event.Texts `json:"reason_in"`
	RemedyIn                 event.Texts `json:"remedy_in"`
	Raw                      []struct{ Method, Query, Body string }
}

// parked lists what waits for a person.
func (h *house) parked() []parkedView {
	h.t.Helper()
	var list struct{ Items []parkedView }
	if code := h.api(http.MethodGet, "/api/v1/projects/shop/parked", &list); code != http.StatusOK {
		h.t.Fatalf("the list of parked things answered %d", code)
	}
	return list.Items
}

// until waits for a condition; what says what is waited for.
func (h *house) until(what string, condition func() bool) {
	h.t.Helper()
	deadline := time.After(limit)
	for !condition() {
		select {
		case <-deadline:
			h.t.Fatalf("waited %s in vain until %s", limit, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// logBook keeps what a house logs.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// tail is the last n lines that tell more than the plumbing's.
func (l *logBook) tail(n int) string {
	var lines []string
	for line := range strings.Lines(l.String()) {
		if !strings.Contains(line, `"level":"debug"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
