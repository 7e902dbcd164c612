package bitrix

import (
	"testing"
	"time"
)

func TestAMethodIsLeftAloneBeforeThePortalBlocksIt(t *testing.T) {
	b := NewBudget(0)
	reset := noon.Add(4 * time.Minute)
	b.Observe("crm.item.add", Time{Operating: 455, OperatingResetAt: reset, HasOperating: true})
	if until, blocked := b.Blocked("crm.item.add", noon); blocked {
		t.Errorf("455 of 480 s: blocked until %v", until)
	}
	b.Observe("crm.item.add", Time{Operating: 456, OperatingResetAt: reset, HasOperating: true})
	if until, blocked := b.Blocked("CRM.item.add", noon); !blocked || !until.Equal(reset) {
		t.Errorf("456 of 480 s: until %v, %v, want the reset at %v", until, blocked, reset)
	}
	if _, blocked := b.Blocked("tasks.task.add", noon); blocked {
		t.Error("another method is blocked too")
	}
	if until, blocked := b.Blocked("crm.item.add", reset); blocked {
		t.Errorf("at the reset: blocked until %v", until)
	}
	b.Observe("crm.item.add", Time{})
	if _, blocked := b.Blocked("crm.item.add", noon); !blocked {
		t.Error("an answer without counters unblocked the method")
	}
	b.Observe("crm.item.add", Time{HasOperating: true, OperatingResetAt: reset})
	if _, blocked := b.Blocked("crm.item.add", noon); blocked {
		t.Error("an answer with a counter of 0 left the method blocked")
	}
}

func TestARefusedMethodWaitsAsLongAsIsKnown(t *testing.T) {
	for _, test := range []struct {
		name           string
		retryAt, reset time.Time
		want           time.Time
	}{
		{"the refusal names the time", noon.Add(time.Minute * 2), noon.Add(time.Minute * 3), noon.Add(time.Minute * 2)},
		{"an answer before named it", time.Time{}, noon.Add(time.Minute * 3), noon.Add(time.Minute * 3)},
		{"nobody named it", time.Time{}, time.Time{}, noon.Add(time.Minute)},
		{"it is past", noon.Add(-time.Minute), noon.Add(-time.Minute), noon.Add(time.Minute)},
		{"it is absurd", noon.Add(time.Hour * 100), time.Time{}, noon.Add(10 * time.Minute)},
	} {
		b := NewBudget(0)
		b.Observe("m", Time{Operating: 1, OperatingResetAt: test.reset, HasOperating: true})
		b.Refused("m", test.retryAt, noon)
		if until, blocked := b.Blocked("m", noon); !blocked || !until.Equal(test.want) {
			t.Errorf("%s: until %v, %v, want %v", test.name, until, blocked, test.want)
		}
	}
}
