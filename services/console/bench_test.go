package console

import (
	"testing"
	"time"
)

// BenchmarkAHundredThousandCalls measures what a page of the console costs beside a
// year of calls.
func BenchmarkAHundredThousandCalls(b *testing.B) {
	const calls = 100_000
	i := fill(b, b.TempDir(), calls)
	deep := writeCursor(morning.Add(calls/20*time.Minute).UnixMilli(), number(calls/2))
	lists := []struct {
		name string
		f    filter
	}{
		{"newest", filter{limit: 50}},
		{"from the middle", filter{limit: 50, cursor: deep}},
		{"of a client", filter{limit: 50, phone: "+380671000042"}},
		{"parked", filter{limit: 50, state: "parked"}},
		{"waiting, of which there are none", filter{limit: 50, state: "waiting"}},
		{"of a day", filter{limit: 500, since: morning, until: morning.Add(24 * time.Hour)}},
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
	b.Run("story", func(b *testing.B) {
		for b.Loop() {
			if _, _, _, err := i.call(b.Context(), "shop", number(calls/2)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
