package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// onSmallDisk gives a house a data folder on a disk of so many MiB in memory. Where that
// is not possible the test is skipped, loudly.
func (h *house) onSmallDisk(t *testing.T, mib int) (disk string) {
	t.Helper()
	disk = t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mib), "ringbridge-test", disk).CombinedOutput(); err != nil {
		why := fmt.Sprintf("mount a small disk: %v %s", err, out)
		fmt.Fprintf(os.Stderr, "SKIPPED %s: %s\n", t.Name(), why)
		t.Skip(why)
	}
	t.Cleanup(func() {
		h.stop()
		if out, err := exec.Command("umount", "-l", disk).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	h.config = strings.Replace(h.config, "data: "+h.dataOf(), "data: "+filepath.Join(disk, "data"), 1)
	return disk
}

// fill takes so many MiB of a disk, all that is left with 0.
func fill(t *testing.T, disk string, mib int) (free func()) {
	t.Helper()
	path := filepath.Join(disk, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for n := 0; err == nil && (mib == 0 || n < mib); n++ {
		_, err = f.Write(block)
	}
	if err != nil && mib > 0 {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// knock sends a webhook and returns its answer's code and Retry-After.
func (h *house) knock(id string) (code int, retry string) {
	h.t.Helper()
	response, err := http.PostForm("http://"+h.in.Addr+"/ringostat/shop/"+hook, h.call(id, nil))
	if err != nil {
		h.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode, response.Header.Get("Retry-After")
}

func (h *house) isReady() bool {
	code, _ := h.request(http.MethodGet, "/readyz", "", "")
	return code == http.StatusOK
}

func TestAnAlmostFullDiskRefusesWebhooksAndFinishesTheCallsItHas(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "")
	disk := h.onSmallDisk(t, 200)
	h.start()
	h.portal.Inject(bitrixtest.Fault{Method: "crm.duplicate.findbycomm", Times: 3, Do: bitrixtest.CutBefore})
	h.send(h.call("c1", nil))
	free := fill(t, disk, 150)
	if code, retry := h.knock("c2"); code != http.StatusServiceUnavailable || retry == "" {
		t.Errorf("on an almost full disk a webhook was answered %d with Retry-After %q, want 503 and a time", code, retry)
	}
	if h.isReady() {
		t.Error("on an almost full disk /readyz says that all is well")
	}
	if stores, free, reserve := h.number("ringbridge_broker_stores"), h.number("ringbridge_disk_free_bytes"), h.number("ringbridge_disk_reserve_bytes"); stores != 0 || free >= reserve {
		t.Errorf("on an almost full disk the metrics say: stores %g, %g bytes free, %g in reserve", stores, free, reserve)
	}
	if !strings.Contains(h.log.String(), "is full") {
		t.Errorf("the log does not say that the disk is full:\n%s", h.log.tail(20))
	}
	h.quiet()
	if got := h.story("c1").State; got != "done" {
		t.Errorf("the call that was taken before is %s, want done", got)
	}
	free()
	h.send(h.call("c2", nil))
	h.quiet()
	if leads, tasks := len(h.portal.Leads()), len(h.portal.Tasks()); leads != 1 || tasks != 2 {
		t.Errorf("%d leads and %d tasks, want 1 and 2", leads, tasks)
	}
	h.until("ready again", h.isReady)
}

// TestADiskFilledByOthersEndsTheProcessOnceItIsFree lets the broker meet the full disk:
// it stores nothing more until a new start, so the process says so and ends, and the
// next one finishes every call that was acknowledged.
func TestADiskFilledByOthersEndsTheProcessOnceItIsFree(t *testing.T) {
	t.Parallel()
	const calls = 12
	h := buildHouse(t, bitrixtest.Options{}, "")
	disk := h.onSmallDisk(t, 200)
	h.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.CutBefore})
	h.start()
	for i := range calls {
		h.send(h.call(fmt.Sprintf("c%d", i), map[string][]string{"caller": {fmt.Sprintf("+3806711122%02d", i)}}))
	}
	free := fill(t, disk, 0)
	h.portal.Heal() // what the portal says now can't be stored
	if code, _ := h.knock("late"); code != http.StatusServiceUnavailable {
		t.Errorf("on a full disk a webhook was answered %d, want 503", code)
	}
	h.until("the broker is stuck", func() bool {
		_, body := h.request(http.MethodGet, "/readyz", "", "")
		return strings.Contains(body, "stopped storing")
	})
	free()
	select {
	case err := <-h.in.failed:
		if !strings.Contains(err.Error(), "started anew") {
			t.Errorf("the process ends with %v, want that it has to be started anew", err)
		}
	case <-time.After(limit):
		t.Fatalf("%s after there is space again the process does not end", limit)
	}
	if code, _ := h.knock("late"); code != http.StatusServiceUnavailable {
		t.Errorf("while it stops a webhook was answered %d, want 503", code)
	}
	_ = h.in.stop(t.Context()) // its readers may not have let go of everything; that is what the start is for
	h.in = nil
	h.start()
	h.quiet()
	if leads, tasks := len(h.portal.Leads()), len(h.portal.Tasks()); leads != calls || tasks != calls {
		t.Errorf("%d leads and %d tasks, want %d of each", leads, tasks, calls)
	}
	for id, n := range h.portal.Duplicates() {
		t.Errorf("%s was made %d times", id, n)
	}
}

func TestADataFolderThatCanOnlyBeReadStartsNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, bitrixtest.Options{}, "")
	disk := h.onSmallDisk(t, 70)
	if out, err := exec.Command("mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
		t.Fatalf("remount: %v %s", err, out)
	}
	var out, err bytes.Buffer
	exit := runCLI([]string{"run", "--config", h.file()}, &out, &err)
	ran{exit, out.String(), err.String()}.expect(t, exitUsage, disk, "read-only file system")
}
