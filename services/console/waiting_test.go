package console

import (
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestAReportThatTellsMoreWhileThePlanIsWorkedOnKeepsTheCallWaiting(t *testing.T) {
	d := openDesk(t)
	c := aCall("1", 0)
	first := d.planned(d.resolved(d.classified(d.received(), c), c, 1), "1", "lead")
	more := aCall("1", 0)
	more.Recording = "https://records.example/1.wav"
	classified := d.classified(d.received(), more)
	d.outcome(first[0], event.Executed)
	if got, s := d.state("1"), d.status(); got != "waiting" || s.Waiting != 1 {
		t.Errorf("settled without the newest report: state %q, waiting %d; want waiting and 1", got, s.Waiting)
	}
	second := d.planned(d.resolved(classified, more, 2), "1", "lead")
	d.outcome(second[0], event.Executed)
	if got, s := d.state("1"), d.status(); got != "done" || s.Waiting != 0 {
		t.Errorf("settled with it: state %q, waiting %d; want done and 0", got, s.Waiting)
	}
}
