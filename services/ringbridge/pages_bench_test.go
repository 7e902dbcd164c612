package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// This file measures the console's pages as a browser gets them, from the real program
// on a long history.

// BenchmarkPagesOfStoredCalls reports for every page of the console, and for the list of
// calls with each of its filters, the median time until a signed-in person has all of it.
func BenchmarkPagesOfStoredCalls(b *testing.B) {
	s := openScale(b)
	s.fill(*scaleCalls)
	p := s.start()
	begun := time.Now()
	s.caughtUp(p)
	b.Logf("the read models had everything after %s", time.Since(begun).Round(time.Second))
	plan := s.pastAndPresent()
	visitor := s.signedIn(b)
	table := &strings.Builder{}
	for _, page := range s.pages(*scaleCalls, plan) {
		b.Run(page.name, func(b *testing.B) {
			var took []time.Duration
			size := 0
			for b.Loop() {
				begun := time.Now()
				size = visitor.get(b, page.path)
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			median := float64(took[len(took)/2].Microseconds()) / 1000
			b.ReportMetric(median, "ms-median")
			b.ReportMetric(0, "ns/op")
			fmt.Fprintf(table, "%8.1f ms %6d KiB  %s\n", median, size>>10, page.name)
		})
	}
	b.Logf("pages of %d calls:\n%s", *scaleCalls, table)
	p.stop(b)
}

// pastAndPresent adds what a long history of finished calls lacks: requests that nobody
// can read, and a plan to decide the last hours again, whose id it returns.
func (s *scale) pastAndPresent() string {
	s.t.Helper()
	for n := range 20 {
		s.send(url.Values{"status": {"ANSWERED"}, "note": {fmt.Sprintf("no call id %d", n)}})
	}
	s.quiet()
	var plan planView
	code, body := s.request(http.MethodPost, replays, "application/json", `{"since": "6h"}`)
	if err := json.Unmarshal([]byte(body), &plan); err != nil || code != http.StatusAccepted {
		s.t.Fatalf("a plan was not begun: %d %s", code, body)
	}
	for begun := time.Now(); plan.State == "planning"; <-time.After(time.Second) { // it reads the whole stream
		if s.api(http.MethodGet, replays+"/"+plan.ID, &plan); time.Since(begun) > 15*time.Minute {
			s.t.Fatalf("the plan is not made after 15 minutes: %+v", plan)
		}
	}
	s.t.Logf("the plan %s: %d calls, %v", plan.State, plan.Calls, plan.Totals)
	return plan.ID
}

// pageOf is an address of the console.
type pageOf struct{ name, path string }

func (s *scale) pages(calls int, plan string) []pageOf {
	s.t.Helper()
	var list struct {
		Items []struct{ ID, Phone string }
		Next  string
	}
	s.api(http.MethodGet, "/api/v1/projects/shop/calls?limit=50", &list)
	if len(list.Items) < 50 {
		s.t.Fatalf("%d of %d calls are listed", len(list.Items), calls)
	}
	one := list.Items[20]
	now := time.Now()
	day := func(ago int) string { return now.AddDate(0, 0, -ago).Format(time.DateOnly) }
	const shop, filtered = "/console/p/shop/", "/console/p/shop/calls?"
	pages := []pageOf{
		{"calls", shop + "calls"},
		{"calls, older", filtered + "cursor=" + list.Next},
		{"calls of a client", filtered + "phone=" + url.QueryEscape(one.Phone)},
		{"calls of a client who never called", filtered + "phone=" + url.QueryEscape("+380670000000")},
		{"calls of a day half a year ago", filtered + "from=" + day(180) + "&to=" + day(180)},
		{"calls until half a year ago, missed, of Petro", filtered + "to=" + day(180) + "&outcome=missed&employee=Petro+Bondar"},
	}
	for _, f := range []struct{ name, values string }{
		{"employee", "Olena Koval,Petro Bondar,Nobody"},
		{"direction", "inbound,outbound,internal"},
		{"outcome", "answered,missed,voicemail"},
		{"client", "new,contact,open,anonymous"},
		{"state", "waiting,done,ignored,parked,in_doubt"},
	} {
		for value := range strings.SplitSeq(f.values, ",") {
			pages = append(pages, pageOf{"calls, " + f.name + " " + value, filtered + url.Values{f.name: {value}}.Encode()})
		}
	}
	return append(pages, []pageOf{
		{"story", shop + "calls/" + url.PathEscape(one.ID)},
		{"parked", shop + "parked"},
		{"replays", shop + "replays"},
		{"replay", shop + "replays/" + plan},
		{"analytics, 30 days", shop + "analytics"},
		{"analytics, today", shop + "analytics?range=today"},
		{"analytics, last month", shop + "analytics?range=last"},
		{"analytics, a year", shop + "analytics?from=" + day(364) + "&to=" + day(0)},
		{"analytics, a year until a month ago", shop + "analytics?from=" + day(394) + "&to=" + day(30)},
		{"analytics, a year, all clients who wait", shop + "analytics?all=1&from=" + day(364) + "&to=" + day(0)},
		{"health", shop + "health"},
		{"setup", shop + "setup"},
		{"the hook's addresses", shop + "setup/hook"},
		{"rules", shop + "rules"},
		{"people", "/console/people"},
		{"a person", "/console/people/olena"},
		{"own page", "/console/me"},
		{"new project", "/console/new"},
		{"audit log", "/console/audit"},
	}...)
}

// visitor is a browser of somebody who is signed in.
type visitor struct {
	*http.Client
	base string
}

// signedIn signs in an admin by name.
func (s *scale) signedIn(b *testing.B) visitor {
	b.Helper()
	const password = "an invented pass phrase"
	code, answer := s.request(http.MethodPut, "/api/v1/people/olena", "application/json", `{"role": "admin", "password": "`+password+`"}`)
	if code != http.StatusOK && code != http.StatusCreated {
		b.Fatalf("put a person: %d %s", code, answer)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	v := visitor{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, "http://" + s.in.Addr}
	in, err := v.PostForm(v.base+"/console/signin", url.Values{"name": {"olena"}, "token": {password}})
	if err != nil {
		b.Fatal(err)
	}
	if err := in.Body.Close(); err != nil || in.StatusCode != http.StatusSeeOther {
		b.Fatalf("sign in: %d, %v", in.StatusCode, err)
	}
	return v
}

// get reads a page to its end and returns how long it is.
func (v visitor) get(b *testing.B, path string) int {
	b.Helper()
	answer, err := v.Get(v.base + path)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("GET %s: %d, %v\n%s", path, answer.StatusCode, err, body)
	}
	return len(body)
}
