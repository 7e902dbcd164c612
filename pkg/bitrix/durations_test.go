package bitrix

import (
	"testing"
	"time"
)

func TestHowLongAMethodTakesIsLearnt(t *testing.T) {
	var d Durations
	if d.Of("crm.item.add") != writingTakes || d.Of("tasks.task.complete") != writingTakes || d.Of("crm.item.list") != readingTakes {
		t.Errorf("before any answer: %v, %v, %v", d.Of("crm.item.add"), d.Of("tasks.task.complete"), d.Of("crm.item.list"))
	}
	if d.AtMost("crm.item.add") < time.Second {
		t.Errorf("before any answer %v are booked, want at least 1 s", d.AtMost("crm.item.add"))
	}
	d.Observe("crm.item.add", Time{})
	if d.Of("crm.item.add") != writingTakes {
		t.Errorf("an answer without a duration taught %v", d.Of("crm.item.add"))
	}
	for range 8 {
		d.Observe("CRM.item.add", Time{Duration: 2})
	}
	if got := d.Of("crm.item.add"); got < 1900*time.Millisecond || got > 2*time.Second {
		t.Errorf("after eight answers of 2 s: %v", got)
	}
	if d.AtMost("crm.item.add") != d.Of("crm.item.add") {
		t.Errorf("after answers %v are booked and %v expected", d.AtMost("crm.item.add"), d.Of("crm.item.add"))
	}
	for range 50 {
		d.Observe("crm.item.add", Time{Processing: 0.02})
	}
	if got := d.Of("crm.item.add"); got > 40*time.Millisecond {
		t.Errorf("after fifty answers of 20 ms: %v", got)
	}
	d.Cut("crm.item.list")
	if got := d.Of("crm.item.list"); got <= readingTakes {
		t.Errorf("after a cut request: %v, want more than %v", got, readingTakes)
	}
}
