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
	// As many calls begin during one life while fewer than backlog wait, and one beyond:
	// calls that are only worked on after the last kill prove nothing.
	callsPerKill = 3
	backlog      = 10
	// callsPerClient come one after the other, the next one as soon as the last is taken.
	callsPerClient = 2
	// senders is how many clients call at once.
	senders = 4
	// patience is how long a process may take to reach its point: long enough for a lost
	// write of the life before to be waited out (the configuration's max_execution and
	// settle are 0.4 s instead of a real portal's 65 s) and searched for.
	patience = 900 * time.Millisecond
	// patienceInDoubt is that for points that a lost write of the same life leads to: after
	// it the portal is left alone for a second.
	patienceInDoubt = 4 * time.Second
	// births are the processes that are killed while they make the data folder.
	births = 8
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
	names  int    // how often the project was renamed

	tickets chan struct{} // each lets one call begin
	begun   int           // how many were given
	clients []*killClient
	logs    []string // of the last processes
}

// clientKind says who takes a client's calls.
type clientKind int

const (
	bySame      clientKind = iota // the same person answers all of them
	missed                        // nobody does
	byColleague                   // another person answers all after the first
)

// killClient is a client and what his calls should lead to.
type killClient struct {
	phone string
	kind  clientKind
	sent  []string
}

func openKillHouse(t *testing.T, dice *rand.Rand, count *killCount, points []string) *killHouse {
	t.Helper()
	// Missed calls of new clients go to the employees in turn, so that whose turn it is has to be kept too.
	// What was just made does not show in a search yet, for less than the configuration's
	// settle; a late request is over within its max_execution, with room for a busy machine.
	h, config := processHouse(t, bitrixtest.Options{Seed: dice.Uint64(), ReadLag: 60 * time.Millisecond}, "    scenarios: {missed_new_client: distribute}\n")
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
		{Method: "tasks.task.add", Do: bitrixtest.Late(150 * time.Millisecond)}, {Method: "tasks.task.add", Do: bitrixtest.Status500After},
		{Method: "crm.duplicate.findbycomm", Do: bitrixtest.CutBefore},
	} {
		f.Times, f.Chance = -1, 0.015
		h.portal.Inject(f)
	}
	return k
}

// keepTime looks at the portal all the while: what is late is carried out when somebody
// looks, so with nobody there it would be later than said, and hidden for longer.
func (k *killHouse) keepTime() (stop func()) {
	tick, over := time.NewTicker(5*time.Millisecond), make(chan struct{})
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				k.portal.Contacts()
			case <-over:
				return
			}
		}
	}()
	return func() { close(over) }
}

// round kills n processes, lets the last one come to rest, and judges.
func (k *killHouse) round(n int) {
	defer k.keepTime()()
	var sending sync.WaitGroup
	for s := range senders {
		dice := rand.New(rand.NewPCG(k.dice.Uint64(), uint64(s)))
		sending.Go(func() { k.sendAll(dice) })
	}
	for i := range n {
		k.admit()
		switch {
		case i < births && i < n/2:
			k.live("", time.Duration(k.dice.IntN(100))*time.Millisecond)
		case k.dice.IntN(6) == 0:
			k.live("", time.Duration(k.dice.IntN(400))*time.Millisecond)
		default:
			point := k.count.next(k.points)
			k.live(point, k.prepare(point))
		}
	}
	k.write("")
	k.portal.Heal() // a backlog at a portal that is left alone for a second after each fault takes minutes
	close(k.tickets)
	last := startProcess(k.test, k.config)
	defer func() {
		last.kill()
		if k.test.Failed() {
			k.test.Logf("the logs of the last processes:\n%s", strings.Join(append(k.logs, tail(last.log.String())), ""))
		}
	}()
	waitReady(k.test, k.house)
	sending.Wait()
	begun := time.Now()
	k.judge()
	k.count.rested(time.Since(begun))
}

// admit lets calls begin. Nearly every call ends as one task.
func (k *killHouse) admit() {
	n := 1
	if k.begun-len(k.portal.Tasks()) < backlog {
		n = callsPerKill
	}
	k.begun += n
	for range n {
		k.tickets <- struct{}{}
	}
}

// prepare makes sure that a process comes to the point, and says how long that may take.
func (k *killHouse) prepare(point string) time.Duration {
	switch {
	case stopping(point):
		return limit
	case strings.Contains(point, "settings"):
		k.names++
		k.write(fmt.Sprintf("    name: Shop %d\n", k.names))
	case strings.Contains(point, "doubt"):
		k.write("", "max_execution: 300ms", "max_execution: 1500ms")
		fallthrough
	case strings.Contains(point, "/search/"):
		k.portal.Inject(bitrixtest.Fault{Method: "tasks.task.add", Do: bitrixtest.CutAfter})
		return patienceInDoubt
	default:
		k.write("")
	}
	return patience
}

// write writes the configuration with further lines of the project, and texts replaced.
func (k *killHouse) write(more string, replace ...string) {
	text := strings.NewReplacer(replace...).Replace(k.text)
	if err := os.WriteFile(k.config, []byte(strings.Replace(text, "    locale: en\n", "    locale: en\n"+more, 1)), 0o600); err != nil {
		k.test.Fatal(err)
	}
}

// live runs a process until it dies at its point, or for so long.
func (k *killHouse) live(point string, patience time.Duration) {
	var environment []string
	if point != "" {
		environment = []string{fmt.Sprintf("%s=%s:%d", fault.KillAt, point, k.count.pass(point, k.dice))}
	}
	p := startProcess(k.test, k.config, environment...)
	dead := make(chan struct{})
	go func() { _ = p.Wait(); close(dead) }()
	if stopping(point) {
		if !k.readyOrDead(dead) {
			k.test.Fatalf("it ended before it was told to stop:\n%s", p.log)
		}
		_ = p.Process.Signal(syscall.SIGTERM)
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
	k.logs = append(k.logs, fmt.Sprintf("%s----- killed at %q: %v\n", tail(p.log.String()), point, atPoint))
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
	c := &killClient{phone: fmt.Sprintf("+38067111%04d", n), kind: []clientKind{bySame, missed, byColleague, missed}[n%4]}
	k.clients = append(k.clients, c)
	return c
}

// reports are the webhooks of one call: some come twice, of some the recording is known
// later.
func (k *killHouse) reports(id string, c *killClient, dice *rand.Rand) []url.Values {
	over := url.Values{"caller": {c.phone}}
	switch {
	case c.kind == missed:
		over = url.Values{"caller": {c.phone}, "status": {"NO ANSWER"}, "connected_with": {""}, "staffid": {""}, "dialog": {"0"}, "recording": {""}, "has_recording": {"0"}}
	case c.kind == byColleague && len(c.sent) > 0:
		over.Set("connected_with", "380501110102")
		over.Set("staffid", "102")
	}
	whole := k.call(id, over)
	switch n := dice.IntN(6); {
	case n == 0:
		return []url.Values{whole, whole}
	case n == 1 && c.kind != missed:
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
