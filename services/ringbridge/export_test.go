package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/services/analytics"
)

// sevenCalls sends calls whose names and sources are as strangers write them.
func sevenCalls(h *house) {
	h.t.Helper()
	hostile := []string{"google", `=HYPERLINK("https://bad.example")`, "+1+1", "a \"quoted\", text", "two\r\nlines", "-2", "Кампанія №1"}
	for n, source := range hostile {
		h.send(h.call(fmt.Sprintf("c%d", n), map[string][]string{"caller": {fmt.Sprintf("38067111%04d", n)}, "utm_source": {source}}))
	}
	h.quiet()
}

func TestAnExportIsTheSameInEveryForm(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	sevenCalls(h)
	dir := t.TempDir()
	want := exportJSONL(t, h, filepath.Join(dir, "calls.jsonl"))
	if len(want) != 7 || want[0].State != "done" || want[0].Rule != "answered/new" || want[0].Employee != "Olena Koval" || want[1].Source != `=HYPERLINK("https://bad.example")` {
		t.Fatalf("the export holds %+v, want seven calls with what became of them", want)
	}

	parquetFile := filepath.Join(dir, "calls.parquet")
	runLook(h, "export", "--out", parquetFile).expect(t, exitDone, "holds 7 calls")
	got, err := parquet.ReadFile[analytics.Call](parquetFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameTime); diff != "" {
		t.Errorf("Parquet (-want +got):\n%s", diff)
	}

	csvFile := filepath.Join(dir, "calls.csv")
	runLook(h, "export", "--out", csvFile, "--since", "2000-01-01").expect(t, exitDone, "holds 7 calls")
	f, err := os.Open(csvFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := csv.NewReader(f).ReadAll()
	if err != nil || len(table) != 8 {
		t.Fatalf("CSV: %d lines (%v), want a header and seven calls", len(table), err)
	}
	for i, c := range want {
		line := map[string]string{}
		for column, name := range table[0] {
			line[name] = table[i+1][column]
		}
		source := strings.ReplaceAll(c.Source, "\r\n", "\n") // as RFC 4180 readers of Go give it
		if c.Source != "" && strings.ContainsRune("=+-@", rune(c.Source[0])) {
			source = "'" + source
		}
		if line["id"] != c.ID || line["phone"] != c.Phone || line["source"] != source || line["state"] != c.State ||
			line["started_at"] != c.StartedAt.Format(time.RFC3339) || line["talk_s"] != fmt.Sprint(c.Talk) {
			t.Errorf("CSV line %v, want %+v, with an apostrophe before a formula", line, c)
		}
	}
}

// sameTime compares moments: Parquet knows no zone.
var sameTime = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func exportJSONL(t *testing.T, h *house, path string, more ...string) (out []analytics.Call) {
	t.Helper()
	runLook(h, append([]string{"export", "--out", path}, more...)...).expect(t, exitDone, path)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c analytics.Call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("line %q: %v", lines.Text(), err)
		}
		out = append(out, c)
	}
	return out
}

func TestAnExportLeavesNothingHalfAndReplacesNothingUnasked(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	sevenCalls(h)
	dir := t.TempDir()
	path := filepath.Join(dir, "calls.jsonl")
	if err := os.WriteFile(path, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runLook(h, "export", "--out", path).expect(t, exitUsage, path, "--force")
	if kept, _ := os.ReadFile(path); string(kept) != "mine\n" {
		t.Errorf("the file holds %q, want it untouched", kept)
	}
	if got := exportJSONL(t, h, path, "--force"); len(got) != 7 {
		t.Errorf("with --force: %d calls, want 7", len(got))
	}
	runLook(h, "export", "--out", filepath.Join(dir, "calls.xlsx")).expect(t, exitUsage, ".jsonl, .csv or .parquet")
	runLook(h, "export", "--out", filepath.Join(dir, "none", "calls.csv")).expect(t, exitUsage, "none")
	runLook(h, "export", "--out", filepath.Join(dir, "a.csv"), "--since", "yesterday").expect(t, exitUsage, "yesterday", "36h")
	runLook(h, "export", "--out", filepath.Join(dir, "b.csv"), "--project", "market").expect(t, exitUsage, "market")
	if got := exportJSONL(t, h, filepath.Join(dir, "none.jsonl"), "--until", "2000-01-01"); len(got) != 0 {
		t.Errorf("before the first call: %d calls, want none", len(got))
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("the folder holds %v (%v), want the two exports that went well", files, err)
	}
}

func TestARebuildFromTheCommandLineEndsWithTheSameAnswers(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	sevenCalls(h)
	dir := t.TempDir()
	before := exportJSONL(t, h, filepath.Join(dir, "before.jsonl"))
	list := runLook(h, "calls").out
	for _, view := range []string{"analytics", "callcounter", "console"} {
		runLook(h, "rebuild", view).expect(t, exitDone, view+" is built anew from")
		runLook(h, "rebuild", view, "--json").expect(t, exitDone, `"built": 2`)
	}
	if diff := cmp.Diff(before, exportJSONL(t, h, filepath.Join(dir, "after.jsonl"))); diff != "" {
		t.Errorf("the export after a rebuild (-before +after):\n%s", diff)
	}
	if got := runLook(h, "calls").out; got != list {
		t.Errorf("the list after a rebuild:\n%s\nwant\n%s", got, list)
	}
	runLook(h, "rebuild", "analitics").expect(t, exitUsage, "analitics", "analytics, callcounter, console")
}
