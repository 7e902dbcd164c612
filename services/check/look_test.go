package check_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/services/check"
)

func TestADraftIsToldWhatThereIsAndNotThatPeopleAreMissing(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	s.portal.AddUser(bitrixtest.User{ID: 9, Name: "Hanna", LastName: "Dismissed"})
	s.project.Senior, s.project.Employees = 0, nil
	got := check.LookAt(context.Background(), s.client(), s.project, "en")
	for _, f := range got.Findings {
		if strings.HasPrefix(f.ID, "senior") || strings.HasPrefix(f.ID, "employee") {
			t.Errorf("a draft is told %s: %s", f.ID, f.Title)
		}
	}
	p := got.Portal
	names := []string{}
	for _, u := range p.Users {
		names = append(names, u.Name)
	}
	if !p.Reached || p.Owner == nil || p.Owner.ID != 1 || p.Leads == nil || !*p.Leads {
		t.Errorf("reached %v, owner %+v, leads %v; want the portal of user 1 with leads", p.Reached, p.Owner, p.Leads)
	}
	if !slices.Equal(names, []string{"Iryna Bondar", "Olena Koval", "Petro Hnatiuk"}) {
		t.Errorf("users %q, want the three who are active", names)
	}
	closed := func(e check.Entry) bool { return e.Closed }
	if len(p.Funnels) == 0 || !slices.ContainsFunc(p.Funnels[0].Stages, closed) || slices.ContainsFunc(p.Sources, closed) || len(p.LeadStages) == 0 {
		t.Errorf("funnels %+v, sources %+v: want stages, some of them closed, and no closed source", p.Funnels, p.Sources)
	}
	if f := p.Fields["lead"]; len(f) == 0 || f[0].Name != "UF_CRM_GOOGLE_CID" || f[0].Title != "Google Client ID" {
		t.Errorf("fields of leads begin with %+v, want the one that an administrator made", f[:min(1, len(f))])
	}
	if text, _ := json.Marshal(got); strings.Contains(string(text), canary) || !strings.Contains(string(text), `"blocked":false`) {
		t.Errorf("the answer holds the secret, or is blocked: %s", text)
	}
	s.fail = refuse(t)
	if got := check.LookAt(context.Background(), s.client(), s.project, "en"); got.Portal.Reached || !got.Blocked || got.Portal.User != "1" {
		t.Errorf("a portal that is away: reached %v, blocked %v", got.Portal.Reached, got.Blocked)
	}
}

// refuse is a network that is not there.
func refuse(t *testing.T) func(*http.Request) (*http.Response, error) {
	t.Helper()
	return func(*http.Request) (*http.Response, error) { return nil, syscall.ECONNREFUSED }
}
