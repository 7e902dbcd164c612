package demo

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

func readAsset(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(assets, "assets/"+name)
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return string(text)
}

var scripts = []string{"texts.js", "dom.js", "story.js", "portal.js", "demo.js"}

func TestThePageNeverReadsAValueAsHTML(t *testing.T) {
	for _, name := range scripts {
		text := readAsset(t, name)
		for _, danger := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser", "setHTML", "srcdoc", "createContextualFragment"} {
			if strings.Contains(text, danger) {
				t.Errorf("%s uses %s: a client's name would become more than text", name, danger)
			}
		}
	}
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:\s[^>]*)?>[^<]|javascript:`)
	if found := inline.FindString(readAsset(t, "index.html")); found != "" {
		t.Errorf("index.html holds %q, which its own policy forbids", found)
	}
}

func TestEveryFileThatThePageNamesIsServed(t *testing.T) {
	for _, m := range regexp.MustCompile(`(?:src|href)="/demo/assets/([^"]+)"`).FindAllStringSubmatch(readAsset(t, "index.html"), -1) {
		readAsset(t, m[1])
	}
}

func TestEveryTextOfThePageIsInThreeLanguages(t *testing.T) {
	text := readAsset(t, "texts.js")
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:"([^"]+)"|(\b\w+)):\s*\[((?:"(?:[^"\\]|\\.)*"(?:,\s*)?)*)\]`).FindAllStringSubmatch(text, -1) {
		key := m[1] + m[2]
		known[key] = true
		words := regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(m[3], -1)
		if len(words) != 3 {
			t.Errorf("text %q is there in %d languages, want 3", key, len(words))
		}
		for _, w := range words {
			if w[1] == "" {
				t.Errorf("text %q is empty in a language", key)
			}
		}
	}
	if len(known) < 100 {
		t.Fatalf("read %d texts, which can't be all", len(known))
	}
	for _, name := range append([]string{"index.html"}, scripts...) {
		for _, m := range regexp.MustCompile(`(?:\bt\(|data-text=|data-label=)"([^"]+)"[)>\s]`).FindAllStringSubmatch(readAsset(t, name), -1) {
			if !known[m[1]] {
				t.Errorf("%s asks for the text %q, which is not there", name, m[1])
			}
		}
	}
}

func TestRingostatSendsTheSameCallInEveryShape(t *testing.T) {
	c := call{status: "ANSWERED", client: "380671112233", by: olena, wait: 5, talk: 20, visit: fromAds, id: "ua0_-1731315881.1", at: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)}
	for s, want := range map[shape]struct{ method, kind, holds string }{
		classicForm: {"POST", "application/x-www-form-urlencoded", "dialog=20"},
		nestedJSON:  {"POST", "application/json", `"additional_call_data":{`},
		jsonRPC:     {"POST", "application/json", `"params":{`},
		logQuery:    {"GET", "", "billsec=20"},
		renamedForm: {"POST", "application/x-www-form-urlencoded", "duration_conversation=20"},
	} {
		r, err := c.request(t.Context(), "http://127.0.0.1/hook", s)
		if err != nil {
			t.Fatal(err)
		}
		sent := r.URL.RawQuery
		if r.Body != nil {
			body, _ := io.ReadAll(r.Body)
			sent += string(body)
		}
		if r.Method != want.method || r.Header.Get("Content-Type") != want.kind || !strings.Contains(sent, want.holds) {
			t.Errorf("shape %d: %s %q with %s, want %s %q with %s", s, r.Method, r.Header.Get("Content-Type"), sent, want.method, want.kind, want.holds)
		}
		for _, part := range []string{"ua0_-1731315881.1", "380671112233", "380501110101", "kuhni-kyiv"} {
			if !strings.Contains(sent, part) {
				t.Errorf("shape %d lacks %s: %s", s, part, sent)
			}
		}
	}
}

func TestCallsOfChanceAreTheSameForTheSameSeed(t *testing.T) {
	invent := func(seed uint64) (out []call) {
		known := []string{contactOfOlena}
		chance := newChance(seed)
		for range 50 {
			out = append(out, byChance(chance, &known))
		}
		return out
	}
	a, b, other := invent(3), invent(3), invent(4)
	same := true
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("call %d of seed 3 is %+v, then %+v", i, a[i], b[i])
		}
		same = same && a[i] == other[i]
	}
	if same {
		t.Error("seeds 3 and 4 make the same calls")
	}
}

// openPage mounts the page before an API that knows one call.
func openPage(t *testing.T) (*World, *httptest.Server) {
	t.Helper()
	w, err := Open(Options{Unpaced: true})
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{
		"/api/v1/projects/demo/status":   `{"waiting":0,"in_flight":0,"in_doubt":0,"parked":0,"portal":{"state":"ok"}}`,
		"/api/v1/projects/demo/parked":   `{"items":[]}`,
		"/api/v1/projects/demo/calls":    `{"items":[{"id":"c1","state":"done","rule":"answered/new"}]}`,
		"/api/v1/projects/demo/calls/c1": `{"id":"c1","commands":[{"id":"command-1","state":"adopted"}]}`,
	}
	mux := http.NewServeMux()
	w.Mount(mux, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if text, ok := answers[r.URL.Path]; ok {
			_, _ = io.WriteString(rw, text)
			return
		}
		http.NotFound(rw, r)
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, server
}

func TestAHostileNameIsSentAsDataAndNothingElse(t *testing.T) {
	w, server := openPage(t)
	const hostile = `</script><img src=x onerror=alert(1)>`
	w.Portal().AddLead(bitrixtest.Entity{Title: hostile, OriginatorID: "ringbridge", OriginID: "command-1"})
	r, err := http.Get(server.URL + "/demo/data.json")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("the data are %q, want application/json", got)
	}
	if strings.ContainsAny(string(body), "<>") {
		t.Errorf("the data hold a bare angle bracket: %s", body)
	}
	var p picture
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	if lead := p.Entities["lead"][0]; lead.Title != hostile || lead.Call != "c1" {
		t.Errorf("the newest lead is %+v, want the title %q and call c1", lead, hostile)
	}
	if !p.Calls[0].Adopted {
		t.Errorf("call c1 is shown as %+v, want adopted", p.Calls[0])
	}
}

func TestThePictureIsNotSentAgainWhileNothingChanges(t *testing.T) {
	w, server := openPage(t)
	ask := func(tag string) *http.Response {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL+"/demo/data.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", tag)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer
	}
	first := ask("")
	if again := ask(first.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("the same picture was answered with %d, want 304", again.StatusCode)
	}
	w.Portal().AddLead(bitrixtest.Entity{Title: "Новий лід"})
	if changed := ask(first.Header.Get("ETag")); changed.StatusCode != http.StatusOK {
		t.Errorf("a new picture was answered with %d, want 200", changed.StatusCode)
	}
}
