package bitrixtest

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// visit sends any request and returns status and body.
func (r rest) visit(verb, path, kind, body string) (int, string) {
	r.t.Helper()
	q := httptest.NewRequest(verb, path, strings.NewReader(body))
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w.Code, w.Body.String()
}

func TestParametersComeInEveryFormPHPTakes(t *testing.T) {
	r := portal(t, Options{})
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	parts.WriteField("fields[TITLE]", "t")
	parts.WriteField("fields[PHONE][0][VALUE]", "+380671112233")
	parts.Close()
	path := r.WebhookPath() + "crm.lead.add"
	query := "fields[TITLE]=t&fields[PHONE][0][VALUE]=%2B380671112233"
	for name, send := range map[string]func() (int, string){
		"json": func() (int, string) {
			return r.visit("POST", path, "application/json; charset=utf-8", `{"fields":{"TITLE":"t","PHONE":[{"VALUE":"+380671112233"}]}}`)
		},
		"form":      func() (int, string) { return r.visit("POST", path+".json", "application/x-www-form-urlencoded", query) },
		"multipart": func() (int, string) { return r.visit("POST", path+"/", parts.FormDataContentType(), form.String()) },
		"query":     func() (int, string) { return r.visit("GET", path+"?"+query, "", "") },
		"both": func() (int, string) {
			return r.visit("POST", path+"?fields[TITLE]=lost", "application/x-www-form-urlencoded", query)
		},
		"letter case": func() (int, string) {
			return r.visit("POST", r.WebhookPath()+"CRM.Lead.Add", "application/json", `{"FIELDS":{"title":"t","phone":[{"VALUE":"+380671112233"}]}}`)
		},
	} {
		before := len(r.Leads())
		status, body := send()
		leads := r.Leads()
		if status != 200 || len(leads) != before+1 {
			t.Errorf("%s: got %d %s", name, status, body)
			continue
		}
		if got := leads[before]; got.Title != "t" || len(got.Phones) != 1 || got.Phones[0] != "+380671112233" {
			t.Errorf("%s: lead %+v", name, got)
		}
	}
	if status, body := r.visit("POST", path, "application/json", `{"fields":`); status != 400 || !strings.Contains(body, "must be array") {
		t.Errorf("broken JSON: got %d %s, want the method to miss its fields", status, body)
	}
}

func TestChecksComeInTheOrderOfALivePortal(t *testing.T) {
	r := portal(t, Options{Scopes: []string{"crm"}})
	for path, want := range map[string]string{
		"/rest/1/wrong/crm.nonsense":    "404 ERROR_METHOD_NOT_FOUND",
		"/rest/1/wrong/crm.lead.list":   "403 INVALID_CREDENTIALS",
		"/rest/2/secret/crm.lead.list":  "403 INVALID_CREDENTIALS",
		"/rest/crm.lead.list":           "401 NO_AUTH_FOUND",
		"/rest/1/secret/tasks.task.add": "403 insufficient_scope",
		"/rest/1/secret/app.info":       "403 WRONG_AUTH_TYPE",
		"/rest/1/secret/event.bind":     "403 WRONG_AUTH_TYPE",
		"/rest/1/secret/profile/":       "200 ",
		"/rest/api/1/secret/profile":    "401 NO_AUTH_FOUND",
	} {
		status, body := r.visit("POST", path, "application/json", "{}")
		code := ""
		if v, err := fromJSON([]byte(body)); err == nil {
			code = text(asArray(v).get("error"))
		}
		if got := strings.TrimSpace(http.StatusText(status)); got == "" {
			t.Errorf("%s: status %d", path, status)
		}
		if got := text(status) + " " + code; got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestARevokedWebhookOrADismissedOwnerIsRefused(t *testing.T) {
	r := portal(t, Options{CredentialsStatus: 401})
	r.RevokeWebhook()
	r.refused("profile", m{}, 401, "INVALID_CREDENTIALS")
	r.refused("batch", batchOf("a", "profile"), 401, "INVALID_CREDENTIALS")
	r.RestoreWebhook()
	r.get("profile", m{})
	r.SetActive(1, false)
	r.refused("profile", m{}, 401, "authorization_error")
}

func TestScopesCanBeTakenAway(t *testing.T) {
	r := portal(t, Options{})
	r.SetScopes("crm", "user_basic")
	r.get("user.get", m{})
	r.refused("tasks.task.list", m{}, 403, "insufficient_scope")
	got := r.get("method.get", m{"name": "tasks.task.add"})
	if at(got, "isExisting") != true || at(got, "isAvailable") != false {
		t.Errorf("method.get without the scope: %v", got)
	}
	if got := at(r.get("method.get", m{"name": "crm.nonsense"}), "isExisting"); got != false {
		t.Errorf("method.get of no method: %v", got)
	}
}

func TestHTTPIsRefusedWhenAskedTo(t *testing.T) {
	r := portal(t, Options{HTTPSOnly: true})
	r.refused("profile", m{}, 400, "INVALID_REQUEST")
}

func TestManyClientsAtOnceLoseNothing(t *testing.T) {
	p, url := Start(t, Options{Plan: Unlimited})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				if resp, body, err := fetch(t, url+"crm.lead.add", m{"fields": m{"TITLE": "x"}}); err != nil || resp.StatusCode != 200 {
					t.Errorf("got %v %s", err, body)
				}
				p.Leads()
			}
		})
	}
	wait.Wait()
	seen := map[int]bool{}
	for _, l := range p.Leads() {
		seen[l.ID] = true
	}
	if len(seen) != 160 || len(p.Requests()) != 160 {
		t.Errorf("%d leads and %d requests, want 160 of both", len(seen), len(p.Requests()))
	}
}
