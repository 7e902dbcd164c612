package reconciler

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/ringostat/ringostattest"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// aRow is how a call of the log is judged.
func aRow(t *testing.T, r ringostattest.Row) row {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	report, _ := ringostat.Parse(ringostat.Request{Body: raw}, ringostat.Options{})
	return readRow(ringostat.Row{CallID: report.CallID, StartedAt: report.StartedAt, Finished: report.Final, Raw: raw}, service.Revision{})
}

func TestARowIsBroughtOnlyWhenItTellsSomething(t *testing.T) {
	missed, silent, early, bare := ended("1.1"), ended("1.1"), ended("1.1"), ended("1.1")
	missed.Outcome, missed.Status, missed.Recording = event.Missed, "NO ANSWER", ""
	silent.Recording = ""
	early.Final, early.Event, early.Outcome = false, "before", ""
	bare.Status, bare.Talk, bare.Extra = "PROPER", 29, map[string]string{"shop_mood": "good"}
	lost := ringostattest.Row{"disposition": "NO ANSWER", "billsec": 0, "recording": "", "has_recording": "0"}
	at := noon.Add(-time.Hour)
	same := aRow(t, ringostattest.Call("1.1", at, nil))
	for _, c := range []struct {
		name    string
		row     ringostattest.Row
		reports []event.Call
		brought []string
		now     time.Time
		want    verdict
	}{
		{"nobody told of it", ringostattest.Call("1.1", at, nil), nil, nil, noon, bring},
		{"only its beginning is known", ringostattest.Call("1.1", at, nil), []event.Call{early}, nil, noon, bring},
		{"it goes on", ringostattest.Going(ringostattest.Call("1.1", at, nil)), nil, nil, noon, wait},
		{"a status that nobody knows is an end", ringostattest.Call("1.1", at, ringostattest.Row{"disposition": "NEW ONE"}), nil, nil, noon, bring},
		{"its webhook may still come", ringostattest.Call("1.1", at, nil), nil, nil, at.Add(50*time.Second + time.Minute), wait},
		{"its webhook had its time", ringostattest.Call("1.1", at, nil), nil, nil, at.Add(50*time.Second + 2*time.Minute), bring},
		{"its webhook told all", ringostattest.Call("1.1", at, nil), []event.Call{ended("1.1")}, nil, noon, known},
		{"its webhook told it in other words", ringostattest.Call("1.1", at, nil), []event.Call{bare}, nil, noon, known},
		{"its webhook had no recording", ringostattest.Call("1.1", at, nil), []event.Call{silent}, nil, noon, bring},
		{"the link is there and the recording is not", ringostattest.Call("1.1", at, ringostattest.Row{"has_recording": "0"}), []event.Call{silent}, nil, noon, known},
		{"its webhook called it missed", ringostattest.Call("1.1", at, nil), []event.Call{missed}, nil, noon, bring},
		{"the log calls missed what was answered", ringostattest.Call("1.1", at, lost), []event.Call{ended("1.1")}, nil, noon, known},
		{"it was brought and is not read yet", ringostattest.Call("1.1", at, nil), nil, []string{same.mark}, noon, known},
		{"it was brought and says something else now", ringostattest.Call("1.1", at, ringostattest.Row{"disposition": "PROPER"}), []event.Call{ended("1.1")}, []string{same.mark}, noon, bring},
		{"another row of the call was brought after it", ringostattest.Call("1.1", at, nil), []event.Call{ended("1.1")}, []string{same.mark, "other"}, noon, known},
	} {
		if got := judge(aRow(t, c.row), c.reports, c.brought, 2*time.Minute, c.now); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTheMarkChangesWithTheNewsAndWithNothingElse(t *testing.T) {
	mark := func(over ringostattest.Row) string { return aRow(t, ringostattest.Call("1.1", noon, over)).mark }
	plain := mark(nil)
	for _, over := range []ringostattest.Row{
		{"recording": "https://records.example/1.1.ogg?token=fedcba9876543210"}, {"call_counter": 7, "repeated_flag": 1},
		{"calldate": noon.In(time.FixedZone("", 3*3600)).Format("2006-01-02T15:04:05-0700")}, {"billsec": "30"},
	} {
		if mark(over) != plain {
			t.Errorf("%v makes the row look new, want it to be the same", over)
		}
	}
	for _, over := range []ringostattest.Row{
		{"disposition": "PROPER"}, {"recording": "https://records.example/other.ogg"}, {"has_recording": "0"}, {"billsec": 31},
		{"employee_number": 102}, {"uniqueid": "1.2"}, {"call_type": "out"},
	} {
		if mark(over) == plain {
			t.Errorf("%v makes no difference, want a row that tells something else", over)
		}
	}
}

func TestTheMemoryOfRowsIsBounded(t *testing.T) {
	m := memory{}
	for i := range maxRemembered + 100 {
		m.with(row{Row: ringostat.Row{CallID: fmt.Sprint(i)}, mark: "m"}, noon.Add(time.Duration(i)*time.Second))
	}
	if _, first := m["0"]; len(m) != maxRemembered || first {
		t.Errorf("%d calls are remembered and the first of them: %v; want the newest %d", len(m), first, maxRemembered)
	}
	for i := range 100 {
		m.with(row{Row: ringostat.Row{CallID: "one"}, mark: fmt.Sprint(i)}, noon.Add(time.Hour))
	}
	if marks := m["one"].Marks; len(marks) != maxMarks || marks[maxMarks-1] != "99" {
		t.Errorf("marks %v, want the newest %d", marks, maxMarks)
	}
	for i := range maxRemembered * maxMarks {
		m.with(row{Row: ringostat.Row{CallID: fmt.Sprintf("ua0_-1731315881.%d", 10000000+i%maxRemembered)}, mark: event.Derive(fmt.Sprint(i))}, noon.Add(2*time.Hour))
	}
	data, err := json.Marshal(m)
	if err != nil || len(data) > 900<<10 {
		t.Errorf("a full memory takes %d bytes (%v), want less than the broker's megabyte", len(data), err)
	}
}

func TestEveryLanguageHasAWordForEveryTrouble(t *testing.T) {
	for _, locale := range []string{"uk", "ru", "en"} {
		v := words(locale)
		for _, kind := range []trouble{troubleKey, troubleUnreadable, troubleUnreachable, troubleInside} {
			if v.trouble[kind] == "" || locale != "en" && v.trouble[kind] == words("en").trouble[kind] {
				t.Errorf("%s has no words for %s", locale, kind)
			}
		}
		if v.silent == "" {
			t.Errorf("%s has no words for a silent log", locale)
		}
	}
}
