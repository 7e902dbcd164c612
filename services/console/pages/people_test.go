package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

func TestPeopleAreAddedChangedAndDeletedInTheBrowser(t *testing.T) {
	h := openHouse(t)
	b := h.browser("192.0.2.1").in("", token)
	if _, body := b.get("/console/people"); !strings.Contains(body, "Nobody yet") {
		t.Errorf("without anybody the page says %s", body)
	}
	steps := []struct {
		path string
		form url.Values
		code int
		says string
	}{
		{"/console/people", url.Values{"name": {"  Olena.Koval "}, "role": {"operator"}, "password": {phrase}}, 303, ""},
		{"/console/people", url.Values{"name": {"olena.koval"}, "role": {"admin"}, "password": {another}}, 409, "The name olena.koval is taken."},
		{"/console/people", url.Values{"name": {"petro"}, "role": {"viewer"}, "password": {"short"}}, 422, "A password has 12 to 256 characters."},
		{"/console/people", url.Values{"name": {"petro"}, "role": {"viewer"}}, 422, "Enter a password."},
		{"/console/people", url.Values{"name": {"petro"}, "role": {"owner"}, "password": {phrase}}, 422, "There is no such role."},
		{"/console/people", url.Values{"name": {"Петро"}, "role": {"viewer"}, "password": {phrase}}, 422, "That name does not fit."},
		{"/console/people", url.Values{"name": {"token"}, "role": {"viewer"}, "password": {phrase}}, 422, "That name does not fit."},
		{"/console/people/olena.koval", url.Values{"role": {"viewer"}}, 303, ""},
		{"/console/people/olena.koval", url.Values{"role": {"viewer"}, "password": {"short"}}, 422, "A password has 12 to 256 characters."},
		{"/console/people/nobody", url.Values{"role": {"viewer"}}, 404, "There is no person nobody."},
	}
	for _, s := range steps {
		code, body := b.post(s.path, s.form)
		if code != s.code || !strings.Contains(body, s.says) {
			t.Errorf("%s with %v: %d %s, want %d and %q", s.path, s.form, code, body, s.code, s.says)
		}
		if strings.Contains(body, phrase) || strings.Contains(body, another) {
			t.Errorf("%s with %v: the answer holds the password", s.path, s.form)
		}
	}
	p, known, err := h.people.Get(t.Context(), "olena.koval")
	if err != nil || !known || p.Role != service.Viewer {
		t.Errorf("olena.koval: %+v, %v, %v; want a viewer", p, known, err)
	}
	h.browser("192.0.2.2").in("olena.koval", phrase)
	if _, body := b.get("/console/people?done=kept"); !strings.Contains(body, `href="/console/people/olena.koval"`) || !strings.Contains(body, "Saved.") {
		t.Errorf("the page with somebody: %s", body)
	}
	if code, _ := b.post("/console/people/olena.koval/delete", url.Values{}); code != http.StatusSeeOther {
		t.Errorf("deleting: %d", code)
	}
	if all, err := h.people.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after the deletion %+v, %v; want nobody", all, err)
	}
}

func TestWhatIsWrongWithAPersonIsSaidInTheReadersLanguage(t *testing.T) {
	h := openHouse(t)
	b := h.browser("192.0.2.1").in("", token)
	for lang, says := range map[string]string{"uk": "Пароль має містити від 12 до 256 символів.", "ru": "В пароле должно быть от 12 до 256 символов.", "en": "A password has 12 to 256 characters."} {
		b.lang = lang
		code, body := b.post("/console/people", url.Values{"name": {hostile}, "role": {"viewer"}, "password": {"short"}})
		if neverActs(t, body); code != http.StatusUnprocessableEntity {
			t.Errorf("%s: a hostile name: %d, want 422", lang, code)
		}
		code, body = b.post("/console/people", url.Values{"name": {"petro"}, "role": {"viewer"}, "password": {"short"}})
		if code != http.StatusUnprocessableEntity || !strings.Contains(body, says) || !strings.Contains(body, `value="petro"`) {
			t.Errorf("%s: %d %s, want 422, %q and the name kept", lang, code, body, says)
		}
	}
}

func TestOnlyAnAdminSeesPeopleAndTheAuditLog(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Viewer, phrase)
	b := h.browser("192.0.2.1").in("olena", phrase)
	for _, role := range []service.Role{service.Viewer, service.Operator} {
		h.put("olena", role, "")
		for _, lang := range languages {
			b.lang = lang
			for _, p := range slices.Concat(peoplePages, auditPages) {
				method, path, _ := strings.Cut(strings.ReplaceAll(p.pattern, "{name}", "olena"), " ")
				code, body, _ := b.ask(method, path, url.Values{"name": {"petro"}, "role": {"admin"}, "password": {phrase}})
				if says := (words{lang}).T("problem.role", words{lang}.T("role.admin")); code != http.StatusForbidden || !strings.Contains(body, says) {
					t.Errorf("%s %s as %s in %s: %d %s, want 403 and %q", method, path, role, lang, code, body, says)
				}
			}
			if _, body := b.get("/console/me"); strings.Contains(body, `href="/console/people"`) || strings.Contains(body, `href="/console/audit"`) {
				t.Errorf("the menu of a %s leads to pages of an admin", role)
			}
		}
	}
	if all, err := h.people.List(t.Context()); err != nil || len(all) != 1 || all[0].Role != service.Operator {
		t.Errorf("after it all %+v, %v; want olena, an operator, alone", all, err)
	}
}

func TestThePeoplePagesEscapeWhateverTheAPISays(t *testing.T) {
	api := &told{answers: map[string]any{
		"GET /people": map[string]any{"items": []map[string]any{{"name": hostile, "role": hostile, "created_at": "2026-01-02T09:00:00Z", "changed_at": "2026-01-02T09:00:00Z"}}},
		"GET /audit": map[string]any{"items": []map[string]any{{
			"at": "2026-01-02T09:00:00Z", "project": hostile, "person": hostile, "role": hostile, "door": hostile, "action": hostile, "target": hostile, "code": 200, "details": map[string]string{hostile: hostile, "why": hostile},
		}}, "next": hostile},
	}}
	server, client := openWith(t, api)
	for _, lang := range languages {
		for _, path := range []string{"/console/people", "/console/people/" + url.PathEscape(hostile), "/console/people/nobody" + url.PathEscape(hostile), "/console/audit", "/console/audit?person=" + url.QueryEscape(hostile)} {
			_, body := visitIn(t, client, lang, server.URL+path)
			if neverActs(t, body); !strings.Contains(body, "&lt;script&gt;") {
				t.Errorf("%s in %s does not show the name that it was given: %s", path, lang, body)
			}
		}
	}
}

func TestEveryChangeInTheBrowserLeavesALineOfThePersonWhoMadeIt(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Admin, phrase)
	b := h.browser("192.0.2.1").in("olena", phrase)
	from := len(h.stored())
	b.post("/console/people", url.Values{"name": {"petro"}, "role": {"viewer"}, "password": {another}})
	b.post("/console/people", url.Values{"name": {"petro"}, "role": {"viewer"}, "password": {another}}) // taken: no line
	b.post("/console/people/petro", url.Values{"role": {"operator"}})
	b.post("/console/people/petro", url.Values{"role": {"operator"}, "password": {phrase}})
	b.post("/console/me", url.Values{"old": {"wrong"}, "new": {another}}) // refused: no line
	b.post("/console/me", url.Values{"old": {phrase}, "new": {another}})
	b.post("/console/people/petro/delete", url.Values{})
	waits := parkedCall(h)
	b.post("/console/p/shop/parked", url.Values{"act": {"drop"}, "id": {waits, "unknown"}, "why": {"a test call"}})
	b.post("/console/p/shop/setup/hook", url.Values{})
	b.post("/console/p/shop/setup/hook/old", url.Values{})
	b.post("/console/p/shop/setup/hook/old", url.Values{}) // one address only: no line
	b.get("/console/audit")
	b.post("/console/language", url.Values{"lang": {"uk"}})
	b.post("/console/signout", url.Values{})
	var got []string
	for _, e := range h.stored()[from:] {
		var l event.ConsoleActed
		if e.Type != event.TypeConsoleActed || json.Unmarshal(e.Data, &l) != nil {
			continue
		}
		if l.Person != "olena" || l.Role != "admin" || l.Door != event.DoorConsole {
			t.Errorf("a line names %q, %q, through %q; want olena, admin, console: %s", l.Person, l.Role, l.Door, e.Data)
		}
		got = append(got, fmt.Sprint(l.Action, " ", l.Target, " ", l.Code, " ", l.Details))
	}
	want := []string{
		"PUT /api/v1/people/{name} petro 201 map[password:set role:viewer]",
		"PUT /api/v1/people/{name} petro 200 map[role:operator]",
		"PUT /api/v1/people/{name} petro 200 map[password:set role:operator]",
		"PUT /api/v1/me/password  204 map[password:set]",
		"DELETE /api/v1/people/{name} petro 204 map[]",
		"POST /api/v1/projects/{project}/parked/{id}/drop " + waits + " 200 map[why:a test call]",
		"POST /api/v1/projects/{project}/hook/addresses  200 map[addresses:2 revision:2]",
		"DELETE /api/v1/projects/{project}/hook/addresses  200 map[addresses:1 revision:3]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, e := range h.stored() {
		for _, secret := range []string{phrase, another, "argon2"} {
			if strings.Contains(string(e.Data), secret) {
				t.Errorf("%s holds %q", e.Type, secret)
			}
		}
	}
	for _, l := range h.logs.All() {
		if line := fmt.Sprint(l.Message, l.ContextMap()); strings.Contains(line, phrase) || strings.Contains(line, another) || strings.Contains(line, "argon2") {
			t.Errorf("the log holds a secret: %s", line)
		}
	}
}

// parkedCall stores something that waits for a person.
func parkedCall(h *house) string {
	h.t.Helper()
	received, err := event.First("ingress", h.clock(), &event.CallReceived{Project: "shop", Source: event.FromWebhook, Method: "POST", Body: []byte("call_id=1"), ReceivedAt: h.clock()})
	if err != nil {
		h.t.Fatal(err)
	}
	id := event.Derive("parked", received.ID, "classify")
	parked, err := event.Next(received, "classifier", h.clock(), &event.CallParked{
		ID: id, Project: "shop", State: event.ParkedWaiting, Received: []string{received.ID}, Step: "classify", Reason: "the request has no call id",
	}, "classify")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range []event.Envelope{received, parked} {
		if _, err := h.bus.Publish(h.t.Context(), e); err != nil {
			h.t.Fatal(err)
		}
	}
	return id
}
