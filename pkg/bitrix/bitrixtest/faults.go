package bitrixtest

import (
	"strings"
)

// Fault says when to break and how. The conditions that are set must all hold.
type Fault struct {
	// When, if set, is asked about each request. It must not call the portal.
	When func(Request) bool
	// Method, if set, is the method that is hit, in any letter case, also as a command of a batch.
	Method string
	// Skip lets the first so many requests that fit pass.
	Skip int
	// Every hits each n-th that fits: 10 hits the 10th, 20th... 0 hits each.
	Every int
	// Chance between 0 and 1 draws lots with the portal's seed; 0 hits always.
	Chance float64
	// Times is how often it hits in all: 0 means once, -1 without end.
	Times int
	// Do is what happens.
	Do Effect
}

// armed is a fault with its counters.
type armed struct {
	Fault
	seen, hits int
}

// Inject arms a fault. Of several that fit the same request, the first one armed hits.
func (p *Portal) Inject(f Fault) {
	f.Method = strings.ToLower(f.Method)
	if f.Times == 0 {
		f.Times = 1
	}
	p.lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &armed{Fault: f})
}

// Heal disarms every fault. What is late stays late.
func (p *Portal) Heal() {
	p.lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// fires counts one request that fits and tells whether it is hit.
func (p *Portal) fires(f *armed) bool {
	if f.Times >= 0 && f.hits >= f.Times {
		return false
	}
	f.seen++
	if f.seen <= f.Skip {
		return false
	}
	if f.Every > 1 && (f.seen-f.Skip)%f.Every != 0 {
		return false
	}
	if f.Chance > 0 && p.lots.Float64() >= f.Chance {
		return false
	}
	f.hits++
	return true
}

// arrive logs a request and picks the fault that hits it as a whole, if any.
func (p *Portal) arrive(in incoming) (*Request, *Effect) {
	log := &Request{Time: p.now(), Method: in.method, Commands: commandsOf(in), Source: in.source}
	p.requests = append(p.requests, log)
	for _, f := range p.faults {
		if f.Do.nested() && (f.Method != "" || f.Do.name == "hide") {
			continue
		}
		if f.Method != "" && !log.Has(f.Method) || f.When != nil && !f.When(log.copy()) {
			continue
		}
		if p.fires(f) {
			log.Fault = f.Do.name
			return log, &f.Do
		}
	}
	return log, nil
}

// commandFault picks the fault that hits one command.
func (p *Portal) commandFault(name string, nested bool) *Effect {
	for _, f := range p.faults {
		if !f.Do.nested() || f.Method == "" && f.Do.name != "hide" || f.Method != "" && f.Method != name {
			continue
		}
		if f.When != nil && !f.When(Request{Time: p.now(), Method: name}) {
			continue
		}
		if p.fires(f) {
			return &f.Do
		}
	}
	return nil
}
