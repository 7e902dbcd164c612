package ringostat

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// requestTimeout bounds one request with its answer.
	requestTimeout = 60 * time.Second
	// maxAnswer is several times what 6,500 rows take.
	maxAnswer = 64 << 20
	// defaultPause keeps requests apart. No limit is published; one program in production
	// keeps this distance (seen).
	defaultPause = 1500 * time.Millisecond
)

// CallLogOptions say how a project's call log is reached.
type CallLogOptions struct {
	BaseURL string // https://api.ringostat.net, without a slash at the end
	Key     string // the project's, from Integration, Ringostat API
	// AllowInsecure lets the address be http:// or lead into a private network.
	AllowInsecure bool
	UserAgent     string        // empty: ringbridge
	Pause         time.Duration // least time between two requests; 0: 1.5 s
	// Transport replaces the network; nil is the real one.
	Transport http.RoundTripper
}

// CallLog reads a project's call log: GET /calls/list of Ringostat's API (help 6312678).
// It is safe for concurrent use; requests go out one after the other.
type CallLog struct {
	base   string
	agent  string
	pause  time.Duration
	client *http.Client

	mu   sync.Mutex
	free time.Time // when the next request may go out
}

// NewCallLog makes a reader. The error says what is wrong with the address.
func NewCallLog(o CallLogOptions) (*CallLog, error) {
	base, err := url.Parse(o.BaseURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("the address of Ringostat's API is no web address")
	case base.Scheme == "http" && !o.AllowInsecure:
		return nil, errors.New("the address of Ringostat's API is not https, which allow_insecure: true would permit")
	}
	if o.UserAgent == "" {
		o.UserAgent = "ringbridge"
	}
	if o.Pause == 0 {
		o.Pause = defaultPause
	}
	if o.Transport == nil {
		o.Transport = network(o.AllowInsecure)
	}
	return &CallLog{base: strings.TrimRight(o.BaseURL, "/"), agent: o.UserAgent, pause: o.Pause, client: &http.Client{
		Transport: keyed{o.Transport, o.Key},
		// The key would go along to wherever an answer leads.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// String names the log and never its key, whatever it is printed with.
func (c *CallLog) String() string { return "the call log at " + c.base }

// GoString is String.
func (c *CallLog) GoString() string { return c.String() }

// Close gives up the connections that are kept open.
func (c *CallLog) Close() { c.client.CloseIdleConnections() }

// keyed is the only place that knows the key: it puts it into a clone of the request,
// so that whoever sees the request itself, as errors do, does not see the key.
type keyed struct {
	base http.RoundTripper
	key  string
}

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	clone := r.Clone(r.Context())
	clone.Header["Auth-key"] = []string{k.key} // as the vendor spells it
	response, err := k.base.RoundTrip(clone)
	if response != nil {
		response.Request = r
	}
	return response, err
}

// CloseIdleConnections lets the client's own reach the network.
func (k keyed) CloseIdleConnections() {
	if c, ok := k.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// get returns the body of an answer with code 200.
func (c *CallLog) get(ctx context.Context, path string) ([]byte, error) {
	return c.ask(ctx, http.MethodGet, path, nil)
}

// post sends a question as JSON and returns the body of an answer with code 200.
func (c *CallLog) post(ctx context.Context, path string, question []byte) ([]byte, error) {
	return c.ask(ctx, http.MethodPost, path, question)
}

func (c *CallLog) ask(ctx context.Context, method, path string, question []byte) ([]byte, error) {
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, method, c.base+path, bytes.NewReader(question))
	if err != nil {
		return nil, errors.New("the address of Ringostat's API is no web address")
	}
	request.Header.Set("User-Agent", c.agent)
	request.Header.Set("Accept", "application/json")
	if len(question) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, outage(ctx, err)
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return nil, fmt.Errorf("%w: it answers %d", ErrKey, code)
	case code == http.StatusTooManyRequests || code >= 500:
		return nil, fmt.Errorf("%w: it answers %d", ErrUnreachable, code)
	case code != http.StatusOK:
		return nil, fmt.Errorf("%w: it answers %d", ErrUnreadable, code)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, outage(ctx, err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("%w: it has more than %d MiB", ErrUnreadable, maxAnswer>>20)
	}
	return body, nil
}

// wait keeps the pause between two requests.
func (c *CallLog) wait(ctx context.Context) error {
	c.mu.Lock()
	now := time.Now()
	at := c.free
	if at.Before(now) {
		at = now
	}
	c.free = at.Add(c.pause)
	c.mu.Unlock()
	if !at.After(now) {
		return ctx.Err()
	}
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errClosed is a name that leads into a private network.
var errClosed = errors.New("its name leads to a private or local address, which allow_insecure: true would permit")

// outage puts a failure of the network into our own words: the library's quote what the
// other side sent.
func outage(ctx context.Context, err error) error {
	var dns *net.DNSError
	var errno syscall.Errno
	var certificate *tls.CertificateVerificationError
	var network net.Error
	why := "the connection failed"
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errClosed):
		why = errClosed.Error()
	case errors.As(err, &network) && network.Timeout(): // a deadline is one, too
		why = "no answer in time"
	case errors.As(err, &dns):
		why = "its name can't be resolved"
	case errors.As(err, &certificate):
		why = "its certificate is not valid for its name"
	case errors.As(err, &errno):
		why = errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		why = "the connection was closed before the answer was whole"
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, why)
}

// network reads no proxy from the environment: it would make the guard pointless.
func network(allowInsecure bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	if !allowInsecure {
		// The address that is really dialled is judged, after the name was resolved.
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !public(at.Addr().Unmap()) {
				return errClosed
			}
			return nil
		}
	}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second,
		TLSHandshakeTimeout: 15 * time.Second, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// shared are ranges that look public and are not: carriers' own (RFC 6598), the
// metadata of one cloud's machines, and the prefixes that carry any IPv4 address
// (RFC 6052, RFC 3056).
var shared = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range shared {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
