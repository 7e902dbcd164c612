package console

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
)

// collector tells Prometheus of each project what its status tells people. What can't
// be known in time is left out: a number that is old looks like one that is well.
type collector struct{ *console }

// scrapeLimit is how long the numbers of all projects may take together.
const scrapeLimit = 3 * time.Second

func numberOf(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("ringbridge_"+name, help, []string{"project"}, nil)
}

var (
	callsWaiting     = numberOf("calls_waiting", "Finished calls that are received and not settled.")
	thingsParked     = numberOf("parked", "Things that wait for a person.")
	callsInDoubt     = numberOf("calls_in_doubt", "Calls of which a command's answer was lost and is being looked up.")
	commandsInFlight = numberOf("commands_in_flight", "Commands whose request to the portal is out.")
)

// Describe implements [prometheus.Collector].
func (collector) Describe(c chan<- *prometheus.Desc) {
	c <- callsWaiting
	c <- thingsParked
	c <- callsInDoubt
	c <- commandsInFlight
}

// Collect implements [prometheus.Collector].
func (o collector) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	soon, over := context.WithTimeout(ctx, scrapeLimit/3)
	indexed := o.index.CaughtUp(soon) == nil
	over()
	for _, project := range o.Projects.IDs() {
		tell := func(what *prometheus.Desc, n int) {
			c <- prometheus.MustNewConstMetric(what, prometheus.GaugeValue, float64(n), project)
		}
		if indexed {
			if waiting, parked, err := o.index.counts(ctx, project); err == nil {
				tell(callsWaiting, waiting)
				tell(thingsParked, parked)
			}
		}
		if s, err := bus.Ask[crm.StatusQuestion, crm.Status](ctx, o.Bus, crm.StatusSubject(project), crm.StatusQuestion{}); err == nil {
			tell(callsInDoubt, s.InDoubt)
			tell(commandsInFlight, s.InFlight)
		}
	}
}
