package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/check"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// canary is the webhook's secret; it must turn up nowhere.
const canary = "q7canaryq7canary"

const config = `
projects:
  - id: shop
    locale: en
    ringostat: {token: 0123456789abcdef0123456789abcdef}
    bitrix24: {webhook: "https://shop.bitrix24.ua/rest/1/` + canary + `/"}
    employees:
      - {name: Olena Koval, email: olena@example.com, code: "101", bitrix_user: 7}
      - {name: Petro Hnatiuk, extension: "102", bitrix_user: 8}
    senior: 1
    fields:
      lead: {UF_CRM_GOOGLE_CID: client_id}
`

// setting is a portal and a project, both well until a test changes them.
type setting struct {
	t       *testing.T
	portal  *bitrixtest.Portal
	project settings.Project
	// edit changes the portal's answers, if set.
	edit func(result map[string]any)
	// fail answers instead of the portal, if set.
	fail func(*http.Request) (*http.Response, error)
}

func healthy(t *testing.T, o bitrixtest.Options) *setting {
	t.Helper()
	c, err := settings.Parse("ringbridge.yaml", []byte(config), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Secret = canary
	if o.Now == nil {
		at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
		o.Now = func() time.Time { return at }
	}
	p := bitrixtest.New(o)
	p.AddUser(bitrixtest.User{ID: 1, Name: "Iryna", LastName: "Bondar", Email: "iryna@example.com", Active: true, Admin: true})
	p.AddUser(bitrixtest.User{ID: 7, Name: "Olena", LastName: "Koval", Email: "olena@example.com", Active: true})
	p.AddUser(bitrixtest.User{ID: 8, Name: "Petro", LastName: "Hnatiuk", Email: "petro@example.com", Active: true, InnerPhone: "102"})
	p.AddUserField("lead", bitrixtest.UserField{Name: "GOOGLE_CID", Label: "Google Client ID"})
	return &setting{t: t, portal: p, project: c.Projects[0]}
}

// RoundTrip lets the client talk to the portal without a network, under any name.
func (s *setting) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.fail != nil {
		return s.fail(r)
	}
	r.RemoteAddr = "192.0.2.1:1"
	w := httptest.NewRecorder()
	s.portal.ServeHTTP(w, r)
	resp := w.Result()
	if s.edit == nil {
		return resp, nil
	}
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		s.t.Errorf("the portal's answer is not JSON: %v", err)
	}
	if result, ok := body["result"].(map[string]any); ok {
		s.edit(result)
	}
	data, err := json.Marshal(body)
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, err
}

// answer replaces the result of one command in every batch that has it.
func (s *setting) answer(key string, value any) {
	s.edit = func(batch map[string]any) {
		if results, ok := batch["result"].(map[string]any); ok && results[key] != nil {
			results[key] = value
		}
	}
}

func (s *setting) client() *bitrix.Client {
	s.t.Helper()
	portal, user, secret := s.project.Bitrix24.Address()
	c, err := bitrix.New(bitrix.Options{Portal: portal, User: user, Secret: secret.Reveal(), Transport: s, AllowInsecure: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// at moves the project's webhook to another portal.
func (s *setting) at(webhook string) {
	s.project.Bitrix24.Webhook = settings.Secret(webhook)
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// examine runs the check in all languages and holds every report to what is promised
// of each. It returns the English one.
func (s *setting) examine(c *bitrix.Client) check.Report {
	s.t.Helper()
	before := s.portal.History()
	var english check.Report
	for _, lang := range []string{"uk", "ru", "en"} {
		english = check.Run(context.Background(), c, s.project, lang)
		var text bytes.Buffer
		english.Text(&text)
		data, err := json.Marshal(english)
		if err != nil {
			s.t.Fatal(err)
		}
		for where, out := range map[string]string{"text": text.String(), "JSON": string(data), "%+v": fmt.Sprintf("%+v %#v", english, english)} {
			if strings.Contains(out, canary) {
				s.t.Errorf("%s, %s: shows the secret: %s", lang, where, out)
			}
		}
		for _, f := range english.Findings {
			all := f.Title + "|" + f.Detail + "|" + f.Remedy
			if f.ID == "" || f.Level == "" || f.Title == "" {
				s.t.Errorf("%s: a finding without id, level or title: %+v", lang, f)
			}
			if m := placeholder.FindString(all); m != "" {
				s.t.Errorf("%s, %s: %s is not filled in: %s", lang, f.ID, m, all)
			}
			if f.Level != check.OK && f.Remedy == "" && f.ID != "calls.refused" {
				s.t.Errorf("%s, %s: does not say what to do", lang, f.ID)
			}
		}
	}
	if diff := cmp.Diff(before, s.portal.History()); diff != "" {
		s.t.Errorf("the check changed the portal (-before +after):\n%s", diff)
	}
	return english
}

func find(r check.Report, id string) (check.Finding, bool) {
	for _, f := range r.Findings {
		if f.ID == id {
			return f, true
		}
	}
	return check.Finding{}, false
}

func ids(r check.Report) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.ID)
	}
	return strings.Join(out, " ")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
