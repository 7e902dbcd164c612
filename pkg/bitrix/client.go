package bitrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// DefaultTimeout is longer than the 60 seconds a cloud portal lets one request
// run, so that a timeout means that the portal is done with it.
// https://apidocs.bitrix24.com/limits.html
const DefaultTimeout = 75 * time.Second

// maxBody bounds how much of an answer is read. Fifty pages of fifty rows fit.
const maxBody = 8 << 20

// Options describe one webhook of one portal. The zero value of everything
// below Secret is sensible.
type Options struct {
	Portal        *url.URL // scheme and host
	User          string   // number of the employee who made the webhook
	Secret        string
	Timeout       time.Duration     // per request, DefaultTimeout when 0
	AllowInsecure bool              // also http, and private or loopback addresses
	Now           func() time.Time  // time.Now when nil
	UserAgent     string            // "ringbridge" when empty
	Transport     http.RoundTripper // for tests; replaces the guard on addresses too
	// Turn, where it is there, is waited for before each request: a client beside others
	// takes its place in their pace. Its error keeps the request back.
	Turn func(context.Context) error
}

// Format prints the options without the secret, whatever the verb.
func (o Options) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "bitrix options of %s, user %s", hostOf(o.Portal), o.User)
}

func hostOf(u *url.URL) string {
	if u == nil {
		return "no portal"
	}
	return u.Host
}

// Client calls one portal. It is safe for concurrent use and keeps no pace:
// see Bucket and Budget.
type Client struct {
	portal    *url.URL
	moved     atomic.Pointer[url.URL] // adopted successor of portal
	transport secretTransport
	timeout   time.Duration
	now       func() time.Time
	agent     string
	turn      func(context.Context) error
}

// Format prints the client without the secret, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "bitrix client of %s, user %s", c.portal.Host, c.transport.user)
}

// New checks the options; it sends nothing.
func New(o Options) (*Client, error) {
	if err := checkPortal(o.Portal); err != nil {
		return nil, err
	}
	if strings.Trim(o.Portal.Path, "/") != "" || o.Portal.RawQuery != "" || o.Portal.Fragment != "" {
		return nil, errors.New("portal address: has more than a scheme and a host; want https://PORTAL")
	}
	if err := checkCredentials(o.User, o.Secret); err != nil {
		return nil, err
	}
	if !o.AllowInsecure {
		if o.Portal.Scheme != "https" {
			return nil, errors.New("portal address: not https, which allow_insecure: true would permit")
		}
		if a, err := netip.ParseAddr(o.Portal.Hostname()); err == nil && !public(a) {
			return nil, fmt.Errorf("portal address: %w", errForbidden)
		}
	}
	c := &Client{
		portal:    &url.URL{Scheme: o.Portal.Scheme, Host: strings.ToLower(o.Portal.Host)},
		transport: secretTransport{base: o.Transport, user: o.User, secret: o.Secret},
		timeout:   o.Timeout,
		now:       o.Now,
		agent:     o.UserAgent,
		turn:      o.Turn,
	}
	if c.transport.base == nil {
		c.transport.base = newTransport(o.AllowInsecure)
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.agent == "" {
		c.agent = "ringbridge"
	}
	return c, nil
}

// Close drops idle connections; the client can be used again afterwards.
func (c *Client) Close() {
	if t, ok := c.transport.base.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Call runs one method as a POST with a JSON body. params is nil, Params or
// anything that encodes as a JSON object. Every error is an *Error.
//
// When ctx ends while the request is out, the outcome is Ambiguous: a caller
// who writes should pass a context that outlives the request.
func (c *Client) Call(ctx context.Context, method string, params any) (Answer, error) {
	if !methodName.MatchString(method) || method == "batch" {
		return Answer{}, refusal(method, "not a method of its own")
	}
	body := []byte("{}")
	if params != nil {
		var err error
		if body, err = json.Marshal(params); err != nil {
			return Answer{}, refusal(method, "encode parameters: %w", err)
		}
	}
	if !bytes.HasPrefix(body, []byte("{")) {
		return Answer{}, refusal(method, "parameters are not a JSON object")
	}
	answer, failed := c.exchange(ctx, method, body)
	if failed != nil {
		return Answer{}, failed
	}
	return answer, nil
}

// exchange posts a body and follows a portal that moved, once. A redirect is
// the one answer after which a client may post again by itself: the old address
// executes nothing. It is not left to net/http, which would turn the POST into
// a GET and take the secret wherever it is told to.
func (c *Client) exchange(ctx context.Context, method string, body []byte) (Answer, *Error) {
	at := c.portal
	if moved := c.moved.Load(); moved != nil {
		at = moved
	}
	r, failed := c.post(ctx, at, method, body)
	if failed != nil {
		return Answer{}, failed
	}
	if redirects[r.status] {
		to, ok := successor(at, r.location)
		if !ok {
			return Answer{}, c.strayed(at, r, method)
		}
		if r, failed = c.post(ctx, to, method, body); failed != nil {
			return Answer{}, failed
		}
		if redirects[r.status] {
			return Answer{}, c.strayed(to, r, method)
		}
		at = to
	}
	envelope := readEnvelope(r.body)
	if r.cut != nil {
		envelope.content = ContentUnreadable
	}
	evidence := Evidence{Stage: StageAnswered, Status: r.status, Content: envelope.content, Code: envelope.code,
		Description: envelope.description, TimedOut: errors.Is(r.cut, context.DeadlineExceeded), Cancelled: errors.Is(r.cut, context.Canceled)}
	class, reason := Classify(evidence)
	if class != OK {
		failed := &Error{Class: class, Reason: reason, Method: method, Stage: StageAnswered, Status: r.status,
			Code: readable(c.conceal(envelope.code)), Description: readable(c.conceal(envelope.description)), RetryAt: r.retryAt, err: r.cut}
		if reason == ReasonMethodBudget && failed.RetryAt.IsZero() {
			failed.RetryAt = envelope.answer.Time.OperatingResetAt
		}
		return Answer{}, failed
	}
	if at.Host != c.portal.Host {
		c.moved.Store(at)
		envelope.answer.Moved = at.Host
	} else {
		c.moved.Store(nil)
	}
	return envelope.answer, nil
}

// strayed is the error for a redirect that is not followed.
func (c *Client) strayed(from *url.URL, r reply, method string) *Error {
	class, reason := Classify(Evidence{Stage: StageAnswered, Status: r.status})
	e := &Error{Class: class, Reason: reason, Method: method, Stage: StageAnswered, Status: r.status}
	to, err := from.Parse(r.location)
	switch {
	case err != nil || to.Host == "":
		e.err = errors.New("redirected to nowhere")
	case strings.Contains(to.Path, "coupon_activation"): // a self-hosted portal whose licence ran out
		e.Reason, e.err = ReasonPlan, errors.New("redirected to the page for a new licence")
	default:
		e.err = fmt.Errorf("redirected to host %s", cut(readable(c.conceal(to.Host)), 100))
	}
	return e
}

// reply is an HTTP answer, perhaps cut.
type reply struct {
	status   int
	body     []byte
	location string
	retryAt  time.Time
	cut      error // why the body is not whole
}

// post sends one request and reads its answer.
func (c *Client) post(ctx context.Context, portal *url.URL, method string, body []byte) (reply, *Error) {
	if err := ctx.Err(); err != nil {
		return reply{}, c.failure(method, StageUnsent, describe(err))
	}
	if failed := c.wait(ctx, method); failed != nil {
		return reply{}, failed
	}
	var p progress
	own, done := p.watch(ctx, c.timeout)
	defer done()
	address := &url.URL{Scheme: portal.Scheme, Host: portal.Host, Path: c.transport.path(method)}
	req, err := http.NewRequestWithContext(own, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return reply{}, refusal(method, "build the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	fault.Point("request", "begun")
	if fault.Wrong("transport-sends-again") {
		req.Header.Set("Idempotency-Key", "1") // net/http then repeats a POST by itself
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return reply{}, c.failure(method, p.stage(), describe(because(ctx, err)))
	}
	defer resp.Body.Close()
	fault.Point("request", "answered")
	r := reply{status: resp.StatusCode, location: resp.Header.Get("Location"), retryAt: c.retryAfter(resp.Header.Get("Retry-After"))}
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		r.cut = describe(because(ctx, err))
	case len(r.body) > maxBody:
		r.cut = fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)
	}
	fault.Point("request", "answer read")
	return r, nil
}

// because prefers the reason why the caller's context ended to the bare
// cancellation that the transport saw.
func because(ctx context.Context, err error) error {
	if own := ctx.Err(); own != nil {
		return own
	}
	return err
}

func (c *Client) failure(method string, stage Stage, cause *outage) *Error {
	e := &Error{Method: method, Stage: stage, err: cause}
	if fault.Wrong("secret-in-error") {
		e.err = fmt.Errorf("post https://%s/rest/%s/%s/%s: %w", c.portal.Host, c.transport.user, c.transport.secret, method, cause)
	}
	e.Class, e.Reason = Classify(Evidence{Stage: stage, TimedOut: errors.Is(cause, context.DeadlineExceeded), Cancelled: errors.Is(cause, context.Canceled)})
	if errors.Is(cause, errForbidden) {
		e.Class, e.Reason = Wait, ReasonForbidden
	}
	return e
}

// retryAfter reads the header that proxies send; the vendor documents none.
func (c *Client) retryAfter(header string) time.Time {
	if seconds, err := strconv.Atoi(header); err == nil && seconds > 0 && seconds <= 86400 {
		return c.now().Add(time.Duration(seconds) * time.Second)
	}
	if t, err := http.ParseTime(header); err == nil && t.Sub(c.now()) < 24*time.Hour {
		return t
	}
	return time.Time{}
}

// conceal blots the secret out of a text the portal sent.
func (c *Client) conceal(s string) string {
	return strings.ReplaceAll(s, c.transport.secret, "***")
}
