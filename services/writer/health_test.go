package writer

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/crm"
)

// TestThePortalIsNeverTriedAgainBeforeItWasUnwell: the pause of an outage that is over
// says nothing of the next trouble, which needs none.
func TestThePortalIsNeverTriedAgainBeforeItWasUnwell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int) (int, string, error) {
			switch n {
			case 0:
				return 0, "", errors.New("connection reset")
			case 2:
				return http.StatusServiceUnavailable, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`, nil
			}
			return http.StatusOK, "", nil
		}}
		g, ctx := opened(t, w, 2, 50)
		for _, want := range []crm.PortalState{crm.PortalSlow, crm.PortalOK, crm.PortalSlow} {
			_, _ = g.send(ctx, one("a"))
			p := g.status().Portal
			if p.State != want {
				t.Fatalf("the portal is %+v, want %s", p, want)
			}
			if !p.RetryAt.IsZero() && p.RetryAt.Before(p.Since) {
				t.Errorf("the portal is %s since %s and is tried again at %s, which is before", p.State, p.Since, p.RetryAt)
			}
			time.Sleep(time.Minute)
		}
	})
}
