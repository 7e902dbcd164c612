package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// begin starts a house with some of the services, and returns what the start says.
func (h *house) begin(only ...string) (said string, err error) {
	h.t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(h.config), nil, rules.IDs())
	if err != nil {
		h.t.Fatalf("configuration: %v", err)
	}
	cfg.Log = settings.Log{Level: "error", Format: "json"}
	in, err := start(h.t.Context(), cfg, options{only: only, fast: true, log: newLogger(cfg.Log, console{err: h.log})})
	if err != nil {
		return "", err
	}
	h.in = in
	var greeted bytes.Buffer
	in.greet(console{err: &greeted}, cfg)
	return greeted.String(), nil
}

func TestEveryProcessSaysHowItIsWhicheverServicesItRuns(t *testing.T) {
	t.Parallel()
	for _, only := range []string{"ingress", "planner", "console"} {
		t.Run(only, func(t *testing.T) {
			t.Parallel()
			broker := bustest.Serve(t) // before the house, and gone after it
			h := buildHouse(t, bitrixtest.Options{}, "")
			h.config = "nats: {url: " + broker + ", replicas: 1}\n" + h.config
			said, err := h.begin(only)
			if err != nil {
				t.Fatalf("start: %v", err)
			}
			for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/metrics": "ringbridge_lease_held"} {
				if only != "planner" && path == "/metrics" {
					want = "go_goroutines" // only what is done by one at a time has a lease
				}
				if code, body := h.request(http.MethodGet, path, "", ""); code != http.StatusOK || !strings.Contains(body, want) {
					t.Errorf("%s answers %d %.80q, want 200 and %q", path, code, body, want)
				}
			}
			if named := strings.Contains(said, "webhook address"); named != (only == "ingress") {
				t.Errorf("webhooks are taken: %t, and the start says\n%s", only == "ingress", said)
			}
		})
	}
}

func TestTheTokenIsShownByTheFirstStartThatSucceeds(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "", "console: {token: "+apiPass+"}\n", "")
	free := h.config
	taken := bustest.Serve(t)
	h.config = strings.Replace(free, "127.0.0.1:0", strings.TrimPrefix(taken, "nats://"), 1)
	if _, err := h.begin(); err == nil {
		t.Fatal("it started on an address that is taken")
	}
	h.config = free
	said, err := h.begin()
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	token := h.in.Token.Reveal()
	if token == "" || !strings.Contains(said, token) {
		t.Errorf("the first start that succeeds says\n%swithout the token", said)
	}
	path := filepath.Join(h.dataOf(), "token")
	if kept, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(kept)) != token {
		t.Errorf("the token is not kept in %s (%v)", path, err)
	}
	h.stop()
	said, err = h.begin()
	if err != nil {
		t.Fatalf("start again: %v", err)
	}
	if strings.Contains(said, token) || !strings.Contains(said, path) || h.in.Token.Reveal() != token {
		t.Errorf("a later start says\n%swant where the token is, and not the token", said)
	}
}

func TestAStartNamesAddressesThatCanBeOpenedAndProjectsThatAreThere(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "", "127.0.0.1:0", "0.0.0.0:0")
	h.config, _, _ = strings.Cut(h.config, "projects:")
	said, err := h.begin()
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	base := "http://" + reachable(h.in.Addr)
	if !strings.HasPrefix(base, "http://127.0.0.1:") || !strings.Contains(said, "listens on "+base) || !strings.Contains(said, "no project yet: make one at "+base+"/console/") {
		t.Errorf("without any project the start says\n%swant %s twice", said, base)
	}
	for _, nowhere := range []string{"[::]", "0.0.0.0"} {
		if strings.Contains(said, nowhere) {
			t.Errorf("the start says\n%swhere %s is no address to open", said, nowhere)
		}
	}
	r := cmd("status", "--url", base, "--token", apiPass)
	if r.expect(t, exitDone, "no project", base+"/console/"); r.out != "" {
		t.Errorf("the status of no project is %q, want nothing on standard output", r.out)
	}
	block := fmt.Sprintf(`{"id": "shop", "bitrix24": {"webhook": %q, "allow_insecure": true}, "ringostat": {"token": %q}, "senior": %d}`, h.address, hook, senior)
	if code, answer := h.request(http.MethodPost, "/api/v1/projects", "application/json", block); code != http.StatusCreated {
		t.Fatalf("making the project answered %d %s", code, answer)
	}
	h.stop()
	if said, err = h.begin(); err != nil {
		t.Fatalf("start again: %v", err)
	}
	if !strings.Contains(said, "webhook address of shop") || strings.Contains(said, "no project") {
		t.Errorf("with a project that no file names the start says\n%s", said)
	}
}
