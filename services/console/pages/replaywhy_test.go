package pages

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// TestEveryReasonOfAPlanIsToldWithAllItsParametersInEveryLanguage holds the pages' words
// against the reasons that the API gives.
func TestEveryReasonOfAPlanIsToldWithAllItsParametersInEveryLanguage(t *testing.T) {
	for code, sentence := range replayplan.Sentences {
		told, known := reasons[string(code)]
		if !known {
			t.Errorf("reason %q has no words", code)
			continue
		}
		if code == replayplan.OtherRule {
			continue // its own column says so
		}
		var want, got []string
		for _, name := range regexp.MustCompile(`\{\w+\}`).FindAllString(sentence, -1) {
			want = append(want, strings.Trim(name, "{}"))
		}
		for _, p := range told.params {
			got = append(got, p.name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("reason %q is told with %q, want %q", code, got, want)
		}
		for lang, text := range replayTexts[told.key] {
			if text == "" || strings.Count(text, "%s") != len(want) {
				t.Errorf("reason %q in language %d is %q, want room for %q", code, lang, text, want)
			}
		}
	}
	for code := range reasons {
		if replayplan.Sentences[replayplan.Code(code)] == "" {
			t.Errorf("there are words for %q, which no plan says", code)
		}
	}
}
