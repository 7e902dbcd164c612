package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
)

func TestAnAddressMayBeShortAndAWrongOneIsNamed(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	cmd("status", "--url", h.in.Addr, "--token", apiPass).expect(t, exitDone, "project shop")
	for _, wrong := range []string{"ftp://" + h.in.Addr, "http://", "http://a b"} {
		cmd("status", "--url", wrong, "--token", apiPass).expect(t, exitUsage, "--url", "http://127.0.0.1:8080")
	}
	foreign := httptest.NewServer(http.NotFoundHandler())
	defer foreign.Close()
	for _, command := range []string{"status", "calls"} {
		cmd(command, "--url", foreign.URL, "--token", apiPass).expect(t, exitNotWell, foreign.URL+" does not answer like ringbridge", "404")
	}
}

// TestTheEnvironmentsTokenGoesBeforeTheConfigurations sets the environment, so it runs alone.
func TestTheEnvironmentsTokenGoesBeforeTheConfigurations(t *testing.T) {
	h := openHouse(t, bitrixtest.Options{}, "")
	t.Setenv("RINGBRIDGE_TOKEN", "of-another-instance")
	runLook(h, "status").expect(t, exitUsage, "401", "RINGBRIDGE_TOKEN")
	runLook(h, "status", "--token", apiPass).expect(t, exitDone)
	t.Setenv("RINGBRIDGE_TOKEN", apiPass)
	cmd("status", "--url", "http://"+h.in.Addr).expect(t, exitDone)
}

func TestWhereATokenComesFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ringbridge.yaml")
	data := filepath.Join(dir, "data")
	write := func(path, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	// The secrets of the project are not known here, and need not be.
	const rest = "listen: 0.0.0.0:9090\nprojects: [{id: shop, ringostat: {token: '${NOWHERE_HOOK}'}}]\n"
	for _, c := range []struct {
		what, config, kept string
		given              remote
		token, complaint   string
	}{
		{what: "given", config: rest, given: remote{Token: "given"}, token: "given"},
		{what: "the configuration's", config: rest + "console: {token: of-the-file}\n", token: "of-the-file"},
		{what: "kept", config: rest, kept: "of-the-folder\n", token: "of-the-folder"},
		{what: "of a variable that is not set", config: rest + "console: {token: '${NOWHERE_TOKEN}'}\n", kept: "of-the-folder", complaint: "NOWHERE_TOKEN"},
		{what: "nowhere", config: rest, complaint: filepath.Join(data, "token")},
	} {
		write(file, "data: "+data+"\n"+c.config)
		if err := os.RemoveAll(data); err != nil {
			t.Fatal(err)
		}
		if c.kept != "" {
			write(filepath.Join(data, "token"), c.kept)
		}
		r := c.given
		r.Config = file
		err := r.find()
		switch {
		case c.complaint != "":
			if err == nil || !strings.Contains(err.Error(), c.complaint) {
				t.Errorf("a token %s: %v, want a complaint about %s", c.what, err, c.complaint)
			}
		case err != nil || r.Token != c.token || r.URL != "http://127.0.0.1:9090":
			t.Errorf("a token %s: %q at %s, %v; want %q", c.what, r.Token, r.URL, err, c.token)
		}
	}
}

func TestABackupOfAnOutsideBrokerIsRefusedInWords(t *testing.T) {
	t.Parallel()
	broker := bustest.Serve(t)
	h := buildHouse(t, bitrixtest.Options{}, "")
	h.config = "nats: {url: " + broker + ", replicas: 1}\n" + h.config
	h.start()
	file := filepath.Join(t.TempDir(), "backup")
	r := runLook(h, "backup", file)
	r.expect(t, exitNotWell, "outside NATS cluster")
	if strings.Contains(r.err, "{") {
		t.Errorf("the refusal is told as %q, want words", r.err)
	}
	if _, err := os.Stat(file + ".part"); err == nil {
		t.Error("a half backup was left")
	}
}

func TestABrokerThatCannotBeUsedIsNamedWithItsSetting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	single := bustest.Serve(t)
	for text, want := range map[string]string{
		"nats: {url: 'nats://127.0.0.1:1'}\n":                                     "nats://127.0.0.1:1",
		"nats: {url: '" + single + "'}\n":                                         "nats.replicas: 1",
		"nats:\n  url: '" + single + "'\n  credentials: " + dir + "/none.creds\n": "ringbridge.yaml:4: nats.credentials: ",
	} {
		file := filepath.Join(dir, "ringbridge.yaml")
		text = "listen: 127.0.0.1:0\n" + text + "data: " + dir + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd("run", "--config", file).expect(t, exitUsage, want)
	}
	cmd("run", "--config", dir).expect(t, exitUsage, dir+": is a folder")
}

func TestADemoThatCannotListenSaysSoLikeAnyCommand(t *testing.T) {
	t.Parallel()
	r := cmd("demo", "--listen", "bad")
	r.expect(t, exitUsage, `"bad"`, "host:port")
	if !strings.HasPrefix(r.err, "ringbridge: --listen: ") {
		t.Errorf("it says %q, want that --listen is wrong", r.err)
	}
}
