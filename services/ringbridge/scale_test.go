package main

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/view"
)

// This file measures the program on a long history: the real binary, with fsync, started
// on a folder that holds so many finished calls.

var (
	scaleCalls = flag.Int("scale", 20_000, "how many stored calls BenchmarkStoredCalls starts on")
	scaleDir   = flag.String("scale-dir", "", "a folder that keeps this history, to start on it again")
)

// BenchmarkStoredCalls reports the time until /readyz says 200, after a clean stop and
// after a kill, and the resident memory: while the read models are built, ten seconds
// after a start, and after calls came in and people looked.
func BenchmarkStoredCalls(b *testing.B) {
	s := openScale(b)
	s.fill(*scaleCalls)
	for b.Loop() {
		begun := time.Now()
		p := s.start()
		most := s.caughtUp(p)
		b.ReportMetric(time.Since(begun).Seconds(), "s-building")
		b.ReportMetric(most, "MiB-building")
		p.stop(b)

		p = s.start()
		b.ReportMetric(float64(p.ready.Milliseconds()), "ms-ready")
		<-time.After(10 * time.Second)
		b.ReportMetric(p.memory(b), "MiB-idle")
		s.work()
		<-time.After(10 * time.Second)
		b.ReportMetric(p.memory(b), "MiB-worked")
		p.kill()

		p = s.start()
		b.ReportMetric(float64(p.ready.Milliseconds()), "ms-ready-killed")
		s.caughtUp(p)
		p.stop(b)
	}
	b.ReportMetric(0, "ns/op")
}

// scale is a folder with a long history, and the program that is started on it.
type scale struct {
	*house
	dir, bin, config string
}

func openScale(b *testing.B) *scale {
	dir := *scaleDir
	if dir == "" {
		dir = b.TempDir()
	}
	h, config := processHouse(b, bitrixtest.Options{}, "")
	s := &scale{house: h, dir: dir, bin: filepath.Join(b.TempDir(), "ringbridge"), config: config}
	text, err := os.ReadFile(config)
	if err != nil {
		b.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^data: .*$`).ReplaceAll(text, []byte("data: "+dir+"\nlog: {level: warn}"))
	if err := os.WriteFile(config, text, 0o600); err != nil {
		b.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", s.bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("build the program: %v\n%s", err, out)
	}
	return s
}

// scaleProcess is the program while it runs.
type scaleProcess struct {
	*exec.Cmd
	log   *bytes.Buffer
	ready time.Duration // how long it took until it was
	over  bool
}

func (s *scale) start() *scaleProcess {
	s.t.Helper()
	p := &scaleProcess{Cmd: exec.Command(s.bin, "run", "--config", s.config), log: &bytes.Buffer{}}
	p.Stdout, p.Stderr = p.log, p.log
	begun := time.Now()
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(p.kill)
	for time.Since(begun) < 10*time.Minute {
		if code, _ := s.ask("/readyz"); code == http.StatusOK {
			p.ready = time.Since(begun)
			return p
		}
		<-time.After(5 * time.Millisecond)
	}
	s.t.Fatalf("not ready after %s:\n%s", time.Since(begun), p.log)
	return nil
}

// ask is a GET that may find nobody.
func (s *scale) ask(path string) (code int, err error) {
	answer, err := http.Get("http://" + s.in.Addr + path)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func (p *scaleProcess) kill() {
	if !p.over {
		p.over = true
		_ = p.Process.Kill()
		_ = p.Wait()
	}
}

func (p *scaleProcess) stop(t testing.TB) {
	t.Helper()
	p.over = true
	_ = p.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Fatalf("stop: %v\n%s", err, p.log)
	}
}

// memory is what the process has resident, in MiB.
func (p *scaleProcess) memory(t testing.TB) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no VmRSS in %s", status)
	}
	kilobytes, _ := strconv.ParseFloat(string(found[1]), 64)
	return kilobytes / 1024
}

// caughtUp waits until every read model has every event, and says how much memory was
// resident at most meanwhile.
func (s *scale) caughtUp(p *scaleProcess) (most float64) {
	s.t.Helper()
	for {
		most = max(most, p.memory(s.t))
		var list struct{ Items []view.Status }
		s.api(http.MethodGet, "/api/v1/views", &list)
		ready := 0
		for _, v := range list.Items {
			if v.State == view.Ready {
				ready++
			}
		}
		if ready > 0 && ready == len(list.Items) {
			return most
		}
		<-time.After(200 * time.Millisecond)
	}
}

// work is an hour in short: 200 calls, and people who look at everything.
func (s *scale) work() {
	s.t.Helper()
	for n := range 200 {
		s.send(s.call(fmt.Sprintf("work.%d", n), url.Values{"caller": {fmt.Sprintf("+38063000%04d", n)}}))
	}
	s.quiet()
	for range 5 {
		for _, path := range []string{"calls?limit=100", "calls?state=done&limit=100", "analytics/summary", "analytics/days", "analytics/employees", "analytics/missed", "callcounter"} {
			if code, answer := s.request(http.MethodGet, "/api/v1/projects/shop/"+path, "", ""); code != http.StatusOK {
				s.t.Fatalf("GET %s: %d %s", path, code, strings.TrimSpace(answer))
			}
		}
	}
}
