package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// childVariable makes the test binary be ringbridge itself, so that a test can kill a
// real process.
const childVariable = "RINGBRIDGE_TEST_CHILD"

// leaseVariable shortens the leases of such a process.
const leaseVariable = "RINGBRIDGE_TEST_LEASE"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		leaseLength, _ = time.ParseDuration(os.Getenv(leaseVariable))
		os.Exit(runCLI(os.Args[1:], os.Stdout, os.Stderr))
	}
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

// process is a real ringbridge process.
type process struct {
	*exec.Cmd
	log *bytes.Buffer
}

// startProcess runs ringbridge with a configuration file and, beside the test's own,
// the given environment.
func startProcess(t *testing.T, config string, environment ...string) *process {
	t.Helper()
	log := &bytes.Buffer{}
	cmd := exec.Command(os.Args[0], "run", "--config", config)
	cmd.Env = append(append(os.Environ(), childVariable+"=1"), environment...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start ringbridge: %v", err)
	}
	return &process{cmd, log}
}

func (p *process) kill() {
	_ = p.Process.Kill()
	_ = p.Wait()
}

// tail is the end of a process's log.
func tail(log string) string {
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(log)), func(l string) bool { return strings.Contains(l, "not ready") })
	return strings.Join(lines[max(0, len(lines)-30):], "")
}

// processHouse is a simulated portal and a configuration file of a ringbridge that runs
// as a process of its own. more is YAML of the project, indented by four.
func processHouse(t testing.TB, o bitrixtest.Options, more string) (h *house, config string) {
	t.Helper()
	o.Plan = bitrixtest.Unlimited
	portal, address := bitrixtest.Start(t, o)
	portal.AddUser(bitrixtest.User{ID: olena, Name: "Olena", LastName: "Koval", Active: true})
	portal.AddUser(bitrixtest.User{ID: petro, Name: "Petro", LastName: "Bondar", Active: true})
	listen := steadyAddress(t)
	dir := t.TempDir()
	config = filepath.Join(dir, "ringbridge.yaml")
	text := strings.Replace(fmt.Sprintf(configuration, filepath.Join(dir, "data"), address), "127.0.0.1:0", listen, 1)
	if err := os.WriteFile(config, []byte(text+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return &house{t: t, portal: portal, in: &instance{Addr: listen, Token: settings.Secret(apiPass)}, started: time.Now().Truncate(time.Second)}, config
}

// steadyAddress is a free address that stays free while its process is dead: below the
// ports that the system gives to outgoing connections.
func steadyAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		if listener, err := net.Listen("tcp", address); err == nil {
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
	t.Fatal("no free port between 20000 and 30000")
	return ""
}

// TestKilledAtAnyTimeItLosesNothingAndDoublesNothing sends calls of new and returning
// clients while the process is killed again and again and the portal drops answers.
// Every webhook that was answered 200 must end as exactly the entities of its call.
func TestKilledAtAnyTimeItLosesNothingAndDoublesNothing(t *testing.T) {
	const calls, kills = 60, 12
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))

	h, config := processHouse(t, bitrixtest.Options{}, "")
	portal := h.portal
	portal.Inject(bitrixtest.Fault{Method: "crm.item.add", Every: 5, Times: -1, Do: bitrixtest.CutAfter})
	portal.Inject(bitrixtest.Fault{Method: "tasks.task.add", Every: 7, Times: -1, Do: bitrixtest.CutBefore})

	p := startProcess(t, config)
	defer func() { p.kill() }()
	var mu sync.Mutex // one process at a time
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for range kills {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(50+dice.IntN(400)) * time.Millisecond):
			}
			mu.Lock()
			p.kill()
			p = startProcess(t, config)
			mu.Unlock()
		}
	})
	for i := range calls {
		v := h.call(fmt.Sprintf("1700000000.%d", i), url.Values{"caller": {fmt.Sprintf("+3806711122%02d", i%20)}})
		sendUntilTaken(t, h, v)
	}
	killer.Wait()
	close(stop)
	waitReady(t, h)
	h.quiet()

	for _, what := range []struct {
		name      string
		got, want int
	}{{"leads", len(portal.Leads()), 20}, {"tasks", len(portal.Tasks()), calls}} {
		if what.got != what.want {
			t.Errorf("%s: got %d, want %d (seed %d)", what.name, what.got, what.want, seed)
		}
	}
	for id, n := range portal.Duplicates() {
		t.Errorf("%s was made %d times (seed %d)", id, n, seed)
	}
	for _, task := range portal.Tasks() {
		if task.Status != 5 {
			t.Errorf("task %d %q has status %d, want 5 (seed %d)", task.ID, task.Title, task.Status, seed)
		}
	}
}

// sendUntilTaken is a sender that repeats what was not answered 200, as a person does
// from Ringostat's page of failed webhooks.
func sendUntilTaken(t *testing.T, h *house, v url.Values) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		response, err := http.PostForm("http://"+h.in.Addr+"/ringostat/shop/"+hook, v)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatalf("webhook of call %s was not taken within %s", v.Get("call_id"), limit)
}

func waitReady(t *testing.T, h *house) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		if response, err := http.Get("http://" + h.in.Addr + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatalf("not ready after %s", limit)
}
