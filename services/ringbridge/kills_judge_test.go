//go:build faults

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// judge waits for rest and holds what is in the portal against what the calls were.
func (k *killHouse) judge() {
	k.count.restless.Add(1)
	status := k.quiet() // ends the test where there is no rest
	k.count.restless.Add(-1)
	if status.Parked > 0 {
		k.test.Errorf("%d calls are parked, want none: %+v", status.Parked, k.parked())
	}
	lost, doubled := 0, 0
	states := k.states()
	calls := 0
	for _, c := range k.clients {
		for _, id := range c.sent {
			calls++
			if states[id] != "done" {
				lost++
				k.test.Errorf("call %s of client %s was answered 200 and is %q, want done", id, c.phone, states[id])
			}
		}
	}
	for id, n := range k.portal.Duplicates() {
		doubled += n - 1
		k.test.Errorf("%s was made %d times: %s", id, n, k.makings(id))
	}
	made := k.made()
	for _, c := range k.clients {
		got, want := made[c.phone], c.wanted()
		for what, n := range map[string][2]int{
			"leads": {got.leads, want.leads}, "closed tasks": {got.closed, want.closed}, "open tasks": {got.open, want.open},
		} {
			lost += max(0, n[1]-n[0])
			doubled += max(0, n[0]-n[1])
			if n[0] != n[1] {
				k.test.Errorf("client %s, kind %d, calls %v: %d %s, want %d", c.phone, c.kind, c.sent, n[0], what, n[1])
			}
		}
		if c.kind == missed {
			continue
		}
		for _, id := range c.sent {
			if !strings.Contains(got.text, "/"+id+".wav") {
				lost++
				k.test.Errorf("client %s: no task shows the recording of call %s", c.phone, id)
			}
		}
	}
	for phone := range made {
		if !slices.ContainsFunc(k.clients, func(c *killClient) bool { return c.phone == phone }) {
			k.test.Errorf("the portal has something for %q, who never called", phone)
		}
	}
	k.count.mu.Lock()
	defer k.count.mu.Unlock()
	k.count.calls += calls
	k.count.requests += len(k.portal.Requests())
	k.count.lost += lost
	k.count.doubled += doubled
}

// makings says when each copy of a thing was made, for who looks for the reason.
func (k *killHouse) makings(id string) string {
	var times []string
	for _, c := range k.portal.History() {
		if c.Action == bitrixtest.Added && c.Object+" "+c.ExternalID == id {
			times = append(times, c.Time.Format("15:04:05.000"))
		}
	}
	for _, c := range k.clients {
		for _, call := range c.sent {
			for _, e := range k.story(call).Events {
				if strings.Contains(string(e.Data), id[strings.LastIndexAny(id, " /")+1:]) {
					times = append(times, fmt.Sprintf("\n%s of call %s: %s", e.Type, call, e.Data))
				}
			}
		}
	}
	return strings.Join(times, ", ")
}

// things are what the portal has because of a client.
type things struct {
	leads, closed, open int
	text                string // of the closed tasks
}

// wanted is what the article says of his calls: one lead; a closed task for each
// answered call; an open task for each missed one, and for each one that was answered by
// somebody else than the lead's responsible.
func (c *killClient) wanted() things {
	n := len(c.sent)
	switch {
	case n == 0:
		return things{}
	case c.kind == missed:
		return things{leads: 1, open: n}
	case c.kind == byColleague:
		return things{leads: 1, closed: n, open: n - 1}
	}
	return things{leads: 1, closed: n}
}

// made sums up the portal by the client's number.
func (k *killHouse) made() map[string]things {
	out := map[string]things{}
	phones := map[string]string{}
	for _, lead := range k.portal.Leads() {
		phone := strings.Join(lead.Phones, ",")
		phones[fmt.Sprintf("L_%d", lead.ID)] = phone
		m := out[phone]
		m.leads++
		out[phone] = m
	}
	for _, task := range k.portal.Tasks() {
		phone := ""
		if len(task.CRM) > 0 {
			phone = phones[task.CRM[0]]
		}
		m := out[phone]
		if task.Status == 5 {
			m.closed++
			m.text += task.Description
		} else {
			m.open++
		}
		out[phone] = m
	}
	return out
}

// states are the calls that the API lists, page by page.
func (k *killHouse) states() map[string]string {
	out := map[string]string{}
	cursor := ""
	for {
		var page struct {
			Items []struct{ ID, State string }
			Next  string
		}
		path := "/api/v1/projects/shop/calls?limit=500&cursor=" + url.QueryEscape(cursor)
		if code := k.api(http.MethodGet, path, &page); code != http.StatusOK {
			k.test.Fatalf("the list of calls answered %d", code)
		}
		for _, c := range page.Items {
			out[c.ID] = c.State
		}
		if cursor = page.Next; cursor == "" {
			return out
		}
	}
}
