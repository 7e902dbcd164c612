//go:build !faults

package fault_test

import (
	"testing"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

func TestInTheProgramAPointDoesNothingAndCostsNothing(t *testing.T) {
	t.Setenv("RINGBRIDGE_KILL_AT", "publish/event.shop.call.received/before")
	t.Setenv("RINGBRIDGE_WRONG", "any")
	subject := t.Name()
	if n := testing.AllocsPerRun(1000, func() { fault.Point("publish", subject, "before") }); n != 0 {
		t.Errorf("a point allocates %v times, want never", n)
	}
	fault.Point("publish", "event.shop.call.received", "before") // would end this process
	if fault.Wrong("any") {
		t.Error("a wrong variant is on in the program")
	}
}
