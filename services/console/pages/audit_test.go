package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

func TestTheAuditLogTellsInWordsAndInTheReadersLanguage(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Admin, phrase)
	b := h.browser("192.0.2.1").in("olena", phrase)
	b.post("/console/people", url.Values{"name": {"petro"}, "role": {"viewer"}, "password": {another}})
	h.browser("192.0.2.7").signIn("", "wrong")
	for lang, wants := range map[string][]string{
		"uk": {"Вхід до консолі", "Невдала спроба входу", "Додано користувача", "petro", "встановлено", "консоль", "невідомо хто", "192.0.2.7", "Europe/Kyiv", "11:00:00"},
		"ru": {"Вход в консоль", "Неудачная попытка входа", "Добавлен пользователь", "petro", "установлен", "консоль", "неизвестно кто"},
		"en": {"Signed in", "A sign-in failed", "Added a person", "petro", "set", "console", "nobody known"},
	} {
		b.lang = lang
		_, body := b.get("/console/audit")
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the audit log does not say %q: %s", lang, want, body)
			}
		}
		if strings.Contains(body, "/api/v1/") || strings.Contains(body, "POST /") {
			t.Errorf("%s: an address stands in the audit log for which there are words", lang)
		}
	}
	b.lang = "en"
	if _, body := b.get("/console/audit?person=petro"); !strings.Contains(body, "Nothing found.") {
		t.Errorf("what petro did: %s, want nothing", body)
	}
}

func TestTheAuditLogIsPagedAndKeepsItsFilter(t *testing.T) {
	h := openHouse(t)
	b := h.browser("192.0.2.1").in("", token)
	for i := range 60 {
		h.site.Told(service.As(t.Context(), service.Person{Name: "olena", Role: service.Admin}), event.ConsoleActed{
			Project: "shop", Door: event.DoorAPI, Action: "PUT /api/v1/projects/{project}/settings", Target: fmt.Sprint("line-", i), Code: 200,
		})
	}
	_, body := b.get("/console/audit?person=olena&project=shop")
	older := regexp.MustCompile(`href="(/console/audit\?[^"]*cursor=[^"]*)"`).FindStringSubmatch(body)
	if older == nil || strings.Count(body, "<li>\n") < 50 || !strings.Contains(body, "line-59<") || strings.Contains(body, "line-9<") {
		t.Fatalf("the first page holds not the newest 50 and a way on: %s", body)
	}
	address := strings.ReplaceAll(older[1], "&amp;", "&")
	if !strings.Contains(address, "person=olena") || !strings.Contains(address, "project=shop") {
		t.Errorf("the way on is %s, want the filter kept", address)
	}
	if _, body := b.get(address); !strings.Contains(body, "line-9<") || !strings.Contains(body, "line-0<") || strings.Contains(body, "line-10<") {
		t.Errorf("the second page holds not the last ten: %s", body)
	}
	if code, body := b.get("/console/audit?cursor=x"); code != 400 || !strings.Contains(body, `role="alert"`) {
		t.Errorf("a wrong cursor: %d %s, want 400 in words", code, body)
	}
}

// inSources finds what the bracket of a pattern holds in the programs of some folders.
func inSources(t *testing.T, pattern string, folders ...string) (out []string) {
	t.Helper()
	shape := regexp.MustCompile(pattern)
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "console/pages") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range shape.FindAllStringSubmatch(string(text), -1) {
				out = append(out, m[1])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestEveryChangeHasWordsInTheAuditLog(t *testing.T) {
	actions := inSources(t, `"((?:POST|PUT|DELETE|PATCH) /api/v1/[^"]*)"`, "../..", "../../../pkg")
	details := inSources(t, `service\.Note\([^,]+, "(\w+)"`, "../..")
	if len(actions) < 15 || len(details) < 8 {
		t.Fatalf("found %d addresses that change something and %d details, which can't be all: %v, %v", len(actions), len(details), actions, details)
	}
	for _, action := range actions {
		if _, ok := all["acted."+action]; !ok {
			t.Errorf("the audit log has no words for %s", action)
		}
	}
	for _, name := range details {
		if _, ok := all["audit.detail."+name]; !ok {
			t.Errorf("the audit log has no words for the detail %s", name)
		}
	}
}

func TestEveryRefusalOfTheAPIHasWords(t *testing.T) {
	folders := []string{"..", "../../replay", "../../analytics", "../../../pkg/service"} // whom the pages ask
	titles := inSources(t, `Problem\(w, [^,]+, "([^"]+)"`, folders...)
	titles = append(titles, inSources(t, `people\.Err\w+: +"([^"]+)"`, folders...)...)
	titles = append(titles, inSources(t, `"title": "([^"]+)"`, folders...)...)
	if len(titles) < 40 {
		t.Fatalf("found %d refusals, which can't be all: %v", len(titles), titles)
	}
	used := map[string]bool{}
	for _, title := range titles {
		if used[refusedKey(title)] = true; all[refusedKey(title)][0] == "" {
			t.Errorf("nobody says in Ukrainian what %q is: there is no text %s", title, refusedKey(title))
		}
	}
	for key := range refusedTexts {
		if !used[key] && key != "refused.progress" {
			t.Errorf("%s is a text for a refusal that the API does not know", key)
		}
	}
}

func TestARefusalIsSaidInTheReadersLanguageAndOneUnknownAsItIs(t *testing.T) {
	api := &told{answers: map[string]any{}}
	server, client := openWith(t, api)
	refuse := func(title string) {
		api.answers["GET /people"] = func(w http.ResponseWriter, _ *http.Request) {
			service.Problem(w, http.StatusServiceUnavailable, title, "said in English")
		}
	}
	for lang, want := range map[string]string{"uk": "Дані ще готуються.", "ru": "Данные ещё готовятся.", "en": "The data is still being prepared."} {
		refuse("not ready")
		if code, body := visitIn(t, client, lang, server.URL+"/console/people"); code != http.StatusServiceUnavailable || !strings.Contains(body, want) || strings.Contains(body, "said in English") {
			t.Errorf("%s: %d %s, want 503 and %q", lang, code, body, want)
		}
		refuse("something new")
		if _, body := visitIn(t, client, lang, server.URL+"/console/people"); !strings.Contains(body, "said in English") {
			t.Errorf("%s: a refusal without words: %s, want the API's own", lang, body)
		}
	}
}
