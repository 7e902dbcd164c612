package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/services/classifier"
	"github.com/ringbridge/ringbridge/services/planner"
	"github.com/ringbridge/ringbridge/services/resolver"
)

// BenchmarkAPlanOfManyCalls decides calls again that were settled long ago; how many says
// REPLAY_CALLS, 100,000 where it says nothing. The history is put straight into the
// broker: what is measured is the plan.
func BenchmarkAPlanOfManyCalls(b *testing.B) {
	calls := 100_000
	if n, err := strconv.Atoi(os.Getenv("REPLAY_CALLS")); err == nil {
		calls = n
	}
	h := openHouse(b, bitrixtest.Options{}, "")
	h.in.stopServices(b)
	h.seedHistory(b, calls)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := before.HeapInuse
	for b.Loop() {
		code, body := h.request(http.MethodPost, replays, "application/json", "{}")
		if code != http.StatusAccepted {
			b.Fatalf("a plan was not begun: %d %s", code, body)
		}
		var list struct{ Items []planView }
		for {
			h.api(http.MethodGet, replays, &list)
			if list.Items[0].State != "planning" {
				break
			}
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapInuse)
			<-time.After(100 * time.Millisecond)
		}
		if p := list.Items[0]; p.State != "planned" || p.Calls != calls || p.Totals["same"] != 2*calls {
			b.Fatalf("the plan is %s (%s): %s, want %d calls and every row same", p.State, p.Reason, p, calls)
		}
	}
	b.ReportMetric(float64(calls)*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(peak-before.HeapInuse)/(1<<20), "MiB-more")
}

// stopServices keeps the services from working on what is put into the stream.
func (in *instance) stopServices(b *testing.B) {
	if err := in.env.Router.Close(); err != nil {
		b.Fatal(err)
	}
}

// seedHistory is what the pipeline leaves of calls of new clients.
func (h *house) seedHistory(b *testing.B, calls int) {
	b.Helper()
	ctx := context.Background()
	env := h.in.env
	s, _ := env.Projects.Get("shop")
	work := make(chan int)
	done := make(chan error)
	one := func(i int) error {
		v := h.call(fmt.Sprintf("1772436600.%d", i), with(visit, map[string][]string{"caller": {fmt.Sprintf("+38067%07d", i)}}))
		received := &event.CallReceived{
			Project: "shop", Source: event.FromWebhook, Method: http.MethodPost, Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
			Body: []byte(v.Encode()), ReceivedAt: time.Now(),
		}
		e, err := event.First("ingress", time.Now(), received)
		if err != nil {
			return err
		}
		if _, err := env.Bus.Publish(ctx, e); err != nil {
			return err
		}
		call, err := classifier.Read(*received, s)
		if err != nil {
			return err
		}
		ground := resolver.Resolve(callfile.File{Received: []string{e.ID}}, event.CallClassified{Project: "shop", Call: call}, "c", s,
			crm.Found{People: map[int]event.Person{olena: {Name: "Olena Koval", Active: true}}}, 0)
		as, err := event.Next(e, "resolver", time.Now(), &ground)
		if err != nil {
			return err
		}
		commands, err := planner.Plan(as.ID, ground, s)
		if err != nil {
			return err
		}
		file := callfile.File{Reports: []event.Call{call}, Received: []string{e.ID}, Classified: &e, Resolved: &ground, ResolvedAs: &as, Settled: as.ID, Journal: map[string]callfile.Entry{}, Wanted: []string{}}
		for n, c := range commands {
			file.Wanted = append(file.Wanted, c.Role)
			file.Journal[c.Role] = callfile.Entry{Command: c.ID, Plan: as.ID, Kind: c.Kind, State: callfile.Confirmed, BitrixID: 2*i + n + 1, Entity: c.Entity, Task: c.Task}
		}
		_, err = env.Files.Change(ctx, "shop", call.ID, func(f *callfile.File) (bool, error) { *f = file; return true, nil })
		return err
	}
	for range 8 {
		go func() {
			var failed error
			for i := range work {
				if err := one(i); err != nil {
					failed = err
				}
			}
			done <- failed
		}()
	}
	for i := range calls {
		work <- i
	}
	close(work)
	for range 8 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
