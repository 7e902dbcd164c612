package writer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
)

// wire stands for the network and the portal behind it: it notes what arrives when and
// answers what the test says.
type wire struct {
	mu     sync.Mutex
	at     []time.Time
	keys   []string
	answer func(n int) (status int, body string, err error)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	var batch struct{ Cmd map[string]string }
	_ = json.Unmarshal(body, &batch)
	w.mu.Lock()
	n := len(w.at)
	w.at = append(w.at, time.Now())
	for key := range batch.Cmd {
		w.keys = append(w.keys, key)
	}
	w.mu.Unlock()
	time.Sleep(20 * time.Millisecond) // the portal's work, in the bubble's time
	status, text, err := http.StatusOK, "", error(nil)
	if w.answer != nil {
		status, text, err = w.answer(n)
	}
	if gone := r.Context().Err(); gone != nil {
		return nil, gone // as a real transport does
	}
	if err != nil {
		return nil, err
	}
	if text == "" {
		var results []string
		for key := range batch.Cmd {
			results = append(results, `"`+key+`":true`)
		}
		text = `{"result":{"result":{` + strings.Join(results, ",") + `},"result_error":[],"result_total":[],"result_next":[],"result_time":[]}}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// overruns fails where the portal's counter goes too high: each request adds one, and so
// many leak away a second.
func (w *wire) overruns(t *testing.T, perSecond, burst float64) {
	t.Helper()
	slices.SortFunc(w.at, time.Time.Compare)
	level, last := 0.0, w.at[0]
	for i, at := range w.at {
		level = max(0, level-at.Sub(last).Seconds()*perSecond) + 1
		last = at
		if level > burst {
			t.Fatalf("request %d of %d brings the portal's counter to %.1f, more than %.0f", i, len(w.at), level, burst)
		}
	}
}

// opened makes a gateway over a wire and runs it until the test's bubble ends.
func opened(t *testing.T, w *wire, perSecond float64, burst int) (*gateway, context.Context) {
	t.Helper()
	client, err := bitrix.New(bitrix.Options{
		Portal: &url.URL{Scheme: "https", Host: "example.bitrix24.ua"}, User: "1", Secret: "secret", Transport: w, Timeout: 75 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{
		intentAge: maxIntentAge,
		client:    client, now: time.Now, log: zap.NewNop(), wake: make(chan struct{}, 1), alarm: func(bool) {}, keep: func(bitrix.BucketState) {},
		bucket: bitrix.NewBucket(perSecond, burst, false, time.Now()), budget: bitrix.NewBudget(0), portal: crm.Portal{State: crm.PortalOK},
	}
	g.stored = g.bucket
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = g.run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return g, ctx
}

func one(key string) *unit {
	return &unit{commands: []bitrix.Command{bitrix.Profile().As(key)}}
}

func TestTheGatewayNeverOverrunsThePortal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, ctx := opened(t, w, 2, 50)
		var all sync.WaitGroup
		for range 120 {
			all.Go(func() {
				u := one("a")
				u.company = 1 // in a request of its own
				if _, err := g.send(ctx, u); err != nil {
					t.Errorf("send: %v", err)
				}
			})
		}
		all.Wait()
		w.overruns(t, 2, 50)
		if took := w.at[len(w.at)-1].Sub(w.at[0]); took > 40*time.Second {
			t.Errorf("120 requests took %s, want about the ideal 35 s", took)
		}
	})
}

// TestRequestsThatASlowDiskHeldUpDoNotOverrunThePortal lets as many requests as may be
// out be held up by their intents, so that the portal counts them later than they were
// taken, and then sends all that the bucket allows.
func TestRequestsThatASlowDiskHeldUpDoNotOverrunThePortal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, ctx := opened(t, w, 2, 50)
		var all sync.WaitGroup
		send := func(u *unit) {
			u.company = 1 // in a request of its own
			all.Go(func() {
				if _, err := g.send(ctx, u); err != nil {
					t.Errorf("send: %v", err)
				}
			})
		}
		for range slots {
			u := one("held")
			u.prepare = func([]bitrix.Command, bool) error { time.Sleep(1900 * time.Millisecond); return nil }
			send(u)
		}
		time.Sleep(1800 * time.Millisecond)
		for range 60 {
			u := one("full")
			for len(u.commands) < bitrix.MaxBatch {
				u.commands = append(u.commands, bitrix.Profile().As(fmt.Sprint("full", len(u.commands))))
			}
			send(u)
		}
		all.Wait()
		w.overruns(t, 2, 50)
	})
}

func TestLiveGoesFirstAndAmongEqualsTheOlderCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, ctx := opened(t, w, 1, 1)
		g.mu.Lock()
		g.bucket.Take(time.Now()) // the first second is taken
		g.mu.Unlock()
		var all sync.WaitGroup
		now := time.Now()
		for _, u := range []*unit{
			{commands: one("backlog").commands, priority: priorityBacklog, since: now.Add(-time.Hour)},
			{commands: one("younger").commands, priority: priorityLive, since: now},
			{commands: one("search").commands, priority: prioritySearch, since: now},
			{commands: one("older").commands, priority: priorityLive, since: now.Add(-time.Minute)},
		} {
			u.company, u.client = 1, u.commands[0].Key // one by one
			all.Go(func() { _, _ = g.send(ctx, u) })
		}
		all.Wait()
		if got := strings.Join(w.keys, " "); got != "older younger search backlog" {
			t.Errorf("order: got %q, want older, younger, search, backlog", got)
		}
	})
}

func TestAPortalThatIsAwayIsAskedByOneRequestAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const away = 5 * time.Minute
		begun := time.Now()
		w := &wire{}
		w.answer = func(int) (int, string, error) {
			if time.Since(begun) < away {
				return 401, `{"error":"INVALID_CREDENTIALS","error_description":"Invalid request credentials"}`, nil
			}
			return http.StatusOK, "", nil
		}
		g, ctx := opened(t, w, 2, 50)
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				for {
					_, err := g.send(ctx, one("a"))
					if err == nil || ctx.Err() != nil {
						return
					}
				}
			})
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		if s := g.status(); s.Portal.State != crm.PortalRefused || s.Portal.Reason != string(bitrix.ReasonCredentials) {
			t.Errorf("portal: got %+v, want refused for its credentials", s.Portal)
		}
		all.Wait()
		tries := 0
		for _, at := range w.at {
			if at.Sub(begun) < away {
				tries++
			}
		}
		if tries > slots+12 {
			t.Errorf("a portal that refuses got %d requests in %s, want a handful", tries, away)
		}
		if s := g.status(); s.Portal.State != crm.PortalOK {
			t.Errorf("portal: got %s at the end, want ok", s.Portal.State)
		}
	})
}

func TestAnIntentThatGrewOldIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, ctx := opened(t, w, 2, 50)
		u := one("a")
		u.prepare = func([]bitrix.Command, bool) error { time.Sleep(3 * time.Second); return nil } // a paused process
		if _, err := g.send(ctx, u); !errors.Is(err, errStaleIntent) {
			t.Errorf("send: got %v, want the stale intent refused", err)
		}
		if len(w.at) > 0 {
			t.Errorf("%d requests left, want none", len(w.at))
		}
	})
}

func TestWhatCannotBePreparedDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, ctx := opened(t, w, 2, 50)
		u, full := one("a"), errors.New("disk full")
		u.prepare = func([]bitrix.Command, bool) error { return full }
		if _, err := g.send(ctx, u); !errors.Is(err, full) {
			t.Errorf("send: got %v, want %v", err, full)
		}
		if len(w.at) > 0 {
			t.Errorf("%d requests left, want none", len(w.at))
		}
	})
}

func TestARequestThatIsOutIsWaitedForWhenTheServiceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		w.answer = func(int) (int, string, error) { time.Sleep(10 * time.Second); return http.StatusOK, "", nil }
		g, _ := opened(t, w, 2, 50)
		ctx, stop := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); stop() }()
		if _, err := g.send(ctx, one("a")); err != nil {
			t.Errorf("send: got %v, want the answer of the request that was out", err)
		}
	})
}

func TestWhatStillWaitsIsGivenBackWhenTheServiceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, _ := opened(t, w, 1, 1)
		g.mu.Lock()
		g.bucket.Take(time.Now())
		g.mu.Unlock()
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := g.send(ctx, one("a")); !errors.Is(err, context.Canceled) {
			t.Errorf("send: got %v, want it given back", err)
		}
		if s := g.status(); s.Waiting != 0 {
			t.Errorf("%d units still wait, want none", s.Waiting)
		}
	})
}

// TestARestartNeverThinksThePortalCountedFewer kills the process after any number of
// requests: the stored pace must not be below the portal's own counter.
func TestARestartNeverThinksThePortalCountedFewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		g, ctx := opened(t, w, 2, 50)
		var stored bitrix.BucketState
		g.keep = func(s bitrix.BucketState) { stored = s }
		for i := range 70 {
			if _, err := g.send(ctx, one("a")); err != nil {
				t.Fatal(err)
			}
			if i%7 == 0 {
				time.Sleep(3 * time.Second)
			}
			after := bitrix.NewBucket(2, 50, false, time.Now())
			after.Restore(stored, time.Now())
			g.mu.Lock()
			real := g.bucket.State()
			g.mu.Unlock()
			was := bitrix.NewBucket(2, 50, false, time.Now())
			was.Restore(real, time.Now())
			if got, want := after.State().Level, was.State().Level; got < want-1e-6 {
				t.Fatalf("after request %d a restart starts at %.2f, the portal counts %.2f", i, got, want)
			}
		}
	})
}
