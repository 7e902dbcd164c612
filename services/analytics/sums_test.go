package analytics

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTheNthWaitIsThatOfAllInOneOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var lists []waits
		var all waits
		for range rapid.IntRange(1, 6).Draw(rt, "slots") {
			var w waits
			for range rapid.IntRange(0, 20).Draw(rt, "calls") {
				s := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 40_000_000)).Draw(rt, "seconds")
				w, all = w.with(s), append(all, s)
			}
			if n := len(w); n > 0 && rapid.Bool().Draw(rt, "one less") {
				s := w[rapid.IntRange(0, n-1).Draw(rt, "which")]
				w, all = w.without(s), slices.Delete(all, slices.Index(all, s), slices.Index(all, s)+1)
			}
			read, err := readWaits(w.bytes())
			if err != nil || !slices.Equal(read, w) {
				rt.Fatalf("waits %v are read as %v, %v", w, read, err)
			}
			lists = append(lists, read)
		}
		slices.Sort(all)
		for n, want := range all {
			if got := nth(lists, n); got != want {
				rt.Fatalf("number %d of %v is %d, want %d", n, lists, got, want)
			}
		}
	})
}

func TestTheQuartersOfASlotAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var q, read quarters
		for range rapid.IntRange(0, 30).Draw(rt, "sums") {
			n := &q[rapid.IntRange(0, len(q)-1).Draw(rt, "quarter")]
			*n.columns()[rapid.IntRange(0, 11).Draw(rt, "column")] = rapid.Int64Range(-1000, 10_000_000).Draw(rt, "sum")
		}
		text := q.bytes()
		if err := read.read(text); err != nil || read != q {
			rt.Fatalf("%v are read as %v, %v", q, read, err)
		}
		if len(text) > 0 {
			if err := read.read(text[:len(text)-1]); err == nil {
				rt.Fatal("half a text is read without an error")
			}
		}
	})
}

func TestASpanIsMadeOfItsPartsAndNothingIsInTwo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		border := rapid.Int64Range(-3*many*slot, 3*many*slot)
		s := span{"shop", border.Draw(rt, "since"), border.Draw(rt, "until")}
		if s.since > s.until {
			s.since, s.until = s.until, s.since
		}
		in, edges := s.whole(slot)
		before, together, after := in.spread()
		parts := edges
		for _, n := range []numbers{before, after} {
			parts = append(parts, span{"shop", n.from * slot, n.to * slot})
		}
		parts = append(parts, span{"shop", together.from * many * slot, together.to * many * slot})
		parts = slices.DeleteFunc(parts, func(p span) bool { return p.since == p.until })
		slices.SortFunc(parts, func(a, b span) int { return int(a.since - b.since) })
		at := s.since
		for _, p := range parts {
			if p.since != at || p.until < at {
				rt.Fatalf("the parts of %v are %v", s, parts)
			}
			at = p.until
		}
		if at != s.until {
			rt.Fatalf("the parts of %v are %v", s, parts)
		}
	})
}
