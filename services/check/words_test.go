package check

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var names = regexp.MustCompile(`\{[a-z]+\}`)

func mentioned(t text) []string {
	found := names.FindAllString(t.title+t.detail+t.remedy, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestEveryLanguageSaysTheSameThings(t *testing.T) {
	for lang, l := range languages {
		for id := range levels {
			f, ok := l.findings[id]
			if !ok {
				t.Errorf("%s: no text for %s", lang, id)
				continue
			}
			if got, want := mentioned(f), mentioned(english.findings[id]); !slices.Equal(got, want) {
				t.Errorf("%s, %s: mentions %q, want %q as in English", lang, id, got, want)
			}
			if (f.detail == "") != (english.findings[id].detail == "") || (f.remedy == "") != (english.findings[id].remedy == "") {
				t.Errorf("%s, %s: detail or remedy is there in one language only", lang, id)
			}
			if lang != "en" && strings.HasSuffix(f.title, ".") {
				t.Errorf("%s, %s: a title ends without a full stop: %q", lang, id, f.title)
			}
		}
		for id := range l.findings {
			if levels[id] == "" {
				t.Errorf("%s: %s has a text and no level", lang, id)
			}
		}
		if got, want := slices.Sorted(maps.Keys(l.words)), slices.Sorted(maps.Keys(english.words)); !slices.Equal(got, want) {
			t.Errorf("%s: words %q, want %q", lang, got, want)
		}
		for name, w := range l.words {
			if got, want := names.FindAllString(w, -1), names.FindAllString(english.words[name], -1); !slices.Equal(got, want) {
				t.Errorf("%s, %s: mentions %q, want %q as in English", lang, name, got, want)
			}
		}
	}
}

func TestWhatANewClientBecomesIsWhatThePlannerMakes(t *testing.T) {
	for _, c := range []struct {
		setting string
		leads   bool
		want    string
	}{
		{"", true, "lead"}, {"", false, "contact+deal"}, {"lead", true, "lead"}, {"lead", false, "contact+deal"},
		{"contact+lead", true, "contact+lead"}, {"contact+lead", false, "contact+deal"},
		{"deal", true, "deal"}, {"deal", false, "deal"}, {"contact", false, "contact"},
		{"contact+deal", true, "contact+deal"}, {"nothing", true, ""}, {"nothing", false, ""},
	} {
		var got []string
		for _, k := range makes(c.setting, c.leads) {
			got = append(got, k.String())
		}
		if strings.Join(got, "+") != c.want {
			t.Errorf("new_client %q, leads %v: %q, want %q", c.setting, c.leads, got, c.want)
		}
	}
}
