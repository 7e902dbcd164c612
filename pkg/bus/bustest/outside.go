package bustest

import (
	"context"
	"fmt"
	"net"
	neturl "net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// Serve runs a broker that listens on the loopback interface, as an outside one does,
// and returns its address. It is gone with the test.
func Serve(t testing.TB) (url string) {
	t.Helper()
	return serve(t, &server.Options{ServerName: "outside", Port: server.RANDOM_PORT}).ClientURL()
}

// ServeThree runs a cluster of three and returns their addresses; stop ends the n-th.
func ServeThree(t testing.TB) (url string, stop func(n int)) {
	t.Helper()
	var routes []*neturl.URL
	ports := make([]int, 3)
	for i := range ports {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() //nolint:errcheck // it only finds a free port
		ports[i] = l.Addr().(*net.TCPAddr).Port
		routes = append(routes, &neturl.URL{Scheme: "nats-route", Host: l.Addr().String()})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	servers, urls := make([]*server.Server, 3), make([]string, 3)
	for i := range servers {
		servers[i] = serve(t, &server.Options{
			ServerName: fmt.Sprintf("n%d", i), Port: server.RANDOM_PORT, Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: ports[i]},
		})
		urls[i] = servers[i].ClientURL()
	}
	Eventually(t, 30*time.Second, "the cluster has a leader and all are current", func() bool {
		leader, current := false, 0
		for _, s := range servers {
			leader = leader || s.JetStreamIsLeader()
			if s.JetStreamIsCurrent() {
				current++
			}
		}
		return leader && current == len(servers)
	})
	return strings.Join(urls, ","), func(n int) { servers[n].Shutdown(); servers[n].WaitForShutdown() }
}

func serve(t testing.TB, o *server.Options) *server.Server {
	t.Helper()
	o.Host, o.NoSigs, o.JetStream, o.StoreDir, o.SyncAlways = "127.0.0.1", true, true, t.TempDir(), true
	o.JetStreamMaxStore, o.JetStreamMaxMemory, o.MaxPayload = 1<<30, 64<<20, 1<<20
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatalf("set up the outside broker: %v", err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the outside broker was not ready within 30 s")
	}
	return s
}

// Connect opens a process' connection to an outside broker that keeps everything so many
// times, with leases of that length.
func Connect(t testing.TB, url string, replicas int, lease time.Duration) *bus.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, err := bus.Open(ctx, bus.Options{URL: url, Replicas: replicas, Lease: lease, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatalf("connect to the outside broker: %v", err)
	}
	return b
}

// Line is a network between a process and its broker that can go dead: what is sent
// then arrives when it is mended, as after a partition, or after the process was paused.
type Line struct {
	URL      string
	listener net.Listener
	to       string

	mu    sync.Mutex
	dead  chan struct{} // closed when the line is mended; nil while it is whole
	conns []net.Conn
	work  sync.WaitGroup
}

// Lay makes a line to the broker at a loopback address.
func Lay(t testing.TB, url string) *Line {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{URL: "nats://" + listener.Addr().String(), listener: listener, to: url[len("nats://"):]}
	l.work.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.Mend()
		l.Cut()
		l.work.Wait()
	})
	return l
}

func (l *Line) accept() {
	for {
		a, err := l.listener.Accept()
		if err != nil {
			return
		}
		b, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", l.to)
		if err != nil {
			_ = a.Close()
			return
		}
		l.mu.Lock()
		l.conns = append(l.conns, a, b)
		l.mu.Unlock()
		l.work.Go(func() { l.carry(a, b) })
		l.work.Go(func() { l.carry(b, a) })
	}
}

// carry passes bytes on while the line is whole.
func (l *Line) carry(from, to net.Conn) {
	defer to.Close() //nolint:errcheck // the other direction sees it
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		dead := l.dead
		l.mu.Unlock()
		if dead != nil {
			<-dead
		}
		if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

// Die lets nothing through any more; both sides still think they are connected.
func (l *Line) Die() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead == nil {
		l.dead = make(chan struct{})
	}
}

// Mend lets everything through that was sent, and all that follows.
func (l *Line) Mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead != nil {
		close(l.dead)
		l.dead = nil
	}
}

// Cut closes the connections; new ones may be made.
func (l *Line) Cut() {
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}
