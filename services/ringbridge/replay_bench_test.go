package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/view"
	"github.com/ringbridge/ringbridge/services/classifier"
	"github.com/ringbridge/ringbridge/services/planner"
	"github.com/ringbridge/ringbridge/services/resolver"
)

// BenchmarkAPlanOfManyCalls decides calls again that were settled long ago; how many says
// REPLAY_CALLS, 100,000 where it says nothing. The history is put straight into the
// broker: what is measured is the plan, with the settings as they were and with others,
// under which every lead and every task is looked at in the portal. MiB-more is how much
// larger the heap in use was at most than before, MiB-live-more that of it which was no
// garbage, requests what the portal was asked.
func BenchmarkAPlanOfManyCalls(b *testing.B) {
	calls := 100_000
	if n, err := strconv.Atoi(os.Getenv("REPLAY_CALLS")); err == nil {
		calls = n
	}
	h := openHouse(b, bitrixtest.Options{}, "")
	h.in.stopServices(b)
	h.seedHistory(b, calls)
	h.until("the read models are built", func() bool {
		var views struct{ Items []view.Status }
		h.api(http.MethodGet, "/api/v1/views", &views)
		return !slices.ContainsFunc(views.Items, func(s view.Status) bool { return s.Seq < s.Of })
	})
	b.Run("same", func(b *testing.B) { h.benchPlan(b, calls, "same") })
	h.correct(func(block map[string]any) { employees(block)[0].(map[string]any)["bitrix_user"] = petro })
	b.Run("other", func(b *testing.B) { h.benchPlan(b, calls, "conflict") }) // none of it is in the portal
}

// benchPlan makes plans in which every row, two of each call, is of a kind.
func (h *house) benchPlan(b *testing.B, calls int, kind string) {
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	before, peak := memory.HeapInuse, memory.HeapInuse
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	liveBefore, livePeak := live[0].Value.Uint64(), live[0].Value.Uint64()
	h.portal.ForgetRequests()
	for b.Loop() {
		code, body := h.request(http.MethodPost, replays, "application/json", "{}")
		var p planView
		if err := json.Unmarshal([]byte(body), &p); err != nil || code != http.StatusAccepted {
			b.Fatalf("a plan was not begun: %d %s", code, body)
		}
		for p.State == "planning" {
			<-time.After(50 * time.Millisecond)
			h.api(http.MethodGet, replays+"/"+p.ID+"?limit=1", &p)
			runtime.ReadMemStats(&memory)
			metrics.Read(live)
			peak, livePeak = max(peak, memory.HeapInuse), max(livePeak, live[0].Value.Uint64())
		}
		if p.State != "planned" || p.Calls != calls || p.Totals[kind] != 2*calls {
			b.Fatalf("the plan is %s (%s): %s, want %d calls and every row %s", p.State, p.Reason, p, calls, kind)
		}
	}
	b.ReportMetric(float64(calls)*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(peak-before)/(1<<20), "MiB-more")
	b.ReportMetric(float64(livePeak-liveBefore)/(1<<20), "MiB-live-more")
	b.ReportMetric(float64(len(h.portal.Requests()))/float64(b.N), "requests")
}

// stopServices keeps the services from working on what is put into the stream.
func (in *instance) stopServices(b *testing.B) {
	if err := in.env.Router.Close(); err != nil {
		b.Fatal(err)
	}
}

// seedHistory is what the pipeline leaves of calls of new clients, a month of them; most
// call twice.
func (h *house) seedHistory(b *testing.B, calls int) {
	b.Helper()
	ctx := context.Background()
	env := h.in.env
	s, _ := env.Projects.Get("shop")
	work := make(chan int)
	done := make(chan error)
	one := func(i int) error {
		at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 30 * 24 * time.Hour / time.Duration(calls))
		v := h.call(fmt.Sprintf("1772436600.%d", i), with(visit, url.Values{"caller": {fmt.Sprintf("+38067%07d", i*7919%(calls*3/5))}, "date": {at.Format(time.RFC3339)}}))
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
