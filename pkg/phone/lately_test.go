package phone

import (
	"fmt"
	"sync"
	"testing"
)

func TestAReadingThatIsKeptIsTheReadingThatWasMade(t *testing.T) {
	var m memory
	made := 0
	for i := range 3*mostKept + 1 {
		for range 2 {
			got := m.read(spelling{fmt.Sprint(i), "UA"}, func() Number { made++; return Number(fmt.Sprint("+", i)) })
			if want := Number(fmt.Sprint("+", i)); got != want {
				t.Fatalf("spelling %d was read as %s, want %s", i, got, want)
			}
		}
		m.read(spelling{"our line", "UA"}, func() Number {
			if i > 0 {
				t.Fatalf("our line was forgotten after %d other numbers, though each call names it", i)
			}
			return "+380441234567"
		})
	}
	if want := 3*mostKept + 1; made != want {
		t.Errorf("%d readings were made of %d spellings asked for twice, want one each", made, want)
	}
	if kept := len(m.now) + len(m.old); kept > 2*mostKept {
		t.Errorf("%d readings are kept, want %d at most", kept, 2*mostKept)
	}
}

func TestTheSameSpellingIsAnotherNumberInAnotherCountry(t *testing.T) {
	for range 2 {
		for country, want := range map[string]Number{"UA": "+380671112233", "PL": ""} {
			if got, ok := Parse("0671112233", country); got != want || ok != (want != "") {
				t.Errorf("in %s it was read as %q, %v; want %q", country, got, ok, want)
			}
		}
	}
}

func TestManyMayReadAtOnce(t *testing.T) {
	var reading sync.WaitGroup
	for w := range 8 {
		reading.Go(func() {
			for i := range 500 {
				number := fmt.Sprintf("+38067%07d", (i*7+w)%900)
				if got, ok := Parse(number, "UA"); !ok || string(got) != number {
					t.Errorf("%s was read as %q, %v", number, got, ok)
				}
			}
		})
	}
	reading.Wait()
}
