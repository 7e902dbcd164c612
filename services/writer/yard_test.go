package writer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// yard is a desk without a broker beside a simulated portal, both in the bubble's time:
// hours of backlog take a second. Journals are in memory.
type yard struct {
	t      *testing.T
	desk   *desk
	portal *bitrixtest.Portal
	disk   func() // takes its time for each journal

	mu    sync.Mutex
	files map[string]map[string]callfile.Entry
	begun map[string]time.Time // when the first request with a watched number left
}

// RoundTrip is the network: the portal is called in this process.
func (y *yard) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(5 * time.Millisecond)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	y.mu.Lock()
	for phone, at := range y.begun {
		if at.IsZero() && bytes.Contains(body, []byte(phone[1:])) {
			y.begun[phone] = time.Now()
		}
	}
	y.mu.Unlock()
	in := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(string(body)))
	in.Header = r.Header
	answer := httptest.NewRecorder()
	if cut := serve(y.portal, answer, in); cut {
		return nil, io.ErrUnexpectedEOF
	}
	return answer.Result(), nil
}

// serve says whether the portal cut the connection.
func serve(p *bitrixtest.Portal, w http.ResponseWriter, r *http.Request) (cut bool) {
	defer func() {
		if e := recover(); e != nil {
			if e != http.ErrAbortHandler {
				panic(e)
			}
			cut = true
		}
	}()
	p.ServeHTTP(w, r)
	return false
}

// watch notes when the first request with this number leaves.
func (y *yard) watch(phone string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.begun[phone] = time.Time{}
}

func (y *yard) left(phone string) time.Time {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.begun[phone]
}

// openYard must be called inside a bubble.
func openYard(t *testing.T, o bitrixtest.Options) (*yard, context.Context) {
	t.Helper()
	o.Sleep = time.Sleep
	y := &yard{t: t, portal: bitrixtest.New(o), disk: func() { time.Sleep(2 * time.Millisecond) }, files: map[string]map[string]callfile.Entry{}, begun: map[string]time.Time{}}
	client, err := bitrix.New(bitrix.Options{
		Portal: &url.URL{Scheme: "https", Host: "example.bitrix24.ua"}, User: "1", Secret: "secret", Transport: y, Timeout: 75 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	y.desk = &desk{
		project: "shop", projects: &service.Projects{}, log: zap.NewNop(), now: time.Now, patience: patience{60 * time.Second, 5 * time.Second},
		memory: memory{by: map[string][]remembered{}}, doubts: map[string]bool{},
		gateway: &gateway{intentAge: maxIntentAge,
			client: client, now: time.Now, log: zap.NewNop(), wake: make(chan struct{}, 1), alarm: func(bool) {}, keep: func(bitrix.BucketState) {},
			bucket: bitrix.NewBucket(2, 50, false, time.Now()), budget: bitrix.NewBudget(o.OperatingLimit), portal: crm.Portal{State: crm.PortalOK},
		},
	}
	y.desk.gateway.stored = y.desk.gateway.bucket
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = y.desk.gateway.run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return y, ctx
}

const crmOK = crm.PortalOK

// number is the n-th client's.
func number(n int) string { return fmt.Sprintf("+38067%07d", n) }

func spellings(phone string) []string {
	n := strings.TrimPrefix(phone, "+38")
	return []string{phone, phone[1:], "00" + phone[1:], n, n[1:], "8" + n}
}

// missed is a missed call of a new client: a lead and an open task on it.
func missed(id, phone string) []event.BitrixCommand {
	lead := event.BitrixCommand{
		ID: event.Derive("lead", id), Project: "shop", Call: id, Role: "lead", Kind: event.KindLead, Plan: "plan-" + id, Lane: phone,
		Entity: &event.Entity{Title: "Missed call from " + phone, Phone: phone, Responsible: 1},
	}
	return []event.BitrixCommand{lead, {
		ID: event.Derive("task", id), Project: "shop", Call: id, Role: "task:call", Kind: event.KindTask, Plan: "plan-" + id, Lane: phone,
		DependsOn: []string{lead.ID},
		Task:      &event.Task{Title: "Contact the client " + phone, Responsible: 1, Links: []event.Link{{Kind: event.KindLead, Command: lead.ID}}},
	}}
}

// answeredCall is the same with a task that is closed.
func answeredCall(id, phone string) []event.BitrixCommand {
	commands := missed(id, phone)
	closed := *commands[1].Task
	closed.Closed, commands[1].Task = true, &closed
	return commands
}

// call looks the number up and carries the commands out, as the resolver and the writer
// would for one call.
func (y *yard) call(ctx context.Context, phone string, since time.Time, commands []event.BitrixCommand) {
	for {
		_, err := y.desk.lookup(ctx, crm.Lookup{Spellings: spellings(phone), Since: since})
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			break
		}
	}
	y.write(ctx, since, commands)
}

func (y *yard) write(ctx context.Context, since time.Time, commands []event.BitrixCommand) {
	j := &job{desk: y.desk, call: commands[0].Call, plan: commands[0].Plan, since: since, doubted: map[string]bool{}, keep: func(_ context.Context, j *job) error {
		y.disk()
		y.mu.Lock()
		defer y.mu.Unlock()
		y.files[j.call] = maps.Clone(j.Journal)
		return nil
	}}
	j.Call = NewCall(commands, nil, y.desk.patience, "en")
	for {
		move := j.Next(y.desk.now())
		switch move.Step {
		case Settled:
			_ = j.keep(ctx, j)
			return
		case Wait:
			time.Sleep(move.Until.Sub(y.desk.now()))
		default:
			if err := j.carryOut(ctx, move); err != nil {
				if ctx.Err() == nil {
					y.t.Errorf("call %s: %v", j.call, err)
				}
				return
			}
		}
	}
}

// journals are the states of all commands, counted.
func (y *yard) journals() map[callfile.State]int {
	y.mu.Lock()
	defer y.mu.Unlock()
	count := map[callfile.State]int{}
	for _, journal := range y.files {
		for _, e := range journal {
			count[e.State]++
		}
	}
	return count
}

// figures are what the portal saw.
type figures struct {
	requests, commands, refusals int
	methods                      map[string]int
	took                         time.Duration
}

func (f figures) String() string {
	return fmt.Sprintf("%d requests, %.1f commands each, %d refusals, %s", f.requests, f.fill(), f.refusals, f.took.Round(100*time.Millisecond))
}

// ideal is how long these commands take in full requests at the plan's pace: until the
// last one may leave and is carried out.
func (f figures) ideal(each time.Duration) time.Duration {
	beyond := max(0, (float64(f.commands)/bitrix.MaxBatch-50)/2)
	return time.Duration(beyond*float64(time.Second)) + bitrix.MaxBatch*each
}

// ofCeiling is how much of what the limit of execution time allows in the long run was
// used, so much in ten minutes, by the method that was used most.
func (f figures) ofCeiling(each, limit time.Duration, whole bool) float64 {
	most := 0
	for _, n := range f.methods {
		most = max(most, n)
	}
	if whole {
		most = f.commands
	}
	return (time.Duration(most) * each).Seconds() / (f.took.Seconds() * limit.Seconds() / 600)
}

func (f figures) perCall(calls int) float64 { return float64(f.requests) / float64(calls) }
func (f figures) fill() float64             { return float64(f.commands) / float64(f.requests) }

func (y *yard) figures(since time.Time) figures {
	f := figures{took: time.Since(since), methods: map[string]int{}}
	for _, r := range y.portal.Requests() {
		f.requests++
		f.commands += len(r.Commands)
		if r.Status != http.StatusOK {
			f.refusals++
		}
		for _, c := range r.Commands {
			if f.methods[c.Method]++; c.Error != "" {
				f.refusals++
			}
		}
	}
	return f
}

// has says whether a request has a command of the method.
func has(r bitrixtest.Request, method string) bool {
	return slices.ContainsFunc(r.Commands, func(c bitrixtest.Command) bool { return c.Method == method })
}
