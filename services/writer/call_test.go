package writer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// confirmed is the journal of a call whose task exists as 5 under the first plan.
func confirmed() map[string]callfile.Entry {
	return map[string]callfile.Entry{"task:done": {
		State: callfile.Confirmed, Plan: "plan", SentAt: start.Add(-time.Hour), BitrixID: 5, Task: task().Task,
	}}
}

// retold is the task after a later report told more, as a later plan has it.
func retold(plan, description string) event.BitrixCommand {
	c := task()
	c.DependsOn, c.Plan = nil, plan
	changed := *c.Task
	changed.Description, changed.Links = description, nil
	c.Task = &changed
	return c
}

// answered is a batch's answer: one result or error per command.
func answered(m Move, results ...any) bitrix.BatchAnswer {
	var a bitrix.BatchAnswer
	for i, c := range m.Batch {
		o := bitrix.Outcome{Key: c.Key}
		switch r := results[i].(type) {
		case string:
			o.Result = json.RawMessage(r)
		case *bitrix.Error:
			o.Error = r
		}
		a.Outcomes = append(a.Outcomes, o)
	}
	return a
}

// wants fails unless a call wants a step with these methods.
func wants(t *testing.T, c *Call, now time.Time, step Step, methods ...string) Move {
	t.Helper()
	m := c.Next(now)
	if m.Step != step || len(m.Batch) != len(methods) {
		t.Fatalf("the call wants to %s %v, want %s %v", m.Step, m.Batch, step, methods)
	}
	for i, method := range methods {
		if m.Batch[i].Method != method {
			t.Fatalf("command %d is %s, want %s", i, m.Batch[i].Method, method)
		}
	}
	return m
}

var notAllowed = &bitrix.Error{Class: bitrix.Refused, Reason: bitrix.ReasonAccess}

func TestATaskThatAPersonDeletedIsNotMadeAgain(t *testing.T) {
	journal := confirmed()
	for _, plan := range []string{"second", "third"} {
		c := NewCall([]event.BitrixCommand{retold(plan, plan)}, journal, waited, "en")
		m := wants(t, c, start, Send, "tasks.task.update")
		c.Answered(m, answered(m, notAllowed), nil)
		look := wants(t, c, start, Search, "tasks.task.get")
		c.Answered(look, answered(look, `[]`), nil)
		wants(t, c, start, Settled)
		if got := c.Outcomes()[0]; got.State != event.Executed || got.Reason != string(bitrix.ReasonNotFound) {
			t.Errorf("plan %s: outcome %s (%s), want executed (not_found): a person deleted it", plan, got.State, got.Reason)
		}
	}
}

func TestATaskThatMayNotBeChangedIsRefusedAndNeverMadeAgain(t *testing.T) {
	journal := confirmed()
	c := NewCall([]event.BitrixCommand{retold("second", "more")}, journal, waited, "en")
	m := wants(t, c, start, Send, "tasks.task.update")
	c.Answered(m, answered(m, notAllowed), nil)
	look := wants(t, c, start, Search, "tasks.task.get")
	c.Answered(look, answered(look, `{"task":{"id":"5","status":"5"}}`), nil)
	wants(t, c, start, Settled)
	if got := c.Outcomes()[0]; got.State != event.Refused {
		t.Fatalf("outcome %s, want refused", got.State)
	}
	c = NewCall([]event.BitrixCommand{retold("third", "more still")}, journal, waited, "en")
	wants(t, c, start, Send, "tasks.task.update")
}

func TestALostChangeIsWaitedOutBeforeTheNextOne(t *testing.T) {
	c := NewCall([]event.BitrixCommand{retold("second", "more")}, confirmed(), waited, "en")
	m := wants(t, c, start, Send, "tasks.task.update")
	c.Begin(m, start)
	c.Answered(m, bitrix.BatchAnswer{}, &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonTimeout})
	if m := wants(t, c, start.Add(time.Second), Wait); !m.Until.Equal(start.Add(maxIntentAge + waited.execution)) {
		t.Errorf("waits until %v, want until the portal can't be at it any more", m.Until)
	}
	// A process that died with the change out waits just as long.
	c = NewCall([]event.BitrixCommand{retold("third", "more still")}, c.Journal, waited, "en")
	wants(t, c, start.Add(time.Minute), Wait)
	m = wants(t, c, start.Add(63*time.Second), Send, "tasks.task.update")
	c.Begin(m, start.Add(63*time.Second))
	c.Answered(m, answered(m, `{"task":{"id":"5"}}`), nil)
	wants(t, c, start.Add(63*time.Second), Settled)
}

func TestAChangeThatSurelyDidNotRunIsSentAgainAtOnce(t *testing.T) {
	for _, class := range []bitrix.Class{bitrix.NotRun, bitrix.Wait} {
		c := NewCall([]event.BitrixCommand{retold("second", "more")}, confirmed(), waited, "en")
		m := wants(t, c, start, Send, "tasks.task.update")
		c.Begin(m, start)
		c.Answered(m, bitrix.BatchAnswer{}, &bitrix.Error{Class: class})
		wants(t, c, start, Send, "tasks.task.update")
	}
}

func TestAPlanThatWasOvertakenNeedsNoWork(t *testing.T) {
	newest := &event.Envelope{ID: "second"}
	for _, test := range []struct {
		name string
		file callfile.File
		want bool
	}{
		{"never heard of", callfile.File{}, false},
		{"settled", callfile.File{Settled: "first", ResolvedAs: &event.Envelope{ID: "first"}}, true},
		{"a newer one is settled", callfile.File{Settled: "second", ResolvedAs: newest}, true},
		{"a newer one is only known", callfile.File{Settled: "", ResolvedAs: newest}, false},
		{"a newer one is known, an older one settled", callfile.File{Settled: "zeroth", ResolvedAs: newest}, false},
		{"it was settled before another", settled("first", "another"), true},
		{"it was settled before seventy others", settled(append([]string{"first"}, make([]string, 70)...)...), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Done(test.file, "first"); got != test.want {
				t.Errorf("done: got %v, want %v", got, test.want)
			}
		})
	}
}

// settled is the file of a call whose plans were settled in this order, and of which a
// newer one is known.
func settled(plans ...string) (f callfile.File) {
	for i, plan := range plans {
		Settle(&f, nil, cmp.Or(plan, fmt.Sprint("plan ", i)))
	}
	f.ResolvedAs = &event.Envelope{ID: "newest"}
	return f
}

func TestWhatAnEarlierLifeMadeLatelyIsKnown(t *testing.T) {
	made := func(sent time.Time, id int) *Call {
		e := callfile.Entry{State: callfile.Confirmed, Plan: "plan", SentAt: sent, BitrixID: id, Entity: lead().Entity}
		return NewCall([]event.BitrixCommand{lead(), task()}, map[string]callfile.Entry{"lead": e}, waited, "en")
	}
	if got := made(start, 7).MadeLately(start.Add(66 * time.Second)); len(got) != 1 || got[0].Role != "lead" {
		t.Errorf("made lately: got %v, want the lead: a search may not show it yet", got)
	}
	if got := made(start, 7).MadeLately(start.Add(68 * time.Second)); len(got) != 0 {
		t.Errorf("made lately: got %v, want nothing: a search shows it by now", got)
	}
	if got := made(start, 0).MadeLately(start); len(got) != 0 {
		t.Errorf("made lately: got %v, want nothing: it is not made yet", got)
	}
}

func TestWhatWasJustMadeIsFoundThoughTheAnswerCameLate(t *testing.T) {
	d := &desk{now: func() time.Time { return start.Add(4 * time.Minute) }, patience: waited, memory: memory{by: map[string][]remembered{}}}
	d.memory.add("+380671112233", event.Ref{Kind: "lead", ID: 7}, start)
	var found crm.Found
	d.remember("+380671112233", &found, start.Add(3*time.Second))
	if len(found.Open) != 1 || found.Open[0].ID != 7 {
		t.Errorf("found %+v, want the lead that was made right before the question left", found.Open)
	}
	found = crm.Found{}
	if d.remember("+380671112233", &found, start.Add(6*time.Second)); len(found.Open) != 0 {
		t.Errorf("found %+v, want nothing: the portal's own answer shows what it holds", found.Open)
	}
}
