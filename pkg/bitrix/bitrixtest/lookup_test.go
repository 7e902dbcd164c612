package bitrixtest

import (
	"fmt"
	"strings"
	"testing"
)

func find(r rest, params m) string {
	r.t.Helper()
	return fmt.Sprint(r.get("crm.duplicate.findbycomm", params))
}

func TestPhonesAreFoundByTheirDigitsExactly(t *testing.T) {
	r := portal(t, Options{})
	r.AddContact(Entity{Name: "A", Phones: []string{"+38 (067) 111-22-33"}})
	r.AddContact(Entity{Name: "B", Phones: []string{"067 111 22 33 ext. 5", "380501112233#12"}})
	r.AddDeal(Entity{Title: "deals have no phones", ContactID: 1})
	for asked, want := range map[string]string{
		"380671112233":      "map[CONTACT:[1]]",
		"+380 67 111 22 33": "map[CONTACT:[1]]",
		"+380671112233#7":   "map[CONTACT:[1]]",
		"0671112233":        "map[CONTACT:[2]]",
		"671112233":         "[]",
		"380501112233":      "map[CONTACT:[2]]",
		"380501112233;99":   "map[CONTACT:[2]]",
		"anonymous":         "[]",
	} {
		if got := find(r, m{"type": "PHONE", "values": []string{asked}}); got != want {
			t.Errorf("%q: got %s, want %s", asked, got, want)
		}
	}
	if got := find(r, m{"type": "PHONE", "values": []string{"380671112233", "0671112233"}}); got != "map[CONTACT:[2 1]]" {
		t.Errorf("two spellings at once: got %s, want both contacts", got)
	}
}

func TestClosedLeadsAreFoundAndEmailsToo(t *testing.T) {
	r := portal(t, Options{})
	r.AddLead(Entity{StageID: "JUNK", Phones: []string{"0671112233"}, Emails: []string{"Ivan@Example.com"}})
	if got := find(r, m{"type": "PHONE", "values": []string{"0671112233"}}); got != "map[LEAD:[1]]" {
		t.Errorf("a closed lead: got %s", got)
	}
	if got := find(r, m{"type": "EMAIL", "values": []string{"ivan@example.com"}}); got != "map[LEAD:[1]]" {
		t.Errorf("an e-mail in other letters: got %s", got)
	}
}

func TestTwentyHitsInOneTypeHideTheFollowingTypes(t *testing.T) {
	r := portal(t, Options{})
	for range 19 {
		r.AddLead(Entity{Phones: []string{"1234567"}})
	}
	r.AddContact(Entity{Name: "A", Phones: []string{"1234567"}})
	r.AddCompany(Entity{Title: "C", Phones: []string{"1234567"}})
	ask := m{"type": "PHONE", "values": []string{"1234567"}}
	if got := find(r, ask); !strings.Contains(got, "CONTACT:[1]") || !strings.Contains(got, "COMPANY:[1]") {
		t.Errorf("with 19 leads: got %s, want all three types", got)
	}
	r.AddLead(Entity{Phones: []string{"1234567"}})
	r.AddLead(Entity{Phones: []string{"1234567"}})
	got := r.get("crm.duplicate.findbycomm", ask)
	if n := len(at(got, "LEAD").([]any)); n != 20 || len(got.(m)) != 1 {
		t.Errorf("with 21 leads: got %v, want 20 of them and no other type", got)
	}
	ask["entity_type"] = "CONTACT"
	if got := find(r, ask); got != "map[CONTACT:[1]]" {
		t.Errorf("contacts alone: got %s", got)
	}
}

func TestValuesBeyondTwentyAreDropped(t *testing.T) {
	r := portal(t, Options{})
	r.AddLead(Entity{Phones: []string{"1000021"}})
	var values []string
	for i := range 25 {
		values = append(values, fmt.Sprint(1000001+i))
	}
	if got := find(r, m{"type": "PHONE", "values": values}); got != "[]" {
		t.Errorf("the 21st value was looked up: %s", got)
	}
	if got := find(r, m{"type": "PHONE", "values": values[1:]}); got != "map[LEAD:[1]]" {
		t.Errorf("the 20th value was not looked up: %s", got)
	}
}

func TestARefusedLookUpHasTwoShapes(t *testing.T) {
	product, docs := portal(t, Options{}), portal(t, Options{FindByCommTextCodes: true})
	for params, sentence := range map[string]string{
		`{"values":["1"]}`:                "Communication type is not defined",
		`{"type":"PHONE"}`:                "Communication values is not defined",
		`{"type":"SMOKE","values":["1"]}`: "Communication type 'SMOKE' is not supported in current context",
	} {
		if got := product.refused("crm.duplicate.findbycomm", params, 400, ""); got != sentence {
			t.Errorf("%s: description %q, want %q", params, got, sentence)
		}
		docs.refused("crm.duplicate.findbycomm", params, 400, sentence)
	}
}
