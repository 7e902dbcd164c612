package replay

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestALaterCallIsNeitherTheCallItselfNorAnEarlierOneOfWhichMoreWasReported(t *testing.T) {
	a, err := newArchive(t.Context(), filepath.Join(t.TempDir(), "plan.work"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.remove()
	for seq, r := range [][2]string{
		{"first", ""}, {"second", "+380671112233"}, {"first", "+380671112233"}, {"another's", "+380671112244"},
		{"third", "+380671112233"}, {"second", "+380671112233"}, {"fourth", "+380671112233"}, {"third", "+380671112233"},
	} {
		if _, err := a.db.ExecContext(t.Context(), "INSERT INTO reports VALUES (?, ?, '', ?, '{}')", r[0], seq+1, r[1]); err != nil {
			t.Fatal(err)
		}
	}
	for first, want := range map[uint64][]string{1: {"second", "third", "fourth"}, 2: {"third", "fourth"}, 5: {"fourth"}, 7: nil} {
		if got, err := a.later(t.Context(), "+380671112233", first); err != nil || !slices.Equal(got, want) {
			t.Errorf("later than request %d are %q (%v), want %q", first, got, err, want)
		}
	}
}
