package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// looking stands for the check: it tells which settings it was asked about.
type looking struct {
	asked []settings.Project
	langs []string
}

func (l *looking) look(_ context.Context, p settings.Project, lang string) (any, error) {
	l.asked, l.langs = append(l.asked, p), append(l.langs, lang)
	portal, user, _ := p.Bitrix24.Address()
	return map[string]any{"project": p.ID, "findings": []any{}, "blocked": false, "portal": map[string]any{
		"host": portal.Host, "reached": true, "user": user, "users": []any{}, "lead_stages": []any{}, "funnels": []any{}, "sources": []any{}, "fields": map[string]any{},
	}}, nil
}

func TestAPortalIsTriedBeforeAnythingIsKept(t *testing.T) {
	d := openDesk(t)
	for _, c := range []struct {
		what, body string
		code       int
		says       string
		secret     string
		senior     int
	}{
		{"a webhook alone", `{"settings": {"bitrix24": {"webhook": "https://new.bitrix24.example/rest/3/brandnewsecret/profile/"}}}`, 200, `"user":"3"`, "brandnewsecret", 0},
		{"its three parts", `{"settings": {"bitrix24": {"portal": "new.bitrix24.example", "user": "3", "secret": "brandnewsecret"}}}`, 200, `new.bitrix24.example`, "brandnewsecret", 0},
		{"a whole draft", `{"settings": {"senior": 5, "bitrix24": {"webhook": "https://new.bitrix24.example/rest/3/brandnewsecret/"}}}`, 200, `"draft"`, "brandnewsecret", 5},
		{"what a project has", `{"project": "shop", "settings": {"bitrix24": {"webhook": "***"}}}`, 200, `"shop"`, "secretwebhookofshop", 0},
		{"no webhook", `{"settings": {}}`, 422, `"key":"bitrix24"`, "", 0},
		{"no address", `{"settings": {"bitrix24": {"webhook": "new.bitrix24.example"}}}`, 422, `"key":"bitrix24.webhook"`, "", 0},
		{"an unknown project", `{"project": "shopp", "settings": {}}`, 404, "shopp", "", 0},
		{"no JSON", `{`, 400, "JSON", "", 0},
	} {
		d.looking.asked = nil
		w := d.ask(http.MethodPost, "/api/v1/check?lang=ru", c.body)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: answered %d %s, want %d and something of %s", c.what, w.Code, w.Body, c.code, c.says)
		}
		if strings.Contains(w.Body.String(), "brandnewsecret") {
			t.Errorf("%s: the answer holds the secret: %s", c.what, w.Body)
		}
		if c.secret == "" {
			continue
		}
		if len(d.looking.asked) != 1 {
			t.Fatalf("%s: %d portals were asked, want one", c.what, len(d.looking.asked))
		}
		if _, _, secret := d.looking.asked[0].Bitrix24.Address(); secret.Reveal() != c.secret || d.looking.asked[0].Senior != c.senior {
			t.Errorf("%s: asked with another secret, or with senior %d, want %d", c.what, d.looking.asked[0].Senior, c.senior)
		}
	}
	if got := get[list[struct{ ID string }]](d, "/api/v1/projects"); len(got.Items) != 2 {
		t.Errorf("trying left projects behind: %+v", got)
	}
}

func TestAPortalIsAskedOnceAMinuteForEachLanguage(t *testing.T) {
	d := openDesk(t)
	for _, query := range []string{"?lang=uk", "?lang=uk", "?lang=ru", "?lang=uk", "?lang=uk&fresh=true"} {
		if w := d.ask(http.MethodGet, shop+"/portal"+query, ""); w.Code != http.StatusOK {
			t.Fatalf("%s: answered %d %s", query, w.Code, w.Body)
		}
	}
	if got := strings.Join(d.looking.langs, " "); got != "uk ru uk" {
		t.Errorf("the portal was asked in %q, want uk ru uk", got)
	}
}

func TestAProjectIsMadeWithoutTheFile(t *testing.T) {
	d := openDesk(t)
	block := `{"id": "third", "name": "Third", "bitrix24": {"webhook": "https://third.bitrix24.example/rest/3/thirdsecret/"}, "senior": 3}`
	w := d.ask(http.MethodPost, "/api/v1/projects", block)
	if w.Code != http.StatusCreated || w.Header().Get("ETag") != `"1"` || !strings.Contains(w.Body.String(), `"country":"UA"`) || strings.Contains(w.Body.String(), "thirdsecret") {
		t.Fatalf("answered %d %s %s, want 201, revision 1, defaults and no secret", w.Code, w.Header().Get("ETag"), w.Body)
	}
	addresses := get[struct{ Addresses []string }](d, "/api/v1/projects/third/hook/addresses").Addresses
	if len(addresses) != 1 || !strings.HasPrefix(addresses[0], "https://calls.example.com/ringostat/third/") || len(addresses[0]) < len("https://calls.example.com/ringostat/third/")+26 {
		t.Errorf("addresses %q, want one with a secret of 26 characters", addresses)
	}
	for _, c := range []struct {
		what, body string
		code       int
	}{
		{"the same id again", block, 409},
		{"the id of the file's", strings.Replace(block, "third", "shop", 1), 409},
		{"a wrong id", strings.Replace(block, "third", "Third!", 1), 422},
		{"without senior", strings.Replace(block, `, "senior": 3`, "", 1), 422},
		{"ringostat as a text", strings.Replace(block, `"senior"`, `"ringostat": "x", "senior"`, 1), 422},
		{"no JSON", "x", 400},
	} {
		if w := d.ask(http.MethodPost, "/api/v1/projects", c.body); w.Code != c.code {
			t.Errorf("%s: answered %d %s, want %d", c.what, w.Code, w.Body, c.code)
		}
	}
	d.group.Stop()
	d.start() // with the same file, which does not name it
	if got := get[map[string]any](d, "/api/v1/projects/third/settings"); got["name"] != "Third" {
		t.Errorf("after a start the project is %v, want Third", got)
	}
	if again := get[struct{ Addresses []string }](d, "/api/v1/projects/third/hook/addresses").Addresses; len(again) != 1 || again[0] != addresses[0] {
		t.Errorf("after a start the address is another")
	}
}

func TestANewAddressLeavesTheOldOneGoodUntilItIsGivenUp(t *testing.T) {
	d := openDesk(t)
	const hooks = shop + "/hook/addresses"
	addresses := func(method string, code int) []string {
		t.Helper()
		w := d.ask(method, hooks, "")
		if w.Code != code {
			t.Fatalf("%s: answered %d %s, want %d", method, w.Code, w.Body, code)
		}
		var out struct{ Addresses []string }
		_ = json.Unmarshal(w.Body.Bytes(), &out)
		return out.Addresses
	}
	old := addresses(http.MethodGet, 200)
	addresses(http.MethodDelete, 409)
	both := addresses(http.MethodPost, 200)
	if len(both) != 2 || both[1] != old[0] || both[0] == old[0] {
		t.Errorf("after a new one: %d addresses, want the new one and then the old one", len(both))
	}
	addresses(http.MethodPost, 409)
	left := addresses(http.MethodDelete, 200)
	if len(left) != 1 || left[0] != both[0] {
		t.Errorf("after giving the old one up: %d addresses, want the new one alone", len(left))
	}
}

func TestOnlyAdminsSeeTheAddresses(t *testing.T) {
	d := openDesk(t)
	guarded := service.Guarded(d.api, Needs)
	for _, role := range []service.Role{service.Viewer, service.Operator} {
		for _, route := range []string{"GET " + shop + "/hook/addresses", "POST " + shop + "/hook/addresses", "DELETE " + shop + "/hook/addresses",
			"POST /api/v1/projects", "POST /api/v1/check", "GET " + shop + "/ringostat/employees", "PUT " + shop + "/settings"} {
			method, path, _ := strings.Cut(route, " ")
			r := httptest.NewRequest(method, path, strings.NewReader("{}"))
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r.WithContext(service.As(r.Context(), service.Person{Name: "olena", Role: role})))
			if w.Code != http.StatusForbidden {
				t.Errorf("%s as %s: answered %d, want 403", route, role, w.Code)
			}
		}
	}
}

func TestTheFirstRequestShowsThatTheAddressWorks(t *testing.T) {
	d := openDesk(t)
	type hook struct {
		Tokens int
		Last   time.Time
		Source string
	}
	if got := get[hook](d, shop+"/hook"); !got.Last.IsZero() || got.Tokens != 1 {
		t.Errorf("before the first request: %+v, want one token and no time", got)
	}
	at := morning.Add(30 * time.Minute)
	e, err := event.First("ingress", at, &event.CallReceived{Project: "shop", Source: event.FromWebhook, Method: "GET", ReceivedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.bus.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if got := get[hook](d, shop+"/hook"); !got.Last.Equal(at) || got.Source != "webhook" {
		t.Errorf("after it: %+v, want %s by webhook", got, at)
	}
}

func TestEmployeesAreReadFromRingostatWithTheKey(t *testing.T) {
	d := openDesk(t)
	for _, c := range []struct {
		what, path string
		code       int
		says       string
	}{
		{"a project with a key", shop + "/ringostat/employees?ringostat_project=110070", 200, `"code":"1111"`},
		{"without the number", shop + "/ringostat/employees", 400, "ringostat_project"},
		{"a project without a key", "/api/v1/projects/other/ringostat/employees?ringostat_project=1", 409, "api_key"},
		{"a number that Ringostat does not know", shop + "/ringostat/employees?ringostat_project=2", 502, "refused"},
	} {
		if w := d.ask(http.MethodGet, c.path, ""); w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: answered %d %s, want %d and %s", c.what, w.Code, w.Body, c.code, c.says)
		}
	}
}

func staffOfTests(_ context.Context, _ settings.Project, number int) (any, error) {
	if number != 110070 {
		return nil, errors.New("the API key is refused by Ringostat")
	}
	return []map[string]any{{"code": "1111", "name": "Olena Koval"}}, nil
}
