package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestNoSecretAppearsAnywhere follows three secrets through good calls and every kind of
// trouble, and looks for them in logs, events, answers and what commands print.
func TestNoSecretAppearsAnywhere(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.Inject(bitrixtest.Fault{When: writing, Do: bitrixtest.CutAfter})
	h.send(h.call("c1", visit))
	h.quiet()
	h.portal.Inject(bitrixtest.Fault{When: writing, Do: bitrixtest.HTML502Before})
	h.portal.Inject(bitrixtest.Fault{Skip: 1, Do: bitrixtest.Refuse(400, "ERROR_CORE", "no such method under /rest/1/"+portalSecret+"/")})
	h.send(h.call("c2", nil))
	h.request(http.MethodPost, webhook, jsonBody, `{"broken`)
	h.request(http.MethodDelete, webhook, "", "")
	h.request(http.MethodPost, "/ringostat/shop/wrong-"+hook, "", "")
	h.quiet()

	places := map[string]string{"the log": h.log.String()}
	for _, path := range []string{"status", "calls", "calls/c1", "calls/c2", "parked", "settings"} {
		code, body := h.request(http.MethodGet, "/api/v1/projects/shop/"+path, "", "")
		if code != http.StatusOK {
			t.Errorf("%s is answered %d: %s", path, code, body)
		}
		places[path] = body
	}
	for _, path := range []string{"/api/v1/projects", "/api/v1/rules", "/metrics", "/readyz", "/healthz", "/api/openapi.yaml", "/no/such/page"} {
		_, places[path] = h.request(http.MethodGet, path, "", "")
	}
	last, err := h.in.env.Bus.Last(context.Background())
	if err != nil || last < 10 {
		t.Fatalf("the stream ends at %d: %v", last, err)
	}
	for seq := uint64(1); seq <= last; seq++ {
		e, err := h.in.env.Bus.Get(context.Background(), seq)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		places["event "+string(e.Type)] += string(raw)
	}
	for _, args := range [][]string{{"status"}, {"calls"}, {"call", "c1"}, {"parked", "list"}, {"check"}} {
		r := runLook(h, args...)
		places[strings.Join(args, " ")] = r.out + r.err
	}
	for where, text := range places {
		for name, secret := range map[string]string{"the webhook's token": hook, "the API's token": apiPass, "the portal's secret": portalSecret} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s is in %s: …%s…", name, where, text[max(0, i-100):min(len(text), i+len(secret)+50)])
			}
		}
	}
	if !strings.Contains(places["the log"], "call settled") || !strings.Contains(places["settings"], `"***"`) {
		t.Error("the places hold nothing, so the look proves nothing")
	}
}

func TestTheLogNamesNoPhoneNumber(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.Inject(bitrixtest.Fault{When: writing, Do: bitrixtest.CutAfter})
	h.send(h.call("c1", nil))
	h.quiet()
	if log := h.log.String(); strings.Contains(log, client[1:]) || !strings.Contains(log, "call settled") {
		for line := range strings.Lines(log) {
			if strings.Contains(line, client[1:]) {
				t.Errorf("the log names the client's number: %s", line)
			}
		}
	}
}

func TestTheAPIAsksForItsToken(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	for path, want := range map[string]int{"/api/v1/projects/shop/status": 401, "/api/v1/rules": 401, "/healthz": 200, "/readyz": 200, "/metrics": 200} {
		response, err := http.Get("http://" + h.in.Addr + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s without a token is answered %d, want %d", path, response.StatusCode, want)
		}
	}
}
