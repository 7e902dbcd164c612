package analytics

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestEveryFormIsAFileWithTheSameCalls(t *testing.T) {
	d := openDesk(t)
	formula := answeredBy("Olena Koval", number(1), 10)
	formula.Traffic = event.Traffic{Source: `=HYPERLINK("https://bad.example")`}
	d.tell("1", 0, formula, "new")
	d.tell("2", 5, inVain(number(2)), "new")
	want := d.exported("?since=2026-01-15T12:01:00%2B02:00")
	if len(want) != 1 {
		t.Fatalf("%d calls from 12:01 on, want one", len(want))
	}

	file := func(form, media, query string) []byte {
		t.Helper()
		w := d.ask(http.MethodGet, shop+"export."+form+query)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != media || w.Header().Get("Content-Disposition") != `attachment; filename="calls-shop.`+form+`"` {
			t.Fatalf("export.%s: %d %v %s", form, w.Code, w.Header(), w.Body)
		}
		return w.Body.Bytes()
	}
	lines := string(file("jsonl", "application/jsonl", ""))
	if strings.Count(lines, "\n") != 2 || !strings.Contains(lines, `"source":"=HYPERLINK(`) {
		t.Errorf("JSONL %s, want two calls as they are", lines)
	}
	table, err := csv.NewReader(bytes.NewReader(file("csv", "text/csv; charset=utf-8", ""))).ReadAll()
	if err != nil || len(table) != 3 || table[1][7] != `'=HYPERLINK("https://bad.example")` || table[1][5] != number(1) {
		t.Errorf("CSV %q (%v), want a header and two calls, the formula as a text", table, err)
	}
	parts := file("parquet", "application/vnd.apache.parquet", "?since=2026-01-15T12:01:00%2B02:00")
	got, err := parquet.Read[Call](bytes.NewReader(parts), int64(len(parts)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Errorf("Parquet (-want +got):\n%s", diff)
	}
}
