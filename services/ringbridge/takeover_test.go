package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// pair is two real ringbridge processes on one outside broker, beside a portal.
type pair struct {
	*house
	configs [2]string
	addr    [2]string
	procs   [2]*process
}

// pairLease is the length of a pair's leases.
const pairLease = 1500 * time.Millisecond

// pausedFor outlasts a takeover, and not the portal's patience: what a paused writer had
// on its tongue is said before its successor searches.
const (
	pausedFor = 3500 * time.Millisecond
	execution = "6s"
)

func startPair(t *testing.T, faults ...bitrixtest.Fault) *pair {
	t.Helper()
	broker := bustest.Serve(t)
	portal, address := bitrixtest.Start(t, bitrixtest.Options{Plan: bitrixtest.Unlimited})
	portal.AddUser(bitrixtest.User{ID: olena, Name: "Olena", LastName: "Koval", Active: true})
	portal.AddUser(bitrixtest.User{ID: petro, Name: "Petro", LastName: "Bondar", Active: true})
	for _, f := range faults {
		portal.Inject(f)
	}
	p := &pair{house: &house{t: t, portal: portal, started: time.Now().Truncate(time.Second)}}
	for i := range p.procs {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p.addr[i] = listener.Addr().String()
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		text := fmt.Sprintf(configuration, filepath.Join(dir, "data"), address)
		for _, replace := range [][2]string{
			{"127.0.0.1:0", p.addr[i]}, {"console:", "nats: {url: \"" + broker + "\", replicas: 1}\nconsole:"},
			{"max_execution: 300ms", "max_execution: " + execution}, {"request_timeout: 3s", "request_timeout: 7s"},
		} {
			if !strings.Contains(text, replace[0]) {
				t.Fatalf("the configuration has no %q", replace[0])
			}
			text = strings.Replace(text, replace[0], replace[1], 1)
		}
		p.configs[i] = filepath.Join(dir, "ringbridge.yaml")
		if err := os.WriteFile(p.configs[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.start(i)
	}
	t.Cleanup(func() {
		for i, proc := range p.procs {
			_ = proc.Process.Signal(syscall.SIGCONT)
			proc.kill()
			if t.Failed() {
				lines := strings.Split(proc.log.String(), "\n")
				t.Logf("the log of process %d:\n%s", i, strings.Join(lines[max(0, len(lines)-60):], "\n"))
			}
		}
	})
	return p
}

func (p *pair) start(i int) {
	p.procs[i] = startProcess(p.t.(*testing.T), p.configs[i], leaseVariable+"="+pairLease.String())
}

// signal sends a signal to a process.
func (p *pair) signal(i int, s syscall.Signal) {
	p.t.Helper()
	if err := p.procs[i].Process.Signal(s); err != nil {
		p.t.Fatalf("signal %s to process %d: %v", s, i, err)
	}
}

// impatient gives up on a process that stands still.
var impatient = &http.Client{Timeout: time.Second}

// holder is the process that holds a lease, or -1.
func (p *pair) holder(lease string) int {
	found := -1
	for i, addr := range p.addr {
		response, err := impatient.Get("http://" + addr + "/metrics")
		if err != nil {
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil && strings.Contains(string(body), `ringbridge_lease_held{name="`+lease+`"} 1`) {
			found = i
		}
	}
	return found
}

// deliver sends a webhook to one process after the other until one takes it.
func (p *pair) deliver(first int, v url.Values) {
	p.t.Helper()
	deadline := time.Now().Add(limit)
	for i := first; time.Now().Before(deadline); i++ {
		response, err := impatient.PostForm("http://"+p.addr[i%2]+"/ringostat/shop/"+hook, v)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		<-time.After(20 * time.Millisecond)
	}
	p.t.Errorf("webhook of call %s was not taken within %s", v.Get("call_id"), limit)
}

// TestTwoProcessesTakeOverFromEachOtherWithoutALossOrADouble sends calls of few clients
// to both of two processes, while whichever writes to the portal is killed, paused and
// stopped in turn.
func TestTwoProcessesTakeOverFromEachOtherWithoutALossOrADouble(t *testing.T) {
	const calls, clients = 90, 15
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	p := startPair(t, bitrixtest.Fault{Method: "crm.item.add", Every: 6, Times: -1, Do: bitrixtest.CutAfter},
		bitrixtest.Fault{Method: "tasks.task.add", Every: 25, Times: -1, Do: bitrixtest.CutBefore})
	lease := "writer-shop"
	p.until("one process writes", func() bool { return p.holder(lease) >= 0 })

	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for n := range calls {
			p.deliver(n, p.call(fmt.Sprintf("1700000000.%d", n), url.Values{"caller": {fmt.Sprintf("+3806711122%02d", n%clients)}}))
			<-time.After(time.Duration(100+dice.IntN(200)) * time.Millisecond)
		}
	}()
	var takeovers []time.Duration
	for n := range 6 {
		holder := -1
		p.until("one process writes", func() bool { holder = p.holder(lease); return holder >= 0 })
		begin := time.Now()
		over := func() {
			p.until("the other process writes", func() bool { return p.holder(lease) == 1-holder })
			takeovers = append(takeovers, time.Since(begin).Round(10*time.Millisecond))
		}
		switch n % 3 {
		case 0: // dies
			p.procs[holder].kill()
			over()
			p.start(holder)
		case 1: // stands still, and then goes on as if nothing had been
			p.signal(holder, syscall.SIGSTOP)
			over()
			<-time.After(time.Until(begin.Add(pausedFor)))
			p.signal(holder, syscall.SIGCONT)
		case 2: // is updated
			p.signal(holder, syscall.SIGTERM)
			over()
			if err := p.procs[holder].Wait(); err != nil {
				t.Errorf("stopped, process %d ended with %v", holder, err)
			}
			p.start(holder)
		}
	}
	<-sent
	t.Logf("taken over after %v: killed, paused, stopped, and again", takeovers)
	for i := range p.addr {
		p.in = &instance{Addr: p.addr[i], Token: settings.Secret(apiPass)}
		waitReady(t, p.house)
		p.quiet()
	}
	for _, what := range []struct {
		name      string
		got, want int
	}{{"leads", len(p.portal.Leads()), clients}, {"tasks", len(p.portal.Tasks()), calls}} {
		if what.got != what.want {
			t.Errorf("%s: got %d, want %d (seed %d)", what.name, what.got, what.want, seed)
		}
	}
	for id, n := range p.portal.Duplicates() {
		t.Errorf("%s was made %d times (seed %d)", id, n, seed)
	}
	for _, task := range p.portal.Tasks() {
		if task.Status != 5 {
			t.Errorf("task %d %q has status %d, want 5 (seed %d)", task.ID, task.Title, task.Status, seed)
		}
	}
}
