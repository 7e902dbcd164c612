package main

import (
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/classifier"
	"github.com/ringbridge/ringbridge/services/planner"
	"github.com/ringbridge/ringbridge/services/resolver"
)

// BenchmarkClassifyAndPlan turns stored requests into commands on one core: all that the
// program thinks about a call, with what is chosen of the CRM's answer between the two. Every request is another call of another number; a third
// of the clients are new, a third are contacts, a third have a lead.
func BenchmarkClassifyAndPlan(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	cfg, err := settings.Parse("test.yaml", fmt.Appendf(nil, configuration, b.TempDir(), "https://example.bitrix24.ua/rest/1/secretwebhook/"), nil, rules.IDs())
	if err != nil {
		b.Fatal(err)
	}
	s := service.Revision{Project: cfg.Projects[0], Number: 1}
	s.Bitrix24.AllowInsecure = true
	requests := manyRequests(10_000)
	people := map[int]event.Person{olena: {Name: "Olena Koval", Active: true}, petro: {Name: "Petro Bondar", Active: true}}
	clients := []crm.Found{
		{People: people},
		{People: people, Contacts: []crm.Item{{Ref: event.Ref{Kind: "contact", ID: 3, Responsible: petro}}}},
		{People: people, Open: []crm.Item{{Ref: event.Ref{Kind: "lead", ID: 5, Responsible: olena}}}},
	}
	plan := event.CommandID("shop", "a call", "a decision")
	read := classifier.Reader(s)
	commands, n, begun := 0, 0, used(b)
	for b.Loop() {
		call, err := read(requests[n%len(requests)])
		if err != nil {
			b.Fatal(err)
		}
		resolved := resolver.Resolve(callfile.File{}, event.CallClassified{Project: "shop", Call: call}, plan, s, clients[n%len(clients)], 0)
		wanted, err := planner.Plan(plan, resolved, s)
		if err != nil {
			b.Fatal(err)
		}
		commands += len(wanted)
		n++
	}
	b.ReportMetric(float64(n)/(used(b)-begun).Seconds(), "calls/cpu-s")
	b.ReportMetric(float64(commands)/float64(n), "commands/call")
}

// used is the processor time of this process so far: what others do on the machine does
// not count.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// manyRequests are what Ringostat sends of so many calls: most incoming, some missed,
// some outgoing, half of them with a visit to the website.
func manyRequests(count int) []event.CallReceived {
	var out []event.CallReceived
	begin := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for n := range count {
		at := begin.Add(time.Duration(n) * 31 * time.Second)
		id := fmt.Sprintf("%d.%d", at.Unix(), n)
		v := url.Values{
			"call_id": {id}, "type": {"in"}, "status": {"ANSWERED"}, "date": {at.Format(time.DateTime)},
			"caller": {fmt.Sprintf("38067%07d", n*7919%10_000_000)}, "callee": {"380441234567"}, "connected_with": {"380501110101"}, "staffid": {"101"},
			"call_duration": {strconv.Itoa(50 + n%300)}, "waiting": {"20"}, "dialog": {strconv.Itoa(30 + n%300)},
			"recording": {"https://records.example/" + id + ".wav"}, "has_recording": {"1"},
		}
		if n%2 == 0 {
			for name, value := range visit {
				v[name] = value
			}
		}
		switch n % 10 {
		case 0, 1:
			for _, name := range []string{"connected_with", "staffid", "dialog", "recording", "has_recording"} {
				v.Del(name)
			}
			v.Set("status", "NO ANSWER")
		case 2:
			v.Set("type", "out")
			v["caller"], v["callee"] = []string{"380501110101"}, v["caller"]
			v.Del("connected_with")
		}
		out = append(out, event.CallReceived{
			Project: "shop", Source: event.FromWebhook, Method: "POST", Query: "event=after", Body: []byte(v.Encode()),
			Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, ReceivedAt: at.Add(time.Minute),
		})
	}
	return out
}
