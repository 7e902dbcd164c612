package ringostat

import (
	"strings"
	"testing"
)

func TestEveryFlawIsToldInTheProductsLanguages(t *testing.T) {
	for what := notJSON; what <= noClient; what++ {
		for _, lang := range []string{"uk", "ru", "en"} {
			text, ok := flaws[what][lang]
			if !ok || text.reason == "" || text.remedy == "" {
				t.Errorf("flaw %d has no text in %s", what, lang)
			}
		}
		if got, want := strings.Count(flaws[what]["uk"].reason, "%"), strings.Count(flaws[what]["en"].reason, "%"); got != want {
			t.Errorf("flaw %d takes %d values in uk, %d in en", what, got, want)
		}
	}
	u := unreadable(noCallID, "call_id, uniqueid", "status")
	if reason, _ := u.In("uk"); !strings.Contains(reason, "call_id, uniqueid") || !strings.HasPrefix(reason, "немає") {
		t.Errorf("in uk: got %q, want Ukrainian words and what was looked for", reason)
	}
	if reason, remedy := u.In("fr"); reason != u.Reason || remedy != u.Remedy {
		t.Errorf("in an unknown language: got %q, want the English %q", reason, u.Reason)
	}
}
