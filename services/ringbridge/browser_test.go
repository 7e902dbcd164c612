package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserVariable says what a missing browser means: "required" fails the tests that
// need one; otherwise they are skipped, loudly.
const browserVariable = "RINGBRIDGE_BROWSER"

// browsers are the programs that the tests can drive, in the order of preference.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// theBrowser is the one of this test binary: every test has a tab of its own in it,
// which shares nothing with the others.
var theBrowser = sync.OnceValues(func() (context.Context, error) {
	program := ""
	for _, name := range browsers {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		return nil, fmt.Errorf("no browser: install chromium (looked for %s)", strings.Join(browsers, ", "))
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	closeBrowser = func() { stop(); stopAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return ctx, nil
})

// closeBrowser ends the browser and removes what it kept; TestMain calls it.
var closeBrowser = func() {}

// tab is a person's window: nobody is signed in, nothing is remembered.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string // http://HOST:PORT

	mu       sync.Mutex
	troubles []string // what no page may do: errors, exceptions, what the policy forbids
	refusals map[int]bool
	confirms bool
}

// browse opens a tab on the program at base. The test fails when any page of it logs an
// error, throws, or tries what the policy forbids.
func browse(t *testing.T, base string) *tab {
	t.Helper()
	browser, err := theBrowser()
	if err != nil {
		if os.Getenv(browserVariable) == "required" {
			t.Fatal(err)
		}
		fmt.Fprintf(os.Stderr, "SKIPPED %s: %v\n", t.Name(), err)
		t.Skip(err)
	}
	b := &tab{t: t, base: base, refusals: map[int]bool{}}
	var stop context.CancelFunc
	b.ctx, stop = chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.heard))
	t.Cleanup(stop)
	if err := chromedp.Do(b.ctx); err != nil { // the tab lives as long as this context
		t.Fatalf("open a tab: %v", err)
	}
	t.Cleanup(func() {
		for _, what := range b.heardSoFar() {
			t.Errorf("the browser complains: %s", what)
		}
		if t.Failed() {
			b.keep()
		}
	})
	b.do("prepare a tab", chromedp.EmulateViewport(1200, 800), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watcher})
		return err
	}))
	return b
}

// watcher runs before each page's own scripts, and tells of what must not happen.
// Hostile texts of the tests try to set window.hostile.
const watcher = `
addEventListener("securitypolicyviolation", (e) => console.error("the policy forbids " + e.violatedDirective + " of " + e.blockedURI + " " + e.sample));
Object.defineProperty(window, "hostile", {set(how) { console.error("a hostile script ran: " + how); }});
`

// networkRefusal is how the browser logs an answer that is an error.
var networkRefusal = regexp.MustCompile(`status of (\d+)|Response Status Error Code (\d+)`)

// heard runs in the loop that reads from the browser: it only takes notes.
func (b *tab) heard(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeAssert {
			return
		}
		var words []string
		for _, arg := range e.Args {
			words = append(words, strings.Trim(string(arg.Value), `"`)+arg.Description)
		}
		b.note("console: " + strings.Join(words, " "))
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.note("exception: " + text)
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			b.note(fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *page.EventJavascriptDialogOpening:
		b.mu.Lock()
		yes := b.confirms && e.Type == page.DialogTypeConfirm
		b.mu.Unlock()
		if !yes {
			b.note("a dialogue opened: " + e.Message)
		}
		go func() {
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: yes})
		}()
	}
}

func (b *tab) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := networkRefusal.FindStringSubmatch(what); m != nil {
		for code := range b.refusals {
			if fmt.Sprint(code) == m[1]+m[2] {
				return
			}
		}
	}
	b.troubles = append(b.troubles, what)
}

func (b *tab) heardSoFar() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.troubles
}

// forget is for pages that were made to be complained of.
func (b *tab) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = nil
}

// refused tells that the test asks for answers of these codes, which a browser logs.
func (b *tab) refused(codes ...int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, code := range codes {
		b.refusals[code] = true
	}
}

// do runs steps within the limit; what says what they are for.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s at %s: %v", what, b.address(), err)
	}
}

// ask evaluates a function of the page's with arguments and returns what it returns.
func ask[T any](b *tab, function string, arguments ...any) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](called(function, arguments...), chromedp.EvalAwaitPromise))
}

// mustAsk is ask of what can't go wrong.
func mustAsk[T any](b *tab, function string, arguments ...any) T {
	b.t.Helper()
	v, err := ask[T](b, function, arguments...)
	if err != nil {
		b.t.Fatalf("ask the page at %s: %v", b.address(), err)
	}
	return v
}

// until asks the page until the function is true; what says what is waited for. A page
// that is being left can't answer, which is no failure.
func (b *tab) until(what, function string, arguments ...any) {
	b.t.Helper()
	deadline := time.After(limit)
	var last error
	for {
		ok, err := ask[bool](b, function, arguments...)
		if err == nil && ok {
			return
		}
		if err != nil {
			last = err
		}
		select {
		case <-deadline:
			text, _ := ask[string](b, `() => document.body.innerText`)
			b.t.Fatalf("waited %s in vain until %s at %s (last error: %v); the page reads:\n%s", limit, what, b.address(), last, text)
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// address is where the tab is, for messages.
func (b *tab) address() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return "an unknown address"
	}
	return strings.TrimPrefix(at, b.base)
}

// keep writes down how the tab looked when its test failed.
func (b *tab) keep() {
	dir := filepath.Join(os.TempDir(), "ringbridge-browser", strings.NewReplacer("/", "_", " ", "_").Replace(b.t.Name()))
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		dir = b.t.ArtifactDir()
	}
	ctx, cancel := context.WithTimeout(b.ctx, 15*time.Second)
	defer cancel()
	picture, failed := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	html, failedToo := chromedp.Run(ctx, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	complaints := "at " + b.address() + "\n" + strings.Join(b.heardSoFar(), "\n") + "\n"
	err := errors.Join(failed, failedToo, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "page.png"), picture, 0o600),
		os.WriteFile(filepath.Join(dir, "page.html"), []byte(html), 0o600), os.WriteFile(filepath.Join(dir, "console.txt"), []byte(complaints), 0o600))
	b.t.Logf("how the page looked is in %s (%v)", dir, err)
}
