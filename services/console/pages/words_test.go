package pages

import (
	"io/fs"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestEveryTextIsThereInEveryLanguage(t *testing.T) {
	for key, text := range all {
		for i, lang := range languages {
			if strings.TrimSpace(text[i]) == "" {
				t.Errorf("%s has no text in %s", key, lang)
			}
			if strings.Count(text[i], "%") != strings.Count(text[0], "%") {
				t.Errorf("%s fills in %d things in %s, %d in %s", key, strings.Count(text[i], "%"), lang, strings.Count(text[0], "%"), languages[0])
			}
		}
	}
}

// keys named in templates and programs: {{.T "key"}}, $.T "key", v.T("key"), Count "key".
var keyNamed = regexp.MustCompile(`\.(T|Count)[ (]"([a-z_.]+[a-z])"`)

func TestEveryKeyThatAPageNamesHasAText(t *testing.T) {
	seen := 0
	check := func(name, text string) {
		for _, m := range keyNamed.FindAllStringSubmatch(text, -1) {
			seen++
			keys := []string{m[2]}
			if m[1] == "Count" {
				keys = []string{m[2] + ".one", m[2] + ".few", m[2] + ".many"}
			}
			for _, key := range keys {
				if _, ok := all[key]; !ok {
					t.Errorf("%s names the text %s, which does not exist", name, key)
				}
			}
		}
	}
	for _, dir := range []string{"templates/*.html"} {
		names, _ := fs.Glob(templates, dir)
		for _, name := range names {
			text, _ := templates.ReadFile(name)
			check(name, string(text))
		}
	}
	if seen < 10 {
		t.Fatalf("found %d keys, which can't be all", seen)
	}
}

func TestTheLanguageIsTheChosenOneThenTheBrowsers(t *testing.T) {
	for _, c := range []struct{ cookie, accept, want string }{
		{"", "", "uk"}, {"", "ru-RU,ru;q=0.9,en;q=0.8", "ru"}, {"", "de, en;q=0.5", "en"}, {"", "fr", "uk"},
		{"en", "ru", "en"}, {"xx", "ru", "ru"},
	} {
		r := httptest.NewRequest("GET", "/console/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.Header.Set("Cookie", languageCookie+"="+c.cookie)
		}
		if got := wordsFor(r).Lang; got != c.want {
			t.Errorf("cookie %q, browser %q: %s, want %s", c.cookie, c.accept, got, c.want)
		}
	}
}

func TestNumbersAndSpansAreWrittenAsTheReaderDoes(t *testing.T) {
	uk, en := words{"uk"}, words{"en"}
	for _, c := range []struct{ got, want string }{
		{uk.Number(1234567), "1\u00a0234\u00a0567"}, {en.Number(1234567), "1,234,567"}, {uk.Number(999), "999"}, {en.Number(-1000), "−1,000"},
		{uk.Share(0.125), "12,5\u00a0%"}, {en.Share(1), "100.0%"},
		{uk.Span(185 * time.Second), "3 хв 5 с"}, {en.Span(26*time.Hour + 4*time.Minute), "26 h 4 min"}, {en.Span(72 * time.Hour), "3 d 0 h"},
		{uk.Date(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)), "24 лист. 2026"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
