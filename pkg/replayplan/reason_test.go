package replayplan

import (
	"encoding/json"
	"testing"
)

func TestARowSaysItsReasonsAsCodesAndInWords(t *testing.T) {
	var r Row
	r.Explain(Because(OtherUser, "name", "Olena Koval", "user", 7, "before", 1))
	changed := Because(OtherSettings, "revision", 3, "before", 2, More, "5")
	changed.Settings = []Change{{Field: "senior", Old: "1", New: "8"}, {Field: "scenarios.off", New: "missed/new"}}
	r.Explain(changed, Because(OtherNumber, "number", "+380671112233", "before", ""))
	const want = "Olena Koval is user 7 now, not 1; settings revision 3 instead of 2: senior: 1 → 8, scenarios.off: nothing → missed/new, and 5 more; " +
		"the client's number is +380671112233, not hidden"
	if r.Why != want {
		t.Errorf("the row says %q, want %q", r.Why, want)
	}
	const codes = `[{"code":"other_user","params":{"before":"1","name":"Olena Koval","user":"7"}},` +
		`{"code":"other_settings","params":{"before":"2","more":"5","revision":"3"},"settings":[{"field":"senior","old":"1","new":"8"},{"field":"scenarios.off","old":"","new":"missed/new"}]},` +
		`{"code":"other_number","params":{"number":"+380671112233"}}]`
	if got, err := json.Marshal(r.Reasons); err != nil || string(got) != codes {
		t.Errorf("the reasons are %s (%v), want %s", got, err, codes)
	}
}

func TestWhatANameHoldsIsNoParameter(t *testing.T) {
	if got, want := Because(OtherEmployee, "name", "{before}", "before", "B").String(), "the line is {before} now, not B"; got != want {
		t.Errorf("the reason reads %q, want %q", got, want)
	}
}
