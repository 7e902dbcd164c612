package bitrixtest

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Effect is one way to break. The values are below.
type Effect struct {
	name string
	wait time.Duration
	// text is the webhook a redirect leads to, or the form of ids.
	text    string
	count   int
	refusal *refusal
}

// String names the effect, as Request.Fault shows it.
func (e Effect) String() string { return e.name }

// What can happen instead of an orderly answer.
var (
	// RefuseQueryLimit answers 503 QUERY_LIMIT_EXCEEDED without executing anything.
	RefuseQueryLimit = Effect{name: "query limit", refusal: refuse(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")}
	// OperationTimeLimit answers 429 OPERATION_TIME_LIMIT without executing. With Fault.Method set it
	// hits that method wherever it is called, also inside a batch.
	OperationTimeLimit = Effect{name: "operation time limit", refusal: operationTimeLimit()}
	// Overload answers 503 OVERLOAD_LIMIT without executing: the vendor has closed the portal by hand.
	Overload = Effect{name: "overload", refusal: refuse(503, "OVERLOAD_LIMIT", "REST API is blocked due to overload")}
	// PlanExpired answers 403 ACCESS_DENIED with the text about commercial plans.
	PlanExpired = Effect{name: "plan expired", refusal: refuse(403, "ACCESS_DENIED", "REST API is available only on commercial plans")}
	// CutBefore resets the connection once the request is read; nothing is executed.
	CutBefore = Effect{name: "cut before"}
	// CutAfter executes the request, then resets the connection instead of answering.
	CutAfter = Effect{name: "cut after"}
	// Status500Before answers 500 INTERNAL_SERVER_ERROR; nothing is executed.
	Status500Before = Effect{name: "500 before"}
	// Status500After executes, then answers 500 INTERNAL_SERVER_ERROR.
	Status500After = Effect{name: "500 after"}
	// HTML502Before answers a proxy's 502 page; nothing is executed.
	HTML502Before = Effect{name: "502 before"}
	// HTML502After executes, then answers a proxy's 502 page.
	HTML502After = Effect{name: "502 after"}
	// HTML504After executes, then answers a proxy's 504 page.
	HTML504After = Effect{name: "504 after"}
	// Unanswered never answers, until the client hangs up or Flush; nothing is executed.
	Unanswered = Effect{name: "unanswered"}
	// HTML200 answers a log-in page with status 200; nothing is executed.
	HTML200 = Effect{name: "html 200"}
	// TruncatedJSON executes and sends only the first half of the answer, as a complete HTTP response.
	TruncatedJSON = Effect{name: "truncated json"}
	// EmptyBody executes and answers 200 with nothing.
	EmptyBody = Effect{name: "empty body"}
	// Twice executes the request two times, as when something between delivers it twice, and sends the
	// second answer.
	Twice = Effect{name: "twice"}
	// ErrorIn200 answers an error envelope with status 200, as older portals do; nothing is executed.
	ErrorIn200 = Effect{name: "error in 200"}
)

// Late resets the connection at once and executes the request when the portal's clock has moved by d,
// or at Flush. Until then nothing of it can be seen.
func Late(d time.Duration) Effect { return Effect{name: "late", wait: d} }

// UnansweredLate never answers, until the client hangs up or Flush, and executes the request when the
// portal's clock has moved by d, or at Flush.
func UnansweredLate(d time.Duration) Effect { return Effect{name: "unanswered late", wait: d} }

// IDsAs executes and prints every id of the answer in another way; %s stands for its digits, as in
// `"%s"`, `%s.0` or `null`.
func IDsAs(form string) Effect { return Effect{name: "ids", text: form} }

// Stall executes the request and holds the answer back for d of real time, until the client hangs up,
// or until Flush.
func Stall(d time.Duration) Effect { return Effect{name: "stall", wait: d} }

// Drip executes and sends the answer a byte at a time, with d of real time between, until the client
// hangs up; Flush ends one wait.
func Drip(d time.Duration) Effect { return Effect{name: "drip", wait: d} }

// Huge executes and sends n blanks before the answer.
func Huge(n int) Effect { return Effect{name: "huge", count: n} }

// RedirectTo answers 302 to the same method under another webhook address (with or without the final
// slash), as a renamed portal does; nothing is executed.
func RedirectTo(webhook string) Effect { return Effect{name: "redirect", text: webhook} }

// CutAfterCommands executes the first n commands of a batch, then resets the connection.
func CutAfterCommands(n int) Effect { return Effect{name: "cut after commands", count: n} }

// ReadLag executes, and keeps what was created out of lists and of crm.duplicate.findbycomm for d of
// the portal's clock. It works inside a batch.
func ReadLag(d time.Duration) Effect { return Effect{name: "hide", wait: d} }

// Refuse answers with the given error instead of executing; inside a batch it is the answer to that
// one command.
func Refuse(status int, code, description string) Effect {
	return Effect{name: "refuse", refusal: refuse(status, code, description)}
}

// nested tells the effects that can hit one command of a batch. A refusal of the bucket or of the
// whole portal concerns the request.
func (e Effect) nested() bool {
	return e.name == "hide" || e.name == "refuse" || e.name == OperationTimeLimit.name
}

// apply breaks one request.
func (e Effect) apply(p *Portal, w http.ResponseWriter, r *http.Request, in incoming, log *Request) {
	s := session{p: p, in: in, log: log}
	send := func(a reply) {
		p.answered(log, a)
		a.write(w)
	}
	failure := refusalReply(refuse(500, "INTERNAL_SERVER_ERROR", "Internal server error"))
	switch e.name {
	case CutBefore.name:
		cut(w)
	case CutAfter.name:
		s.serve()
		cut(w)
	case "cut after commands":
		s.limit = e.count
		s.serve()
		cut(w)
	case "late":
		s.delay(e.wait)
		cut(w)
	case "unanswered late":
		s.delay(e.wait)
		p.hold(r, forever)
		cut(w)
	case Unanswered.name:
		p.hold(r, forever)
		cut(w)
	case "stall":
		a := s.serve()
		p.hold(r, e.wait)
		send(a)
	case Status500Before.name:
		send(failure)
	case Status500After.name:
		s.serve()
		send(failure)
	case HTML502Before.name:
		send(htmlReply(502, "502 Bad Gateway"))
	case HTML502After.name:
		s.serve()
		send(htmlReply(502, "502 Bad Gateway"))
	case HTML504After.name:
		s.serve()
		send(gatewayTimeout())
	case HTML200.name:
		send(htmlReply(200, "Authorization"))
	case TruncatedJSON.name:
		a := s.serve()
		a.body = a.body[:len(a.body)/2]
		send(a)
	case EmptyBody.name:
		a := s.serve()
		a.body = nil
		send(a)
	case Twice.name:
		s.serve()
		send(s.serve())
	case "drip":
		a := s.serve()
		p.answered(log, a)
		p.drip(w, r, a, e.wait)
	case "huge":
		a := s.serve()
		a.body = append(bytes.Repeat([]byte(" "), e.count), a.body...)
		send(a)
	case "ids":
		a := s.serve()
		a.body = printedID.ReplaceAllFunc(a.body, func(pair []byte) []byte {
			parts := printedID.FindSubmatch(pair)
			return append(parts[1], strings.ReplaceAll(e.text, "%s", string(parts[2]))...)
		})
		send(a)
	case ErrorIn200.name:
		send(jsonReply(200, refuse(200, "INTERNAL_SERVER_ERROR", "Internal server error").body()))
	case "redirect":
		send(reply{status: 302, header: []string{"Location", strings.TrimSuffix(e.text, "/") + "/" + in.method}})
	default:
		send(refusalReply(e.refusal))
	}
}

// printedID is an id in an answer: what stands before its digits, and these.
var printedID = regexp.MustCompile(`("(?:id|ID)":)"?([0-9]+)"?`)

// forever is longer than any client waits.
const forever = 24 * time.Hour

// delay runs an admitted request when its time comes.
func (s session) delay(d time.Duration) {
	s.enter()
	defer s.p.mu.Unlock()
	if s.p.admit(s.in) == nil {
		s.held = true
		s.p.later(d, func() { s.execute() })
	}
}

func (p *Portal) drip(w http.ResponseWriter, r *http.Request, a reply, d time.Duration) {
	w.Header().Set("Content-Type", a.kind)
	w.WriteHeader(a.status)
	flush := http.NewResponseController(w)
	for i := range a.body {
		if _, err := w.Write(a.body[i : i+1]); err != nil || r.Context().Err() != nil {
			return
		}
		flush.Flush()
		p.hold(r, d)
	}
}

// hold waits for d, the client, or Flush, whichever comes first.
func (p *Portal) hold(r *http.Request, d time.Duration) {
	p.lock()
	flushed := p.flush
	p.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-flushed:
	}
}

// cut resets the connection, so that the client sees an error and not an end of file in good order.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	under := conn
	if secure, isTLS := conn.(*tls.Conn); isTLS {
		under = secure.NetConn()
	}
	if tcp, isTCP := under.(*net.TCPConn); isTCP {
		tcp.SetLinger(0)
	}
	under.Close()
}
