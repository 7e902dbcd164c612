package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// One ringbridge serves many companies here, and each company's portal is broken in
// another way: the faults run side by side, and must not reach the neighbours.

// The spans of these companies. An answer that never comes costs requestTimeout, a lost
// one maxExecution and settle.
const (
	requestTimeout = 2500 * time.Millisecond
	maxExecution   = 1500 * time.Millisecond
	settleTime     = 300 * time.Millisecond
)

const companyBlock = `
  - id: %s
    locale: en
    ringostat: {token: ` + hook + `}
    bitrix24:
      webhook: %s
      allow_insecure: true
      pace: {per_second: %d, burst: %d}
      request_timeout: 2500ms
      max_execution: 1500ms
      settle: 300ms
    senior: 1
    employees:
      - {name: Olena Koval, code: "101", extension: "101", sip: [shop_olena], numbers: ["+380501110101"], bitrix_user: 7}
      - {name: Petro Bondar, code: "102", extension: "102", sip: [shop_petro], numbers: ["+380501110102"], bitrix_user: 8}
`

// company is a project with a portal of its own behind a door of its own.
type company struct {
	t      *testing.T
	id     string
	h      *house
	portal *bitrixtest.Portal
	door   *door
	pace   [2]int
	calls  int
	// numbers are the clients' numbers, a call each.
	numbers []string
}

// newCompany makes a portal with the tests' employees and opens its door.
func newCompany(t *testing.T, id string, o bitrixtest.Options) *company {
	o.Secret = portalSecret
	c := &company{t: t, id: id, portal: bitrixtest.New(o), pace: [2]int{1000, 1000}}
	c.portal.AddUser(bitrixtest.User{ID: olena, Name: "Olena", LastName: "Koval", Active: true})
	c.portal.AddUser(bitrixtest.User{ID: petro, Name: "Petro", LastName: "Bondar", Active: true})
	c.door = &door{t: t, portal: c.portal, address: "127.0.0.1:0"}
	c.door.open()
	return c
}

// openTown starts one ringbridge for all of them.
func openTown(t *testing.T, companies []*company) *house {
	t.Helper()
	h := &house{t: t, log: &logBook{}, started: time.Now().Truncate(time.Second)}
	var b strings.Builder
	fmt.Fprintf(&b, "listen: 127.0.0.1:0\ndata: %s\nconsole: {token: %s}\nprojects:", t.TempDir(), apiPass)
	for _, c := range companies {
		c.h = h
		fmt.Fprintf(&b, companyBlock, c.id, "http://"+c.door.address+c.portal.WebhookPath(), c.pace[0], c.pace[1])
	}
	h.config = b.String()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	log := newLogger(settings.Log{Level: "info", Format: "json"}, console{err: h.log})
	if h.in, err = start(context.Background(), cfg, options{fast: true, log: log}); err != nil {
		t.Fatalf("start: %v", err)
	}
	// Doors close first: an answer that never comes must not hold up the stop.
	t.Cleanup(h.stop)
	for _, c := range companies {
		t.Cleanup(c.door.close)
	}
	return h
}

// door is where a portal listens. It can be closed and opened again at the same port.
type door struct {
	t       *testing.T
	portal  *bitrixtest.Portal
	address string
	server  *http.Server
}

func (d *door) open() {
	d.t.Helper()
	deadline := time.After(limit)
	for {
		listener, err := net.Listen("tcp", d.address)
		if err == nil {
			d.address, d.server = listener.Addr().String(), &http.Server{Handler: d.portal, ReadHeaderTimeout: limit}
			go func(s *http.Server) {
				if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
					d.t.Errorf("serve the portal: %v", err)
				}
			}(d.server)
			return
		}
		select {
		case <-deadline:
			d.t.Fatalf("open the portal again at %s: %v", d.address, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// close refuses connections and cuts those that are there.
func (d *door) close() {
	if d.server == nil {
		return
	}
	_ = d.server.Close()
	d.server = nil
	d.portal.Flush()
}

// number is the n-th client's.
func number(n int) string { return fmt.Sprintf("+380671112%03d", n) }

// call sends the webhook of an answered call of the n-th client to Olena.
func (c *company) call(n int) {
	c.t.Helper()
	id := fmt.Sprintf("c%03d", c.calls)
	c.calls++
	c.numbers = append(c.numbers, number(n))
	v := c.h.call(id, url.Values{"caller": {strings.TrimPrefix(number(n), "+")}})
	code, body := c.h.request(http.MethodPost, "/ringostat/"+c.id+"/"+hook, "application/x-www-form-urlencoded", v.Encode())
	if code != http.StatusOK {
		c.t.Errorf("%s: the webhook is answered %d %q, want 200", c.id, code, body)
	}
}

// get asks the API about the company.
func (c *company) get(path string, into any) {
	c.t.Helper()
	if code := c.h.api(http.MethodGet, "/api/v1/projects/"+c.id+path, into); code != http.StatusOK {
		c.t.Fatalf("%s%s answered %d", c.id, path, code)
	}
}

func (c *company) status() (s statusView) {
	c.t.Helper()
	c.get("/status", &s)
	return s
}

// until waits for a status; what says what is waited for.
func (c *company) until(what string, right func(statusView) bool) statusView {
	c.t.Helper()
	for deadline := time.After(2 * limit); ; {
		s := c.status()
		if right(s) {
			return s
		}
		select {
		case <-deadline:
			c.t.Fatalf("waited in vain until %s: %+v\n%s", what, s, c.tell())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// quiet waits until nothing waits, is in flight or in doubt, and the portal is well.
func (c *company) quiet() statusView {
	c.t.Helper()
	return c.until("everything is settled and the portal is well", func(s statusView) bool {
		return s.Waiting+s.InFlight+s.InDoubt == 0 && (s.Portal.State == "ok" || s.Parked > 0)
	})
}

// state is what the API says of the company's n-th call, "unknown" before it is read.
func (c *company) state(n int) string {
	c.t.Helper()
	var s storyView
	switch code := c.h.api(http.MethodGet, fmt.Sprintf("/api/v1/projects/%s/calls/c%03d", c.id, n), &s); code {
	case http.StatusOK:
		return s.State
	case http.StatusNotFound:
		return "unknown"
	default:
		c.t.Fatalf("%s: call c%03d answered %d", c.id, n, code)
		return ""
	}
}

// holds compares everything the portal ever held with one closed task of Olena's per
// call, on the lead of its client, of which ringbridge made as many as wanted.
func (c *company) holds(leads int) {
	c.t.Helper()
	if d := c.portal.Duplicates(); len(d) != 0 {
		c.t.Errorf("made several times: %v\n%s", d, c.tell())
	}
	for n := range c.calls {
		if got := c.state(n); got != "done" {
			c.t.Errorf("call c%03d is %s, want done", n, got)
		}
	}
	clients := map[string]string{} // by the lead's binding
	ofUs := 0
	for _, l := range c.portal.Leads() {
		clients[fmt.Sprintf("L_%d", l.ID)] = l.Phones[0]
		if !ours(l) {
			continue
		}
		if ofUs++; l.ResponsibleID != olena {
			c.t.Errorf("lead %d is on user %d, want Olena", l.ID, l.ResponsibleID)
		}
	}
	var got []string
	for _, task := range c.portal.Tasks() {
		if task.Status != 5 || task.ResponsibleID != olena || len(task.CRM) == 0 {
			c.t.Errorf("task %d: status %d, user %d, bound to %v; want it closed, Olena's, on the client's lead", task.ID, task.Status, task.ResponsibleID, task.CRM)
			continue
		}
		for _, bound := range task.CRM {
			if strings.HasPrefix(bound, "L_") {
				got = append(got, clients[bound])
			}
		}
	}
	want := slices.Sorted(slices.Values(c.numbers))
	slices.Sort(got)
	if ofUs != leads || !slices.Equal(got, want) {
		c.t.Errorf("%d leads made and closed tasks for %v, want %d and %v\n%s", ofUs, got, leads, want, c.tell())
	}
	added := map[string]int{}
	for _, change := range c.portal.History() {
		if change.Action == bitrixtest.Added && change.Method != "" {
			added[change.Object]++
		}
	}
	if want := (map[string]int{"lead": leads, "task": c.calls}); added["lead"] != want["lead"] || added["task"] != want["task"] {
		c.t.Errorf("ever made: %v, want %v", added, want)
	}
}

// tell is what a failing test shows of a company.
func (c *company) tell() string {
	var b strings.Builder
	for _, r := range c.portal.Requests() {
		var methods []string
		for _, command := range r.Commands {
			methods = append(methods, strings.TrimSpace(command.Method+" "+command.Error))
		}
		fmt.Fprintf(&b, "  %s %s: %s\n", r.Time.Format("05.000"), r, strings.Join(methods, ", "))
	}
	for line := range strings.Lines(c.h.log.String()) {
		if strings.Contains(line, `"project":"`+c.id+`"`) {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// about are the log's lines of one company with one of these messages, as "LEVEL MESSAGE".
func (c *company) about(messages ...string) (lines []string) {
	for line := range strings.Lines(c.h.log.String()) {
		var entry struct{ Level, Msg, Message, Project string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Project == c.id && slices.Contains(messages, entry.Msg+entry.Message) {
			lines = append(lines, entry.Level+" "+entry.Msg+entry.Message)
		}
	}
	return lines
}

// hits counts the requests of one moment that an injected fault broke, and the commands
// refused inside them.
func (c *company) hits(moment func(bitrixtest.Request) bool) (n int) {
	for _, r := range c.portal.Requests() {
		if !moment(r) {
			continue
		}
		if r.Fault != "" {
			n++
		}
		for _, command := range r.Commands {
			if command.Error != "" {
				n++
			}
		}
	}
	return n
}

// clients counts the different numbers that called.
func (c *company) clients() int {
	return len(slices.Compact(slices.Sorted(slices.Values(c.numbers))))
}
