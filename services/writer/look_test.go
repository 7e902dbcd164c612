package writer

import (
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// TestATaskThatMayNeitherBeClosedNorReadIsARefusal: who may not close a task may not see
// it either, as a rule. The call must not look again for ever.
func TestATaskThatMayNeitherBeClosedNorReadIsARefusal(t *testing.T) {
	c := NewCall([]event.BitrixCommand{task()}, map[string]callfile.Entry{
		"task:done": {State: callfile.Made, Plan: "plan", BitrixID: 6, Task: task().Task},
	}, waited, "en")
	refusal := &bitrix.Error{Class: bitrix.Refused, Reason: bitrix.ReasonAccess}
	for step := range 5 {
		m := c.Next(start.Add(time.Duration(step) * time.Minute))
		if m.Step == Settled {
			break
		}
		var answer bitrix.BatchAnswer
		for _, command := range m.Batch {
			answer.Outcomes = append(answer.Outcomes, bitrix.Outcome{Key: command.Key, Error: refusal})
		}
		c.Answered(m, answer, nil)
	}
	if e := c.Journal["task:done"]; e.State != callfile.Rejected || e.BitrixID != 6 || e.Reason != string(bitrix.ReasonAccess) {
		t.Errorf("the journal says %+v, want the task known and its closing refused", e)
	}
}
