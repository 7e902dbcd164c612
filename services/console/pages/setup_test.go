package pages

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

const (
	scriptName = `<script>alert(1)</script>`
	imageName  = `"><img src=x onerror=alert(1)>`
)

// fakeAPI answers like the API and remembers what it was sent.
type fakeAPI struct {
	t        *testing.T
	projects *service.Projects
	reached  bool
	refuse   func(method, path string) (code int, body string)
	sent     []string // "METHOD path body"
}

func (a *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	a.sent = append(a.sent, r.Method+" "+path+" "+r.Header.Get("If-Match")+" "+string(body))
	if a.refuse != nil {
		if code, answer := a.refuse(r.Method, path); code != 0 {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, answer)
			return
		}
	}
	switch {
	case r.Method == http.MethodGet && path == "/projects/shop/settings":
		p, _ := a.projects.Get("shop")
		block, _ := p.JSON()
		_, _ = w.Write(block)
	case path == "/projects/shop/portal", path == "/check":
		_ = json.NewEncoder(w).Encode(a.look())
	case path == "/projects/shop/hook":
		_, _ = io.WriteString(w, `{"tokens": 1}`)
	case path == "/projects/shop/hook/addresses":
		_, _ = io.WriteString(w, `{"addresses": ["https://calls.example.com/ringostat/shop/the-hooks-secret"]}`)
	case path == "/projects/shop/ringostat/employees":
		_, _ = io.WriteString(w, `{"items": [{"code": "2222", "name": "Petro Bondar", "sip": ["shop_petro"], "numbers": ["0671112244"]}]}`)
	case r.Method == http.MethodPut, r.Method == http.MethodPost && path == "/projects":
		_, _ = w.Write([]byte("{}"))
	default:
		http.NotFound(w, r)
	}
}

func (a *fakeAPI) look() look {
	yes := true
	return look{Findings: []finding{
		{"employee.unknown", "advice", "Employees " + scriptName, "detail " + imageName, "correct bitrix_user"}, {"owner", "ok", "The webhook belongs to " + scriptName, "", ""},
	}, Portal: portal{
		Host: "shop.bitrix24.example", User: "1", Reached: a.reached, Leads: &yes, Owner: &portalUser{ID: 1, Name: "Head " + imageName},
		Users:      []portalUser{{ID: 1, Name: "Head " + imageName}, {ID: 7, Name: "Olena " + scriptName, Extension: "101"}, {ID: 8, Name: "Петро Бондар", Numbers: []string{"+380671112244"}}},
		LeadStages: []portalEntry{{ID: "NEW", Name: "New " + imageName}}, Sources: []portalEntry{{ID: "CALL", Name: scriptName}},
		Funnels: []portalFunnel{{ID: 0, Name: scriptName, Stages: []portalEntry{{ID: "NEW", Name: imageName}, {ID: "WON", Name: "Won", Closed: true}}}},
		Fields:  map[string][]portalField{"lead": {{Name: "UF_CRM_GOOGLE_CID", Title: imageName}}},
	}}
}

// said finds what the API was sent by its beginning.
func (a *fakeAPI) said(begin string) string {
	for _, s := range a.sent {
		if strings.HasPrefix(s, begin) {
			return s
		}
	}
	return ""
}

// openSetup serves the pages over a project shop and an API that only pretends, to a
// person of a role. The sign-in has tests of its own.
func openSetup(t *testing.T, role service.Role) (*fakeAPI, func(lang, method, path string, form url.Values) (int, string, http.Header)) {
	t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(`
projects:
  - id: shop
    name: Shop
    ringostat: {token: the-hooks-secret}
    bitrix24: {webhook: "https://shop.bitrix24.example/rest/1/thewebhookssecret/"}
    senior: 1
    employees: [{name: 'Olena <script>alert(1)</script>', code: "101", bitrix_user: 99}]
    fields: {lead: {UF_CRM_GONE: client_id}}
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	projects, err := service.LoadProjects(t.Context(), bustest.Open(t), time.Now, cfg.Projects)
	if err != nil {
		t.Fatal(err)
	}
	api := &fakeAPI{t: t, projects: projects, reached: true}
	s := &site{Env: service.Env{Log: zap.NewNop(), Now: time.Now, Projects: projects}, Options: Options{Guarded: api}, templates: parse()}
	person := service.Person{Name: "olena", Role: role}
	mux := http.NewServeMux()
	for _, p := range s.pages() {
		mux.HandleFunc(p.pattern, func(w http.ResponseWriter, r *http.Request) {
			v := s.visit(w, r.WithContext(service.As(r.Context(), person)))
			v.Person = person
			if !role.May(p.role) {
				v.problem(http.StatusForbidden, v.T("problem.role", v.T("role."+string(p.role))))
				return
			}
			v.Project, _ = projects.Get(r.PathValue("project"))
			p.serve(v)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return api, func(lang, method, path string, form url.Values) (int, string, http.Header) {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", languageCookie+"="+lang)
		answer, err := client.Do(r)
		return read(t, answer, err)
	}
}

const setupPath = "/console/p/shop/setup"

func TestSetUpAndRulesAreShownInEveryLanguageAndNoNameActs(t *testing.T) {
	for _, role := range service.Roles {
		_, ask := openSetup(t, role)
		for path, words := range map[string][3]string{
			setupPath:               {"Старший менеджер", "Старший менеджер", "Senior manager"},
			"/console/p/shop/rules": {"Таблиця рішень", "Таблица решений", "The decision table"},
			"/console/new":          {"Новий проєкт", "Новый проект", "New project"},
			setupPath + "/hook":     {"Як налаштувати в Ringostat", "Как настроить в Ringostat", "How to set it up in Ringostat"},
		} {
			for i, lang := range languages {
				code, body, _ := ask(lang, http.MethodGet, path, nil)
				if admins := path == "/console/new" || strings.HasSuffix(path, "/hook"); admins && role != service.Admin {
					if code != http.StatusForbidden || strings.Contains(body, "the-hooks-secret") {
						t.Errorf("%s as %s: %d, want 403 and no secret", path, role, code)
					}
					continue
				}
				if code != http.StatusOK || !strings.Contains(body, words[i]) || strings.Count(body, "<h1>") != 1 {
					t.Errorf("%s in %s as %s: %d, want one page with %q", path, lang, role, code, words[i])
				}
				if strings.Contains(body, scriptName) || strings.Contains(body, "<img src=x") || strings.Contains(body, "ZgotmplZ") {
					t.Errorf("%s in %s: a hostile name acts", path, lang)
				}
				if strings.Contains(body, "thewebhookssecret") {
					t.Errorf("%s in %s shows the webhook's secret", path, lang)
				}
				if shows := strings.Contains(body, "the-hooks-secret"); shows != strings.HasSuffix(path, "/hook") {
					t.Errorf("%s in %s: shows the hook's address: %v", path, lang, shows)
				}
				if role != service.Admin && !strings.Contains(body, "<fieldset class=\"bare") || role != service.Admin && !strings.Contains(body, " disabled>") {
					t.Errorf("%s as %s can be changed, want it read-only", path, role)
				}
			}
		}
	}
}

func TestOnlyAdminsChangeSettings(t *testing.T) {
	api, ask := openSetup(t, service.Operator)
	for _, p := range append(append(append([]page{}, newPages...), setupPages...), rulesPages...) {
		method, path, _ := strings.Cut(p.pattern, " ")
		if method != http.MethodPost {
			continue
		}
		if code, _, _ := ask("uk", method, strings.Replace(path, "{project}", "shop", 1), url.Values{"revision": {"1"}}); code != http.StatusForbidden {
			t.Errorf("%s as an operator: %d, want 403", p.pattern, code)
		}
	}
	if len(api.sent) != 0 {
		t.Errorf("the API was sent %q, want nothing", api.sent)
	}
}

func TestAProjectIsMadeOnceThePortalLetsTheWebhookIn(t *testing.T) {
	api, ask := openSetup(t, service.Admin)
	form := url.Values{"name": {"Магазин на Подолі"}, "webhook": {" https://new.bitrix24.example/rest/1/pastedsecret/profile/ "}, "locale": {"uk"}, "do": {"make"}}
	api.reached = false
	if code, body, _ := ask("uk", "POST", "/console/new", form); code != 422 || strings.Contains(body, "pastedsecret") || api.said("POST /projects ") != "" || !strings.Contains(body, `value="magazin-na-podoli"`) {
		t.Errorf("a portal that refuses: %d, want 422 with what was typed, without the secret, and no project", code)
	}
	api.reached = true
	code, _, header := ask("uk", "POST", "/console/new", form)
	if code != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/console/p/magazin-na-podoli/setup") {
		t.Errorf("a portal that lets in: %d to %s, want the set-up page", code, header.Get("Location"))
	}
	if sent := api.said("POST /projects "); !strings.Contains(sent, `"senior":1`) || !strings.Contains(sent, "pastedsecret/profile/\"") {
		t.Errorf("made with %q, want the webhook and its owner as senior", sent)
	}
	api.refuse = func(method, path string) (int, string) {
		if path == "/projects" {
			return 409, `{"status": 409, "title": "the id is taken", "detail": "There is a project"}`
		}
		return 0, ""
	}
	if code, body, _ := ask("en", "POST", "/console/new", form); code != 409 || !strings.Contains(body, "Choose another") {
		t.Errorf("an id that is taken: %d, want 409 in words", code)
	}
}

func TestEmployeesAreAddedTiedAndSavedWithoutScripts(t *testing.T) {
	api, ask := openSetup(t, service.Admin)
	form := url.Values{"revision": {"1"}, "senior": {"1"}, "rows": {"1"}, "name-0": {"Petro Bondar"}, "takes-0": {"yes"}, "user-0": {"0"}}
	do := func(what string) string {
		t.Helper()
		form.Set("do", what)
		code, body, _ := ask("en", "POST", setupPath+"/people", form)
		if code != http.StatusOK {
			t.Errorf("%s: %d, want 200", what, code)
		}
		return body
	}
	if body := do("add"); !strings.Contains(body, `name="rows" value="2"`) || !strings.Contains(body, "Suggested by the name") || !strings.Contains(body, `<option value="8" selected>`) {
		t.Error("after adding a row: want two rows, and the first one's user suggested by the name")
	}
	if body := do("remove-0"); !strings.Contains(body, `name="rows" value="0"`) {
		t.Error("after removing the only row: want none")
	}
	if body := do("portal"); !strings.Contains(body, `name="rows" value="3"`) {
		t.Error("after adding everybody: want the typed row and the two users who are nobody's yet")
	}
	form.Set("ringostat_project", "110070")
	if body := do("ringostat"); !strings.Contains(body, `name="rows" value="1"`) || !strings.Contains(body, `value="2222"`) || !strings.Contains(body, "shop_petro") {
		t.Error("after reading Ringostat: want the same row with its code and account")
	}
	if sent := api.said("PUT "); sent != "" {
		t.Errorf("saved %q before the button", sent)
	}
	form.Set("do", "save")
	form.Set("user-0", "8")
	form.Set("numbers-0", "067 111 22 44, +380671112255")
	if code, _, header := ask("en", "POST", setupPath+"/people", form); code != http.StatusSeeOther || header.Get("Location") != setupPath+"?saved=people" {
		t.Errorf("saving: %d to %s", code, header.Get("Location"))
	}
	if sent := api.said("PUT /projects/shop/settings"); !strings.Contains(sent, `"1"`) || !strings.Contains(sent, `"bitrix_user":8`) || !strings.Contains(sent, `"numbers":["067 111 22 44","+380671112255"]`) || !strings.Contains(sent, `"webhook":"***"`) {
		t.Errorf("saved %q, want the row on top of revision 1 and the webhook as it is", sent)
	}
}

func TestWhatTheAPIRefusesStandsNextToItsField(t *testing.T) {
	for _, c := range []struct {
		what, path, answer string
		code               int
		form               url.Values
		says               []string
	}{
		{"two with one code", setupPath + "/people", `{"status": 422, "title": "wrong settings", "detail": "", "problems": [{"key": "employees[0].code", "what": "\"101\" belongs to employees[1] too"}]}`, 422,
			url.Values{"rows": {"1"}, "name-0": {imageName}, "code-0": {"101"}}, []string{`id="wrong-code-0"`, "Another employee", "Not saved"}},
		{"no senior", setupPath + "/people", `{"status": 422, "problems": [{"key": "senior", "what": "0 is too small"}]}`, 422, url.Values{}, []string{`id="wrong-senior"`, "Choose the senior"}},
		{"a due time", "/console/p/shop/rules", `{"status": 422, "problems": [{"key": "scenarios.review_due", "what": "x"}]}`, 422, url.Values{"review_due": {"soon"}}, []string{`id="wrong-review_due"`, `value="soon"`}},
		{"a field without a parameter", "/console/p/shop/rules", `{"status": 422, "problems": [{"key": "fields.lead.UF_CRM_X", "what": "is empty"}]}`, 422,
			url.Values{"fields-lead": {"1"}, "field-lead-0": {"UF_CRM_X"}}, []string{`id="wrong-field-lead-0"`, "both are needed"}},
		{"a key elsewhere", "/console/p/shop/rules", `{"status": 422, "problems": [{"key": "country", "what": "is not a known country"}]}`, 422, url.Values{}, []string{"two letters", "country"}},
		{"somebody else's change", "/console/p/shop/rules", `{"status": 412, "title": "changed meanwhile", "detail": "x"}`, 412, url.Values{}, []string{"Somebody else changed", "Nothing was saved"}},
		{"a country", setupPath + "/project", `{"status": 422, "problems": [{"key": "country", "what": "is not a known country"}]}`, 422, url.Values{"country": {"zz"}}, []string{`id="wrong-country"`}},
		{"another portal", setupPath + "/portal", `{"status": 422, "problems": [{"key": "bitrix24.webhook", "what": "is not an address"}]}`, 422, url.Values{"webhook": {"x"}}, []string{`id="wrong-webhook"`, "Copy it whole"}},
	} {
		api, ask := openSetup(t, service.Admin)
		api.refuse = func(method, path string) (int, string) {
			if method == http.MethodPut {
				return c.code, c.answer
			}
			return 0, ""
		}
		c.form.Set("revision", "1")
		code, body, _ := ask("en", "POST", c.path, c.form)
		if code != c.code {
			t.Errorf("%s: %d, want %d", c.what, code, c.code)
		}
		for _, want := range c.says {
			if !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
				t.Errorf("%s: the page does not say %q", c.what, want)
			}
		}
		if strings.Contains(body, "<img src=x") {
			t.Errorf("%s: what was typed acts", c.what)
		}
	}
}

func TestAWebhookThatThePortalRefusesIsNotKept(t *testing.T) {
	api, ask := openSetup(t, service.Admin)
	form := url.Values{"revision": {"1"}, "webhook": {"https://shop.bitrix24.example/rest/1/pastedsecret/"}}
	api.reached = false
	if code, body, _ := ask("en", "POST", setupPath+"/portal", form); code != 422 || strings.Contains(body, "pastedsecret") || api.said("PUT ") != "" {
		t.Errorf("%d, want 422, nothing saved and the secret not sent back", code)
	}
	api.reached = true
	if code, _, _ := ask("en", "POST", setupPath+"/portal", form); code != http.StatusSeeOther || !strings.Contains(api.said("PUT "), "pastedsecret") {
		t.Errorf("%d, want it saved", code)
	}
}

func TestRulesAreSavedAsTheFormShowsThem(t *testing.T) {
	api, ask := openSetup(t, service.Admin)
	form := url.Values{"revision": {"1"}, "new_client": {"contact+deal"}, "missed": {"distribute"}, "review_due": {"4 год"}, "callback_due": {"90 мин"}, "phone_match": {"exact"},
		"category": {"5"}, "stage": {"C5:NEW"}, "source": {"WEB"}, "fields-deal": {"2"}, "field-deal-0": {"UF_CRM_X"}, "parameter-deal-0": {"landing"}}
	for _, r := range (&visit{words: words{"uk"}}).table(func(string) bool { return true }) {
		if r.ID != "outbound/contact" {
			form.Add("on", r.ID)
		}
	}
	if code, _, header := ask("uk", "POST", "/console/p/shop/rules", form); code != http.StatusSeeOther || header.Get("Location") != "/console/p/shop/rules?saved=rules" {
		t.Fatalf("%d to %s, want the page again", code, header.Get("Location"))
	}
	_, text, _ := strings.Cut(api.said("PUT /projects/shop/settings"), "{")
	var sent struct {
		Scenarios struct {
			New      string   `json:"new_client"`
			Missed   string   `json:"missed_new_client"`
			Review   string   `json:"review_due"`
			Callback string   `json:"callback_due"`
			Off      []string `json:"off"`
			Pipeline struct {
				Category      int
				Stage, Source string
			}
		}
		Fields map[string]map[string]string
	}
	if err := json.Unmarshal([]byte("{"+text), &sent); err != nil {
		t.Fatal(err)
	}
	s := sent.Scenarios
	if s.New != "contact+deal" || s.Missed != "distribute" || s.Review != "4h" || s.Callback != "90m" || strings.Join(s.Off, " ") != "outbound/contact" ||
		s.Pipeline.Category != 5 || s.Pipeline.Stage != "C5:NEW" || s.Pipeline.Source != "WEB" {
		t.Errorf("sent %+v", s)
	}
	if len(sent.Fields) != 1 || sent.Fields["deal"]["UF_CRM_X"] != "landing" {
		t.Errorf("fields %v, want the deal's only: the lead's row was emptied", sent.Fields)
	}
}

func TestAPortalThatIsAwayLeavesPlainFields(t *testing.T) {
	api, ask := openSetup(t, service.Admin)
	api.refuse = func(_, path string) (int, string) {
		if strings.HasSuffix(path, "/portal") {
			return 500, `{"status": 500, "detail": "The log of the service says more."}`
		}
		return 0, ""
	}
	for path, want := range map[string]string{setupPath: `<input id="senior" name="senior" value="1"`, "/console/p/shop/rules": `<input id="stage" name="stage" value="NEW"`} {
		if code, body, _ := ask("uk", "GET", path, nil); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, want a page with %s", path, code, want)
		}
	}
}
