package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// manyThings is an instance whose lists hold n things, of which it gives at most 300 at once.
func manyThings(t *testing.T, n int) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil || limit < 1 || limit > 500 {
			service.Problem(w, http.StatusBadRequest, "wrong parameter", "limit is a number from 1 to 500")
			return
		}
		at, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		items := []any{}
		for end := min(n, at+limit, at+300); at < end; at++ {
			items = append(items, map[string]string{"id": fmt.Sprint("c", at), "started_at": "2026-01-02T09:00:00+02:00", "parked_at": "2026-01-02T09:00:00Z"})
		}
		page := map[string]any{"items": items}
		if at < n {
			page["next"] = strconv.Itoa(at)
		}
		service.Answer(w, page)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLongListsAreFetchedPageAfterPage(t *testing.T) {
	t.Parallel()
	url := manyThings(t, 1507)
	look := func(args ...string) ran {
		return cmd(append(args, "--url", url, "--token", "a token", "--project", "shop")...)
	}
	cases := []struct {
		args       []string
		things     int
		first, end string
	}{
		{[]string{"parked", "list"}, 1507, "c0", ""},
		{[]string{"calls"}, 50, "c0", "50"},
		{[]string{"calls", "--limit", "1200"}, 1200, "c0", "1200"},
		{[]string{"calls", "--limit", "5000"}, 1507, "c0", ""},
		{[]string{"calls", "--limit", "1200", "--cursor", "1200"}, 307, "c1200", ""},
	}
	for _, c := range cases {
		r := look(append(c.args, "--json")...)
		r.expect(t, exitDone)
		var list struct {
			Items []struct{ ID string }
			Next  string
		}
		if err := json.Unmarshal([]byte(r.out), &list); err != nil || len(list.Items) != c.things || list.Items[0].ID != c.first || list.Next != c.end {
			t.Errorf("%q --json: %d things, next %q (%v); want %d from %s and next %q", c.args, len(list.Items), list.Next, err, c.things, c.first, c.end)
		}
		if words := look(c.args...); strings.Count(words.out, "\n") < c.things || (c.end != "") != strings.Contains(words.err, "--cursor "+c.end) {
			t.Errorf("%q: %d lines, and %q; want every thing, and the cursor where there are more", c.args, strings.Count(words.out, "\n"), words.err)
		}
	}
	look("calls", "--limit", "0").expect(t, exitUsage, "--limit")
}
