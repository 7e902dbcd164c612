package pages

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

func parkedAPI() *told {
	item := func(id, call, step string) map[string]any {
		return map[string]any{
			"id": id, "call_id": call, "step": step, "reason": hostile, "remedy": "stored remedy", "parked_at": time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC), "received_ids": []string{},
			"raw": []map[string]any{{"received_at": time.Time{}, "method": "POST", "query": "a=1", "headers": map[string]string{"Content-Type": "text/plain"}, "body": hostile}},
		}
	}
	moved := func(w http.ResponseWriter, r *http.Request) {
		service.Answer(w, map[string]string{"id": "one", "call_id": "1767348000.13"})
	}
	return &told{answers: map[string]any{
		"GET /parked":            map[string]any{"items": []any{item("one", "1767348000.13", "write"), item("two", "", "classify")}},
		"POST /parked/one/retry": moved, "POST /parked/one/drop": moved,
		"POST /parked/two/retry": func(w http.ResponseWriter, _ *http.Request) {
			service.Problem(w, http.StatusConflict, "nothing to retry", "The request behind it is not stored any more.")
		},
	}}
}

func TestWhatIsParkedSaysWhyAndWhatToDo(t *testing.T) {
	server, client := openWith(t, parkedAPI())
	for lang, words := range map[string][]string{
		"uk": {"портал не прийняв", "Усуньте причину", "запит, який не вдалося прочитати"},
		"ru": {"портал не принял", "Устраните причину", "запрос, который не удалось прочитать"},
		"en": {"the portal did not take it", "Remove the cause", "a request that could not be read"},
	} {
		code, body := visitIn(t, client, lang, server.URL+"/console/p/shop/parked")
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", lang, code, body)
		}
		for _, w := range append(words, "stored remedy", `href="/console/p/shop/calls/1767348000.13"`, `id="p-one"`, `value="two"`, "POST ?a=1") {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q", lang, w)
			}
		}
		neverActs(t, body)
	}
}

func TestWhyItIsParkedIsSaidInTheReadersLanguage(t *testing.T) {
	reason := event.Texts{"uk": "немає параметрів", "ru": "нет параметров", "en": "no parameters"}
	remedy := event.Texts{"uk": "оберіть параметри", "ru": "выберите параметры", "en": "choose parameters"}
	item := func(id, step string, in bool) map[string]any {
		item := map[string]any{"id": id, "step": step, "reason": "stored reason of " + id, "remedy": "stored remedy of " + id, "received_ids": []string{}}
		if in {
			item["reason_in"], item["remedy_in"] = reason, remedy
		}
		return item
	}
	server, client := openWith(t, &told{answers: map[string]any{"GET /parked": map[string]any{"items": []any{item("new", "classify", true), item("old", "classify", false)}}}})
	for _, lang := range languages {
		_, body := visitIn(t, client, lang, server.URL+"/console/p/shop/parked")
		for _, want := range []string{"<dd>" + reason[lang] + "</dd>", "<dd>" + remedy[lang] + "</dd>", `<dd lang="uk">stored reason of old</dd>`, `<dd lang="uk">stored remedy of old</dd>`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in the page", lang, want)
			}
		}
		if strings.Contains(body, "of new") {
			t.Errorf("%s: what was stored in the project's language shows beside the reader's", lang)
		}
	}
}

func decide(t *testing.T, server string, client *http.Client, form url.Values) (int, string) {
	t.Helper()
	r, _ := http.NewRequest(http.MethodPost, server+"/console/p/shop/parked", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	answer, err := client.Do(r)
	code, body, _ := read(t, answer, err)
	return code, body
}

func TestManyParkedThingsAreTriedAgainAtOnceAndEachSaysWhatCameOfIt(t *testing.T) {
	api := parkedAPI()
	server, client := openWith(t, api)
	code, body := decide(t, server.URL, client, url.Values{"act": {"retry"}, "id": {"one", "two", "gone"}})
	if code != http.StatusOK {
		t.Fatalf("retry: %d %s", code, body)
	}
	for _, w := range []string{"1767348000.13</a>: is tried again", "two</code>: the request is not stored any more", "gone</code>: is not parked any more"} {
		if !strings.Contains(body, w) {
			t.Errorf("no %q among the results", w)
		}
	}
}

func TestManyParkedThingsAreGoneThroughPageByPage(t *testing.T) {
	item := func(id, call string) map[string]any { return map[string]any{"id": id, "call_id": call} }
	api := &told{answers: map[string]any{
		"GET /parked": func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Query().Get("cursor") {
			case "":
				service.Answer(w, map[string]any{"items": []any{item("new", "1.1")}, "next": "OLDER+1"})
			case "OLDER+1":
				service.Answer(w, map[string]any{"items": []any{item("old", "1.0")}})
			case "EMPTY":
				service.Answer(w, map[string]any{"items": []any{}})
			default:
				service.Problem(w, http.StatusBadRequest, "wrong parameter", "the cursor is not one of ours; start without it")
			}
		},
		"POST /parked/gone/retry": func(w http.ResponseWriter, _ *http.Request) {
			service.Answer(w, map[string]string{"id": "gone", "call_id": "0.9", "state": "retried"})
		},
		"POST /parked/old/retry": func(w http.ResponseWriter, _ *http.Request) {
			service.Problem(w, http.StatusConflict, "nothing to retry", "The request behind it is not stored any more.")
		},
	}}
	server, client := openWith(t, api)
	page := server.URL + "/console/p/shop/parked"
	for address, wants := range map[string][]string{
		page:                            {`id="p-new"`, `href="/console/p/shop/parked?cursor=OLDER%2B1"`, `action="/console/p/shop/parked"`, "Select all on this page"},
		page + "?cursor=OLDER%2B1":      {`id="p-old"`, `action="/console/p/shop/parked?cursor=OLDER%2B1"`, `<a href="/console/p/shop/parked">To the newest</a>`},
		page + "?cursor=EMPTY":          {"Nothing is left on this page", `<a href="/console/p/shop/parked">To the newest</a>`},
		page + "?cursor=%22nonsense%22": {"address is not right"},
	} {
		_, body := visitIn(t, client, "en", address)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in %s", address, want, body)
			}
		}
	}
	r, _ := http.NewRequest(http.MethodPost, page+"?cursor=OLDER%2B1", strings.NewReader(url.Values{"act": {"retry"}, "id": {"gone", "old"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	answer, err := client.Do(r)
	code, body, _ := read(t, answer, err)
	for _, want := range []string{"0.9</a>: is tried again", "1.0</a>: the request is not stored any more", `id="p-old"`} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("retried on the second page: %d, no %q: what is decided there is named by its call, and the page stays", code, want)
		}
	}
}

func TestDroppingTakesAReason(t *testing.T) {
	api := parkedAPI()
	server, client := openWith(t, api)
	code, body := decide(t, server.URL, client, url.Values{"act": {"drop"}, "id": {"one"}, "why": {"  "}})
	if code != http.StatusBadRequest || !strings.Contains(body, "Write why you drop it") || !strings.Contains(body, `value="one" aria-label="Select: 1767348000.13" checked`) {
		t.Errorf("without a reason: %d, want 400 with what was ticked", code)
	}
	for _, r := range api.asked {
		if r.Method == http.MethodPost {
			t.Fatalf("without a reason %s was asked for", r.URL)
		}
	}
	code, body = decide(t, server.URL, client, url.Values{"act": {"drop"}, "id": {"one"}, "why": {"a test call"}})
	if code != http.StatusOK || !strings.Contains(body, "dropped") {
		t.Errorf("with a reason: %d %s", code, body)
	}
	for _, r := range api.asked {
		if r.Method == http.MethodPost {
			if sent, _ := io.ReadAll(r.Body); string(sent) != `{"why":"a test call"}` {
				t.Errorf("the API was sent %s", sent)
			}
		}
	}
}

func TestAViewerDecidesNothing(t *testing.T) {
	api := parkedAPI()
	was := service.TokenHolder
	service.TokenHolder.Role = service.Viewer
	t.Cleanup(func() { service.TokenHolder = was })
	server, client := openWith(t, api)
	code, body := visitIn(t, client, "en", server.URL+"/console/p/shop/parked")
	if code != http.StatusOK || strings.Contains(body, `type="checkbox"`) || strings.Contains(body, `name="act"`) {
		t.Errorf("a viewer: %d, want the list without buttons", code)
	}
	if code, body := decide(t, server.URL, client, url.Values{"act": {"retry"}, "id": {"one"}}); code != http.StatusForbidden || !strings.Contains(body, "operator") {
		t.Errorf("a viewer's retry: %d %s, want 403 with the role", code, body)
	}
}
