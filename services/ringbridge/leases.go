package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// leaseLength is how long a silent process keeps what only one may do; nought means the
// bus' own. Tests shorten it.
var leaseLength time.Duration

// leaseMetric tells which leases this process holds.
type leaseMetric struct{ bus *bus.Bus }

var leaseHeld = prometheus.NewDesc("ringbridge_lease_held",
	"1 while this process does the work of that name, 0 while it stands by. Over all processes the sum is 1.", []string{"name"}, nil)

// Describe implements [prometheus.Collector].
func (leaseMetric) Describe(c chan<- *prometheus.Desc) { c <- leaseHeld }

// Collect implements [prometheus.Collector].
func (m leaseMetric) Collect(c chan<- prometheus.Metric) {
	for _, l := range m.bus.Leases() {
		if !l.Wanted {
			continue
		}
		held := 0.0
		if l.Here {
			held = 1
		}
		c <- prometheus.MustNewConstMetric(leaseHeld, prometheus.GaugeValue, held, l.Name)
	}
}
