package analytics

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/view"
)

// aStream makes the events of n calls, one every pace, in batches as a view gets them:
// per call a report and, where whole, a decision and two commands with their outcomes.
func aStream(t testing.TB, n int, pace time.Duration, whole bool, each func([]bus.Recorded)) {
	t.Helper()
	var batch []bus.Recorded
	seq := uint64(0)
	add := func(e event.Envelope, err error) event.Envelope {
		if err != nil {
			t.Fatal(err)
		}
		seq++
		if batch = append(batch, bus.Recorded{Envelope: e, Seq: seq}); len(batch) == 500 {
			each(batch)
			batch = batch[:0]
		}
		return e
	}
	for k := range n {
		at := noon.Add(time.Duration(k) * pace)
		c := event.Call{
			ID: fmt.Sprintf("1767348000.%d", k), Event: "after", Final: true, StartedAt: &at, Status: "ANSWERED", Waiting: k % 40, Talk: k % 300,
			Direction: event.Inbound, Outcome: event.Answered, Client: number((k*7919 + k/10) % 10_000), Duration: 300,
			Employee:  &event.Employee{Name: fmt.Sprintf("Employee %d", k%20), BitrixUser: k%20 + 1},
			Recording: "https://records.example/" + number(k) + ".mp3",
			Traffic:   event.Traffic{Source: []string{"google", "facebook", ""}[k%3], Medium: "cpc", Campaign: fmt.Sprintf("campaign %d", k%15)},
		}
		switch k % 10 {
		case 0, 1:
			c.Outcome, c.Employee, c.Talk, c.Recording = event.Missed, nil, 0, ""
		case 2, 3:
			c.Direction, c.Traffic = event.Outbound, event.Traffic{}
		}
		classified := add(event.First("classifier", at, &event.CallClassified{Project: "shop", Changed: true, Call: c}))
		if !whole {
			continue
		}
		plan := add(event.Next(classified, "resolver", at, &event.CallResolved{Project: "shop", Client: event.Client{State: []string{"new", "contact", "open"}[k%3]}, Decision: 1, Facts: c}))
		for i := 1; i <= 2; i++ {
			id := event.CommandID("shop", c.ID, fmt.Sprint(i))
			add(event.Next(plan, "planner", at, &event.BitrixCommand{ID: id, Project: "shop", Call: c.ID, Kind: event.KindTask, Rule: "answered/open/owner", Plan: plan.ID, Index: i, Of: 2}, id))
			add(event.Next(plan, "writer", at, &event.BitrixOutcome{Command: id, Project: "shop", Call: c.ID, Plan: plan.ID, Kind: event.KindTask, State: event.Executed, BitrixID: k}, id))
		}
	}
	each(batch)
}

// BenchmarkBuild measures how many events a second the read model takes, at its
// beginning and when it holds many calls. Six events are a call.
func BenchmarkBuild(b *testing.B) {
	const calls = 5_000
	for b.Loop() {
		b.StopTimer()
		var batches [][]bus.Recorded
		aStream(b, calls, 30*time.Second, true, func(batch []bus.Recorded) { batches = append(batches, append([]bus.Recorded{}, batch...)) })
		v := openAlone(b, b.TempDir())
		b.StartTimer()
		for _, batch := range batches {
			if err := v.Apply(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*calls*6/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkAMillionCalls measures the answers about a month, and about the whole, of a
// year with a million calls, and how long an export of that month takes.
func BenchmarkAMillionCalls(b *testing.B) {
	v := openAlone(b, b.TempDir())
	b.Cleanup(func() { _ = v.Close() })
	begin, events := time.Now(), 0
	aStream(b, 1_000_000, 31*time.Second, false, func(batch []bus.Recorded) {
		events += len(batch)
		if err := v.Apply(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	})
	b.Logf("%d events in %s, %.0f a second with the making of them", events, time.Since(begin).Round(time.Second), float64(events)/time.Since(begin).Seconds())
	answers(b, v)
}

func answers(b *testing.B, v *view.View) {
	month := question{spanOf("shop", noon.AddDate(0, 5, 0).Add(time.Minute), noon.AddDate(0, 6, 0).Add(time.Minute)), kyiv, 200}
	whole := question{spanOf("shop", time.Time{}, time.Time{}), kyiv, 200}
	asked := []struct {
		name string
		ask  func(context.Context, *sql.Tx, question) (any, error)
	}{{"report", report}, {"summary", summary}, {"days", days}, {"hours", hours}, {"weekdays", weekdays}, {"employees", employees}, {"sources", sources}, {"missed", func(ctx context.Context, tx *sql.Tx, q question) (any, error) { return missedOnes(ctx, tx, q) }},
		{"export", func(ctx context.Context, tx *sql.Tx, q question) (any, error) {
			return nil, calls(ctx, tx, q.span, q.zone, func(Call) error { return nil })
		}}}
	for _, a := range asked {
		for name, q := range map[string]question{"month": month, "whole": whole} {
			if name == "whole" && a.name == "export" {
				continue
			}
			b.Run(a.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					err := atOnce(b.Context(), v, func(tx *sql.Tx) error {
						_, err := a.ask(b.Context(), tx, q)
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
