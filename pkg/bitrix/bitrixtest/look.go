package bitrixtest

import (
	"slices"
	"strconv"
)

// Requests returns every HTTP request received so far, in order of arrival. A request still under way
// has status 0.
func (p *Portal) Requests() []Request {
	p.lock()
	defer p.mu.Unlock()
	out := []Request{}
	for _, r := range p.requests {
		out = append(out, r.copy())
	}
	return out
}

// ForgetRequests empties the log of requests, so that a test can count from here. History stays.
func (p *Portal) ForgetRequests() {
	p.lock()
	defer p.mu.Unlock()
	p.requests = nil
}

// History returns everything that ever happened to an object, in order.
func (p *Portal) History() []Change {
	p.lock()
	defer p.mu.Unlock()
	out := slices.Clone(p.history)
	for i := range out {
		out[i].Fields = slices.Clone(out[i].Fields)
	}
	return out
}

// Duplicates returns the external ids under which more than one object of a kind was ever added, with
// the number of them, as "task ringbridge:1": 2. Deleted objects count.
func (p *Portal) Duplicates() map[string]int {
	count := map[string]int{}
	for _, h := range p.History() {
		if h.Action == Added && h.ExternalID != "" {
			count[h.Object+" "+h.ExternalID]++
		}
	}
	for k, n := range count {
		if n < 2 {
			delete(count, k)
		}
	}
	return count
}

func (r *Request) copy() Request {
	c := *r
	c.Commands = append([]Command(nil), r.Commands...)
	return c
}

// String is one line for a failing test's message.
func (r Request) String() string {
	line := r.Method + " " + strconv.Itoa(r.Status)
	if len(r.Commands) > 0 {
		line += " (" + strconv.Itoa(len(r.Commands)) + " commands)"
	}
	if r.Error != "" {
		line += " " + r.Error
	}
	if r.Fault != "" {
		line += " [" + r.Fault + "]"
	}
	return line
}
