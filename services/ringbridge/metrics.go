package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// programMetrics tell how the broker is and how far its readers are. What can't be known
// in time is left out.
type programMetrics struct{ env *service.Env }

// scrapeLimit is how long the broker may take over all answers together.
const scrapeLimit = 3 * time.Second

func metricOf(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("ringbridge_"+name, help, labels, nil)
}

var (
	brokerStores = metricOf("broker_stores", "1 while the broker stores what it is given, 0 while webhooks are answered 503.")
	diskFree     = metricOf("disk_free_bytes", "What the embedded broker's disk has left.")
	diskReserve  = metricOf("disk_reserve_bytes", "With less than this left on the disk no webhook is taken.")
	stored       = metricOf("stored_bytes", "What the embedded broker stores.")
	storedLimit  = metricOf("stored_limit_bytes", "At which the embedded broker stores nothing more.")
	unread       = metricOf("events_unread", "Events that a service has not been given yet; for a read model, those of the stream that it has not read.", "name")
	unsettled    = metricOf("events_unsettled", "Events that a service was given and has not settled.", "name")
)

// Describe implements [prometheus.Collector].
func (programMetrics) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{brokerStores, diskFree, diskReserve, stored, storedLimit, unread, unsettled} {
		c <- d
	}
}

// Collect implements [prometheus.Collector].
func (m programMetrics) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	tell := func(what *prometheus.Desc, n float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(what, prometheus.GaugeValue, n, labels...)
	}
	stores := 1.0
	if m.env.Bus.Healthy(ctx) != nil {
		stores = 0
	}
	tell(brokerStores, stores)
	if disk, ours, err := m.env.Bus.Disk(); ours && err == nil {
		tell(diskFree, float64(disk.Free))
		tell(diskReserve, float64(disk.Reserve))
		tell(stored, float64(disk.Used))
		tell(storedLimit, float64(disk.Limit))
	}
	readers := []string{"classifier", "planner"}
	for _, id := range m.env.Projects.IDs() {
		readers = append(readers, "resolver-"+id, "writer-"+id)
	}
	for _, name := range readers {
		if waiting, open, err := m.env.Bus.Lag(ctx, name); err == nil {
			tell(unread, float64(waiting), name)
			tell(unsettled, float64(open), name)
		}
	}
	for _, name := range m.env.Views.Names() {
		v, _ := m.env.Views.Get(name)
		if s, err := v.Status(ctx); err == nil {
			tell(unread, float64(s.Of-s.Seq), name)
		}
	}
}
