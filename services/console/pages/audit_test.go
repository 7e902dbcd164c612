package pages

import (
	"fmt"
	"go/ast"
	"go/parser"
	scan "go/token"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
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

// changes finds every address that changes something, in the source of the services.
func changes(t *testing.T) (out []string) {
	t.Helper()
	pattern := regexp.MustCompile(`^(POST|PUT|DELETE|PATCH) (/api/v1/.*)$`)
	err := filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "console/pages") {
			return err
		}
		file, err := parser.ParseFile(scan.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == scan.STRING {
				if text, err := strconv.Unquote(l.Value); err == nil && pattern.MatchString(text) {
					out = append(out, text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryChangeHasWordsInTheAuditLog(t *testing.T) {
	found := changes(t)
	if len(found) < 12 {
		t.Fatalf("found %d addresses that change something, which can't be all: %v", len(found), found)
	}
	for _, action := range found {
		if _, ok := all["acted."+action]; !ok {
			t.Errorf("the audit log has no words for %s", action)
		}
	}
}
