package bitrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// harmless fails when any way to print an error or what it wraps shows the
// secret.
func harmless(t *testing.T, name string, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if s := fmt.Sprintf(verb, err); strings.Contains(s, canary[:6]) {
				t.Errorf("%s: %s shows the secret or a part of it: %s", name, verb, s)
			}
		}
		if j, jsonErr := json.Marshal(err); jsonErr == nil && bytes.Contains(j, []byte(canary)) {
			t.Errorf("%s: JSON shows the secret: %s", name, j)
		}
		var e *Error
		if errors.As(err, &e) {
			for _, lang := range []string{"uk", "ru", "en"} {
				if strings.Contains(e.Human(lang), canary) {
					t.Errorf("%s: the words for people show the secret", name)
				}
			}
		}
	}
}

func TestAPortalThatRepeatsTheAddressDoesNotRevealIt(t *testing.T) {
	long := strings.Repeat("x", 492)
	for name, answer := range map[string]func(path string) string{
		"in a description":          func(p string) string { return response(400, `{"error":"ERROR_CORE","error_description":"`+p+`"}`) },
		"in a code":                 func(p string) string { return response(400, `{"error":"`+p+`","error_description":"x"}`) },
		"at the end of a long text": func(p string) string { return response(400, `{"error":"A","error_description":"`+long+canary+`"}`) },
		"in HTML":                   func(p string) string { return response(404, "<html>no "+p) },
		"in a broken status line":   func(p string) string { return p + "\r\n\r\n" },
		"in a broken header":        func(p string) string { return "HTTP/1.1 200 OK\r\n" + p + "\r\n\r\n" },
		"in a broken length":        func(p string) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + p + "\r\n\r\n" },
		"in a broken encoding":      func(p string) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + p + "\r\n\r\n" },
		"in a redirect's path": func(p string) string {
			return "HTTP/1.1 302 Found\r\nLocation: https://x.example.com" + p + "\r\nContent-Length: 0\r\n\r\n"
		},
		"in a redirect's host": func(p string) string {
			return "HTTP/1.1 302 Found\r\nLocation: https://" + canary + ".example.com/\r\nContent-Length: 0\r\n\r\n"
		},
		"in a redirect to nowhere": func(p string) string {
			return "HTTP/1.1 302 Found\r\nLocation: %" + p + "\r\nContent-Length: 0\r\n\r\n"
		},
		"in the error of a batch": func(p string) string {
			return response(200, `{"result":{"result":[],"result_error":{"a":{"error":"","error_description":"`+p+`"}}}}`)
		},
		"in a body of the wrong shape":  func(p string) string { return response(200, `{"result":"`+p+`"}`) },
		"in a time to try again":        func(p string) string { return "HTTP/1.1 503 No\r\nRetry-After: " + p + "\r\nContent-Length: 0\r\n\r\n" },
		"in a body that is not gzipped": func(p string) string { return "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + p },
	} {
		address := raw(t, func(c net.Conn) {
			if req := request(c); req != nil {
				io.WriteString(c, answer(req.URL.Path))
			}
		})
		c := clientOf(t, address, nil)
		if _, err := c.Call(context.Background(), "profile", nil); err != nil {
			harmless(t, name, err)
		} else if !strings.Contains(name, "batch") && !strings.Contains(name, "shape") {
			t.Errorf("%s: no error", name)
		}
		b, err := c.Batch(context.Background(), []Command{Profile().As("a")}, false)
		harmless(t, name, err)
		for _, o := range b.Outcomes {
			harmless(t, name, o.Error)
		}
	}
}

func response(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

func TestTheClientAndItsOptionsPrintWithoutTheSecret(t *testing.T) {
	o := Options{Portal: &url.URL{Scheme: "https", Host: "shop.bitrix24.ua"}, User: "7", Secret: canary}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, v := range []any{o, &o, c, struct{ C *Client }{c}, []Options{o}, map[string]any{"o": o}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, canary) || strings.Contains(s, fmt.Sprintf("%x", canary)) {
				t.Errorf("%T %s: %s", v, verb, s)
			}
		}
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
	}
	if strings.Contains(log.String(), canary) {
		t.Errorf("a log line shows the secret: %s", log.String())
	}
}

func TestACallersTraceDoesNotSeeTheSecret(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"result":1}`) })
	var mu sync.Mutex
	var seen []string
	note := func(parts ...string) { mu.Lock(); defer mu.Unlock(); seen = append(seen, parts...) }
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		GetConn:          func(h string) { note(h) },
		WroteHeaderField: func(k string, v []string) { note(append(v, k)...) },
	})
	if _, err := clientOf(t, s.URL, nil).Call(ctx, "profile", nil); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 0 {
		t.Errorf("the caller's trace saw %q, want nothing", seen)
	}
}
