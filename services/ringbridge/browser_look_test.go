package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe is axe-core's program, which `make browser` fetches; empty where it is missing.
var axe = sync.OnceValue(func() string {
	program, err := os.ReadFile("testdata/browser/node_modules/axe-core/axe.min.js")
	if err != nil {
		fmt.Fprintln(os.Stderr, "SKIPPED the accessibility of every page that the browser tests see: `make browser` fetches axe-core, or `npm ci` in services/ringbridge/testdata/browser")
		return ""
	}
	return string(program)
})

// broken is a rule of WCAG 2.2 that a page breaks, and where.
type broken struct {
	ID, Help string
	Nodes    []struct {
		HTML           string
		FailureSummary string
	}
}

// look proves of the page, as it stands, what must hold of every page in every state:
// it is in a language and says so, nothing of the program shows, nothing breaks WCAG 2.2
// AA, in the light and in the dark, and a telephone needn't scroll sideways.
func (b *tab) look(state string) {
	b.t.Helper()
	at := state + " (" + b.address() + ")"
	if n := b.count("h1"); n != 1 {
		b.t.Errorf("%s has %d headings of the first rank, want one", at, n)
	}
	for _, what := range leftovers(mustAsk[string](b, `() => document.documentElement.lang`), b.prose()) {
		b.t.Errorf("%s: %s", at, what)
	}
	found := b.barriers(at)
	b.window(360, true)
	for _, what := range append(found, b.barriers(at+", 360 px wide in the dark")...) {
		b.t.Error(what)
	}
	if wide := mustAsk[string](b, tooWide); wide != "" {
		b.t.Errorf("%s: at 360 px there is something to scroll sideways to: %s", at, wide)
	}
	b.window(1200, false)
}

// tooWide names what reaches beyond the window outside of a part that scrolls by itself.
const tooWide = `() => {
	const root = document.documentElement;
	if (root.scrollWidth <= root.clientWidth) return "";
	const scrolls = (e) => e && e !== document.body && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
	const out = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(e.parentElement));
	return root.scrollWidth + " px: " + out.slice(-3).map((e) => e.outerHTML.slice(0, 120)).join(" | ");
}`

// window gives the tab the size and the colours.
func (b *tab) window(width int64, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do("resize", chromedp.EmulateViewport(width, 800), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// barriers are what axe-core finds.
func (b *tab) barriers(at string) (out []string) {
	b.t.Helper()
	if axe() == "" {
		if os.Getenv(browserVariable) == "required" {
			b.t.Fatal("axe-core is missing: `npm ci` in services/ringbridge/testdata/browser")
		}
		return nil
	}
	if !mustAsk[bool](b, `() => "axe" in window`) {
		ctx, cancel := context.WithTimeout(b.ctx, limit)
		defer cancel()
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](axe())); err != nil {
			b.t.Fatalf("bring axe-core into the page: %v", err)
		}
	}
	found := mustAsk[[]broken](b, `async () => (await axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"], preload: false,
	})).violations`)
	for _, v := range found {
		for i, n := range v.Nodes {
			if i == 3 {
				out = append(out, fmt.Sprintf("… and %d more of that", len(v.Nodes)-i))
				break
			}
			out = append(out, fmt.Sprintf("%s: %s (%s):\n\t%s\n\t%s", at, v.Help, v.ID, shorten(n.HTML), strings.ReplaceAll(n.FailureSummary, "\n", "\n\t")))
		}
	}
	return out
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

// prose is what the page says in words of its own: without what came from outside as
// it came, which stands in pre, code and .mono, and whatever says that it is in a language.
func (b *tab) prose() string {
	b.t.Helper()
	return mustAsk[string](b, `() => {
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		let out = document.title + "\n";
		while (walk.nextNode()) {
			const e = walk.currentNode.parentElement;
			if (!e.closest("pre, code, .mono, script") && e.closest("[lang]") === document.documentElement && e.checkVisibility()) out += walk.currentNode.textContent.trim() + "\n";
		}
		for (const e of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
			for (const name of ["aria-label", "title", "placeholder", "alt"]) out += (e.getAttribute(name) ?? "") + "\n";
		return out;
	}`)
}

// notOf are the letters that no text of a language has. The tests' own data are Latin.
var notOf = map[string]*regexp.Regexp{
	"uk": regexp.MustCompile(`[ыэёъЫЭЁЪ]`),
	"ru": regexp.MustCompile(`[іїєґІЇЄҐ]`),
	"en": regexp.MustCompile(`\p{Cyrillic}`),
}

// textKey finds the keys of the console's texts in the program.
var textKey = regexp.MustCompile(`(?m)^\s*"([a-z_]+(?:\.[a-z_]+)*)":\s*\{"`)

// firstOfKeys are the first parts of all keys of texts.
var firstOfKeys = sync.OnceValues(func() ([]string, error) {
	files, err := filepath.Glob("../console/pages/words_*.go")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, m := range textKey.FindAllStringSubmatch(string(source), -1) {
			first, _, _ := strings.Cut(m[1], ".")
			out = append(out, first)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
})

// dotted is what a key that has no text looks like on a page.
var dotted = regexp.MustCompile(`\b([a-z_]+)\.[a-z_]+(?:\.[a-z_]+)*\b`)

// leftovers are the traces in a page's words of a text that is missing or of another
// language.
func leftovers(lang, prose string) (out []string) {
	letters, ok := notOf[lang]
	if !ok {
		return []string{fmt.Sprintf("the page says that it is in %q", lang)}
	}
	firsts, err := firstOfKeys()
	if err != nil || len(firsts) < 5 {
		return []string{fmt.Sprintf("the keys of the texts can't be read: %v, %v", firsts, err)}
	}
	for line := range strings.Lines(prose) {
		line = strings.TrimSpace(line)
		if letters.MatchString(line) {
			out = append(out, fmt.Sprintf("in %s it says %q", lang, shorten(line)))
		}
		for _, m := range dotted.FindAllStringSubmatch(line, -1) {
			if slices.Contains(firsts, m[1]) && !slices.Contains(ownNames, m[0]) {
				out = append(out, fmt.Sprintf("the key %q shows in %q", m[0], shorten(line)))
			}
		}
	}
	return out
}

// ownNames look like keys and are names that a reader knows.
var ownNames = []string{"ringbridge.yaml"}

func TestLeftoversOfATranslationAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang, prose string
		want        int
	}{
		{"en", "Calls\nOlena Koval\n", 0}, {"en", "Calls\nДзвінки\n", 1}, {"uk", "Дзвінки\n", 0}, {"uk", "Звонки, объём\n", 1},
		{"ru", "Звонки\nПроєкт\n", 1}, {"uk", "menu.calls\n", 1}, {"uk", "example.com\n", 0}, {"de", "", 1},
	} {
		if got := leftovers(c.lang, c.prose); len(got) != c.want {
			t.Errorf("in %s of %q: %q, want %d", c.lang, c.prose, got, c.want)
		}
	}
}
