package writer

import (
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

func TestADeskGoesOnFromTheStoredPace(t *testing.T) {
	store, err := bustest.Open(t).Store(t.Context(), "pace", "of this test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Set(t.Context(), "shop", bitrix.BucketState{Level: 40, At: start.Add(-5 * time.Second)}, 0); err != nil {
		t.Fatal(err)
	}
	// Two a second leak away, so of 40 requests five seconds ago 30 still count.
	for project, want := range map[string]float64{"shop": 30, "never-talked-to": 0} {
		p := settings.Project{ID: project}
		p.Bitrix24.Pace.PerSecond, p.Bitrix24.Pace.Burst = 2, 50
		d := &desk{project: project, now: func() time.Time { return start }, gateway: &gateway{}}
		if err := d.openBucket(t.Context(), service.Revision{Project: p, Number: 1}, store); err != nil {
			t.Fatal(err)
		}
		if got := d.gateway.bucket.State().Level; got != want {
			t.Errorf("%s: a start thinks that the portal counts %.1f requests, want %.1f", project, got, want)
		}
	}
}
