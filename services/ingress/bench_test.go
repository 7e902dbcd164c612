package ingress

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// connections is how many senders wait for an answer at once.
const connections = 32

// BenchmarkWebhooks says how many webhooks a second are taken over HTTP by 32
// connections with every one on disk before its answer, and how that compares with an
// fsync for each (x_one_by_one) and with none (x_no_fsync). The three take turns, so
// that whatever else the machine does slows each of them.
func BenchmarkWebhooks(b *testing.B) {
	const turn = 1000
	rivals := []*rival{
		openRival(b, bus.Options{}),
		openRival(b, bus.Options{Memory: "/none"}),
		openRival(b, bus.Options{Fast: true}),
	}
	for _, r := range rivals {
		r.take(b, connections) // the first requests pay for what is made once
		r.took = 0
	}
	b.ResetTimer()
	for left := b.N; left > 0; left -= turn {
		for _, r := range rivals {
			r.take(b, min(left, turn))
		}
	}
	b.StopTimer()
	grouped, oneByOne, noFsync := rivals[0].took, rivals[1].took, rivals[2].took
	b.ReportMetric(0, "ns/op") // of all three: says nothing
	b.ReportMetric(float64(b.N)/grouped.Seconds(), "webhooks/s")
	b.ReportMetric(float64(oneByOne)/float64(grouped), "x_one_by_one")
	b.ReportMetric(float64(noFsync)/float64(grouped), "x_no_fsync")
}

// BenchmarkWebhooksAtAThousandASecond sends a thousand webhooks a second whether or not
// the earlier ones are answered, and says how long the answers take from when each was
// due. Without fsync it says how long the machine itself lets them wait.
func BenchmarkWebhooksAtAThousandASecond(b *testing.B) {
	for name, o := range map[string]bus.Options{"durable": {}, "no_fsync": {Fast: true}} {
		b.Run(name, func(b *testing.B) { atAThousandASecond(b, openRival(b, o)) })
	}
}

func atAThousandASecond(b *testing.B, r *rival) {
	r.take(b, connections)
	took := make([]time.Duration, b.N)
	due := make(chan int, b.N)
	b.ResetTimer()
	start := time.Now()
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }
	go func() {
		defer close(due)
		for i := range b.N {
			<-time.After(time.Until(at(i)))
			due <- i
		}
	}()
	r.each(b, due, func(i int) { took[i] = time.Since(at(i)) })
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(0, "ns/op") // a thousand a second: says nothing
	for _, percent := range []int{50, 99} {
		b.ReportMetric(float64(took[(b.N-1)*percent/100].Microseconds())/1000, fmt.Sprintf("p%d_ms", percent))
	}
	b.ReportMetric(float64(took[b.N-1].Microseconds())/1000, "max_ms")
}

// rival is an ingress with its senders' connections.
type rival struct {
	connections []net.Conn
	took        time.Duration
}

func openRival(b *testing.B, o bus.Options) *rival {
	b.Helper()
	o.Dir = b.TempDir()
	opened, err := bus.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := opened.Close(); err != nil {
			b.Error(err)
		}
	})
	server := httptest.NewServer(openDoorOn(b, opened).mux)
	b.Cleanup(server.Close)
	r := &rival{}
	for range connections {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		r.connections = append(r.connections, c)
	}
	return r
}

// take sends n requests, the next on each connection once the one before is answered.
func (r *rival) take(b *testing.B, n int) {
	b.Helper()
	todo := make(chan int, n)
	for i := range n {
		todo <- i
	}
	close(todo)
	start := time.Now()
	r.each(b, todo, func(int) {})
	r.took += time.Since(start)
}

// each sends a request for each of todo and says when it is answered.
func (r *rival) each(b *testing.B, todo <-chan int, answered func(int)) {
	var senders sync.WaitGroup
	for _, c := range r.connections {
		senders.Go(func() {
			answers := bufio.NewReader(c)
			for i := range todo {
				if _, err := io.WriteString(c, webhook); err != nil {
					b.Errorf("send request %d: %v", i, err)
					return
				}
				response, err := http.ReadResponse(answers, nil)
				if err != nil {
					b.Errorf("answer %d: %v", i, err)
					return
				}
				if words, err := io.ReadAll(response.Body); err != nil || string(words) != "ok" {
					b.Errorf("answer %d: %d %q (%v), want ok", i, response.StatusCode, words, err)
					return
				}
				answered(i)
			}
		})
	}
	senders.Wait()
}

// webhook is a request as long as Ringostat's are.
var webhook = func() string {
	body := "call_id=ua-1700000000.1&call_type=in&disposition=ANSWERED&caller_number=380671112233" + strings.Repeat("&utm_source=google", 50)
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: ringbridge.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", address, len(body), body)
}()
