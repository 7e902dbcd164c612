package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
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
	// limit is how long anything may take in these tests before it counts as stuck.
	limit = 20 * time.Second
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
	in      *instance
	config  string
	dir     string
	started time.Time
}

// openHouse starts everything in this process: webhook in, real broker, all services,
// simulated portal. more is YAML of the project, indented by four.
func openHouse(t testing.TB, o bitrixtest.Options, more string) *house {
	t.Helper()
	o.Plan = bitrixtest.Unlimited
	portal, address := bitrixtest.Start(t, o)
	portal.AddUser(bitrixtest.User{ID: olena, Name: "Olena", LastName: "Koval", Active: true})
	portal.AddUser(bitrixtest.User{ID: petro, Name: "Petro", LastName: "Bondar", Active: true})
	h := &house{t: t, portal: portal, dir: t.TempDir(), started: time.Now().Truncate(time.Second)}
	h.config = fmt.Sprintf(configuration, h.dir, address) + more
	h.start()
	t.Cleanup(h.stop)
	return h
}

func (h *house) start() {
	h.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		h.t.Fatalf("configuration: %v", err)
	}
	if h.in, err = start(context.Background(), cfg, options{fast: true, log: zaptest.NewLogger(h.t)}); err != nil {
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
	response, err := http.PostForm("http://"+h.in.Addr+"/ringostat/shop/"+hook, v)
	if err != nil {
		h.t.Fatalf("send a webhook: %v", err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK || string(body) != "ok" {
		h.t.Fatalf("webhook answered %d %q, want 200 \"ok\"", response.StatusCode, body)
	}
}

// api asks the API and decodes its answer.
func (h *house) api(method, path string, into any) int {
	h.t.Helper()
	request, err := http.NewRequest(method, "http://"+h.in.Addr+path, strings.NewReader(""))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+apiPass)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	if into != nil && response.StatusCode == http.StatusOK {
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			h.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return response.StatusCode
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
