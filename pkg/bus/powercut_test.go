package bus_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// powerVariable makes the test binary store events in the folder it names until the
// power is cut, and print the id of each once it is acknowledged.
const powerVariable = "RINGBRIDGE_TEST_POWER"

// fastVariable makes it do so without fsync.
const fastVariable = "RINGBRIDGE_TEST_POWER_FAST"

// writersVariable is how many store at once: few one by one, many together.
const writersVariable = "RINGBRIDGE_TEST_POWER_WRITERS"

func storeUntilTheCut() int {
	b, err := bus.Open(context.Background(), bus.Options{Dir: os.Getenv(powerVariable), Fast: os.Getenv(fastVariable) != ""})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	count, err := strconv.Atoi(os.Getenv(writersVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var writers sync.WaitGroup
	var out sync.Mutex
	for w := range count {
		writers.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("writer%d/%d", w, n)
				e, err := event.First("test", now, &event.CallParked{
					ID: id, Project: "demo", Call: id, State: event.ParkedWaiting, Step: "test", Reason: strings.Repeat("why ", 200), Remedy: "none",
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				if _, err := b.Publish(context.Background(), e); err != nil {
					return
				}
				out.Lock()
				fmt.Println(e.ID)
				out.Unlock()
			}
		})
	}
	writers.Wait()
	return 1
}

// TestAPowerCutLosesNothingThatWasAcknowledged stores events on a disk of its own whose
// file system is stopped at once, without anything that was not on disk getting there.
// That the same cut loses events where fsync is left out shows that it is one.
func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	a := cutPower(t, fewWriters, false)
	if a.lost != 0 || a.acknowledged < 100 {
		t.Errorf("%d of %d acknowledged events were lost, want 0 of at least 100", a.lost, a.acknowledged)
	}
	t.Log(a)
}

func TestAPowerCutLosesNothingThatWasAcknowledgedTogether(t *testing.T) {
	a := cutPower(t, manyWriters, false)
	if a.lost != 0 || a.acknowledged < 100 || a.together < a.acknowledged/2 {
		t.Errorf("%s; want none lost of at least 100, most of them stored together", a)
	}
	t.Log(a)
}

func TestThePowerCutOfTheseTestsIsOne(t *testing.T) {
	a := cutPower(t, manyWriters, true)
	if a.lost == 0 {
		t.Errorf("without fsync none of %d acknowledged events was lost: the cut proves nothing", a.acknowledged)
	}
	t.Log(a)
}

// TestAKillLosesNothingThatWasAcknowledgedTogether ends the process, often in the middle
// of a batch, and starts it again on the same folder.
func TestAKillLosesNothingThatWasAcknowledgedTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "broker")
	for round := range 3 {
		ids := storeUntil(t, dir, manyWriters, false, 300*time.Millisecond, func() {})
		if a := countIn(t, dir, ids); a.lost != 0 || a.acknowledged < 10 || a.together == 0 {
			t.Errorf("kill %d: %s; want none lost", round, a)
		}
	}
}

const fewWriters, manyWriters = 3, 32

// aftermath is what a new start finds of what an earlier process acknowledged.
type aftermath struct{ acknowledged, together, lost int }

func (a aftermath) String() string {
	return fmt.Sprintf("%d acknowledged, %d of them stored together with others, %d lost", a.acknowledged, a.together, a.lost)
}

// cutPower stores events, cuts the power after a second and a half, and starts again.
func cutPower(t *testing.T, writers int, fast bool) aftermath {
	t.Helper()
	image, dir := loopDisk(t)
	broker, inMemory := filepath.Join(dir, "broker"), ""
	ids := storeUntil(t, broker, writers, fast, 1500*time.Millisecond, func() {
		inMemory = stageOf(t, broker)
		shutDownFileSystem(t, dir)
	})
	if err := os.RemoveAll(inMemory); err != nil { // that goes with the power too
		t.Fatal(err)
	}
	command(t, "umount", dir)
	command(t, "mount", "-o", "loop", image, dir)
	return countIn(t, broker, ids)
}

// storeUntil lets a process store events for a while, does what cuts it off, and kills
// it. It returns the ids of those that it acknowledged until then.
func storeUntil(t *testing.T, dir string, writers int, fast bool, while time.Duration, cut func()) (ids []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), powerVariable+"="+dir, writersVariable+"="+strconv.Itoa(writers))
	if fast {
		child.Env = append(child.Env, fastVariable+"=1")
	}
	var trouble bytes.Buffer
	child.Stderr = &trouble
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	over := false
	var begin time.Time
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if begin.IsZero() {
			begin = time.Now()
		}
		if !over && time.Since(begin) > while {
			cut()
			over = true
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		// A real cut stops the process with the disk. Here the process lives on for a
		// moment, and what it says then proves nothing: only what was read before counts.
		if !over {
			ids = append(ids, lines.Text())
		}
	}
	_ = child.Wait()
	if !over {
		t.Fatalf("the child ended before the cut: %s", trouble.String())
	}
	return ids
}

func countIn(t *testing.T, dir string, ids []string) aftermath {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir})
	if err != nil {
		t.Fatalf("open after the cut: %v", err)
	}
	defer shut(t, b)
	last, err := b.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]uint64{}
	for seq := uint64(1); seq <= last; seq++ {
		e, err := b.Get(t.Context(), seq)
		if err != nil {
			continue
		}
		if before, twice := found[e.ID]; twice {
			t.Errorf("%s is stored at %d and at %d", e.ID, before, seq)
		}
		found[e.ID] = seq
	}
	a := aftermath{acknowledged: len(ids)}
	for _, id := range ids {
		seq, ok := found[id]
		if !ok {
			a.lost++
		} else if inABatch(t, b, seq) {
			a.together++
		}
	}
	return a
}

// loopDisk makes a disk in a file and mounts it. Where that is not possible the test is
// skipped, loudly.
func loopDisk(t *testing.T) (image, dir string) {
	t.Helper()
	skip := func(why string) {
		fmt.Fprintf(os.Stderr, "SKIPPED %s: %s\n", t.Name(), why)
		t.Skip(why)
	}
	if os.Getuid() != 0 {
		skip("a disk of its own can be mounted by root only")
	}
	image, dir = filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 512<<20); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			skip(fmt.Sprintf("%s: %v %s", strings.Join(c, " "), err, out))
		}
	}
	// Registered after the temporary folders, so it runs before they are removed.
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			if out2, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
				t.Errorf("umount: %s%s", out, out2)
			}
		}
	})
	return image, dir
}

// shutDownFileSystem stops an ext4 at once, its journal unwritten: EXT4_IOC_SHUTDOWN
// with EXT4_GOING_FLAGS_NOLOGFLUSH (fs/ext4/ext4.h of Linux).
func shutDownFileSystem(t *testing.T, dir string) {
	t.Helper()
	const request, noLogFlush = 0x8004587d, 2
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	flags := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		t.Fatalf("stop the file system: %v", errno)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err == nil {
			return
		}
		// A process that was killed may still hold its files for a moment.
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || time.Now().After(deadline) {
			t.Fatalf("%s %s: %v %s", name, strings.Join(args, " "), err, out)
		}
		<-time.After(20 * time.Millisecond)
	}
}
