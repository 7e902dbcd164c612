package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestAProjectMadeWhileItRunsTakesCallsAtOnceAndAfterAStart begins without any project,
// as the contract lets one begin without a file.
func TestAProjectMadeWhileItRunsTakesCallsAtOnceAndAfterAStart(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "")
	h.config, _, _ = strings.Cut(h.config, "projects:")
	h.start()
	portal, address := bitrixtest.Start(t, bitrixtest.Options{Plan: bitrixtest.Unlimited, Secret: portalSecret})
	portal.AddUser(bitrixtest.User{ID: olena, Name: "Olena", LastName: "Koval", Active: true})

	var found struct {
		Blocked bool
		Portal  struct {
			Reached bool
			Owner   struct{ ID int }
			Users   []struct{ Name string }
			Funnels []struct{ Stages []struct{ ID string } }
		}
	}
	code, answer := h.request(http.MethodPost, "/api/v1/check?lang=uk", "application/json", fmt.Sprintf(`{"settings": {"bitrix24": {"webhook": %q, "allow_insecure": true}}}`, address))
	if code != http.StatusOK || json.Unmarshal([]byte(answer), &found) != nil {
		t.Fatalf("the check answered %d %s", code, answer)
	}
	if p := found.Portal; !p.Reached || p.Owner.ID == 0 || len(p.Users) == 0 || len(p.Funnels) == 0 || len(p.Funnels[0].Stages) == 0 || strings.Contains(answer, portalSecret) {
		t.Errorf("the check found %+v, want an owner, users and a funnel with stages, and no secret", found)
	}
	block := fmt.Sprintf(`{"id": "shop", "name": "Shop", "bitrix24": {"webhook": %q, "allow_insecure": true, "pace": {"per_second": 1000, "burst": 1000},
		"request_timeout": "3s", "max_execution": "300ms", "settle": "100ms"}, "ringostat": {"token": %q}, "senior": %d,
		"employees": [{"name": "Olena Koval", "code": "101", "bitrix_user": %d}]}`, address, hook, senior, olena)
	if code, answer := h.request(http.MethodPost, "/api/v1/projects", "application/json", block); code != http.StatusCreated {
		t.Fatalf("making the project answered %d %s", code, answer)
	}
	h.send(h.call("c1", nil))
	h.quiet()
	if lead := only(t, "leads", made(portal.Leads())); lead.ResponsibleID != olena {
		t.Errorf("the lead is on %d, want %d", lead.ResponsibleID, olena)
	}
	h.stop()
	h.start()
	h.send(h.call("c2", url.Values{"caller": {"+380671112244"}}))
	h.quiet()
	if n := len(made(portal.Leads())); n != 2 {
		t.Errorf("%d leads after a start, want 2", n)
	}
	if code, answer := h.request(http.MethodPost, "/api/v1/projects", "application/json", block); code != http.StatusConflict {
		t.Errorf("making it again answered %d %s, want 409", code, answer)
	}
	for _, secret := range []string{portalSecret, hook} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds a secret")
		}
	}
	h.stop()
	// Its readers are known, though no file names the project.
	if code, out, words := h.migrate("--json"); code != exitDone || !strings.Contains(out, `"strangers": []`) {
		t.Errorf("migrate: exit %d, %s%s; want no stranger", code, out, words)
	}
}
