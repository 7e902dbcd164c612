package ringostat

import "github.com/ringbridge/ringbridge/pkg/phone"

// ends is what a request says about the two ends of a call, in order of
// precedence.
type ends struct {
	employees []Employee
	callers   []party
	callees   []party
	others    []party // the client's number under names that do not tell the end
	connected party
	outbound  party // the line an outgoing call was made from
}

// sides is what follows from it.
type sides struct {
	direction Direction
	client    party
	line      string
	answerer  Line
}

func (r *reader) ends(o Options) *ends {
	return &ends{
		employees: o.Employees,
		callers:   r.parties(pCaller, o.Country),
		callees:   r.parties(pCallee, o.Country),
		others:    r.parties(pClient, o.Country),
		connected: firstOf(r.parties(pConnected, o.Country)),
		outbound:  firstOf(r.parties(pOutboundNumber, o.Country)),
	}
}

func (r *reader) parties(p param, country string) []party {
	all := r.all(p)
	if len(all) == 0 {
		return nil
	}
	list := make([]party, 0, len(all))
	for _, found := range all {
		if hasValue(found.value) {
			next := readParty(found.value, country)
			next.from = found.parameter
			list = append(list, next)
		}
	}
	return list
}

// sidesOf finds out who the client is. It is the caller of an incoming call
// and the called end of an outgoing one. It never is: the number in
// outbound_number or the line of ours on the same call (taking those made
// clients of a company's own lines: seen), an employee, a SIP login, an
// internal number.
//
// A call is internal when one of our people is where the client should be, or
// when neither end is a telephone. That is our reading: no type for internal
// calls is known. A hidden caller is a client whom nobody knows.
func (e *ends) sidesOf(k kind, callback bool, given Event) sides {
	s := sides{direction: e.direction(k, callback, given)}
	theirs, ours := e.callers, e.callees
	if s.direction == Outbound {
		theirs, ours = e.callees, e.callers
	}
	client, found := e.client(s.direction, theirs, firstOf(ours))
	if !found && callback {
		// Which end of a callback the client is on is not documented.
		if client, found = e.outside(ours, firstOf(theirs)); found {
			theirs, ours = ours, theirs
		}
	}
	s.line = e.line(s.direction, ours)
	s.answerer = e.answerer(s.direction, ours, client.number)
	if !found {
		client = firstOf(append(theirs[:len(theirs):len(theirs)], e.others...))
		client.number = ""
		if e.isInternal(s.direction, firstOf(theirs), firstOf(ours)) {
			s.direction = Internal
		}
	}
	s.client = client
	markUsed(client, firstOf(theirs), firstOf(ours), e.connected, e.outbound)
	return s
}

// client looks at the client's end. One of our people there means that there
// is no client, whatever the other parameters hold.
func (e *ends) client(direction Direction, theirs []party, ours party) (party, bool) {
	first := firstOf(theirs)
	if direction == Internal || e.isEmployee(first) {
		return party{}, false
	}
	if client, found := e.outside(theirs, ours); found {
		return client, true
	}
	if direction == Outbound && first.inside() {
		return party{}, false
	}
	return e.outside(e.others, ours)
}

// direction of the call. A callback without one is incoming as its webhooks
// are (help 6559993): the client asked for it. Only the call log has no
// webhook to go by; there an employee's line as the caller and a client as the
// called end make it outgoing.
func (e *ends) direction(k kind, callback bool, given Event) Direction {
	caller := firstOf(e.callers)
	_, outsideCalled := e.outside(e.callees, caller)
	switch {
	case k.direction != "":
		return k.direction
	case given.outgoing():
		return Outbound
	case given != "":
		return Inbound
	case outsideCalled && (e.isOurs(caller) || caller.number != "" && caller.number == e.outbound.number):
		return Outbound
	case outsideCalled && e.outbound.number != "" && !callback:
		return Outbound
	}
	return Inbound
}

// outside returns the first telephone of list that is neither ours nor the
// line on the other end.
func (e *ends) outside(list []party, line party) (party, bool) {
	for _, p := range list {
		if p.number != "" && p.number != line.number && p.number != e.outbound.number && !e.isEmployee(p) {
			return p, true
		}
	}
	return party{}, false
}

func (e *ends) isEmployee(p party) bool {
	for _, employee := range e.employees {
		if p.sip != "" && employee.hasSIP(p.sip) || p.short != "" && (same(employee.Extension, p.short) || employee.hasSIP(p.short)) {
			return true
		}
		if p.number != "" && employee.hasNumber(p.number) {
			return true
		}
	}
	return false
}

func (e *ends) isOurs(p party) bool { return p.inside() || e.isEmployee(p) }

func (e *ends) isInternal(direction Direction, theirs, ours party) bool {
	switch {
	case direction == Internal || e.isEmployee(theirs):
		return true
	case !theirs.inside():
		return false
	case direction == Outbound:
		return true
	}
	if ours.raw == "" {
		ours = e.connected
	}
	return ours.inside()
}

// line is the called end of an incoming call. On an outgoing one the telephone
// line comes before the account or telephone that called through it.
func (e *ends) line(direction Direction, ours []party) string {
	if direction == Outbound {
		for _, p := range append([]party{e.outbound}, ours...) {
			if p.number != "" {
				return string(p.number)
			}
		}
	}
	return firstOf(ours).text()
}

// answerer identifies our end. On an incoming call the called number is the
// tracking number and says nothing about a person, unless it is one's own.
func (e *ends) answerer(direction Direction, ours []party, client phone.Number) Line {
	var l Line
	ask := func(p party) {
		// connected_with sometimes repeats the client's number (seen).
		if p.number == client {
			p.number = ""
		}
		if direction != Outbound && !e.isOurs(p) && p.from != e.connected.from {
			return
		}
		if l.Number == "" && l.SIP == "" && l.Extension == "" {
			l = Line{Number: p.number, SIP: p.sip, Extension: p.short}
			if direction == Outbound {
				l.Name = p.name
			}
		}
	}
	if direction != Outbound {
		ask(e.connected)
	}
	for _, p := range ours {
		ask(p)
	}
	if direction == Outbound {
		ask(e.connected)
	}
	return l
}

func firstOf(list []party) party {
	if len(list) == 0 {
		return party{}
	}
	return list[0]
}

func markUsed(list ...party) {
	for _, p := range list {
		if p.from != nil {
			p.from.used = true
		}
	}
}
