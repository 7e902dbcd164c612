package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
)

// healthcheck is how long the image's HEALTHCHECK waits for `ringbridge status`.
const healthcheck = 10 * time.Second

func TestTheStatusIsAnsweredWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	for what, away := range map[string]func(*bustest.Line){
		"it is gone":      func(l *bustest.Line) { l.Die(); l.Cut() },
		"it says no word": func(l *bustest.Line) { l.Die() },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			line := bustest.Lay(t, bustest.Serve(t))
			h := buildHouse(t, bitrixtest.Options{}, "")
			h.config = "nats: {url: \"" + line.URL + "\", replicas: 1}\n" + h.config
			h.start()
			h.quiet()
			away(line)
			begin := time.Now()
			r := runLook(h, "status")
			r.expect(t, exitNotWell, "503", "broker")
			if took := time.Since(begin); took > healthcheck {
				t.Errorf("the status took %s, want less than %s", took, healthcheck)
			}
			line.Mend()
			h.until("the status is well again", func() bool { return runLook(h, "status").exit == exitDone })
		})
	}
}

func TestWhoTakesConnectionsAndSaysNothingIsToldApartFromNobody(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	defer silent.Close()
	defer close(over)
	r := remote{URL: silent.URL, Token: apiPass}
	_, err := r.askFor(50*time.Millisecond, http.MethodGet, "/api/v1/projects", nil, nil)
	if bad := (notWell{}); !errors.As(err, &bad) || !strings.Contains(err.Error(), silent.URL+" gave no answer in time") {
		t.Errorf("asking who says nothing: %v, want that no answer came in time", err)
	}
}
