package pages

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/service"
)

func TestRenamedParametersAreReadLineByLine(t *testing.T) {
	for _, c := range []struct{ text, want, bad string }{
		{"", "", ""},
		{"  status : result \r\n\r\ncall_id:my_call\n", "call_id: my_call\nstatus: result", ""},
		{"call_id my_call", "", "call_id my_call"},
		{"call_id:", "", "call_id:"},
		{"a: b\na: c", "", "a: c"},
	} {
		names, bad := namesOf(c.text)
		if got := linesOf(names); got != c.want || bad != c.bad {
			t.Errorf("%q: %q, bad %q; want %q, %q", c.text, got, bad, c.want, c.bad)
		}
	}
}

func TestParametersAreRenamedOnTheSetUpPage(t *testing.T) {
	api, ask := openSetup(t, service.Admin)
	code, _, header := ask("uk", "POST", setupPath+"/names", url.Values{"revision": {"1"}, "names": {"call_id: my_call"}})
	if code != http.StatusSeeOther || header.Get("Location") != setupPath+"?saved=names" {
		t.Errorf("%d to %q, want the set-up page", code, header.Get("Location"))
	}
	if sent := api.said("PUT /projects/shop/settings"); !strings.Contains(sent, `"fields":{"call_id":"my_call"}`) || !strings.Contains(sent, `"webhook":"***"`) {
		t.Errorf("saved %q, want the names and the rest as it is", sent)
	}
	code, body, _ := ask("en", "POST", setupPath+"/names", url.Values{"revision": {"1"}, "names": {"<script>alert(1)</script>"}})
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "is not understood") || strings.Contains(body, "<script>alert") {
		t.Errorf("a line that is none: %d, want 422 with the line shown as text", code)
	}
}
