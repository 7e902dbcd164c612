package console

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkAHundredThousandCalls measures what a page of the console costs beside a
// year of calls.
func BenchmarkAHundredThousandCalls(b *testing.B) {
	const calls = 100_000
	i := fill(b, b.TempDir(), calls)
	pagesOf(b, i, calls)
}

// BenchmarkAMillionCalls measures the same beside the calls of ten years. Each page is to
// stay under 50 ms.
func BenchmarkAMillionCalls(b *testing.B) {
	const tenth, calls = 100_000, 1_000_000
	dir := b.TempDir()
	i := fill(b, dir, tenth)
	multiply(b, i, dir, calls/tenth)
	pagesOf(b, i, calls)
}

// multiply copies the calls of an index, each copy some days earlier: applying a million
// calls event by event takes minutes.
func multiply(b *testing.B, i index, dir string, times int) {
	b.Helper()
	path := filepath.Join(dir, model.Name+".db")
	if _, err := os.Stat(path); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for n := 1; n < times; n++ {
		for _, query := range []string{
			`INSERT INTO calls SELECT project, 'x' || ?1 || id, final, started_at - ?1 * 864000000, started, direction, outcome, client, phone, employee, rule, state, plan, facts, planned FROM calls WHERE id NOT LIKE 'x%'`,
			`INSERT INTO events SELECT 'x' || ?1 || id, project, 'x' || ?1 || call, seq FROM events WHERE id NOT LIKE 'x%'`,
			`INSERT INTO commands SELECT 'x' || ?1 || id, project, 'x' || ?1 || call, plan, position, size, role, rule, kind, state, bitrix_id, error FROM commands WHERE id NOT LIKE 'x%'`,
		} {
			if _, err := db.ExecContext(context.Background(), query, n); err != nil {
				b.Fatal(err)
			}
		}
	}
	read, done := i.Read()
	defer done()
	var have int
	if err := read.QueryRow("SELECT count(*) FROM calls").Scan(&have); err != nil || have < times*1000 {
		b.Fatalf("%d calls: %v", have, err)
	}
}

func pagesOf(b *testing.B, i index, calls int) {
	deep := writeCursor(morning.Add(-3*24*time.Hour).UnixMilli(), number(calls/2))
	lists := []struct {
		name string
		f    filter
	}{
		{"newest", filter{limit: 50}},
		{"newest, with those that go on", filter{limit: 50, unfinished: "too"}},
		{"of a client, with those that go on", filter{limit: 50, phone: "+380671000042", unfinished: "too"}},
		{"incoming, with those that go on, from the middle", filter{limit: 50, direction: "inbound", cursor: deep, unfinished: "too"}},
		{"from the middle", filter{limit: 50, cursor: deep}},
		{"of a client", filter{limit: 50, phone: "+380671000042"}},
		{"of a client, missed", filter{limit: 50, phone: "+380671000042", outcome: "missed"}},
		{"parked", filter{limit: 50, state: "parked"}},
		{"waiting, of which there are none", filter{limit: 50, state: "waiting"}},
		{"of a day", filter{limit: 500, since: morning, until: morning.Add(24 * time.Hour)}},
		{"of an employee", filter{limit: 50, employee: "Employee 7"}},
		{"of nobody", filter{limit: 50, employee: "Nobody"}},
		{"missed", filter{limit: 50, outcome: "missed"}},
		{"voicemail, of which there are none", filter{limit: 50, outcome: "voicemail"}},
		{"missed of an employee who misses none", filter{limit: 50, employee: "Employee 7", outcome: "missed"}},
		{"done of an employee, in a month", filter{limit: 50, employee: "Employee 7", state: "done", since: morning.Add(-30 * 24 * time.Hour)}},
		{"parked of an employee who has none", filter{limit: 50, employee: "Employee 7", state: "parked"}},
		{"outgoing, of which there are none", filter{limit: 50, direction: "outbound"}},
		{"of hidden numbers, of which there are none", filter{limit: 50, client: "anonymous"}},
		{"of all at once", filter{limit: 50, employee: "Employee 7", outcome: "answered", state: "done", client: "new", direction: "inbound"}},
	}
	for _, l := range lists {
		b.Run("list/"+l.name, func(b *testing.B) {
			l.f.project = "shop"
			for b.Loop() {
				if _, _, err := i.calls(b.Context(), l.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := i.counts(b.Context(), "shop"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("doubts", func(b *testing.B) {
		for b.Loop() {
			if _, err := i.doubts(b.Context(), "shop"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("story", func(b *testing.B) {
		for b.Loop() {
			if _, _, _, err := i.call(b.Context(), "shop", number(calls/20)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
