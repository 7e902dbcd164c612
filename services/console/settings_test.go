package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
)

func (d *desk) put(match, body string) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(http.MethodPut, shop+"/settings", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+pass)
	if match != "" {
		r.Header.Set("If-Match", match)
	}
	return d.request(r)
}

func TestSettingsAreChangedOnTopOfTheRevisionThatWasSeen(t *testing.T) {
	d := openDesk(t)
	block := d.ask(http.MethodGet, shop+"/settings", "").Body.String()
	other := strings.Replace(block, `"senior":1`, `"senior":5`, 1)
	if other == block {
		t.Fatalf("the settings name no senior 1: %s", block)
	}
	for _, c := range []struct {
		what, match, body string
		code              int
		etag, says        string
	}{
		{"without a revision", "", other, 428, "", "If-Match"},
		{"of another revision", `"7"`, other, 412, "", "revision 1"},
		{"of no revision at all", "*", other, 412, "", "revision 1"},
		{"no JSON", `"1"`, "{", 400, "", "JSON"},
		{"a wrong value", `"1"`, strings.Replace(block, `"senior":1`, `"senior":"x"`, 1), 422, "", "senior"},
		{"an unknown key", `"1"`, strings.Replace(block, `"senior":1`, `"senior":1,"senor":2`, 1), 422, "", "senor"},
		{"another senior", `"1"`, other, 200, `"2"`, `"senior":5`},
		{"the same once more", `"2"`, other, 200, `"2"`, `"senior":5`},
		{"bare, on the old one", `1`, block, 412, "", "revision 2"},
		{"bare", `2`, block, 200, `"3"`, `"senior":1`},
	} {
		w := d.put(c.match, c.body)
		if w.Code != c.code || w.Header().Get("ETag") != c.etag || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: answered %d, ETag %s, %s; want %d, %s and something of %q", c.what, w.Code, w.Header().Get("ETag"), w.Body, c.code, c.etag, c.says)
		}
		if strings.Contains(w.Body.String(), "secret-hook") || strings.Contains(w.Body.String(), "secretwebhook") {
			t.Errorf("%s: the answer holds a secret: %s", c.what, w.Body)
		}
	}
	e, ok, err := d.bus.LastOf(t.Context(), "shop", event.TypeSettingsChanged)
	if err != nil || !ok {
		t.Fatalf("the change was not told: %v", err)
	}
	if told, err := event.As[event.SettingsChanged](e); err != nil || told.Revision != 3 || told.By != "token" {
		t.Errorf("told of %+v, %v; want revision 3 by token", told, err)
	}
}
