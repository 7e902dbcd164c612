package console

import (
	"context"
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// metrics are the samples of a project, by name.
func (d *desk) metrics(project string) map[string]float64 {
	d.t.Helper()
	families, err := d.env.Metrics.(prometheus.Gatherer).Gather()
	if err != nil {
		d.t.Fatal(err)
	}
	out := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "project" && label.GetValue() == project {
					out[family.GetName()] = m.GetGauge().GetValue()
				}
			}
		}
	}
	return out
}

func TestTheMetricsCountWhatTheStatusCounts(t *testing.T) {
	d := openDesk(t)
	want := map[string]float64{"ringbridge_calls_waiting": 0, "ringbridge_parked": 0}
	if got := d.metrics("shop"); !maps.Equal(got, want) {
		t.Errorf("at first, with no writer that answers: %v, want %v", got, want)
	}
	err := bus.Answer(d.group.Context(), d.bus, crm.StatusSubject("shop"), func(context.Context, crm.StatusQuestion) (crm.Status, error) {
		return crm.Status{InFlight: 3, InDoubt: 1}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d.received()
	d.parkedOften(2, "call_id=1")
	d.settled("1", 0, event.InDoubt)
	want = map[string]float64{"ringbridge_calls_waiting": 2, "ringbridge_parked": 2, "ringbridge_calls_in_doubt": 1, "ringbridge_commands_in_flight": 3}
	if got := d.metrics("shop"); !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
	if got := d.metrics("other"); got["ringbridge_calls_waiting"] != 0 || got["ringbridge_parked"] != 0 {
		t.Errorf("another project's metrics: %v, want nothing waiting or parked", got)
	}
}
