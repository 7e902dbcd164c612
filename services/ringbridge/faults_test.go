package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

var faultSeeds = flag.Int("fault-seeds", 1, "how many seeds the fault matrix runs through")

// stage is a moment of a call's way through the portal at which a fault can hit.
type stage struct {
	what string
	// method is the one whose command fails where a single command does.
	method string
	// hit says which requests are of this moment.
	hit func(bitrixtest.Request) bool
	// before prepares the portal for a client, and arms what leads to this moment.
	before func(c *company, client int)
	// leads is how many leads ringbridge makes for a client.
	leads int
}

var stages = []stage{
	{"while looking a number up", "crm.duplicate.findbycomm", func(r bitrixtest.Request) bool { return r.Has("crm.duplicate.findbycomm") }, nothingThere, 1},
	{"while reading what is open", "crm.item.list", func(r bitrixtest.Request) bool { return r.Has("crm.item.list") }, contactThere, 1},
	{"while making a lead with its task", "crm.item.add", func(r bitrixtest.Request) bool { return r.Has("crm.item.add") }, nothingThere, 1},
	{"while making a task only", "tasks.task.add", func(r bitrixtest.Request) bool { return r.Has("tasks.task.add") }, leadThere, 0},
	{"while closing a task", "tasks.task.complete", func(r bitrixtest.Request) bool { return r.Has("tasks.task.complete") && !r.Has("tasks.task.add") }, closingFails, 1},
	{"while searching for a lost write", "tasks.task.list", func(r bitrixtest.Request) bool { return r.Has("tasks.task.list") }, writeIsLost, 1},
}

func nothingThere(*company, int) {}

func contactThere(c *company, client int) {
	c.portal.AddContact(bitrixtest.Entity{Name: "Halyna", Phones: []string{number(client)}, ResponsibleID: olena})
}

func leadThere(c *company, client int) {
	c.portal.AddLead(bitrixtest.Entity{Title: "Chairs", Phones: []string{number(client)}, ResponsibleID: olena})
}

// closingFails makes the task be closed by a request of its own.
func closingFails(c *company, client int) {
	if client == 0 {
		c.portal.Inject(bitrixtest.Fault{Method: "tasks.task.complete", Do: bitrixtest.Refuse(500, "INTERNAL_SERVER_ERROR", "")})
	}
}

func writeIsLost(c *company, client int) {
	if client == 0 {
		c.portal.Inject(bitrixtest.Fault{When: writing, Do: bitrixtest.CutAfter})
	}
}

// breakage is a row of the matrix.
type breakage struct {
	what string
	do   func(dice *rand.Rand) bitrixtest.Effect
	// times is how often it may hit in a row.
	times int
	// inside breaks the stage's command only, not the request around it.
	inside bool
	// lag is how long new rows stay out of lists.
	lag time.Duration
}

func always(e bitrixtest.Effect) func(*rand.Rand) bitrixtest.Effect {
	return func(*rand.Rand) bitrixtest.Effect { return e }
}

// within draws a time at which a request that was given up may still be carried out.
func within(dice *rand.Rand) time.Duration {
	return time.Duration(dice.Int64N(int64(maxExecution / 3)))
}

// breakages are the ways a portal fails that are the same at every stage.
var breakages = []breakage{
	{what: "the pace is refused", do: always(bitrixtest.RefuseQueryLimit), times: 2},
	{what: "the vendor closes the portal for overload", do: always(bitrixtest.Overload), times: 1},
	{what: "the plan runs out for a while", do: always(bitrixtest.PlanExpired), times: 1},
	{what: "the connection is reset after the write", do: always(bitrixtest.CutAfter), times: 2},
	{what: "the connection is reset before the write", do: always(bitrixtest.CutBefore), times: 2},
	{what: "the process dies behind the first command", do: always(bitrixtest.CutAfterCommands(1)), times: 1},
	{what: "the process dies behind the second command", do: always(bitrixtest.CutAfterCommands(2)), times: 1},
	{what: "the connection is reset and the request carried out later", do: func(d *rand.Rand) bitrixtest.Effect { return bitrixtest.Late(within(d)) }, times: 1},
	{what: "no answer, and the request is carried out later", do: func(d *rand.Rand) bitrixtest.Effect { return bitrixtest.UnansweredLate(within(d)) }, times: 1},
	{what: "no answer, and the request is never carried out", do: always(bitrixtest.Unanswered), times: 1},
	{what: "half an answer", do: always(bitrixtest.TruncatedJSON), times: 2},
	{what: "a log-in page in place of an answer", do: always(bitrixtest.HTML200), times: 2},
	{what: "an empty answer", do: always(bitrixtest.EmptyBody), times: 2},
	{what: "an error with status 200", do: always(bitrixtest.ErrorIn200), times: 2},
	{what: "an inner error before the effect", do: always(bitrixtest.Status500Before), times: 2},
	{what: "an inner error after the effect", do: always(bitrixtest.Status500After), times: 2},
	{what: "502 before the effect", do: always(bitrixtest.HTML502Before), times: 2},
	{what: "502 after the effect", do: always(bitrixtest.HTML502After), times: 2},
	{what: "504 after the effect", do: always(bitrixtest.HTML504After), times: 2},
	{what: "an answer that drips", do: always(bitrixtest.Drip(20 * time.Millisecond)), times: 1},
	{what: "an answer that is too long", do: always(bitrixtest.Huge(9 << 20)), times: 1},
	{what: "ids are texts", do: always(bitrixtest.IDsAs(`"%s"`)), times: -1},
	{what: "ids are numbers", do: always(bitrixtest.IDsAs(`%s`)), times: -1},
	{what: "ids are fractions", do: always(bitrixtest.IDsAs(`%s.0`)), times: -1},
	{what: "ids are missing", do: always(bitrixtest.IDsAs(`null`)), times: 1},
	{what: "a redirect elsewhere", do: always(bitrixtest.RedirectTo("https://elsewhere.example/rest/1/x/")), times: 1},
	{what: "the webhook is refused for a while", do: always(bitrixtest.Refuse(401, "INVALID_CREDENTIALS", "Invalid request credentials")), times: 1},
	{what: "the webhook is refused in the middle of a batch", do: always(bitrixtest.Refuse(401, "INVALID_CREDENTIALS", "Invalid request credentials")), times: 1, inside: true},
	{what: "one command ends in an inner error", do: always(bitrixtest.Refuse(500, "INTERNAL_SERVER_ERROR", "")), times: 2, inside: true},
	{what: "the write is lost and does not show for a while", do: always(bitrixtest.CutAfter), times: 1, lag: settleTime * 2 / 3},
}

// The rows' numbers in the list of faults, in the order above: 1, 3, 3, 4, 5, 4 and 24,
// 4 and 24, 6, 6, 7, 8, 9, 10, 11, 12, 12, 13, 13, 13, 14, 15, 16 (four), 17, 21, 21, 24,
// 23. 2, 22 and 25 are in faults_alone_test.go, 18 and
// 19 (a name or a certificate that fails is a portal that can't be reached) with 20 in
// outage_test.go.

// TestEveryFaultAtEveryStageLosesNothingAndDoublesNothing breaks each portal once in one
// way at one moment. In the end every call is settled, everything it stands for exists
// once, and the portal counts as well again.
func TestEveryFaultAtEveryStageLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for seed := range *faultSeeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { faultMatrix(t, uint64(seed)) })
	}
}

// apart is the time between the first calls of two companies: all at once would be a
// test of this machine.
const apart = 40 * time.Millisecond

func faultMatrix(t *testing.T, seed uint64) {
	type cell struct {
		*company
		breakage
		stage
	}
	var cells []cell
	var companies []*company
	for i, b := range breakages {
		for j, s := range stages {
			dice := rand.New(rand.NewPCG(seed, uint64(i*100+j)))
			c := newCompany(t, fmt.Sprintf("p%02d-%d", i, j), bitrixtest.Options{Plan: bitrixtest.Unlimited, Seed: seed, ReadLag: b.lag})
			if c.calls = 1 + dice.IntN(3); b.inside {
				c.calls = 1 // a fault inside a batch can be aimed at a method only
			}
			for client := range min(c.calls, 2) {
				s.before(c, client)
			}
			f := bitrixtest.Fault{When: s.hit, Do: b.do(dice), Times: b.times}
			if f.Times > 1 {
				f.Times = 1 + dice.IntN(f.Times)
			}
			if b.inside {
				f.When, f.Method = nil, s.method
			}
			c.portal.Inject(f)
			cells = append(cells, cell{c, b, s})
			companies = append(companies, c)
		}
	}
	openTown(t, companies)
	begin := time.NewTicker(apart)
	defer begin.Stop()
	for _, c := range cells {
		<-begin.C
		wanted := c.calls
		c.calls = 0
		for n := range wanted {
			c.call(n % 2) // the third call is the first client's again
		}
	}
	for _, c := range cells {
		t.Run(c.breakage.what+" "+c.stage.what, func(t *testing.T) {
			c.company.t = t
			s := c.quiet()
			if s.Parked != 0 {
				t.Errorf("%d calls are parked, want none\n%s", s.Parked, c.tell())
			}
			c.holds(c.clients() * c.leads)
			if c.hits(c.stage.hit) == 0 {
				t.Errorf("nothing was broken: this row shows nothing\n%s", c.tell())
			}
		})
	}
}

// TestARefusedCommandParksItsCallUntilSomebodyRetries: a batch that fails in part, at
// each of its places.
func TestARefusedCommandParksItsCallUntilSomebodyRetries(t *testing.T) {
	t.Parallel()
	places := []string{"crm.item.add", "tasks.task.add", "tasks.task.complete"}
	var companies []*company
	for i, method := range places {
		c := newCompany(t, fmt.Sprintf("part-%d", i), bitrixtest.Options{Plan: bitrixtest.Unlimited})
		c.portal.Inject(bitrixtest.Fault{Method: method, Do: bitrixtest.Refuse(400, "ERROR_CORE", "Required field Branch value not entered")})
		companies = append(companies, c)
	}
	openTown(t, companies)
	for i, c := range companies {
		c.t = t
		c.call(0)
		if s := c.quiet(); s.Parked != 1 || c.state(0) != "parked" {
			t.Errorf("%s refused: %d parked and the call is %s, want it parked\n%s", places[i], s.Parked, c.state(0), c.tell())
			continue
		}
		var list struct{ Items []parkedView }
		c.get("/parked", &list)
		if got := list.Items[0]; got.Reason == "" || got.Remedy == "" {
			t.Errorf("%s refused: parked with reason %q and remedy %q, want both", places[i], got.Reason, got.Remedy)
		}
		if code := c.h.api(http.MethodPost, "/api/v1/projects/"+c.id+"/parked/"+list.Items[0].ID+"/retry", nil); code != http.StatusOK {
			t.Errorf("%s refused: the retry is answered %d, want 200", places[i], code)
		}
		c.until("the retry is through", func(s statusView) bool { return s.Waiting+s.InFlight+s.InDoubt+s.Parked == 0 && s.Portal.State == "ok" })
		c.holds(1)
	}
}

func TestARetryAfterARefusedChangeMakesNothingAgain(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", url.Values{"recording": {""}, "has_recording": {""}}))
	h.quiet()
	h.portal.Inject(bitrixtest.Fault{Method: "tasks.task.update", Do: bitrixtest.Refuse(400, "ERROR_CORE", "Required field Branch value not entered")})
	h.send(h.call("c1", nil))
	p := h.parkedCall("c1")
	if code := h.api(http.MethodPost, "/api/v1/projects/shop/parked/"+p.ID+"/retry", nil); code != http.StatusOK {
		t.Fatalf("the retry is answered %d, want 200", code)
	}
	s := h.quiet()
	task := only(t, "tasks", h.portal.Tasks())
	if !strings.Contains(task.Description, "records.example") || task.Status != 5 || s.Parked != 0 || h.story("c1").State != "done" {
		t.Errorf("after the retry the call is %s, %d parked, and the task with status %d says:\n%s\nwant it done, with the recording", h.story("c1").State, s.Parked, task.Status, task.Description)
	}
	only(t, "leads", h.portal.Leads())
}
