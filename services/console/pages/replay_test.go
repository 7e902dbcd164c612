package pages

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// aPlan is an answer of the API about a plan in a state, made with the settings of a
// revision, with a row of each kind that matters.
func aPlan(state string, revision int) map[string]any {
	row := func(kind string, more map[string]any) map[string]any {
		out := map[string]any{"kind": kind, "call_id": "1.1", "phone": "+380671112233", "entity": "task", "bitrix_id": 3, "rule_old": "answered/open/owner", "rule_new": "answered/open/owner"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	return map[string]any{
		"id": "shop.20260309-080000", "state": state, "revision": revision, "since": "2026-03-02T00:00:00+02:00", "calls": 412, "rule": "answered/new",
		"totals": map[string]any{"same": 780, "reassign": 1200, "conflict": 1, "compensate": 1}, "to_apply": 12, "applied": 3, "skipped": 1,
		"rows": []any{
			row("reassign", map[string]any{"field": "responsible", "old": "1", "new": "7", "rule_old": "answered/open/other",
				"why": "English that nobody reads", "reasons": []any{
					because("other_rule", "rule", "answered/open/owner", "before", "answered/open/other"), because("other_user", "name", "Olena Koval", "user", "7", "before", "1"),
					map[string]any{"code": "other_settings", "params": map[string]any{"revision": "3", "before": "2", "more": "5"}, "settings": []any{map[string]any{"field": "scenarios.off", "old": "", "new": "missed/new"}}},
				}}),
			row("conflict", map[string]any{"changes": []any{map[string]any{"field": "title", "old": hostile, "new": "x"}, map[string]any{"field": "closed", "old": "yes", "new": "no"}}, "why": "English that nobody reads", "reasons": []any{because("edited"), because("never_emptied", "field", "deadline")}}),
			row("compensate", map[string]any{"old": "Call the client", "new": "closed as not needed", "why": "a reason of <b>yesterday</b>"}),
			row("conflict", map[string]any{"why": "one that is known, and a reason of tomorrow", "reasons": []any{because("edited"), because("tomorrow")}}),
		},
		"next": "200",
	}
}

func because(code string, params ...string) map[string]any {
	out := map[string]any{}
	for i := 0; i < len(params); i += 2 {
		out[params[i]] = params[i+1]
	}
	return map[string]any{"code": code, "params": out}
}

func thePlan(state string, revision int) func(*http.Request) (int, any) {
	return func(r *http.Request) (int, any) {
		if r.Method == http.MethodPost {
			return http.StatusAccepted, aPlan("applying", revision)
		}
		return http.StatusOK, aPlan(state, revision)
	}
}

const onePlan = "/console/p/shop/replays/shop.20260309-080000"

func TestTheDifferencesOfAPlanAreToldInEveryLanguage(t *testing.T) {
	s := sit(t, service.Operator, thePlan("planned", 1))
	for lang, want := range map[string][]string{
		"uk": {"Передати іншому", "відповідальний", "старший менеджер (№\u00a01)", "Olena Koval (№\u00a07)", "а був №\u00a01", "Після запису його змінила людина.", "Поле «строк» залишиться", "версія налаштувань 3, а не 2: scenarios.off: нічого → missed/new, і ще 5.", "буде завершено як зайве", "завершено</del> → <ins class=\"will\">не завершено"},
		"ru": {"Передать другому", "ответственный", "После записи её изменил человек.", "будет завершена как лишняя"},
		"en": {"Reassign", "senior manager (no. 1)", "The field “deadline” stays", "1,201"},
	} {
		code, body, _ := s.get(onePlan, lang)
		for _, w := range append(want, `<p class="small quiet" lang="en">a reason of &lt;b&gt;yesterday&lt;/b&gt;</p>`, "and a reason of tomorrow", "&lt;script&gt;alert(1)", `href="/console/p/shop/calls/1.1"`, "?cursor=200") {
			if code != http.StatusOK || !strings.Contains(body, w) {
				t.Errorf("%s: %d without %q", lang, code, w)
			}
		}
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") || strings.Contains(body, "English that nobody reads") {
			t.Errorf("%s: a stranger's text acts, or a reason is told twice", lang)
		}
	}
}

func TestADifferenceIsShownWithItsKindAndAKindCanBeShownAlone(t *testing.T) {
	var asked url.Values
	s := sit(t, service.Viewer, func(r *http.Request) (int, any) {
		asked = r.URL.Query()
		return http.StatusOK, aPlan("planned", 1)
	})
	_, body, _ := s.get(onePlan+"?kind=reassign&cursor=reassign.7", "en")
	if asked.Get("order") != "kind" || asked.Get("kind") != "reassign" || asked.Get("cursor") != "reassign.7" {
		t.Errorf("the API was asked for %v, want one kind from the cursor on", asked)
	}
	for _, w := range []string{
		`href="?cursor=200&amp;kind=reassign"`, `href="?kind=reassign">First page`, `href="` + onePlan + `">All changes`, `href="?kind=conflict">`,
		`href="?kind=reassign" aria-current="true">Reassign: 1,200</a>`, "1 on this page, 1,200 in all",
	} {
		if !strings.Contains(body, w) {
			t.Errorf("the page is without %q", w)
		}
	}
	if at := func(kind string) int { return strings.Index(body, "<h2>"+kind) }; at("Reassign") > at("Mark as") || at("Mark as") > at("Leave alone") {
		t.Error("the kinds are not in the order of the API")
	}
}

func TestAPlanIsCarriedOutOnlyForTheNumberOfItsChanges(t *testing.T) {
	s := sit(t, service.Operator, thePlan("planned", 1))
	for _, typed := range []string{"", "1", "1982", "many"} {
		code, body, _ := s.post(onePlan+"/apply", url.Values{"number": {typed}})
		if code != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) {
			t.Errorf("typed %q: %d, want 422 with the reason", typed, code)
		}
	}
	for _, asked := range s.asked {
		if strings.HasPrefix(asked, http.MethodPost) {
			t.Errorf("asked %s for a wrong number", asked)
		}
	}
	for _, typed := range []string{"1201", " 1\u00a0201 "} {
		s.asked = nil
		code, _, header := s.post(onePlan+"/apply", url.Values{"number": {typed}})
		if code != http.StatusSeeOther || header.Get("Location") != onePlan || s.asked[len(s.asked)-1] != "POST /api/v1/projects/shop/replays/shop.20260309-080000/apply" {
			t.Errorf("typed %q: %d to %q, asked %v", typed, code, header.Get("Location"), s.asked)
		}
	}
}

func TestAPlanOlderThanTheSettingsOffersToBeMadeAgain(t *testing.T) {
	s := sit(t, service.Operator, thePlan("planned", 99))
	_, body, _ := s.get(onePlan, "en")
	if !strings.Contains(body, "can&#39;t be carried out") || !strings.Contains(body, `action="`+onePlan+`/again"`) || strings.Contains(body, `/apply"`) {
		t.Error("a stale plan: want the explanation and “plan again” only")
	}
	code, _, header := s.post(onePlan+"/again", nil)
	if code != http.StatusSeeOther || header.Get("Location") != onePlan || s.asked[len(s.asked)-1] != "POST /api/v1/projects/shop/replays" {
		t.Errorf("again: %d to %q, asked %v", code, header.Get("Location"), s.asked)
	}
}

func TestAPlanThatMovesIsPolledUntilItStands(t *testing.T) {
	for _, c := range []struct {
		state    string
		polls    bool
		buttons  string
		noButton string
	}{{"applying", true, "pause abort", "resume"}, {"paused", false, "resume abort", "pause"}, {"planning", true, "", "apply"}, {"done", false, "", "abort"}} {
		s := sit(t, service.Operator, thePlan(c.state, 1))
		_, body, _ := s.get(onePlan, "en")
		if got := strings.Contains(body, `hx-trigger="every 1s"`); got != c.polls {
			t.Errorf("%s: polls %v, want %v", c.state, got, c.polls)
		}
		for _, b := range strings.Fields(c.buttons) {
			if !strings.Contains(body, `action="`+onePlan+"/"+b+`"`) {
				t.Errorf("%s: no button to %s", c.state, b)
			}
		}
		if strings.Contains(body, `action="`+onePlan+"/"+c.noButton+`"`) {
			t.Errorf("%s: a button to %s", c.state, c.noButton)
		}
		r, _ := http.NewRequest(http.MethodGet, s.server.URL+onePlan, nil)
		r.Header.Set("HX-Target", "progress")
		answer, err := s.client.Do(r)
		_, part, header := read(t, answer, err)
		if (header.Get("HX-Refresh") == "true") == c.polls || strings.Contains(part, "<html") || !strings.Contains(part, `id="progress"`) {
			t.Errorf("%s: the part is %q with HX-Refresh %q", c.state, part, header.Get("HX-Refresh"))
		}
	}
}

func TestAViewerReadsPlansAndMakesNone(t *testing.T) {
	s := sit(t, service.Viewer, thePlan("planned", 1))
	if code, body, _ := s.get(onePlan, "en"); code != http.StatusOK || strings.Contains(body, `method="post" action="`+onePlan) || !strings.Contains(body, "takes an operator") {
		t.Errorf("a plan for a viewer: %d, want it without buttons", code)
	}
	for _, path := range []string{"/console/p/shop/replays", onePlan + "/apply", onePlan + "/abort", onePlan + "/again"} {
		if code, _, _ := s.post(path, url.Values{"number": {"1201"}}); code != http.StatusForbidden {
			t.Errorf("POST %s as a viewer: %d, want 403", path, code)
		}
	}
}

func TestANewPlanIsAskedForAsTheFormSaysAndARefusalKeepsTheForm(t *testing.T) {
	refused := false
	s := sit(t, service.Operator, func(r *http.Request) (int, any) {
		switch {
		case r.Method == http.MethodPost && refused:
			return refusal(http.StatusBadRequest, "since: that is no time")
		case r.Method == http.MethodPost:
			return http.StatusAccepted, aPlan("planning", 1)
		}
		return http.StatusOK, map[string]any{"items": []any{aPlan("done", 1)}}
	})
	if _, body, _ := s.get("/console/p/shop/replays?call="+url.QueryEscape(`1"><b>`), "uk"); !strings.Contains(body, `value="1&#34;&gt;&lt;b&gt;"`) || !strings.Contains(body, "виконано") {
		t.Error("the list: want the call filled in, escaped, and the plan's state in words")
	}
	form := url.Values{"since": {"2026-03-02"}, "call": {"1.1"}, "rule": {"answered/new"}}
	if code, _, header := s.post("/console/p/shop/replays", form); code != http.StatusSeeOther || header.Get("Location") != onePlan {
		t.Errorf("a new plan: %d to %q, want its page", code, header.Get("Location"))
	}
	refused = true
	if code, body, _ := s.post("/console/p/shop/replays", form); code != http.StatusBadRequest || !strings.Contains(body, "that is no time") || !strings.Contains(body, `value="2026-03-02"`) {
		t.Errorf("refused: %d, want the form as it was with the reason", code)
	}
}
