package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// put changes the settings through the API, as a person does who corrects a mistake.
func (h *house) put(change func(block map[string]any)) (code int, answer string) {
	h.t.Helper()
	var block map[string]any
	get, err := http.NewRequest(http.MethodGet, "http://"+h.in.Addr+"/api/v1/projects/shop/settings", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	get.Header.Set("Authorization", "Bearer "+apiPass)
	response, err := http.DefaultClient.Do(get)
	if err != nil {
		h.t.Fatalf("read the settings: %v", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&block); err != nil {
		h.t.Fatalf("read the settings: %v", err)
	}
	change(block)
	body, err := json.Marshal(block)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.requestWith(http.MethodPut, "/api/v1/projects/shop/settings", string(body), "If-Match", response.Header.Get("ETag"))
}

// correct is put that must be taken.
func (h *house) correct(change func(block map[string]any)) {
	h.t.Helper()
	if code, answer := h.put(change); code != http.StatusOK {
		h.t.Fatalf("the settings were not taken: %d %s", code, answer)
	}
}

func TestSettingsThatAreChangedHoldAtOnceAndOverAStart(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	other, address := bitrixtest.Start(t, bitrixtest.Options{Plan: bitrixtest.Unlimited, Secret: portalSecret})
	strange := url.Values{"connected_with": {strangeLine}, "staffid": {""}}
	h.send(h.call("c1", strange))
	h.quiet()
	if lead := only(t, "leads", made(h.portal.Leads())); lead.ResponsibleID != senior {
		t.Fatalf("the lead is on %d, want %d", lead.ResponsibleID, senior)
	}
	h.correct(func(block map[string]any) {
		block["senior"] = olena
		block["bitrix24"].(map[string]any)["webhook"] = address
		block["ringostat"].(map[string]any)["token"] = []string{"***", "a-second-hook-of-the-tests"}
	})
	other.AddUser(bitrixtest.User{ID: olena, Name: "Olena", Active: true})
	h.send(h.call("c2", with(strange, url.Values{"caller": {"+380671112244"}})))
	h.quiet()
	if lead := only(t, "leads of the other portal", made(other.Leads())); lead.ResponsibleID != olena {
		t.Errorf("the lead after the change is on %d, want %d", lead.ResponsibleID, olena)
	}
	h.stop()
	h.start()
	code, _ := h.request(http.MethodPost, "/ringostat/shop/a-second-hook-of-the-tests", "application/x-www-form-urlencoded",
		h.call("c3", with(strange, url.Values{"caller": {"+380671112255"}})).Encode())
	if code != http.StatusOK {
		t.Errorf("the second hook answers %d after a start, want 200", code)
	}
	h.quiet()
	if n := len(made(other.Leads())); n != 2 {
		t.Errorf("the other portal has %d leads, want 2; the log:\n%s", n, h.log.tail(20))
	}
	if strings.Contains(h.log.String(), "a-second-hook-of-the-tests") {
		t.Error("the log holds a secret")
	}
}
