package bitrixtest

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Portal is one simulated Bitrix24. It is an http.Handler and safe for concurrent use: requests run
// side by side, the commands in them one at a time.
type Portal struct {
	opt     Options
	methods map[string]method

	mu       sync.Mutex
	revoked  bool
	users    map[int]*User
	records  map[Kind]map[int]*record
	lastID   map[string]int
	fields   map[Kind][]UserField
	taskUFs  []UserField
	statuses []Status
	funnels  []funnel
	tasks    map[int]*task
	events   []*activity
	comments []Comment
	calls    map[string]*phoneCall
	buckets  map[string]*bucket
	spent    map[string]*operating
	due      []delayed
	at       time.Time // while something that was due earlier runs: when it was due
	flush    chan struct{}

	faults   []*armed
	lots     *rand.Rand
	requests []*Request
	history  []Change
}

// delayed is work for later: a conversion, a command whose answer was cut before it ran.
type delayed struct {
	at  time.Time
	run func()
}

// New makes a portal with user 1 (an administrator), the default stages and sources, and nothing else.
func New(o Options) *Portal {
	o = o.withDefaults()
	p := &Portal{
		opt:     o,
		methods: methodTable(),
		users:   map[int]*User{},
		records: map[Kind]map[int]*record{Lead: {}, Deal: {}, Contact: {}, Company: {}},
		lastID:  map[string]int{},
		fields:  map[Kind][]UserField{},
		tasks:   map[int]*task{},
		calls:   map[string]*phoneCall{},
		buckets: map[string]*bucket{},
		spent:   map[string]*operating{},
		flush:   make(chan struct{}),
		lots:    rand.New(rand.NewPCG(o.Seed, 0x62783234)),
	}
	p.statuses = defaultStatuses()
	p.funnels = []funnel{{id: 0, name: "General", sort: 300}}
	p.AddUser(User{ID: 1, Name: "Portal", LastName: "Owner", Email: "owner@example.com", Active: true, Admin: true})
	if o.Owner != 1 {
		p.AddUser(User{ID: o.Owner, Name: "Hook", LastName: "Owner", Email: "hook@example.com", Active: true})
	}
	return p
}

// WebhookPath is the path all methods hang under: "/rest/1/secret/".
func (p *Portal) WebhookPath() string {
	return "/rest/" + strconv.Itoa(p.opt.Owner) + "/" + p.opt.Secret + "/"
}

// Start serves a portal on a loopback port until the test ends and returns it with the webhook's
// address, "http://127.0.0.1:port/rest/1/secret/".
func Start(t testing.TB, o Options) (*Portal, string) {
	t.Helper()
	p := New(o)
	srv := httptest.NewServer(p)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		p.Flush()
		srv.Close()
	})
	return p, srv.URL + p.WebhookPath()
}

// Flush runs everything that waits for its time (late commands, conversions), ends every stall, and
// returns when it is done.
func (p *Portal) Flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.flush)
	p.flush = make(chan struct{})
	for len(p.due) > 0 {
		d := p.due[0]
		p.due = p.due[1:]
		d.run()
	}
}

// lock takes the portal after running what has become due, so that every look and every request sees
// the portal as of now.
func (p *Portal) lock() {
	p.mu.Lock()
	p.runDue()
}

func (p *Portal) runDue() {
	now := p.now()
	for {
		i := slices.IndexFunc(p.due, func(d delayed) bool { return !d.at.After(now) })
		if i < 0 {
			return
		}
		d := p.due[i]
		p.due = slices.Delete(p.due, i, i+1)
		p.at = d.at // it happened then, though nobody looked until now
		d.run()
		p.at = time.Time{}
	}
}

// later runs f, under the portal's lock, once the clock shows now + wait.
func (p *Portal) later(wait time.Duration, f func()) {
	p.due = append(p.due, delayed{p.now().Add(wait), f})
	slices.SortStableFunc(p.due, func(a, b delayed) int { return a.at.Compare(b.at) })
}

// now is the portal's time, in its zone.
func (p *Portal) now() time.Time {
	if !p.at.IsZero() {
		return p.at
	}
	return p.opt.Now().In(p.opt.Location)
}

func (p *Portal) nextID(what string) int {
	p.lastID[what]++
	return p.lastID[what]
}

func (p *Portal) owner() *User { return p.users[p.opt.Owner] }

// byID lists a map by its keys.
func byID[K cmp.Ordered, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// remember adds one line to the history.
func (p *Portal) remember(c *call, action Action, object string, id int, external string) {
	h := Change{Time: p.now(), Action: action, Object: object, ID: id, ExternalID: external}
	if c != nil {
		h.Method = c.method
		h.Fields = slices.Sorted(slices.Values(asArray(c.params.fold("fields")).names()))
	}
	p.history = append(p.history, h)
}
