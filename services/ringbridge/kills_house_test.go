//go:build faults

package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

const (
	// callsPerKill are how many calls may begin during one life.
	callsPerKill = 3
	// callsPerClient come one after the other, the next one as soon as the last is taken.
	callsPerClient = 3
	// senders is how many clients call at once.
	senders = 4
	// patienceWithPoint is how long a process may take to reach its point: long enough for
	// a lost write to be waited out (the configuration's max_execution and settle are
	// 0.4 s instead of a real portal's 65 s) and searched for.
	patienceWithPoint = 900 * time.Millisecond
)

// killHouse is a house whose process is killed again and again.
type killHouse struct {
	*house
	test   *testing.T
	dice   *rand.Rand
	count  *killCount
	points []string
	config string
	text   string // the configuration
	name   int    // how often the project was renamed

	tickets chan struct{} // each lets one call begin
	clients []*killClient
	logs    []string // of the last processes
}

// killClient is a client and what his calls should lead to.
type killClient struct {
	phone string
	kind  int // 0: his calls are answered by the same person; 1: missed; 2: answered by another person after the first
	sent  []string
}

func openKillHouse(t *testing.T, dice *rand.Rand, count *killCount, points []string) *killHouse {
	t.Helper()
	// Missed calls of new clients go to the employees in turn, so that whose turn it is has to be kept too.
	h, config := processHouse(t, bitrixtest.Options{Seed: dice.Uint64()}, "    scenarios: {missed_new_client: distribute}\n")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	k := &killHouse{house: h, test: t, dice: dice, count: count, points: points, config: config, text: string(text), tickets: make(chan struct{}, 10_000)}
	// Every way to lose an answer, now and then; each costs the process a second of
	// leaving the portal alone, unless it dies before.
	for _, f := range []bitrixtest.Fault{
		{Method: "crm.item.add", Do: bitrixtest.CutAfter}, {Method: "crm.item.add", Do: bitrixtest.CutBefore},
		{Method: "tasks.task.add", Do: bitrixtest.CutAfter}, {Method: "tasks.task.add", Do: bitrixtest.CutAfterCommands(1)},
		{Method: "tasks.task.add", Do: bitrixtest.Late(200 * time.Millisecond)}, {Method: "tasks.task.add", Do: bitrixtest.Status500After},
		{Method: "crm.duplicate.findbycomm", Do: bitrixtest.CutBefore},
	} {
		f.Times, f.Chance = -1, 0.015
		h.portal.Inject(f)
	}
	return k
}

// round kills n processes, lets the last one come to rest, and judges.
func (k *killHouse) round(n int) {
	var sending sync.WaitGroup
	for s := range senders {
		dice := rand.New(rand.NewPCG(k.dice.Uint64(), uint64(s)))
		sending.Go(func() { k.sendAll(dice) })
	}
	for range n {
		for range callsPerKill {
			k.tickets <- struct{}{}
		}
		if k.dice.IntN(5) == 0 {
			k.live("", time.Duration(k.dice.IntN(400))*time.Millisecond)
		} else {
			k.live(k.count.next(k.points), patienceWithPoint)
		}
	}
	close(k.tickets)
	last := startProcess(k.test, k.config)
	defer func() {
		last.kill()
		if k.test.Failed() {
			k.logs = append(k.logs, last.log.String())
			k.test.Logf("the logs of the last processes:\n%s", strings.Join(k.logs, "----- killed\n"))
		}
	}()
	waitReady(k.test, k.house)
	sending.Wait()
	k.judge()
}

// live runs a process until it dies at its point, or for so long.
func (k *killHouse) live(point string, patience time.Duration) {
	var environment []string
	if point != "" {
		environment = []string{fmt.Sprintf("%s=%s:%d", fault.KillAt, point, k.count.pass(point, k.dice))}
	}
	if strings.Contains(point, "settings") {
		k.rename()
	}
	p := startProcess(k.test, k.config, environment...)
	dead := make(chan struct{})
	go func() { _ = p.Wait(); close(dead) }()
	if stopping(point) {
		if !k.readyOrDead(dead) {
			k.test.Fatalf("it ended before it was told to stop:\n%s", p.log)
		}
		_ = p.Process.Signal(syscall.SIGTERM)
		patience = limit
	}
	atPoint := true
	select {
	case <-dead:
	case <-time.After(patience):
		_ = p.Process.Kill()
		<-dead
		atPoint = false
	}
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		k.test.Fatalf("with the point %q it ended as %v, want by SIGKILL:\n%s", point, p.ProcessState, p.log)
	}
	k.count.killed(point, atPoint)
	k.logs = append(k.logs, fmt.Sprintf("killed at %q %v\n%s", point, atPoint, p.log))
	k.logs = k.logs[max(0, len(k.logs)-4):]
}

// stopping says whether a point lies on the way of an orderly stop.
func stopping(point string) bool {
	return strings.HasPrefix(point, "stop/") || point == "bus/drained" || point == "bus/broker stopped"
}

func (k *killHouse) readyOrDead(dead <-chan struct{}) bool {
	for {
		select {
		case <-dead:
			return false
		case <-time.After(5 * time.Millisecond):
		}
		if response, err := http.Get("http://" + k.in.Addr + "/readyz"); err == nil {
			_ = response.Body.Close()
			return true
		}
	}
}

// rename makes the project's settings other ones than at the last start.
func (k *killHouse) rename() {
	k.name++
	text := strings.Replace(k.text, "    locale: en\n", fmt.Sprintf("    locale: en\n    name: Shop %d\n", k.name), 1)
	if err := os.WriteFile(k.config, []byte(text), 0o600); err != nil {
		k.test.Fatal(err)
	}
}

// sendAll lets one client after the other call while there are tickets.
func (k *killHouse) sendAll(dice *rand.Rand) {
	var c *killClient
	for range k.tickets {
		if c == nil || len(c.sent) == callsPerClient {
			c = k.newClient()
		}
		id := fmt.Sprintf("17000%s.%d", c.phone[6:], len(c.sent))
		for _, report := range k.reports(id, c, dice) {
			sendUntilTaken(k.test, k.house, report)
		}
		c.sent = append(c.sent, id)
	}
}

func (k *killHouse) newClient() *killClient {
	k.count.mu.Lock()
	defer k.count.mu.Unlock()
	n := len(k.clients)
	c := &killClient{phone: fmt.Sprintf("+38067111%04d", n), kind: n % 3}
	k.clients = append(k.clients, c)
	return c
}

// reports are the webhooks of one call: some come twice, of some the recording is known
// later.
func (k *killHouse) reports(id string, c *killClient, dice *rand.Rand) []url.Values {
	over := url.Values{"caller": {c.phone}}
	switch {
	case c.kind == 1:
		over = url.Values{"caller": {c.phone}, "status": {"NO ANSWER"}, "connected_with": {""}, "staffid": {""}, "dialog": {"0"}, "recording": {""}, "has_recording": {"0"}}
	case c.kind == 2 && len(c.sent) > 0:
		over.Set("connected_with", "380501110102")
		over.Set("staffid", "102")
	}
	whole := k.call(id, over)
	switch n := dice.IntN(6); {
	case n == 0:
		return []url.Values{whole, whole}
	case n == 1 && c.kind != 1:
		early := url.Values{}
		for name, value := range whole {
			early[name] = value
		}
		early.Del("recording")
		early.Set("has_recording", "0")
		return []url.Values{early, whole}
	}
	return []url.Values{whole}
}
