package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestInTheBrowserWhatMustNotHappenIsNoticed proves that the other browser tests can
// fail: each of these pages does one thing that no page of ours may do.
func TestInTheBrowserWhatMustNotHappenIsNoticed(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"an inline script":     {`<script>window.hostile = 1</script>`, "the policy forbids script-src"},
		"an event attribute":   {`<img src="/nothing.png" onerror="window.hostile = 1">`, "the policy forbids"},
		"a style attribute":    {`<p style="color: red">red</p>`, "the policy forbids style-src"},
		"a foreign picture":    {`<img src="https://example.com/x.png">`, "the policy forbids img-src"},
		"an exception":         {`<script src="/throws.js"></script>`, "a mistake"},
		"an error in the log":  {`<script src="/logs.js"></script>`, "console: an error"},
		"a hostile script":     {`<script src="/hostile.js"></script>`, "a hostile script ran"},
		"a file that is gone":  {`<script src="/gone.js"></script>`, "status of 404"},
		"a window that stands": {`<script src="/alerts.js"></script>`, "a dialogue opened"},
	} {
		t.Run(name, func(t *testing.T) {
			b := browse(t, servePage(t, c.body))
			b.open("/")
			deadline := time.After(limit)
			for !strings.Contains(strings.Join(b.heardSoFar(), "\n"), c.want) {
				select {
				case <-deadline:
					t.Fatalf("of %s the browser tells %q, want %q", c.body, b.heardSoFar(), c.want)
				case <-time.After(20 * time.Millisecond):
				}
			}
			b.forget()
		})
	}
}

func TestInTheBrowserBarriersAreFound(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"a field without a label":    {`<input name="x">`, "label"},
		"a picture without a text":   {`<img src="/icon.png">`, "image-alt"},
		"grey on grey":               {`<p class="faint">words that are hard to read</p>`, "color-contrast"},
		"a button without a name":    {`<button></button>`, "button-name"},
		"a page without such things": {`<p>words</p>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := browse(t, servePage(t, c.body))
			b.open("/")
			got := strings.Join(b.barriers("page"), "\n")
			if found := strings.Contains(got, "("+c.want+")"); c.want != "" && !found || c.want == "" && got != "" {
				t.Errorf("of %s axe-core tells %q, want %q", c.body, got, c.want)
			}
			b.forget()
		})
	}
}

func TestInTheBrowserAPageThatIsTooWideIsFound(t *testing.T) {
	b := browse(t, servePage(t, `<p>`+strings.Repeat("wide", 200)+`</p>`))
	b.open("/")
	b.window(360, true)
	if wide := mustAsk[string](b, tooWide); wide == "" {
		t.Error("a word of 800 letters is not found to be too wide")
	}
}

// servePage is a site of one page under the console's policy.
func servePage(t *testing.T, body string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><head><title>Page</title><link rel="icon" href="/icon.png"><link rel="stylesheet" href="/page.css"></head><body><main><h1>Page</h1>%s</main></body></html>`, body)
	})
	for name, text := range map[string]string{
		"throws": `throw new Error("a mistake")`, "logs": `console.error("an error")`, "hostile": `window.hostile = 1`, "alerts": `alert("hello")`,
	} {
		mux.HandleFunc("GET /"+name+".js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, text)
		})
	}
	mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, ".faint { color: #bbb; background: #ccc; }")
	})
	mux.HandleFunc("GET /icon.png", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "image/png") })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
