package phone

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestTheQuickWayReadsAsTheLibraryDoes goes through every code of two digits, with
// numbers at the ends of its range and at random.
func TestTheQuickWayReadsAsTheLibraryDoes(t *testing.T) {
	quick := 0
	for code := range 100 {
		rest := []int{0, 1, 1234567, 5555555, 9999999}
		for range 40 {
			rest = append(rest, rand.IntN(10_000_000))
		}
		for _, n := range rest {
			national := fmt.Sprintf("%02d%07d", code, n)
			for _, raw := range []string{"+380" + national, "380" + national, "0" + national, national, "8380" + national, "+0" + national, "+" + national} {
				for _, country := range []string{"UA", "PL", ""} {
					got, ok := ukrainian(raw, country)
					if !ok {
						continue
					}
					quick++
					if want, ok := slow(raw, country); !ok || got != want {
						t.Errorf("%q in %q is read quickly as %q, by the library as %q (%v)", raw, country, got, want, ok)
					}
				}
			}
		}
	}
	if quick < 46*45*6 {
		t.Errorf("%d spellings were read quickly, want every one of 46 codes", quick)
	}
}
