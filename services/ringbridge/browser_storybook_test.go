package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "write the README's pictures of the console into this folder")

// serveStorybook has the console's package tell its stories, and serves them under the
// console's policy until after the tabs that are opened then are closed: a browser fetches
// a page's icon when it pleases.
func serveStorybook(t *testing.T) (base, dir string) {
	t.Helper()
	dir = t.TempDir()
	// The pages' package alone can render a page from fixed answers, so its test writes them.
	told := exec.Command("go", "test", "-count=1", "-run", "^TestStorybook$", "../console/pages", "-storybook", dir)
	if out, err := told.CombinedOutput(); err != nil {
		t.Fatalf("write the storybook: %v\n%s", err, out)
	}
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'")
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, dir
}

// TestInTheBrowserEveryStoryIsWithoutBarriers looks at every page in every state.
func TestInTheBrowserEveryStoryIsWithoutBarriers(t *testing.T) {
	base, dir := serveStorybook(t)
	b := browse(t, base)
	stories, err := filepath.Glob(filepath.Join(dir, "*.uk.html"))
	if err != nil || len(stories) < 40 {
		t.Fatalf("%d stories were told, %v", len(stories), err)
	}
	for _, story := range stories {
		name := filepath.Base(story)
		b.open("/" + name)
		found := b.barriers(name)
		b.window(360, true)
		found = append(found, b.barriers(name+", 360 px wide in the dark")...)
		for _, lang := range []string{"uk", "ru", "en"} {
			if other := strings.Replace(name, ".uk.", "."+lang+".", 1); other != name {
				b.open("/" + other)
			}
			if wide := mustAsk[string](b, tooWide); wide != "" {
				t.Errorf("%s in %s: at 360 px there is something to scroll sideways to: %s", name, lang, wide)
			}
		}
		b.window(1200, false)
		for _, what := range found {
			t.Error(what)
		}
	}
}

// cutOff names what scrolls by itself and holds more than it shows.
const cutOff = `() => [...document.querySelectorAll(".scroll")].filter((e) => e.offsetParent && e.scrollWidth > e.clientWidth + 1).map((e) => e.innerText.slice(0, 80)).join(" | ")`

// TestInTheBrowserNothingOfTheAnalyticsIsCutOffOnPaper: nobody scrolls there.
func TestInTheBrowserNothingOfTheAnalyticsIsCutOffOnPaper(t *testing.T) {
	base, _ := serveStorybook(t)
	b := browse(t, base)
	b.do("look at it on paper, 17 cm wide", chromedp.EmulateViewport(640, 1000), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
	for _, lang := range []string{"uk", "ru", "en"} {
		b.open("/analytics-full." + lang + ".html")
		if cut := mustAsk[string](b, cutOff); cut != "" {
			t.Errorf("in %s, cut off on paper: %s", lang, cut)
		}
	}
}

// readmesPictures are the main pages, by the story, and the place in it, that show each best.
var readmesPictures = map[string]string{
	"calls": "calls-full.en.html", "story": "story-answered-by-a-new-client.en.html", "setup": "setup-full.en.html", "rules": "rules-full.en.html#table-title",
	"analytics": "analytics-full.en.html", "replay": "replay-waits-for-approval.en.html",
}

func TestInTheBrowserTheReadmesPicturesAreTaken(t *testing.T) {
	if *pictures == "" {
		t.SkipNow() // `make screenshots` takes them
	}
	base, _ := serveStorybook(t)
	b := browse(t, base)
	if err := os.MkdirAll(*pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, story := range readmesPictures {
		b.open("/" + story)
		b.until("the page is drawn", `() => document.readyState === "complete"`)
		raw, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatalf("picture of %s: %v", name, err)
		}
		small, err := fewColours(raw)
		if err != nil {
			t.Fatalf("picture of %s: %v", name, err)
		}
		if len(small) > 150<<10 {
			t.Errorf("the picture of %s has %d bytes, want at most 150 KiB", name, len(small))
		}
		if err := os.WriteFile(filepath.Join(*pictures, name+".png"), small, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fewColours writes a picture with at most 256 colours, which is all that a page of
// letters has: those seen most often, and for the others the nearest of them.
func fewColours(raw []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	seen, bounds := map[color.RGBA]int{}, full.Bounds()
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			seen[color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)]++
		}
	}
	out := image.NewPaletted(bounds, mostOften(seen, 256))
	nearest := map[color.RGBA]uint8{}
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			c := color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)
			at, known := nearest[c]
			if !known {
				at = uint8(out.Palette.Index(c))
				nearest[c] = at
			}
			out.SetColorIndex(x, y, at)
		}
	}
	var small bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, out)
	return small.Bytes(), err
}

func mostOften(seen map[color.RGBA]int, n int) (out color.Palette) {
	all := make([]color.RGBA, 0, len(seen))
	for c := range seen {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(seen[b]-seen[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	for _, c := range all[:min(n, len(all))] {
		out = append(out, c)
	}
	return out
}
