package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// ran is what a command did.
type ran struct {
	exit     int
	out, err string
}

func cmd(args ...string) ran {
	var out, err bytes.Buffer
	exit := runCLI(args, &out, &err)
	return ran{exit, out.String(), err.String()}
}

// runLook runs a command that looks at a house, with its configuration file.
func runLook(h *house, args ...string) ran {
	h.t.Helper()
	return cmd(append(args, "--config", h.file())...)
}

// file writes the house's configuration, with the address where it really listens.
func (h *house) file() string {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "ringbridge.yaml")
	text := h.config
	if h.in != nil {
		text = strings.Replace(text, "listen: 127.0.0.1:0", "listen: "+h.in.Addr, 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func (r ran) expect(t *testing.T, exit int, words ...string) {
	t.Helper()
	if r.exit != exit {
		t.Errorf("exit code %d, want %d\n%s%s", r.exit, exit, r.out, r.err)
	}
	for _, w := range words {
		if !strings.Contains(r.out+r.err, w) {
			t.Errorf("%q is nowhere in\n%s%s", w, r.out, r.err)
		}
	}
}

func TestInitWritesAConfigurationAndNeverOverOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ringbridge.yaml")
	cmd("init", path).expect(t, exitDone, path)
	written, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(written, settings.Template()) {
		t.Fatalf("init wrote %d bytes (%v), want the template", len(written), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600: secrets will stand in it", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("listen: mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd("init", path).expect(t, exitUsage, path, "never written over")
	if kept, _ := os.ReadFile(path); string(kept) != "listen: mine\n" {
		t.Errorf("the file holds %q now, want it untouched", kept)
	}
}

func TestAWrongConfigurationStartsNothingAndSaysWhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(path, []byte("listen: 127.0.0.1:0\nprojects:\n  - id: shop\n    senoir: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"run", "check"} {
		r := cmd(command, "--config", path)
		r.expect(t, exitUsage, path+":4:", "senoir", "senior")
		if r.out != "" {
			t.Errorf("%s writes %q to standard output, want nothing: errors go to the other", command, r.out)
		}
	}
	cmd("run", "--config", path+".missing").expect(t, exitUsage, ".missing")
}

func TestWrongUsageExitsWithTwo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"rum"}, {"run", "--confg", "x"}, {"call"}, {"parked"}, {"parked", "drop", "x"}, {"check"}, {"export"}, {"rebuild"}, {"calls", "--limit", "many"}, {"status", "extra"},
	} {
		r := cmd(args...)
		r.expect(t, exitUsage)
		if r.err == "" {
			t.Errorf("%q: nothing on standard error, want why", args)
		}
	}
}

func TestHelpAndVersionExitWithZero(t *testing.T) {
	t.Parallel()
	cmd("--help").expect(t, exitDone, "init", "run", "demo", "check", "status", "calls", "parked", "export", "rebuild", "version")
	cmd().expect(t, exitDone, "ringbridge demo")
	cmd("run", "--help").expect(t, exitDone, "--only")
	cmd("version").expect(t, exitDone, "ringbridge "+version, "commit", "go1.")
}

func TestOnlyNeedsAnOutsideBroker(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "")
	cmd("run", "--config", h.file(), "--only", "ingress").expect(t, exitUsage, "nats.url")
	cmd("run", "--config", h.file(), "--only", "ingres").expect(t, exitUsage, "ingres", `"ingress"`)
}

func TestCommandsLookAtARunningInstance(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.send(h.call("c2", map[string][]string{"caller": {"380671112244"}, "type": {"out"}, "callee": {"380671112244"}}))
	h.request("POST", webhook, jsonBody, `{"broken`)
	h.quiet()

	runLook(h, "status").expect(t, exitDone, "project shop", "0 waiting", "1 parked", "portal: ok")
	runLook(h, "calls").expect(t, exitDone, "c1", "c2", client, "Olena Koval", "answered/new", "done")
	if r := runLook(h, "calls", "--phone", "067 111 22 33"); strings.Contains(r.out, "c2") || !strings.Contains(r.out, "c1") {
		t.Errorf("calls of the first client are:\n%s\nwant c1 only", r.out)
	}
	if r := runLook(h, "calls", "--since", "1h", "--state", "ignored"); strings.Contains(r.out, "c1") {
		t.Errorf("ignored calls are:\n%s\nwant c1 not among them", r.out)
	}
	runLook(h, "calls", "--state", "lost").expect(t, exitUsage, "lost")
	runLook(h, "calls", "--phone", "many").expect(t, exitUsage, "many")
	runLook(h, "call", "c1").expect(t, exitDone, "call c1: done", "answered/new", "call.received.v1", "task:done", "executed, lead 1")
	runLook(h, "call", "none").expect(t, exitNotWell, "404")
	runLook(h, "status", "--project", "market").expect(t, exitUsage, "market")
	runLook(h, "parked", "list").expect(t, exitDone, "classify", "why:", "what to do:")
	runLook(h, "parked", "retry", "none").expect(t, exitNotWell, "none")
	cmd("status", "--url", "http://"+h.in.Addr, "--token", "wrong").expect(t, exitUsage, "401")
	h.jsonOfCommands()

	id := h.parked()[0].ID
	runLook(h, "parked", "retry", id).expect(t, exitDone, id)
	h.until("what is retried in vain is parked again", func() bool { return h.quiet().Parked == 1 })
	again := h.parked()[0].ID
	r := runLook(h, "parked", "drop", "none", again, "--why", "a probe", "--json")
	r.expect(t, exitNotWell, "1 of 2 could not be done")
	var doc struct {
		Items  []json.RawMessage
		Failed []failure
	}
	if err := json.Unmarshal([]byte(r.out), &doc); err != nil || len(doc.Items) != 1 || len(doc.Failed) != 1 || doc.Failed[0].ID != "none" {
		t.Errorf("with an unknown id before a known one it prints\n%s(%v), want one document that tells of both", r.out, err)
	}
	runLook(h, "parked", "list").expect(t, exitDone, "nothing is parked")
}

// jsonOfCommands checks that --json prints one document, and nothing else, on standard output.
func (h *house) jsonOfCommands() {
	h.t.Helper()
	for _, args := range [][]string{{"status"}, {"calls"}, {"call", "c1"}, {"parked", "list"}, {"check"}} {
		r := runLook(h, append(args, "--json")...)
		d := json.NewDecoder(strings.NewReader(r.out))
		var doc map[string]any
		if err := d.Decode(&doc); err != nil || d.More() || len(doc) == 0 {
			h.t.Errorf("%q --json prints\n%s\nwant one JSON object (%v)", args, r.out, err)
		}
	}
	for _, args := range [][]string{{"status", "--project", "shop", "--json"}, {"status", "--json"}} {
		var status statusView
		if err := json.Unmarshal([]byte(runLook(h, args...).out), &status); err != nil || status.Portal.State != "ok" || status.Parked != 1 {
			h.t.Errorf("%q: the status is %+v (%v), want the only project's, portal ok and one parked", args, status, err)
		}
	}
}

func TestNobodyAnsweringExitsWithOne(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	file := h.file()
	h.stop()
	cmd("status", "--config", file).expect(t, exitNotWell, "nobody answers", "ringbridge run")
}

func TestTheUsersOfThePortalAreListed(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "")
	h.portal.AddUser(bitrixtest.User{ID: senior, Name: "Iryna", LastName: "Shevchuk", Active: true, Admin: true})
	runLook(h, "check").expect(t, exitDone, "Iryna Shevchuk", "Olena Koval (7)", "Petro Bondar (8)")
	runLook(h, "check", "--project", "market").expect(t, exitUsage, "market", "shop")
	h.portal.RevokeWebhook()
	r := runLook(h, "check")
	r.expect(t, exitNotWell, "shop")
	if strings.Contains(r.out, "Olena") || strings.Contains(r.out+r.err, portalSecret) {
		t.Errorf("a refused webhook shows users or its secret:\n%s%s", r.out, r.err)
	}
}

func TestEveryEmployeeIsTiedToAUserOfThePortal(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.send(h.call("c2", map[string][]string{"caller": {"380671112244"}, "connected_with": {"shop_petro"}, "staffid": {"102"}}))
	h.quiet()
	on := map[string]int{}
	for _, lead := range h.portal.Leads() {
		on[lead.Phones[0]] = lead.ResponsibleID
	}
	if on[client] != olena || on["+380671112244"] != petro {
		t.Errorf("leads are on users %v, want each on the user of who took the call", on)
	}
	// An employee without a user, or with one that the portal does not know, is said before anything starts.
	untied := strings.Replace(h.config, ", bitrix_user: 8", "", 1)
	if _, err := settings.Parse("test.yaml", []byte(untied), nil, rules.IDs()); err == nil || !strings.Contains(err.Error(), "bitrix_user") {
		t.Errorf("an employee without a user gives %v, want a complaint about bitrix_user", err)
	}
	unknown := buildHouse(t, bitrixtest.Options{}, "", "bitrix_user: 8", "bitrix_user: 88")
	runLook(unknown, "check").expect(t, exitDone, "Petro Bondar (88)", "Petro Bondar (8)")
}
