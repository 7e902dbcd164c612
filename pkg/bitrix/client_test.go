package bitrix

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const canary = "CANARY4f9b2d"

// clientOf makes a client of a server that speaks plain HTTP on loopback.
func clientOf(t *testing.T, address string, change func(*Options)) *Client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Portal: &url.URL{Scheme: u.Scheme, Host: u.Host}, User: "1", Secret: canary, AllowInsecure: true}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// raw accepts connections and hands each to do, for failures below HTTP.
func raw(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			do(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return "http://" + l.Addr().String()
}

// request reads one request whole, so that the client has certainly sent it.
func request(conn net.Conn) *http.Request {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		io.Copy(io.Discard, req.Body)
	}
	return req
}

func failure(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	return e
}

func TestACallIsOnePostWithTheSecretInItsPath(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("User-Agent") + " " + string(body)
		want := `POST /rest/1/` + canary + `/crm.item.get application/json ringbridge {"entityTypeId":1,"id":5,"useOriginalUfNames":"Y"}`
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		io.WriteString(w, `{"result":{"item":{"id":5}},"total":4,"next":"50","time":{"duration":0.69,"processing":0,"operating_reset_at":1757425271,"operating":"0.67"}}`)
	})
	cmd := GetItem(Lead, 5)
	a, err := clientOf(t, s.URL, nil).Call(context.Background(), cmd.Method, cmd.Params)
	if err != nil {
		t.Fatal(err)
	}
	if string(a.Result) != `{"item":{"id":5}}` || *a.Total != 4 || *a.Next != 50 {
		t.Errorf("got %s, total %d, next %d", a.Result, *a.Total, *a.Next)
	}
	want := Time{Duration: 0.69, Operating: 0.67, OperatingResetAt: time.Unix(1757425271, 0).UTC(), HasOperating: true}
	if a.Time != want || a.Moved != "" {
		t.Errorf("got time %+v, moved %q, want %+v and not moved", a.Time, a.Moved, want)
	}
}

func TestACallWithoutParametersSendsAnEmptyObject(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != "{}" {
			t.Errorf("got body %s, want {}", body)
		}
		io.WriteString(w, `{"result":null}`)
	})
	for _, params := range []any{nil, Params(nil), map[string]any{}} {
		a, err := clientOf(t, s.URL, nil).Call(context.Background(), "profile", params)
		if err != nil || string(a.Result) != "null" {
			t.Errorf("%#v: got %s, %v", params, a.Result, err)
		}
	}
}

func TestWhatCannotBeACallIsRefusedUnsent(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	c := clientOf(t, s.URL, nil)
	for _, test := range []struct {
		method string
		params any
	}{
		{"batch", nil}, {"", nil}, {"../profile", nil}, {"crm.item.add?x=1", nil}, {"a/b", nil},
		{"profile", []int{1}}, {"profile", "x"}, {"profile", make(chan int)}, {"profile", (*int)(nil)},
		{"crm.item.list", ListItems(Lead, nil).Params},
	} {
		_, err := c.Call(context.Background(), test.method, test.params)
		if e := failure(t, err); e.Class != Refused || e.Stage != StageUnsent {
			t.Errorf("%q %v: got %v, want refused, unsent", test.method, test.params, err)
		}
	}
}

func TestARefusalSaysWhenToComeBack(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		header, body string
		want         time.Time
	}{
		{"30", `{"error":"QUERY_LIMIT_EXCEEDED"}`, now.Add(30 * time.Second)},
		{"Mon, 04 May 2026 12:01:00 GMT", `{"error":"QUERY_LIMIT_EXCEEDED"}`, now.Add(time.Minute)},
		{"", `{"error":"OPERATION_TIME_LIMIT","time":{"operating":480.1,"operating_reset_at":1777896300}}`, time.Unix(1777896300, 0).UTC()},
		{"", `{"error":"OPERATION_TIME_LIMIT"}`, time.Time{}},
		{"soon", `{"error":"QUERY_LIMIT_EXCEEDED"}`, time.Time{}},
		{"99999999", `{"error":"QUERY_LIMIT_EXCEEDED"}`, time.Time{}},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", test.header)
			w.WriteHeader(503)
			io.WriteString(w, test.body)
		})
		c := clientOf(t, s.URL, func(o *Options) { o.Now = func() time.Time { return now } })
		_, err := c.Call(context.Background(), "crm.item.add", nil)
		if e := failure(t, err); e.Class != Wait || !e.RetryAt.Equal(test.want) {
			t.Errorf("%q %s: got %v, again at %v, want %v", test.header, test.body, err, e.RetryAt, test.want)
		}
	}
}

func TestACallLeavesNoGoroutineBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"result":1}`) }))
	c := clientOf(t, s.URL, nil)
	if _, err := c.Call(context.Background(), "profile", nil); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.Close()
	goleak.VerifyNone(t, before)
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Portal: &url.URL{Scheme: "https", Host: "Shop.bitrix24.ua"}, User: "1", Secret: canary}
	if c, err := New(good); err != nil || c.portal.Host != "shop.bitrix24.ua" || c.timeout != 75*time.Second {
		t.Fatalf("got %v, %v", c, err)
	}
	for name, change := range map[string]func(*Options){
		"no portal":       func(o *Options) { o.Portal = nil },
		"plain http":      func(o *Options) { o.Portal = &url.URL{Scheme: "http", Host: "shop.bitrix24.ua"} },
		"another scheme":  func(o *Options) { o.Portal = &url.URL{Scheme: "ftp", Host: "shop.bitrix24.ua"} },
		"a path":          func(o *Options) { o.Portal = &url.URL{Scheme: "https", Host: "shop.bitrix24.ua", Path: "/rest/1/x"} },
		"a query":         func(o *Options) { o.Portal = &url.URL{Scheme: "https", Host: "shop.bitrix24.ua", RawQuery: "a=1"} },
		"a user name":     func(o *Options) { o.Portal = &url.URL{Scheme: "https", Host: "x.ua", User: url.User("a")} },
		"loopback":        func(o *Options) { o.Portal = &url.URL{Scheme: "https", Host: "127.0.0.1:8443"} },
		"mapped loopback": func(o *Options) { o.Portal = &url.URL{Scheme: "https", Host: "[::ffff:127.0.0.1]"} },
		"metadata":        func(o *Options) { o.Portal = &url.URL{Scheme: "https", Host: "169.254.169.254"} },
		"no user":         func(o *Options) { o.User = "" },
		"a user's name":   func(o *Options) { o.User = "admin" },
		"no secret":       func(o *Options) { o.Secret = "" },
		"a path secret":   func(o *Options) { o.Secret = "../" + canary },
	} {
		o := good
		change(&o)
		_, err := New(o)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		harmless(t, name, err)
	}
}

func TestJSONNeedsNoGuessing(t *testing.T) {
	// A result of null must not look like a missing one.
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(`{"a":null}`), &m); err != nil || m["a"] == nil {
		t.Fatalf("got %v, %v, want the four bytes null", m, err)
	}
}
