package console

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
)

const phrase = "an invented pass phrase"

func TestPeopleAreKeptChangedAndDeleted(t *testing.T) {
	d := openDesk(t)
	for _, c := range []struct {
		method, name, body string
		code               int
		says               string
	}{
		{"PUT", "olena", `{"role":"operator"}`, 422, "password missing"},
		{"PUT", "olena", `{"role":"operator","password":"too short"}`, 422, "wrong password"},
		{"PUT", "olena", `{"role":"owner","password":"` + phrase + `"}`, 422, "wrong role"},
		{"PUT", "Olena", `{"role":"viewer","password":"` + phrase + `"}`, 422, "wrong name"},
		{"PUT", "token", `{"role":"viewer","password":"` + phrase + `"}`, 422, "wrong name"},
		{"PUT", "olena", `{"role":"viewer","admin":true}`, 400, "wrong request"},
		{"PUT", "olena", `{"role":"operator","password":"` + phrase + `"}`, 201, `"role":"operator"`},
		{"PUT", "olena", `{"role":"viewer"}`, 200, `"role":"viewer"`},
		{"DELETE", "petro", "", 404, "unknown person"},
		{"DELETE", "olena", "", 204, ""},
		{"DELETE", "olena", "", 404, "unknown person"},
	} {
		w := d.ask(c.method, "/api/v1/people/"+c.name, c.body)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s %s: %d %s, want %d and something of %q", c.method, c.name, c.body, w.Code, w.Body, c.code, c.says)
		}
		if strings.Contains(w.Body.String(), phrase) || strings.Contains(w.Body.String(), "argon2") {
			t.Errorf("%s %s: the answer shows a password or its hash: %s", c.method, c.name, w.Body)
		}
	}
	d.ask("PUT", "/api/v1/people/petro", `{"role":"admin","password":"`+phrase+`"}`)
	if got := get[list[people.Person]](d, "/api/v1/people").Items; len(got) != 1 || got[0].Name != "petro" || got[0].Role != service.Admin {
		t.Errorf("people %+v, want petro alone", got)
	}
}

func TestOnlyAdminsSeeAndChangePeopleAndTheAuditLog(t *testing.T) {
	d := openDesk(t)
	d.api.HandleFunc("GET /api/v1/backup", http.NotFound) // the program's, beside the console
	guarded := service.Guarded(d.api, Needs)
	for _, route := range []string{"GET /api/v1/people", "PUT /api/v1/people/olena", "DELETE /api/v1/people/olena", "GET /api/v1/audit", "GET /api/v1/backup", "PUT " + shop + "/settings"} {
		for _, role := range []service.Role{"", service.Viewer, service.Operator} {
			method, path, _ := strings.Cut(route, " ")
			r := httptest.NewRequest(method, path, strings.NewReader(`{"role":"admin","password":"`+phrase+`"}`))
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r.WithContext(service.As(r.Context(), service.Person{Name: "olena", Role: role})))
			if w.Code != http.StatusForbidden {
				t.Errorf("%s as %q: %d, want 403", route, role, w.Code)
			}
		}
	}
}

func TestEveryChangeLeavesALineWithoutASecret(t *testing.T) {
	d := openDesk(t)
	d.ask("PUT", "/api/v1/people/olena", `{"role":"operator","password":"`+phrase+`"}`)
	d.ask("PUT", "/api/v1/people/olena", `{"role":"owner"}`) // refused: no line
	d.ask("DELETE", "/api/v1/people/olena", "")
	block := d.ask(http.MethodGet, shop+"/settings", "").Body.String()
	block = strings.NewReplacer(`"senior":1`, `"senior":5`, `"token":["***"]`, `"token":["***","another-secret-hook-of-the-shop"]`).Replace(block)
	if w := d.put(`"1"`, block); w.Code != 200 {
		t.Fatalf("the settings were not taken: %d %s", w.Code, w.Body)
	}
	id := d.parkedAt(d.received(), "classify", "")
	d.ask("POST", shop+"/parked/"+id+"/drop", `{"why":"a test call"}`)

	type line struct {
		Project, Person, Role, Door, Action, Target string
		Code                                        int
		Details                                     map[string]string
	}
	got := get[list[line]](d, "/api/v1/audit").Items
	want := []line{
		{"shop", "token", "admin", "api", "POST /api/v1/projects/{project}/parked/{id}/drop", id, 200, map[string]string{"why": "a test call"}},
		{"shop", "token", "admin", "api", "PUT /api/v1/projects/{project}/settings", "", 200, map[string]string{"revision": "2", "changed": "ringostat.token, senior"}},
		{"", "token", "admin", "api", "DELETE /api/v1/people/{name}", "olena", 204, nil},
		{"", "token", "admin", "api", "PUT /api/v1/people/{name}", "olena", 201, map[string]string{"role": "operator", "password": "set"}},
	}
	if asJSON(t, got) != asJSON(t, want) {
		t.Errorf("the audit log holds\n%s,\nwant\n%s", asJSON(t, got), asJSON(t, want))
	}
	for _, e := range d.every() {
		if strings.Contains(string(e.Data), phrase) || strings.Contains(string(e.Data), "another-secret-hook") {
			t.Errorf("%s holds a secret: %s", e.Type, e.Data)
		}
	}
	e, ok, err := d.bus.LastOf(t.Context(), event.NoProject, event.TypeConsoleActed)
	if err != nil || !ok {
		t.Errorf("nothing about no project is in the stream: %v, %v", e, err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheAuditLogIsFilteredAndPaged(t *testing.T) {
	d := openDesk(t)
	for i, who := range []string{"olena", "petro", "olena", "olena", "petro"} {
		project := []string{"shop", "other"}[i%2]
		d.publish(event.First("console", morning, &event.ConsoleActed{Project: project, Person: who, Role: "admin", Door: event.DoorConsole, Action: "PUT /x", Code: 200 + i}))
	}
	codes := func(query string) (out []int, next string) {
		page := get[list[struct{ Code int }]](d, "/api/v1/audit"+query)
		for _, l := range page.Items {
			out = append(out, l.Code)
		}
		return out, page.Next
	}
	for query, want := range map[string]string{
		"": "[204,203,202,201,200]", "?project=shop": "[204,202,200]", "?person=olena": "[203,202,200]",
		"?person=olena&project=shop": "[202,200]", "?project=nowhere": "null", "?limit=5": "[204,203,202,201,200]",
	} {
		got, next := codes(query)
		if text, _ := json.Marshal(got); string(text) != want || next != "" {
			t.Errorf("%q: %s, next %q; want %s and no next", query, text, next, want)
		}
	}
	var all []int
	query := "?limit=2"
	for range 3 {
		got, next := codes(query)
		all = append(all, got...)
		query = "?limit=2&cursor=" + next
	}
	if text, _ := json.Marshal(all); string(text) != "[204,203,202,201,200]" || !strings.HasSuffix(query, "cursor=") {
		t.Errorf("page by page: %s, the last next %s; want each line once", text, query)
	}
	for _, wrong := range []string{"?limit=0", "?limit=501", "?limit=x", "?cursor=x", "?cursor=-1"} {
		if w := d.ask("GET", "/api/v1/audit"+wrong, ""); w.Code != 400 {
			t.Errorf("%s: %d, want 400", wrong, w.Code)
		}
	}
}

func TestEverybodyChangesTheOwnPasswordWithTheOldOne(t *testing.T) {
	d := openDesk(t)
	d.ask("PUT", "/api/v1/people/olena", `{"role":"viewer","password":"`+phrase+`"}`)
	before, _, _ := d.people.Get(t.Context(), "olena")
	const another = "another invented phrase"
	door := d.env.Audited(event.DoorConsole, service.Guarded(d.api, Needs))
	for _, c := range []struct {
		who  service.Person
		body string
		code int
		says string
	}{
		{service.Person{Name: "olena", Role: service.Viewer}, `{"old":"a wrong old phrase","new":"` + another + `"}`, 422, "old password wrong"},
		{service.Person{Name: "olena", Role: service.Viewer}, `{"old":"` + phrase + `","new":"short"}`, 422, "wrong password"},
		{service.Person{Name: "olena", Role: service.Viewer}, `{"old":"` + phrase + `","new":"` + another + `","name":"petro"}`, 400, "wrong request"},
		{service.Person{Name: "petro", Role: service.Viewer}, `{"old":"` + phrase + `","new":"` + another + `"}`, 422, "old password wrong"},
		{service.TokenHolder, `{"old":"` + phrase + `","new":"` + another + `"}`, 409, "no password"},
		{service.Person{}, `{"old":"` + phrase + `","new":"` + another + `"}`, 403, "not allowed"},
		{service.Person{Name: "olena", Role: service.Viewer}, `{"old":"` + phrase + `","new":"` + another + `"}`, 204, ""},
	} {
		r := httptest.NewRequest("PUT", "/api/v1/me/password", strings.NewReader(c.body))
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r.WithContext(service.As(r.Context(), c.who)))
		d.about.fits(t, r, w)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) || strings.Contains(w.Body.String(), phrase) {
			t.Errorf("%s sends %s: %d %s, want %d, something of %q and no password", c.who.Name, c.body, w.Code, w.Body, c.code, c.says)
		}
	}
	if after, _, _ := d.people.Get(t.Context(), "olena"); after.Stamp == before.Stamp || after.Role != service.Viewer {
		t.Errorf("olena after the change: %+v, want a viewer with another stamp than %q", after, before.Stamp)
	}
	lines := 0
	for _, e := range d.every() {
		text := string(e.Data)
		if strings.Contains(text, phrase) || strings.Contains(text, another) {
			t.Errorf("%s holds a password: %s", e.Type, text)
		}
		if strings.Contains(text, "PUT /api/v1/me/password") {
			lines++
			if !strings.Contains(text, `"person":"olena"`) || !strings.Contains(text, `"password":"set"`) {
				t.Errorf("the line of the audit log is %s, want olena's, with a password set", text)
			}
		}
	}
	if lines != 1 {
		t.Errorf("%d lines of the audit log tell of it, want 1: what was refused leaves none", lines)
	}
}
