package replayplan

import "testing"

func TestWhatIsWrittenIsEveryRowButThoseThatStayAndThoseOfPeople(t *testing.T) {
	p := Plan{Totals: map[string]int{Reassign: 12, Create: 3, Update: 1, Compensate: 4, Conflict: 2, Same: 100}}
	if got := p.Changes(); got != 20 {
		t.Errorf("%d things are written, want 20 of %v", got, p.Totals)
	}
	if got, want := p.TotalsLine(), "3 create, 1 update, 12 reassign, 4 compensate, 2 conflict, 100 same"; got != want {
		t.Errorf("the totals read %q, want %q", got, want)
	}
	if got := (Plan{}).TotalsLine(); got != "nothing" {
		t.Errorf("no rows read %q, want nothing", got)
	}
}
