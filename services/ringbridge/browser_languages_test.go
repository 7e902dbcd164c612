package main

import (
	"net/http"
	"strings"
	"testing"
)

// everyPage are all pages that a signed-in admin can open with calls there.
func everyPage(call string) (out []string) {
	for _, page := range pagesOfAProject {
		out = append(out, "/console/p/shop/"+page)
	}
	return append(out, "/console/p/shop/calls/"+call, "/console/p/shop/setup/hook", "/console/people", "/console/audit", "/console/new", "/console/nothing")
}

func TestInTheBrowserEveryPageSpeaksTheReadersLanguage(t *testing.T) {
	h, b := desk(t, "")
	h.request(http.MethodPost, webhook, jsonBody, `{"call_id": "p1", "oops"`)
	h.send(h.call("c1", visit))
	h.send(h.call("c2", with(visit, nobodyTook)))
	h.quiet()
	b.refused(http.StatusNotFound)
	titles := map[string]map[string]bool{}
	for _, lang := range []string{"uk", "ru", "en"} {
		b.open("/console/p/shop/health")
		b.speak(lang)
		for _, page := range everyPage("c1") {
			b.open(page)
			if got := mustAsk[string](b, `() => document.documentElement.lang`); got != lang {
				t.Errorf("%s is in %q after %s was chosen", page, got, lang)
			}
			title := mustAsk[string](b, `() => document.querySelector("h1").innerText`)
			if titles[page] == nil {
				titles[page] = map[string]bool{}
			}
			titles[page][title] = true
			if lang == "uk" {
				b.look(page + " in Ukrainian")
				continue
			}
			for _, what := range leftovers(lang, b.prose()) {
				t.Errorf("%s: %s", page, what)
			}
		}
	}
	for page, all := range titles {
		if len(all) < 2 && !strings.HasSuffix(page, "/parked") {
			t.Errorf("%s has the same heading in every language: %v", page, all)
		}
	}
}

func TestInTheBrowserTheLanguageIsTheBrowsersUntilOneIsChosen(t *testing.T) {
	h, _ := emptyHouse(t)
	for accept, want := range map[string]string{"ru-RU,ru;q=0.9": "ru", "uk-UA": "uk", "en-GB,en;q=0.8": "en", "de-DE": "uk"} {
		b := browse(t, h.base())
		b.wants(accept)
		b.open("/console/signin")
		if got := mustAsk[string](b, `() => document.documentElement.lang`); got != want {
			t.Errorf("a browser that wants %s is answered in %s, want %s", accept, got, want)
		}
		b.speak("en")
		b.open("/console/signin")
		if got := mustAsk[string](b, `() => document.documentElement.lang`); got != "en" {
			t.Errorf("after English was chosen the page is in %s", got)
		}
	}
}
