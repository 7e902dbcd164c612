package main

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// TestThePagesOfAPlanRunThroughOneKindAfterTheOther reads a plan by calls and by kinds, in
// pages of every size: each row is shown once, and no kind is left and come back to.
func TestThePagesOfAPlanRunThroughOneKindAfterTheOther(t *testing.T) {
	t.Parallel()
	h := wrongWeek(t, mistakes[1])
	h.send(h.call("right", nil))
	h.quiet()
	h.correct(mistakes[1].correct)
	made := h.plan("{}", true)
	id, kinds := made.ID, []string{"create", "update", "reassign", "compensate", "conflict", "same"}
	read := func(limit int, query string) (rows []rowView) {
		t.Helper()
		cursor := ""
		for {
			var page planView
			if code := h.api(http.MethodGet, fmt.Sprintf("%s/%s?limit=%d%s%s", replays, id, limit, query, cursor), &page); code != http.StatusOK || len(page.Rows) > limit {
				t.Fatalf("%s in pages of %d answered %d with %d rows", query, limit, code, len(page.Rows))
			}
			if rows = append(rows, page.Rows...); page.Next == "" {
				return rows
			}
			cursor = "&cursor=" + page.Next
		}
	}
	byKind := func(rows []rowView) (out []string) {
		for _, kind := range kinds {
			for _, r := range rows {
				if r.Kind == kind {
					out = append(out, fmt.Sprintf("%+v", r))
				}
			}
		}
		return out
	}
	said := func(rows []rowView) (out []string) {
		for _, r := range rows {
			out = append(out, fmt.Sprintf("%+v", r))
		}
		return out
	}
	want := byKind(made.Rows)
	if made.Totals["create"] < 2 || made.Totals["compensate"] < 2 || made.Totals["same"] < 2 {
		t.Fatalf("the plan is\n%s\nwant several kinds in it", made)
	}
	for _, limit := range []int{1, 2, 3, made.Totals["create"], 1000} {
		if got := said(read(limit, "&order=kind&all=true")); !slices.Equal(got, want) {
			t.Errorf("in pages of %d by kind the rows are\n%q\nwant\n%q", limit, got, want)
		}
		if got := said(read(limit, "&order=kind")); !slices.Equal(got, want[:len(want)-made.Totals["same"]]) {
			t.Errorf("in pages of %d by kind there are %d rows without those that stay the same, want %d", limit, len(got), len(want)-made.Totals["same"])
		}
		for _, kind := range kinds {
			if got := read(limit, "&kind="+kind); len(got) != made.Totals[kind] || slices.ContainsFunc(got, func(r rowView) bool { return r.Kind != kind }) {
				t.Errorf("in pages of %d there are %d rows of kind %s, want the %d of it alone", limit, len(got), kind, made.Totals[kind])
			}
		}
	}
	for _, query := range []string{"order=size", "kind=none", "kind=create&cursor=update.1", "order=kind&cursor=12", "cursor=create.1", "limit=0", "limit=1001", "cursor=-1"} {
		if code := h.api(http.MethodGet, replays+"/"+id+"?"+query, nil); code != http.StatusBadRequest {
			t.Errorf("?%s answered %d, want 400", query, code)
		}
	}
}
