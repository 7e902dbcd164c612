package bitrix

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// secretTransport is the only place that knows the webhook's secret. It puts
// it into the address of a clone of the request; whoever sees the request
// itself sees "_" in its place.
type secretTransport struct {
	base   http.RoundTripper
	user   string
	secret string
}

func (t secretTransport) path(method string) string { return "/rest/" + t.user + "/_/" + method }

// RoundTrip sends the request with the secret.
func (t secretTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	clone := req.Clone(req.Context())
	method := req.URL.Path[len(t.path("")):]
	clone.URL.Path = "/rest/" + t.user + "/" + t.secret + "/" + method
	clone.URL.RawPath = ""
	resp, err := t.base.RoundTrip(clone)
	if err != nil {
		return nil, err
	}
	resp.Request = req
	return resp, nil
}

// newTransport reads no proxy from the environment: a proxy would see the
// portal's name and make the guard pointless.
func newTransport(allowInsecure bool) *http.Transport {
	return &http.Transport{
		DialContext:         dialer(allowInsecure).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        8,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     60 * time.Second,
		TLSHandshakeTimeout: 15 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// progress watches how far a request gets. The transport calls it from its own
// goroutines. It errs on the side of "something was written": a header counts
// as written when it is put into the buffer.
type progress struct {
	started atomic.Bool
	written atomic.Bool
}

// watch returns a context with the caller's cancellation but none of its
// values, because a caller's trace would see the address with the secret.
func (p *progress) watch(ctx context.Context, timeout time.Duration) (context.Context, func()) {
	own, cancel := context.WithTimeout(context.Background(), timeout)
	stop := context.AfterFunc(ctx, cancel)
	return httptrace.WithClientTrace(own, &httptrace.ClientTrace{
		GetConn:          func(string) { p.started.Store(true) },
		WroteHeaderField: func(string, []string) { p.written.Store(true) },
		WroteHeaders:     func() { p.written.Store(true) },
		WroteRequest:     func(httptrace.WroteRequestInfo) { fault.Point("request", "written") },
	}), func() { stop(); cancel() }
}

// stage is "unsent" only on positive knowledge: a transport that reports
// nothing may have sent everything.
func (p *progress) stage() Stage {
	if p.started.Load() && !p.written.Load() {
		return StageUnsent
	}
	return StageSent
}

// outage is a network failure in our own words. The transport's own errors are
// never passed on: they quote what the other side sent, which may repeat the
// request's address.
type outage struct {
	text  string
	cause error // context.Canceled, context.DeadlineExceeded, errForbidden or nil
}

func (o *outage) Error() string { return o.text }
func (o *outage) Unwrap() error { return o.cause }

// describe turns a transport's error into an outage.
func describe(err error) *outage {
	var (
		dns      *net.DNSError
		errno    syscall.Errno
		unknown  x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		record   tls.RecordHeaderError
		network  net.Error
		protocol *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, errForbidden):
		return &outage{errForbidden.Error(), errForbidden}
	case errors.Is(err, context.DeadlineExceeded):
		return &outage{"no answer in time", context.DeadlineExceeded}
	case errors.Is(err, context.Canceled):
		return &outage{"given up by the caller", context.Canceled}
	case errors.As(err, &dns):
		return &outage{text: "the portal's name can't be resolved"}
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &protocol):
		return &outage{text: "the portal's certificate is not valid for its name"}
	case errors.As(err, &record):
		return &outage{text: "the portal does not speak TLS on this port"}
	case errors.As(err, &network) && network.Timeout():
		return &outage{"no answer in time", context.DeadlineExceeded}
	case errors.As(err, &errno):
		return &outage{text: errno.Error()}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &outage{text: "the connection was closed before the answer was whole"}
	}
	return &outage{text: "the connection failed"}
}

// wait is until it is the request's turn, where somebody gives turns.
func (c *Client) wait(ctx context.Context, method string) *Error {
	if c.turn == nil {
		return nil
	}
	if err := c.turn(ctx); err != nil {
		return &Error{Class: Wait, Reason: ReasonQueryLimit, Method: method, Stage: StageUnsent, err: describe(err)}
	}
	return nil
}
