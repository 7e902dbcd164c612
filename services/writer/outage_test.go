package writer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
)

// outage stands before a wire for as long as the portal is away.
type outage struct {
	*wire
	over  time.Time
	fault func(*http.Request) (*http.Response, error)
	mu    sync.Mutex
	tries int
}

func (o *outage) RoundTrip(r *http.Request) (*http.Response, error) {
	if !time.Now().Before(o.over) {
		return o.wire.RoundTrip(r)
	}
	o.mu.Lock()
	o.tries++
	o.mu.Unlock()
	return o.fault(r)
}

// closed refuses the connection, so nothing can have left.
func closed(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GetConn(r.Host)
	return nil, syscall.ECONNREFUSED
}

func answering(status int, kind, body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// TestADayWithoutThePortalIsNoStormAndItsReturnServesLiveCallsFirst: 5,000 pieces of
// work wait for 24 hours. The portal is asked now and then, people hear of it once, and
// when it is back what is live does not stand behind what waited.
func TestADayWithoutThePortalIsNoStormAndItsReturnServesLiveCallsFirst(t *testing.T) {
	const (
		day     = 24 * time.Hour
		backlog = 5000
		live    = 20
	)
	for name, test := range map[string]struct {
		fault   func(*http.Request) (*http.Response, error)
		state   crm.PortalState
		reason  bitrix.Reason
		longest time.Duration // the longest pause between two tries
	}{
		"closed":         {closed, crm.PortalDown, bitrix.ReasonUnreachable, time.Minute},
		"webhook gone":   {answering(401, "application/json", `{"error":"INVALID_CREDENTIALS","error_description":"Invalid request credentials"}`), crm.PortalRefused, bitrix.ReasonCredentials, 5 * time.Minute},
		"portal deleted": {answering(403, "application/json", `{"error":"PORTAL_DELETED","error_description":"Portal was deleted"}`), crm.PortalRefused, bitrix.ReasonPortalGone, 5 * time.Minute},
		// The first lost answer makes the portal slow, the next one down: one alarm.
		"maintenance": {answering(503, "text/html", "<html>Maintenance</html>"), crm.PortalDown, bitrix.ReasonUnreadable, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				away := &outage{wire: &wire{}, over: time.Now().Add(day), fault: test.fault}
				g, ctx := opened(t, away.wire, 2, 50)
				client, err := bitrix.New(bitrix.Options{
					Portal: &url.URL{Scheme: "https", Host: "example.bitrix24.ua"}, User: "1", Secret: "secret", Transport: away, Timeout: 75 * time.Second,
				})
				if err != nil {
					t.Fatal(err)
				}
				alarms := map[bool]int{}
				g.mu.Lock()
				g.client, g.alarm = client, func(up bool) { alarms[up]++ }
				g.mu.Unlock()

				var waiting, fresh sync.WaitGroup
				var mu sync.Mutex
				done := 0
				begun := time.Now()
				for i := range backlog {
					waiting.Go(func() {
						persist(ctx, t, g, &unit{commands: one(fmt.Sprintf("b%d", i)).commands, priority: priorityBacklog, since: begun.Add(time.Duration(i) * time.Millisecond)})
						mu.Lock()
						done++
						mu.Unlock()
					})
				}
				time.Sleep(day)
				if s := g.status(); s.Portal.State != test.state || s.Portal.Reason != string(test.reason) || done != 0 {
					t.Errorf("after a day the portal is %s for %q and %d are done, want %s for %q and none", s.Portal.State, s.Portal.Reason, done, test.state, test.reason)
				}
				if most := int(day/test.longest) + 10 + slots; away.tries > most {
					t.Errorf("the portal that was away got %d requests, want at most %d", away.tries, most)
				}
				if least := int(day/test.longest) / 2; away.tries < least {
					t.Errorf("the portal that was away got %d requests, want at least %d: its return must be noticed", away.tries, least)
				}
				for i := range live {
					fresh.Go(func() {
						persist(ctx, t, g, &unit{commands: one(fmt.Sprintf("l%d", i)).commands, priority: priorityLive, since: time.Now()})
					})
				}
				fresh.Wait()
				mu.Lock()
				before := done
				mu.Unlock()
				if took := time.Since(away.over); took > test.longest+10*time.Second {
					t.Errorf("live work was done %s after the return, want at most the last pause (%s) and a few seconds", took, test.longest)
				}
				if most := (slots + 1) * bitrix.MaxBatch; before > most {
					t.Errorf("%d of the backlog were done before what is live, want at most what was out already, %d", before, most)
				}
				waiting.Wait()
				if s := g.status(); s.Portal.State != crm.PortalOK || s.Waiting+s.InFlight != 0 {
					t.Errorf("in the end: %+v, want an idle gateway and a portal that is well", s)
				}
				if took, most := time.Since(away.over), test.longest+backlog/2*time.Second+time.Minute; took > most {
					t.Errorf("%d pieces of work took %s after the return, want at most %s", backlog, took, most)
				}
				if alarms[false] != 1 || alarms[true] != 1 {
					t.Errorf("people heard %d times that it is away and %d times that it is back, want once each", alarms[false], alarms[true])
				}
			})
		})
	}
}

// persist sends a unit until it is through, as the writer's jobs do.
func persist(ctx context.Context, t *testing.T, g *gateway, u *unit) {
	for {
		again := *u
		_, err := g.send(ctx, &again)
		if err == nil {
			return
		}
		if ctx.Err() != nil || pause(ctx, asError(err), g.now()) != nil {
			t.Error("the gateway stopped before the work was done")
			return
		}
	}
}
