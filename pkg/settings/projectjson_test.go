package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fullProject(t *testing.T) Project {
	t.Helper()
	return parse(t, fullFile(t), fullEnv).Projects[0]
}

func blockJSON(t *testing.T, p Project) string {
	t.Helper()
	data, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTheBlockAsJSONHasTheNamesOfTheFileAndNoSecret(t *testing.T) {
	text := blockJSON(t, fullProject(t))
	for _, want := range []string{
		`"time_zone":"Europe/Warsaw"`, `"token":["***","***"]`, `"api_key":"***"`, `"webhook":"***"`, `"request_timeout":"1m30s"`,
		`"pace":{"per_second":5,"burst":250}`, `"bitrix_user":7`, `"takes_missed":false`, `"off":["outbound/contact"]`, `"UF_CRM_GOOGLE_CID":"client_id"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("JSON lacks %s:\n%s", want, text)
		}
	}
	for _, secret := range secretParts {
		if strings.Contains(text, secret) {
			t.Errorf("JSON holds %q:\n%s", secret, text)
		}
	}
}

func TestWhatTheAPIGaveCanBePutBack(t *testing.T) {
	inParts := parse(t, withBitrix("{portal: example.bitrix24.ua, user: 1, secret: portal-secret-1}"), nil).Projects[0]
	for _, before := range []Project{fullProject(t), parse(t, minimal, nil).Projects[0], inParts} {
		after, err := ParseProjectJSON([]byte(blockJSON(t, before)), before, testRules)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("after a round trip: -before +after\n%s", diff)
		}
		if before.Fingerprint() != after.Fingerprint() {
			t.Error("the fingerprint changed in a round trip")
		}
		open, err := before.RevealJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseProjectJSON(open, Project{}, testRules)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, again); diff != "" {
			t.Errorf("after a round trip with open secrets: -before +after\n%s", diff)
		}
	}
}

func TestAHiddenSecretKeepsThePreviousOne(t *testing.T) {
	two := []Secret{"first-token", "second-token"}
	for _, c := range []struct {
		before []Secret
		put    string
		want   []Secret
		refuse string
	}{
		{two, `["***","***"]`, two, ""},
		{two, `["***","third-token"]`, []Secret{"first-token", "third-token"}, ""},
		{two, `["third-token","***"]`, []Secret{"third-token", "second-token"}, ""},
		{two, `["second-token"]`, []Secret{"second-token"}, ""},
		{two, `["***"]`, nil, "which of the two tokens"},
		{two, `"***"`, nil, "which of the two tokens"},
		{two[:1], `"***"`, two[:1], ""},
		{two[:1], `["***","second-token"]`, two, ""},
		{two[:1], `["second-token","***"]`, []Secret{"second-token", "first-token"}, ""},
		{two[:1], `["***","***"]`, nil, "same token"},
		{nil, `["***"]`, nil, "none to keep"},
	} {
		before := fullProject(t)
		before.Ringostat.Tokens = c.before
		source := strings.Replace(blockJSON(t, fullProject(t)), `["***","***"]`, c.put, 1)
		after, err := ParseProjectJSON([]byte(source), before, testRules)
		if c.refuse != "" {
			if err == nil || !strings.Contains(err.Error(), c.refuse) {
				t.Errorf("%d tokens, put %s: error %v, want one with %q", len(c.before), c.put, err, c.refuse)
			}
			continue
		}
		if err != nil || !cmp.Equal(after.Ringostat.Tokens, c.want) {
			t.Errorf("%d tokens, put %s: got %v, want the tokens %v", len(c.before), c.put, err, revealed(c.want))
		}
	}
}

func revealed(secrets []Secret) (texts []string) {
	for _, s := range secrets {
		texts = append(texts, s.Reveal())
	}
	return texts
}

// Otherwise whoever may write settings could have a secret sent to themselves.
func TestAHiddenSecretIsNotTakenToAnotherAddress(t *testing.T) {
	before := parse(t, withBitrix("{portal: example.bitrix24.ua, user: 1, secret: portal-secret-1}"), nil).Projects[0]
	before.Ringostat.APIKey = "ringostat-key-1"
	for was, is := range map[string]string{
		`"portal":"example.bitrix24.ua"`:            `"portal":"evil.example.com"`,
		`"user":"1"`:                                `"user":"2"`,
		`"api_url":"https://api.ringostat.net"`:     `"api_url":"https://evil.example.com"`,
		`"portal":"example.bitrix24.ua","user":"1"`: `"portal":"http://example.bitrix24.ua","user":"1"`,
	} {
		source := strings.Replace(blockJSON(t, before), was, is, 1)
		source = strings.Replace(source, `"allow_insecure":false`, `"allow_insecure":true`, 1)
		if _, err := ParseProjectJSON([]byte(source), before, nil); err == nil || !strings.Contains(err.Error(), "address changed") {
			t.Errorf("%s instead of %s: error %v, want that the address changed", is, was, err)
		}
	}
}

func TestAKeptSecretIsStillChecked(t *testing.T) {
	before := parse(t, withBitrix(`{allow_insecure: true, webhook: "http://127.0.0.1:1/rest/1/portal-secret-1/"}`), nil).Projects[0]
	source := strings.Replace(blockJSON(t, before), `"allow_insecure":true`, `"allow_insecure":false`, 1)
	if _, err := ParseProjectJSON([]byte(source), before, nil); err == nil || !strings.Contains(err.Error(), "bitrix24.webhook") {
		t.Errorf("error %v, want one about bitrix24.webhook", err)
	}
}

func TestTheIDOfAProjectStays(t *testing.T) {
	before := parse(t, minimal, nil).Projects[0]
	renamed := strings.Replace(blockJSON(t, before), `"id":"shop"`, `"id":"other"`, 1)
	if _, err := ParseProjectJSON([]byte(renamed), before, nil); err == nil || !strings.Contains(err.Error(), "id: cannot change") {
		t.Errorf("error %v, want that the id cannot change", err)
	}
	without := strings.Replace(blockJSON(t, before), `"id":"shop",`, "", 1)
	after, err := ParseProjectJSON([]byte(without), before, nil)
	if err != nil || after.ID != "shop" {
		t.Errorf("without an id: %q, %v, want shop", after.ID, err)
	}
	if _, err := ParseProjectJSON([]byte(without), Project{}, nil); err == nil || !strings.Contains(err.Error(), "id: is missing") {
		t.Errorf("a new project without an id: error %v, want that the id is missing", err)
	}
}

func TestProblemsOfAPutNameTheKeyAndNoFile(t *testing.T) {
	before := fullProject(t)
	for source, want := range map[string]string{
		``:                 "is not JSON (at byte 0); want one JSON object",
		`{"senior": 1`:     "is not JSON (at byte 12); want one JSON object",
		`{"senior": 1} {}`: "is not JSON (at byte 15); want one JSON object",
		`null`:             "is empty; want one JSON object",
		`[1]`:              "is a list; want a block of `key: value` lines",
		`{"senior": 1, "id": "shop", "senior": 2, "ringostat": {"token": "token-1-2-3"}, "bitrix24": {"webhook": "***"}}`: "senior: stands here a second time; want each key once",
		`{"lokale": "uk", "senior": 1, "ringostat": {"token": "token-1-2-3"}, "bitrix24": {"webhook": "***"}}`:            `lokale: is not a known key here, perhaps "locale" is meant`,
		`{"senior": "${HOME}", "ringostat": {"token": "token-1-2-3"}, "bitrix24": {"webhook": "***"}}`:                    `senior: "${HOME}" is not a whole number`,
		`{"senior": 1.5, "ringostat": {"token": "token-1-2-3"}, "bitrix24": {"webhook": "***"}}`:                          `senior: "1.5" is not a whole number`,
	} {
		_, err := ParseProjectJSON([]byte(source), before, testRules)
		var problems Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), want) || len(problems) != 1 {
			t.Errorf("%s: error %v, want one problem with %q", source, err, want)
		}
	}
}

func TestTheEnvironmentIsNotForTheAPI(t *testing.T) {
	t.Setenv("CANARY_VARIABLE", canary)
	before := parse(t, minimal, nil).Projects[0]
	source := strings.Replace(blockJSON(t, before), `"name":"shop"`, `"name":"${CANARY_VARIABLE}"`, 1)
	after, err := ParseProjectJSON([]byte(source), before, nil)
	if err != nil || after.Name != "${CANARY_VARIABLE}" {
		t.Errorf("name %q, %v, want the text as it was put", after.Name, err)
	}
}

func TestAHugeBodyIsRefused(t *testing.T) {
	for _, source := range []string{
		strings.Repeat("[", 10_000), `{"a":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 101), "[" + strings.Repeat("1,", maxNodes) + "1]",
	} {
		if _, err := ParseProjectJSON([]byte(source), Project{}, nil); err == nil || !strings.Contains(err.Error(), "too deeply or too large") {
			t.Errorf("%.20s...: error %v, want that it is too deep or too large", source, err)
		}
	}
}

func TestAFingerprintChangesWithEveryValue(t *testing.T) {
	before := fullProject(t)
	seen := map[string]string{before.Fingerprint(): "nothing"}
	changes := map[string]func(*Project){
		"name":     func(p *Project) { p.Name = "Other" },
		"token":    func(p *Project) { p.Ringostat.Tokens = []Secret{"shop-token-1", "shop-token-3"} },
		"order":    func(p *Project) { p.Ringostat.Tokens = []Secret{"shop-token-2", "shop-token-1"} },
		"api_key":  func(p *Project) { p.Ringostat.APIKey = "other" },
		"no key":   func(p *Project) { p.Ringostat.APIKey = "" },
		"webhook":  func(p *Project) { p.Bitrix24.Webhook = "https://example.bitrix24.ua/rest/1/other/" },
		"pace":     func(p *Project) { p.Bitrix24.Pace.PerSecond = 2 },
		"settle":   func(p *Project) { p.Bitrix24.Settle = 0 },
		"employee": func(p *Project) { p.Employees = p.Employees[:1] },
		"senior":   func(p *Project) { p.Senior = 2 },
		"off":      func(p *Project) { p.Scenarios.Off = nil },
		"fields":   func(p *Project) { p.Fields = nil },
		"zone":     func(p *Project) { p.TimeZone = "Europe/Kyiv" },
	}
	for name, change := range changes {
		after := fullProject(t)
		change(&after)
		print := after.Fingerprint()
		if other, again := seen[print]; again {
			t.Errorf("changing %s gives the same fingerprint as changing %s", name, other)
		}
		seen[print] = name
	}
}

func TestAFingerprintIsTheSameHoweverTheBlockIsWritten(t *testing.T) {
	want := parse(t, minimal, nil).Projects[0].Fingerprint()
	for _, source := range []string{
		"projects: [{senior: 1, bitrix24: {webhook: \"https://example.bitrix24.ua/rest/1/portal-secret-1/\"}, ringostat: {token: [shop-token-1]}, id: shop}]",
		minimal + "    locale: uk\n    name: shop\n    employees: []\n    scenarios: {review_due: 180m, pipeline: {category: 0}}\n    fields: {}\n",
	} {
		if got := parse(t, source, nil).Projects[0].Fingerprint(); got != want {
			t.Errorf("fingerprint %s, want %s, for\n%s", got, want, source)
		}
	}
}

// The fingerprint is stored: a version that computes another one for the same
// block makes every project look changed and overrides what the console wrote.
func TestTheFingerprintOfAVersionIsThatOfTheNext(t *testing.T) {
	for name, c := range map[string]struct {
		project Project
		want    string
	}{
		"minimal": {parse(t, minimal, nil).Projects[0], "67168e31cedb5d0401c8a36a41ab192fd9979a7863385ea54860375d031d4390"},
		// As it was before there was this key, and with it.
		"full, then": {with(fullProject(t), func(p *Project) { p.Scenarios.Compensate = "close" }), "39579295376f81e8159bd5260afa3de9e3a33bb997afc7f36e57cf2b2486521f"},
		"full":       {fullProject(t), "2f6becb2e72f87e86dab559c94b488f319c56d9da5db896270f28a7b3d2f7ab7"},
	} {
		if got := c.project.Fingerprint(); got != c.want {
			t.Errorf("%s: fingerprint %s, want %s", name, got, c.want)
		}
	}
}

func with(p Project, change func(*Project)) Project {
	change(&p)
	return p
}

func TestAFingerprintHoldsNoSecret(t *testing.T) {
	print := fullProject(t).Fingerprint()
	if len(print) != 64 || strings.Trim(print, "0123456789abcdef") != "" {
		t.Errorf("fingerprint %q, want 64 hexadecimal digits", print)
	}
}

func TestTheBlockMarshalsAloneAndInsideTheConfig(t *testing.T) {
	config := parse(t, fullFile(t), fullEnv)
	alone := blockJSON(t, config.Projects[0])
	whole, err := json.Marshal(config)
	if err != nil || !strings.Contains(string(whole), alone) {
		t.Errorf("config as JSON %s, %v, want the block %s in it", whole, err, alone)
	}
	if text := fmt.Sprint(config.Projects[0]); !strings.Contains(text, Mask) {
		t.Errorf("printed project %s, want its secrets masked", text)
	}
}
