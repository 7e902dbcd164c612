package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// dataOf is where a house keeps its data.
func (h *house) dataOf() string {
	for line := range strings.Lines(h.config) {
		if dir, ok := strings.CutPrefix(line, "data: "); ok {
			return strings.TrimSpace(dir)
		}
	}
	h.t.Fatal("the configuration names no data folder")
	return ""
}

// moved is a house of the same portal and settings with another, empty data folder.
func (h *house) moved() *house {
	h.t.Helper()
	other := &house{t: h.t, portal: h.portal, log: &logBook{}, started: h.started}
	other.config = strings.Replace(h.config, "data: "+h.dataOf(), "data: "+filepath.Join(h.t.TempDir(), "data"), 1)
	h.t.Cleanup(func() {
		other.stop()
		if h.t.Failed() {
			h.t.Logf("the log of the restored ringbridge:\n%s", other.log.tail(60))
		}
	})
	return other
}

// TestARestoredBackupOfAFloodLosesNothingAndDoublesNothing backs up while calls flow and
// the portal loses answers, lets the flood go on so that the portal knows more than the
// backup, and begins again from the backup with the same portal.
func TestARestoredBackupOfAFloodLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const calls, clients = 60, 20
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.Inject(bitrixtest.Fault{Method: "crm.item.add", Every: 5, Times: -1, Do: bitrixtest.CutAfter})
	h.portal.Inject(bitrixtest.Fault{Method: "tasks.task.add", Every: 7, Times: -1, Do: bitrixtest.CutBefore})
	call := func(i int) url.Values {
		return h.call(fmt.Sprintf("1700000000.%d", i), url.Values{"caller": {fmt.Sprintf("+3806711122%02d", i%clients)}})
	}
	file := filepath.Join(t.TempDir(), "backup")
	var taking sync.WaitGroup
	var taken ran
	half := calls / 2
	for i := range calls {
		h.send(call(i))
		if i == half-1 {
			taking.Go(func() { taken = runLook(h, "backup", file) })
		}
	}
	taking.Wait()
	taken.expect(t, exitDone, "events", file)
	before := len(h.portal.Tasks())
	h.until("the first calls are written", func() bool { return len(h.portal.Tasks()) >= max(before, half) })
	// Some of the later calls are written, some under way, some only received.
	h.stop()

	other := h.moved()
	cmd("restore", file, "--config", other.file()).expect(t, exitDone, "events", other.dataOf())
	other.start()
	waitReady(t, other)
	// What came after the backup is sent again by a person, what was before is not.
	for i := half; i < calls; i++ {
		other.send(call(i))
	}
	other.quiet()
	// Nobody sent these again: they were in the backup.
	for i := range half {
		if got := other.story(call(i).Get("call_id")); got.State != "done" {
			t.Errorf("call %d of the backup is %s, want done", i, got.State)
		}
	}
	if got := len(h.portal.Leads()); got != clients {
		t.Errorf("leads: got %d, want %d", got, clients)
	}
	if got := len(h.portal.Tasks()); got != calls {
		t.Errorf("tasks: got %d, want %d", got, calls)
	}
	for id, n := range h.portal.Duplicates() {
		t.Errorf("%s was made %d times", id, n)
	}
}

func TestABackupIsNeverWrittenOverAFileAndNeverLeftHalf(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.quiet()
	dir := t.TempDir()
	file := filepath.Join(dir, "backup")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	runLook(h, "backup", file).expect(t, exitUsage, file, "never written over")
	if kept, _ := os.ReadFile(file); string(kept) != "mine" {
		t.Errorf("the file holds %q now, want it untouched", kept)
	}
	cmd("backup", filepath.Join(dir, "new"), "--url", "http://"+h.in.Addr, "--token", "wrong").expect(t, exitUsage, "401", "sign in")
	cmd("backup", filepath.Join(dir, "new"), "--url", "http://127.0.0.1:1", "--token", "x").expect(t, exitNotWell, "nobody answers")
	good := filepath.Join(dir, "good")
	runLook(h, "backup", good, "--json").expect(t, exitDone, `"events"`, `"calls": 1`)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v (%v), want the two files and no half one", entries, err)
	}
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{hook, apiPass, portalSecret} {
		if bytes.Contains(gunzip(t, content), []byte(secret)) {
			t.Errorf("the backup holds the secret %q", secret)
		}
	}
	if code, _ := h.request(http.MethodGet, "/api/v1/backup", "", ""); code != http.StatusOK {
		t.Errorf("GET /api/v1/backup answered %d, want 200", code)
	}
}

func TestARestoreTakesAnEmptyFolderOnly(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("c1", nil))
	h.quiet()
	file := filepath.Join(t.TempDir(), "backup")
	runLook(h, "backup", file).expect(t, exitDone)
	config := h.file()
	cmd("restore", file, "--config", config).expect(t, exitNotWell, "in use by another ringbridge")
	h.stop()
	cmd("restore", file, "--config", config).expect(t, exitNotWell, "not empty", h.dataOf())

	other := h.moved()
	cmd("restore", file+".missing", "--config", other.file()).expect(t, exitUsage, file+".missing")
	cmd("restore", config, "--config", other.file()).expect(t, exitNotWell, "no backup of ringbridge")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	half := file + ".half"
	if err := os.WriteFile(half, content[:len(content)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	cmd("restore", half, "--config", other.file()).expect(t, exitNotWell, "cut off or damaged")
	// What the backup does not hold may lie there already.
	if err := os.WriteFile(filepath.Join(other.dataOf(), "token"), []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd("restore", file, "--config", other.file(), "--json").expect(t, exitDone, `"events"`)
	other.start()
	waitReady(t, other)
	other.quiet()
	if got := other.story("c1").State; got != "done" {
		t.Errorf("the call of the backup is %s, want done", got)
	}
	if got := len(h.portal.Leads()); got != 1 {
		t.Errorf("%d leads, want the one that was there", got)
	}
}

func gunzip(t *testing.T, content []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
