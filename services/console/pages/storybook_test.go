package pages

import (
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The storybook is every page in every state, from fixed answers of the API: to be
// looked at (`make storybook` writes it), and to be held against what must be true of
// every page. testdata/stories has a file per page; storybook_site_test.go tells it to
// the pages.

var storybook = flag.String("storybook", "", "write the storybook into this folder")

// story is one page in one state.
type story struct {
	Name string `json:"name"` // of the file and in the index: the page, then its state
	Path string `json:"path"`
	Form string `json:"form"` // what is posted there; empty: the page is only looked at
	As   string `json:"as"`   // admin, operator, viewer, nobody; empty is admin
	Code int    `json:"code"` // 0 is 200
	// API are answers by "METHOD /path" of the API, or "METHOD /path?lang=uk" where the
	// answer is words; they come before the file's. {"refused": 409, "title": "…", "detail": "…"} is a refusal.
	API map[string]json.RawMessage `json:"api"`
	// Foreign: the state shows words in other languages that people wrote.
	Foreign bool `json:"foreign"`
}

// readStories reads the stories of every page, each with all the answers it needs.
func readStories(t *testing.T) (out []story) {
	t.Helper()
	files, err := filepath.Glob("testdata/stories/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	seen := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			API     map[string]json.RawMessage `json:"api"`
			Stories []story                    `json:"stories"`
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range file.Stories {
			answers := map[string]json.RawMessage{}
			for _, some := range []map[string]json.RawMessage{file.API, s.API} {
				for at, answer := range some {
					answers[at] = answer
				}
			}
			if s.API = answers; s.As == "" {
				s.As = "admin"
			}
			if s.Code == 0 {
				s.Code = http.StatusOK
			}
			if seen[s.Name] {
				t.Errorf("%s: there are two stories %q", name, s.Name)
			}
			seen[s.Name] = true
			out = append(out, s)
		}
	}
	return out
}

// withoutStory are the addresses for looking that show no page, and what they give.
var withoutStory = map[string]string{
	"GET /console/{$}":                          "a redirect",
	"GET /console/p/{project}/setup/{form...}":  "a redirect",
	"GET /console/p/{project}/setup/light":      "a part of the set-up page",
	"GET /console/p/{project}/calls/live":       "a stream",
	"GET /console/p/{project}/analytics/{name}": "a file",
}

func TestStorybook(t *testing.T) {
	stories := readStories(t)
	site := openStories(t)
	for _, s := range stories {
		for _, lang := range languages {
			page := site.tell(t, s, lang)
			for _, what := range wrongWith(page, lang, s.Foreign) {
				t.Errorf("%s in %s: %s", s.Name, lang, what)
			}
			if *storybook != "" {
				writeStory(t, s, lang, page)
			}
		}
	}
	if *storybook != "" {
		writeIndex(t, stories)
	}
}

func TestEveryPageHasAStory(t *testing.T) {
	mux := http.NewServeMux()
	told := map[string]bool{}
	for _, p := range (&site{}).pages() {
		mux.HandleFunc(p.pattern, func(http.ResponseWriter, *http.Request) {})
		if strings.HasPrefix(p.pattern, "GET ") {
			told[p.pattern] = false
		}
	}
	for _, s := range readStories(t) {
		method := http.MethodGet
		if s.Form != "" {
			method = http.MethodPost
		}
		_, pattern := mux.Handler(httptest.NewRequest(method, s.Path, nil))
		told[pattern] = true
	}
	for pattern, ok := range told {
		if _, known := withoutStory[pattern]; !ok && !known {
			t.Errorf("%s has no story in testdata/stories", pattern)
		}
	}
	for pattern := range withoutStory {
		if _, there := told[pattern]; !there {
			t.Errorf("%s needs no story, and is no page either", pattern)
		}
	}
}

// letters that no text of a language has.
var foreignLetters = map[string]*regexp.Regexp{
	"uk": regexp.MustCompile(`[ыэёъЫЭЁЪ]`), "ru": regexp.MustCompile(`[іїєґІЇЄҐ]`), "en": regexp.MustCompile(`\p{Cyrillic}`),
}

var (
	dottedKey = regexp.MustCompile(`\b([a-z_]+)(?:\.[a-z_]+)+\b`)
	// what is shown as it came from outside
	quoted  = regexp.MustCompile(`(?s)<pre\b.*?</pre>|<code\b.*?</code>|<script\b.*?</script>|<(?:p|dd|span|td|li|a|b|strong|div|q|blockquote)\b[^>]*\s(?:translate="no"|lang="[a-z]+")[^>]*>[^<]*`)
	readOut = regexp.MustCompile(`\s(?:aria-label|title|placeholder|alt)="([^"]*)"`)
	tag     = regexp.MustCompile(`(?s)<[^>]*>`)
	// four English words in a row, in a page of another language
	english = regexp.MustCompile(`\b[a-z]{2,}(?: [a-z]{2,}){3,}\b`)
)

// wrongWith says what is wrong with a page, whatever it shows.
func wrongWith(page, lang string, foreign bool) (out []string) {
	if !strings.Contains(page, `<html lang="`+lang+`">`) {
		out = append(out, "the page does not say its language")
	}
	if n := strings.Count(page, "<h1"); n != 1 {
		out = append(out, fmt.Sprintf("%d headings of the first rank, want one", n))
	}
	for _, mark := range []string{"ZgotmplZ", "%!", "<no value>", "&lt;nil&gt;", `style="`, `onclick="`, `="javascript:`} {
		if strings.Contains(page, mark) {
			out = append(out, "it holds "+mark)
		}
	}
	for _, tagged := range []string{"<script>", "<img src=x", "<b>hostile"} {
		if strings.Contains(page, tagged) {
			out = append(out, "a hostile text became a part of the page: "+tagged)
		}
	}
	firsts := map[string]bool{}
	for key := range all {
		first, _, _ := strings.Cut(key, ".")
		firsts[first] = true
	}
	for _, line := range prose(page) {
		if !foreign && foreignLetters[lang].MatchString(line) {
			out = append(out, fmt.Sprintf("of another language: %q", line))
		}
		if m := english.FindString(line); !foreign && lang != "en" && m != "" {
			out = append(out, fmt.Sprintf("not translated: %q", line))
		}
		for _, m := range dottedKey.FindAllStringSubmatch(line, -1) {
			if firsts[m[1]] && !slices.Contains(dottedNames, m[0]) {
				out = append(out, fmt.Sprintf("the key %s shows in %q", m[0], line))
			}
		}
	}
	return out
}

// dottedNames look like keys of texts and are names that a reader knows.
var dottedNames = []string{"ringbridge.yaml"}

// prose are the page's own words, text by text.
func prose(page string) (out []string) {
	_, body, _ := strings.Cut(page, "<body>")
	body = quoted.ReplaceAllString(body, "")
	for _, m := range readOut.FindAllStringSubmatch(body, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	for text := range strings.SplitSeq(tag.ReplaceAllString(body, "\x00"), "\x00") {
		if text = strings.Join(strings.Fields(html.UnescapeString(text)), " "); text != "" {
			out = append(out, text)
		}
	}
	return out
}

func TestWhatIsWrongWithAPageIsFound(t *testing.T) {
	page := func(lang, body string) string {
		return `<html lang="` + lang + `"><body><h1>x</h1>` + body
	}
	for _, c := range []struct {
		page, lang string
		want       int
	}{
		{page("uk", "<p>Дзвінки"), "uk", 0}, {page("uk", "<p>Дзвінки"), "en", 2}, {page("uk", "<p>Звонки были"), "uk", 1}, {page("en", "<p>menu.calls"), "en", 1},
		{page("uk", "<p>the log says more of it"), "uk", 1}, {page("uk", `<p lang="en">the log says more of it</p>`), "uk", 0}, {page("en", "<pre>Дзвінки</pre>"), "en", 0},
		{page("en", "<h1>y</h1>"), "en", 1}, {page("en", "<script>alert(1)"), "en", 1}, {page("en", `<p title="Дзвінки">`), "en", 1}, {page("en", "%!d(string=x)"), "en", 1},
	} {
		if got := wrongWith(c.page, c.lang, false); len(got) != c.want {
			t.Errorf("%s in %s: %q, want %d things", c.page, c.lang, got, c.want)
		}
	}
}

// still is a page without what asks the program again, so that it can be looked at as a
// file.
func still(page string) string {
	page = regexp.MustCompile(`<script src="/console/assets/[^>]*></script>\n?`).ReplaceAllString(page, "")
	return strings.ReplaceAll(page, "/console/assets/", "assets/")
}

func storyFile(s story, lang string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s.Name, ": ", "-"), " ", "-") + "." + lang + ".html"
}

func writeStory(t *testing.T, s story, lang, page string) {
	t.Helper()
	if err := os.MkdirAll(*storybook, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*storybook, storyFile(s, lang)), []byte(still(page)), 0o644); err != nil {
		t.Fatal(err)
	}
}

var indexPage = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Storybook · ringbridge</title><link rel="stylesheet" href="assets/console.css"></head>
<body><main><h1>Every page in every state</h1><section class="panel scroll"><table><thead><tr><th scope="col">Page and state</th><th scope="col">Seen by</th><th scope="col">Languages</th></tr></thead><tbody>
{{range .}}<tr><td>{{.Name}}</td><td>{{.As}}</td><td>{{range .Files}}<a href="{{.File}}">{{.Lang}}</a> {{end}}</td></tr>
{{end}}</tbody></table></section></main></body></html>
`))

func writeIndex(t *testing.T, stories []story) {
	t.Helper()
	type file struct{ File, Lang string }
	type row struct {
		story
		Files []file
	}
	var rows []row
	for _, s := range stories {
		r := row{story: s}
		for _, lang := range languages {
			r.Files = append(r.Files, file{storyFile(s, lang), lang})
		}
		rows = append(rows, r)
	}
	var page strings.Builder
	if err := indexPage.Execute(&page, rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*storybook, "index.html"), []byte(page.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(*storybook, "assets")
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, files); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d stories in %d languages are in %s", len(stories), len(languages), *storybook)
}
