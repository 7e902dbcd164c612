package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// migrate runs the command with a house's configuration.
func (h *house) migrate(args ...string) (code int, out, words string) {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "ringbridge.yaml")
	if err := os.WriteFile(file, []byte(h.config), 0o600); err != nil {
		h.t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code = runCLI(append([]string{"migrate", "--config", file}, args...), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// TestMigrateKnowsAllThatTheServicesMake lets an instance make everything: nothing may
// differ from the list then, and nothing be there beside it.
func TestMigrateKnowsAllThatTheServicesMake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, broker string }{{"embedded", ""}, {"cluster", bustest.Serve(t)}} {
		h := buildHouse(t, bitrixtest.Options{}, "")
		if c.broker != "" {
			h.config = "nats: {url: " + c.broker + ", replicas: 1}\n" + h.config
		} else if code, out, words := h.migrate(); code != exitDone || !strings.Contains(out, "no broker's files yet") {
			t.Errorf("%s, before the first start: exit %d, %s%s", c.name, code, out, words)
		}
		h.start()
		h.send(h.call("c1", missedCall))
		h.quiet()
		if code, out, words := h.migrate(); c.broker == "" && (code != exitNotWell || !strings.Contains(words, "in use by another ringbridge")) {
			t.Errorf("%s, while an instance runs: exit %d, %s%s", c.name, code, out, words)
		} else if c.broker != "" && code != exitDone {
			t.Errorf("%s, while an instance runs: exit %d, %s%s", c.name, code, out, words)
		}
		h.stop()
		code, out, words := h.migrate("--json")
		var i bus.Inspection
		if err := json.Unmarshal([]byte(out), &i); err != nil || code != exitDone || len(i.Differences)+len(i.Strangers) != 0 {
			t.Errorf("%s: exit %d, %v, %s%s; want no difference and no stranger", c.name, code, err, out, words)
		}
	}
}

func TestMigrateShowsWhatDiffersAndMakesIt(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", missedCall))
	h.quiet()
	h.stop()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	if err := bustest.Spoil(ctx, brokerOptions(cfg).Dir, "planner", "talks"); err != nil {
		t.Fatal(err)
	}
	code, out, words := h.migrate()
	want := []string{
		"stream EVENTS: max age is 720h0m0s, should be no limit; with a limit the oldest is forgotten",
		"store talks is missing; it can be made", "reader planner: filters is event.*.call.classified, should be event.*.call.resolved;",
		"reader planner: ack wait is 1m0s, should be 30s", "reader somebody is nothing of this version", "'ringbridge migrate --apply' does it",
	}
	if missing := slices.DeleteFunc(want, func(line string) bool { return strings.Contains(out, line) }); code != exitNotWell || len(missing) > 0 {
		t.Errorf("exit %d, not said: %q in\n%s%s", code, missing, out, words)
	}
	var i bus.Inspection
	if code, out, words = h.migrate("--json"); json.Unmarshal([]byte(out), &i) != nil || code != exitNotWell || len(i.Differences) != 4 || len(i.Strangers) != 1 {
		t.Errorf("--json: exit %d, %s%s; want 4 differences and a stranger, as nothing was changed", code, out, words)
	}
	if code, out, words = h.migrate("--apply"); code != exitDone || !strings.Contains(out, "the broker is as this version wants it") {
		t.Errorf("--apply: exit %d, %s%s", code, out, words)
	}
	if code, out, words = h.migrate(); code != exitDone {
		t.Errorf("afterwards: exit %d, %s%s", code, out, words)
	}
	h.start()
	h.send(h.call("c2", missedCall))
	h.quiet()
	if got := len(made(h.portal.Leads())); got != 1 {
		t.Errorf("after two calls of one client there are %d leads, want 1", got)
	}
}

// TestAStartChangesInPlaceWhatMigrateWould keeps run and migrate of one mind.
func TestAStartChangesInPlaceWhatMigrateWould(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.stop()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		t.Fatal(err)
	}
	if err := bustest.Spoil(t.Context(), brokerOptions(cfg).Dir, "planner", "talks"); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.quiet()
	h.stop()
	if code, out, words := h.migrate(); code != exitDone {
		t.Errorf("after a start: exit %d, %s%s; want nothing to differ", code, out, words)
	}
}
