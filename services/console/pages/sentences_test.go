package pages

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// TestWhatStopsAPlanOrTheTakingOfCallsHasWords reads the sentences where they are made.
func TestWhatStopsAPlanOrTheTakingOfCallsHasWords(t *testing.T) {
	verbs := strings.NewReplacer("%s", "/data", "%d", "12", "%w", "a cause")
	v := &visit{words: words{"uk"}}
	for _, c := range []struct {
		list   []pattern
		text   string
		folder string
	}{
		{stops, `(?:Errorf|errors\.New)\("(the (?:portal|settings) [^"]+)"`, "../../replay"},
		{stops, `replayplan\.Failed, "([^"]+)"`, "../../replay"},
		{troubles, `Errorf\("(the disk of [^"]+)"`, "../../../pkg/bus"},
		{troubles, `Err(?:Stuck|Unavailable) = errors\.New\("([^"]+)"`, "../../../pkg/bus"},
	} {
		found := inSources(t, c.text, c.folder)
		if len(found) == 0 {
			t.Errorf("nothing in %s says %s", c.folder, c.text)
		}
		for _, raw := range found {
			text := verbs.Replace(raw)
			if got := v.retold(c.list, text); got.Stored || regexp.MustCompile(`[a-z]{4,} [a-z]{2,}`).MatchString(strings.ReplaceAll(got.Text, "a cause", "")) {
				t.Errorf("%q is told as %+v, want words of ours", text, got)
			}
		}
	}
	if got := v.retold(stops, "something new"); got.Text != "something new" || !got.Stored {
		t.Errorf("an unknown sentence is told as %+v, want it as it is", got)
	}
}

// TestEveryMistakeThatAFormCanMakeHasWords breaks each setting that a form sends.
func TestEveryMistakeThatAFormCanMakeHasWords(t *testing.T) {
	cfg, err := settings.Parse("test.yaml", []byte(shopBlock), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{words: words{"uk"}, Project: service.Revision{Project: cfg.Projects[0]}}
	for _, c := range []struct{ wrong, key string }{
		{`"id": "Shop!"`, "id"}, {`"name": " "`, "name"}, {`"locale": "pl"`, "locale"}, {`"country": "XX"`, "country"}, {`"time_zone": "Mars"`, "time_zone"},
		{`"senior": 0`, "senior"},
		{`"bitrix24": {"webhook": "no address"}`, "bitrix24.webhook"}, {`"bitrix24": {"webhook": "https://10.0.0.1/rest/1/secretsecretsecret/"}`, "bitrix24.webhook"},
		{`"bitrix24": {"portal": "a b", "user": "x", "secret": "y z"}`, "bitrix24.portal bitrix24.user bitrix24.secret"},
		{`"ringostat": {"token": "***", "api_key": "a key"}`, "ringostat.api_key"},
		{`"ringostat": {"token": "***", "fields": {"cal_id": "x"}}`, "ringostat.fields.cal_id"},
		{`"ringostat": {"token": "***", "fields": {"call_id": "a\u0001b"}}`, "ringostat.fields.call_id"},
		{`"employees": [{"bitrix_user": 7}]`, "employees[0].name"},
		{`"employees": [{"name": "A"}]`, "employees[0].bitrix_user"},
		{`"employees": [{"name": "A", "email": "no", "bitrix_user": 7, "numbers": ["x"], "code": "a\u0001b", "extension": "a\u0001b", "sip": ["a\u0001b"]}]`,
			"employees[0].email employees[0].code employees[0].extension employees[0].sip[0] employees[0].numbers[0]"},
		{`"employees": [{"code": "1", "bitrix_user": 7}, {"code": "1", "bitrix_user": 8}]`, "employees[1].code"},
		{`"scenarios": {"new_client": "x", "missed_new_client": "x", "review_due": "x", "callback_due": "x", "phone_match": "x", "compensate": "x", "off": ["x"]}`,
			"scenarios.new_client scenarios.missed_new_client scenarios.review_due scenarios.callback_due scenarios.phone_match scenarios.compensate scenarios.off[0]"},
		{`"scenarios": {"pipeline": {"category": -1, "stage": " ", "source": " "}}`, "scenarios.pipeline.category scenarios.pipeline.stage scenarios.pipeline.source"},
		{`"fields": {"lead": {"ID": "client_id", "x": "client_id", "UF_CRM_A": " "}}`, "fields.lead.ID fields.lead.x fields.lead.UF_CRM_A"},
	} {
		block := map[string]string{}
		for _, rest := range []string{`"id": "shop"`, `"bitrix24": {"webhook": "***"}`, `"ringostat": {"token": "***"}`, `"senior": 1`} {
			key, _, _ := strings.Cut(rest, ":")
			block[key] = rest
		}
		key, _, _ := strings.Cut(c.wrong, ":")
		block[key] = c.wrong
		var parts []string
		for _, part := range block {
			parts = append(parts, part)
		}
		_, err := settings.ParseProjectJSON([]byte("{"+strings.Join(parts, ",")+"}"), cfg.Projects[0], []string{"answered/new"})
		problems, _ := err.(settings.Problems)
		told := map[string]string{}
		for _, p := range problems {
			told[p.Key] = v.mistake(wrongKey{p.Key, p.What, p.Want})
		}
		for _, key := range strings.Fields(c.key) {
			if got := told[key]; !foreignLetters["en"].MatchString(got) || english.MatchString(got) {
				t.Errorf("{%s}: %s is told as %q, want words of ours (of %v)", c.wrong, key, got, problems)
			}
		}
	}
	if got := v.mistake(wrongKey{"ringostat.fields.cal_id", `is not a known key here, perhaps "call_id" is meant`, "one of call_id"}); !strings.Contains(got, "call_id?") {
		t.Errorf("a name that is nearly ours: %q, want ours named", got)
	}
}
