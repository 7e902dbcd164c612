package bitrixtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one command on its way into a method.
type call struct {
	p      *Portal
	method string
	params *array
	// hide is how long what this command creates stays out of lists.
	hide time.Duration
}

// answer is what a method returns. total and next are sent when they are not nil.
type answer struct {
	result      any
	total, next *int
}

func ok(result any) (answer, *refusal) { return answer{result: result}, nil }
func no(r *refusal) (answer, *refusal) { return answer{}, r }

// param reads a parameter the way classic methods do, in any letter case; exact the way controllers do.
func (c *call) param(name string) any     { return c.params.fold(name) }
func (c *call) exact(name string) any     { return c.params.get(name) }
func (c *call) arr(name string) *array    { return asArray(c.params.fold(name)) }
func (c *call) notArray(name string) bool { return c.param(name) != nil && c.arr(name) == nil }
func (c *call) visibleFrom() time.Time    { return c.p.now().Add(max(c.hide, c.p.opt.ReadLag)) }
func (c *call) remember(a Action, object string, id int, external string) {
	c.p.remember(c, a, object, id, external)
}

// session runs one HTTP request. Late requests run with the portal's lock already held.
type session struct {
	p    *Portal
	in   incoming
	log  *Request
	held bool
	// limit is the number of commands of a batch after which the process dies; 0 is none.
	limit int
}

func (s session) enter() {
	if !s.held {
		s.p.lock()
	}
}

func (s session) leave() {
	if !s.held {
		s.p.mu.Unlock()
	}
}

// serve judges the request, runs it and returns what would be sent.
func (s session) serve() reply {
	s.enter()
	r := s.p.admit(s.in)
	s.leave()
	if r != nil {
		return refusalReply(r)
	}
	return s.execute()
}

// execute runs a request that has been admitted.
func (s session) execute() reply {
	if s.in.method == "batch" {
		return s.batch()
	}
	start := s.p.now()
	a, used, r := s.run(s.in.method, s.in.params, false)
	if r != nil {
		return refusalReply(r)
	}
	if s.p.tooLong(used) {
		return gatewayTimeout()
	}
	body := envelope(a)
	body.set("time", s.timeBlock(s.in.method, start, used, false))
	return jsonReply(200, body)
}

func (p *Portal) tooLong(used time.Duration) bool {
	return !p.opt.OnPremise && used > p.opt.RequestLimit
}

func gatewayTimeout() reply { return htmlReply(504, "504 Gateway Time-out") }

func envelope(a answer) *array {
	body := object("result", a.result)
	if a.total != nil {
		body.set("total", *a.total)
	}
	if a.next != nil {
		body.set("next", *a.next)
	}
	return body
}

// admit is everything that is judged before a method is looked into, for the outer request.
func (p *Portal) admit(in incoming) *refusal {
	if p.opt.HTTPSOnly && !in.https {
		return refuse(400, "INVALID_REQUEST", "Https required")
	}
	if !p.take(in.source) {
		return refuse(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
	}
	if _, known := p.methods[in.method]; !known && in.method != "batch" {
		return refuse(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
	}
	if in.user == "" || in.secret == "" {
		return refuse(401, "NO_AUTH_FOUND", "Wrong authorization data")
	}
	if p.revoked || in.user != strconv.Itoa(p.opt.Owner) || in.secret != p.opt.Secret {
		return refuse(p.opt.CredentialsStatus, "INVALID_CREDENTIALS", "Invalid request credentials")
	}
	if !p.owner().Active {
		return refuse(401, "authorization_error", "Unable to authorize user")
	}
	if in.method == "batch" && p.blocked("batch") {
		return operationTimeLimit()
	}
	return nil
}

func operationTimeLimit() *refusal {
	return refuse(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
}

// run executes one command, alone or inside a batch, and returns the time it is accounted with.
func (s session) run(name string, params *array, nested bool) (answer, time.Duration, *refusal) {
	p := s.p
	used := p.opt.CommandTime(name)
	if p.opt.Sleep != nil && used > 0 && !s.held {
		p.opt.Sleep(used)
	}
	s.enter()
	defer s.leave()
	m, r := p.allowed(name, nested)
	if r != nil {
		return answer{}, 0, r
	}
	c := &call{p: p, method: name, params: params}
	if hit := p.commandFault(name, nested); hit != nil {
		if hit.refusal != nil {
			return answer{}, 0, hit.refusal
		}
		c.hide = hit.wait
	}
	if nested && p.opt.BillBatchWhole {
		p.account("batch", used)
	} else {
		p.account(name, used)
	}
	a, r := m.run(c)
	return a, used, r
}

// allowed is what is judged for every command: existence, scope, authorisation type, operating time.
func (p *Portal) allowed(name string, nested bool) (method, *refusal) {
	m, known := p.methods[name]
	switch {
	case nested && name == "batch":
		return m, refuse(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
	case !known:
		return m, refuse(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
	case !p.inScope(m.scope) && nested:
		return m, refuse(403, "insufficient_scope", "")
	case !p.inScope(m.scope):
		return m, refuse(403, "insufficient_scope", "The request requires higher privileges than provided by the webhook token")
	case m.appOnly || m.telephony && !p.opt.TelephonyForWebhooks:
		return m, refuse(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method")
	case !(nested && p.opt.BillBatchWhole) && p.blocked(name):
		return m, operationTimeLimit()
	}
	return m, nil
}

func (p *Portal) inScope(scope string) bool {
	return scope == "" || slices.ContainsFunc(p.opt.Scopes, func(s string) bool {
		return s == scope || scope == "user" && strings.HasPrefix(s, "user_")
	})
}
