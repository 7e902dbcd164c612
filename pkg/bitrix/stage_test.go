package bitrix

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestWhereTheConnectionBreaksDecidesTheClass(t *testing.T) {
	closed := raw(t, func(net.Conn) {})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	for _, test := range []struct {
		name    string
		address string
		class   Class
		reason  Reason
		stage   Stage
	}{
		{"nobody listens", nobody, NotRun, ReasonUnreachable, StageUnsent},
		{"the TLS handshake is cut", strings.Replace(closed, "http", "https", 1), NotRun, ReasonUnreachable, StageUnsent},
		{"the TLS handshake gets a plain answer", strings.Replace(raw(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 no\r\n\r\n") }), "http", "https", 1), NotRun, ReasonUnreachable, StageUnsent},
		{"cut after the request", raw(t, func(c net.Conn) { request(c) }), Ambiguous, ReasonUnreadable, StageSent},
		{"not HTTP after the request", raw(t, func(c net.Conn) { request(c); io.WriteString(c, "hello\r\n\r\n") }), Ambiguous, ReasonUnreadable, StageSent},
		{"cut within the header", raw(t, func(c net.Conn) { request(c); io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-") }), Ambiguous, ReasonUnreadable, StageSent},
		{"cut within the body", raw(t, func(c net.Conn) {
			request(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\":1}")
		}), Ambiguous, ReasonUnreadable, StageAnswered},
		{"a refusal cut within the body", raw(t, func(c net.Conn) {
			request(c)
			io.WriteString(c, "HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{\"error\":\"ERROR_CORE\"}")
		}), Ambiguous, ReasonUnreadable, StageAnswered},
	} {
		_, err := clientOf(t, test.address, nil).Call(context.Background(), "crm.item.add", nil)
		e := failure(t, err)
		if e.Class != test.class || e.Reason != test.reason || e.Stage != test.stage {
			t.Errorf("%s: got %v, want %s, %s (%s)", test.name, err, test.class, test.reason, test.stage)
		}
		harmless(t, test.name, err)
	}
}

func TestTimeRunningOutBeforeAndAfterSending(t *testing.T) {
	stuck := make(chan struct{})
	silent := raw(t, func(c net.Conn) { request(c); <-stuck })
	handshake := strings.Replace(raw(t, func(c net.Conn) { <-stuck }), "http", "https", 1)
	half := raw(t, func(c net.Conn) {
		request(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\":")
		<-stuck
	})
	t.Cleanup(func() { close(stuck) }) // runs before the listeners close
	for _, test := range []struct {
		name, address string
		class         Class
		stage         Stage
	}{
		{"no answer", silent, Ambiguous, StageSent},
		{"no handshake", handshake, NotRun, StageUnsent},
		{"half an answer", half, Ambiguous, StageAnswered},
	} {
		quick := clientOf(t, test.address, func(o *Options) { o.Timeout = 50 * time.Millisecond })
		_, err := quick.Call(context.Background(), "crm.item.add", nil)
		if e := failure(t, err); e.Class != test.class || e.Reason != ReasonTimeout || e.Stage != test.stage || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, the client's limit: got %v, want %s, timeout (%s)", test.name, err, test.class, test.stage)
		}
		slow := clientOf(t, test.address, nil)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, err = slow.Call(ctx, "crm.item.add", nil)
		cancel()
		if e := failure(t, err); e.Class != test.class || e.Reason != ReasonTimeout {
			t.Errorf("%s, the caller's limit: got %v, want %s, timeout", test.name, err, test.class)
		}
		harmless(t, test.name, err)
	}
}

func TestGivingUpBeforeSendingIsNotRunAndAfterItAmbiguous(t *testing.T) {
	arrived, stuck := make(chan struct{}, 1), make(chan struct{})
	address := raw(t, func(c net.Conn) { request(c); arrived <- struct{}{}; <-stuck })
	t.Cleanup(func() { close(stuck) })
	c := clientOf(t, address, nil)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-arrived; cancel() }()
	_, err := c.Call(ctx, "crm.item.add", nil)
	if e := failure(t, err); e.Class != Ambiguous || e.Reason != ReasonCancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("while it was out: got %v, want ambiguous, cancelled", err)
	}
	_, err = c.Call(ctx, "crm.item.add", nil)
	if e := failure(t, err); e.Class != NotRun || e.Reason != ReasonCancelled || e.Stage != StageUnsent {
		t.Errorf("before it left: got %v, want not run, cancelled", err)
	}
}

type silentTransport struct{}

func (silentTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("lost")
}

func TestATransportThatTellsNothingIsNotTrustedToHaveSentNothing(t *testing.T) {
	c := clientOf(t, "https://shop.bitrix24.ua", func(o *Options) { o.Transport = silentTransport{} })
	_, err := c.Call(context.Background(), "crm.item.add", nil)
	if e := failure(t, err); e.Class != Ambiguous {
		t.Errorf("got %v, want ambiguous", err)
	}
}

func TestATooLongAnswerIsAmbiguous(t *testing.T) {
	for name, parts := range map[string][3]string{
		"a long text":              {`{"result":"`, "x", `"}`},
		"padding behind an answer": {`{"result":1}`, " ", " "},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, parts[0]+strings.Repeat(parts[1], maxBody)+parts[2])
		})
		_, err := clientOf(t, s.URL, nil).Call(context.Background(), "crm.item.list", nil)
		if e := failure(t, err); e.Class != Ambiguous || e.Reason != ReasonUnreadable {
			t.Errorf("%s: got %v, want ambiguous, unreadable", name, err)
		}
	}
}

func TestAReusedConnectionThatBreaksIsNotTriedAgain(t *testing.T) {
	seen := make(chan string, 10)
	address := raw(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for i := range 2 {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			seen <- req.URL.Path
			if i == 0 {
				io.WriteString(c, response(200, `{"result":1}`))
			}
		}
	})
	c := clientOf(t, address, nil)
	if _, err := c.Call(context.Background(), "crm.item.add", nil); err != nil {
		t.Fatal(err)
	}
	_, err := c.Call(context.Background(), "crm.item.add", nil)
	if e := failure(t, err); e.Class != Ambiguous || len(seen) != 2 {
		t.Errorf("got %v after %d requests, want ambiguous after 2", err, len(seen))
	}
}

func TestAnAbortedHTTP2RequestIsAmbiguous(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("protocol %s, want HTTP/2", r.Proto)
		}
		panic(http.ErrAbortHandler)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	c := clientOf(t, s.URL, func(o *Options) { o.Transport = s.Client().Transport })
	_, err := c.Call(context.Background(), "crm.item.add", nil)
	if e := failure(t, err); e.Class != Ambiguous || e.Stage != StageSent {
		t.Errorf("got %v, want ambiguous, sent", err)
	}
	harmless(t, "HTTP/2", err)
}

func TestARequestWaitsForItsTurnAndStaysWhereItGetsNone(t *testing.T) {
	var requests, turns int
	portal := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests++; turns != requests {
			t.Errorf("request %d left after %d turns", requests, turns)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"result": true}`))
	})
	full := false
	c := clientOf(t, portal.URL, func(o *Options) {
		o.Turn = func(context.Context) error {
			if full {
				return errors.New("no room")
			}
			turns++
			return nil
		}
	})
	for range 2 {
		if _, err := c.Call(t.Context(), "profile", nil); err != nil {
			t.Fatal(err)
		}
	}
	full = true
	_, err := c.Call(t.Context(), "profile", nil)
	var e *Error
	if !errors.As(err, &e) || e.Class != Wait || e.Reason != ReasonQueryLimit || e.Stage != StageUnsent || requests != 2 {
		t.Errorf("without a turn: %v after %d requests, want it kept back, to be asked again later", err, requests)
	}
}
