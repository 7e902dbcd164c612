package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// BenchmarkWebhookToFirstRequest says how long an idle ringbridge takes from a webhook's
// answer until its first request is at the portal: with fsync, one call every 60 ms. It
// also says how many requests a call costs, of a client whom the portal does not know and
// of one who has an open lead.
func BenchmarkWebhookToFirstRequest(b *testing.B) {
	phone := func(n int) string { return fmt.Sprintf("+38067%07d", n) }
	for _, client := range []string{"new", "known"} {
		b.Run(client, func(b *testing.B) {
			h := buildHouse(b, bitrixtest.Options{}, "")
			if client == "known" {
				for n := range b.N {
					h.portal.AddLead(bitrixtest.Entity{Title: "Lead", Phones: []string{phone(n)}, ResponsibleID: olena})
				}
			}
			h.startDurable()
			h.send(h.call("warm", url.Values{"caller": {"+380991112233"}}))
			h.quiet()
			h.latencies(b, phone)
		})
	}
}

// latencies sends b.N calls, each when the one before is settled.
func (h *house) latencies(b *testing.B, phone func(n int) string) {
	var took []time.Duration
	asked := 0
	tick := time.NewTicker(60 * time.Millisecond)
	defer tick.Stop()
	b.ResetTimer()
	for n := range b.N {
		h.portal.ForgetRequests()
		h.send(h.call(fmt.Sprintf("call-%d", n), url.Values{"caller": {phone(n)}}))
		answered := time.Now()
		<-tick.C
		h.until("the call's first request is at the portal", func() bool { return len(h.portal.Requests()) > 0 })
		h.quiet()
		requests := h.portal.Requests()
		took = append(took, max(0, requests[0].Time.Sub(answered)))
		asked += len(requests)
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(0, "ns/op") // one every 60 ms: says nothing
	for _, percent := range []int{50, 95} {
		b.ReportMetric(float64(took[(b.N-1)*percent/100].Microseconds())/1000, fmt.Sprintf("p%d_ms", percent))
	}
	b.ReportMetric(float64(asked)/float64(b.N), "requests/call")
}

// startDurable is start with an fsync for what is stored, and the log as it is by default.
func (h *house) startDurable() {
	h.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		h.t.Fatalf("configuration: %v", err)
	}
	if h.in, err = start(context.Background(), cfg, options{log: newLogger(cfg.Log, console{err: h.log})}); err != nil {
		h.t.Fatalf("start: %v", err)
	}
}
