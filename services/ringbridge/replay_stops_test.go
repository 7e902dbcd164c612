package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

func TestAPlanThatIsOlderThanTheSettingsIsRefused(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	for i := range 3 {
		h.send(weekCall(h, i, missedCall))
	}
	h.quiet()
	h.correct(func(block map[string]any) { block["senior"] = petro })
	p := h.plan("{}", false)
	if p.Totals["reassign"] != 4 {
		t.Fatalf("the plan is\n%s\nwant 4 reassigned", p)
	}
	h.correct(func(block map[string]any) { block["senior"] = olena })
	h.portal.ForgetRequests()
	if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/apply", "", ""); code != http.StatusConflict {
		t.Errorf("apply answered %d %s, want 409", code, body)
	}
	h.onlyReads("by a refused plan")
	for name, want := range map[string]int{
		`{"calls": ["c00"]}`: 2, `{"until": "2026-03-02T13:00:00+02:00"}`: 2,
		`{"rule": "missed/new"}`: 2, `{"rule": "answered/new"}`: 0, `{"fresh": true}`: 4,
	} {
		if got := h.plan(name, false); got.Totals["reassign"] != want || got.Totals["create"] != 0 {
			t.Errorf("%s: the plan is\n%s\nwant %d reassigned", name, got, want)
		}
	}
	// The lead that they belong to is outside of these, and keeps its responsible.
	for _, wish := range []string{`{"calls": ["c01"]}`, `{"since": "2026-03-02T12:00:00+02:00"}`} {
		if got := h.plan(wish, true); len(got.Rows) == 0 || got.Totals["same"] != len(got.Rows) {
			t.Errorf("%s: the plan is\n%s\nwant every row same", wish, got)
		}
	}
	for _, wish := range []string{`{"since": "yesterday"}`, `{"rule": "no/such"}`, `{"sence": "36h"}`, `[]`, `{"since": "2026-03-03", "until": "2026-03-02"}`, `{"since": "2026-03-03", "until": "2026-03-03"}`} {
		if code, body := h.request(http.MethodPost, replays, "application/json", wish); code != http.StatusBadRequest {
			t.Errorf("%s answered %d %s, want 400", wish, code, body)
		}
	}
	if code := h.api(http.MethodGet, replays+"/shop.20200101-000000", nil); code != http.StatusNotFound {
		t.Errorf("a plan that is not there answered %d, want 404", code)
	}
}

// TestKilledInTheMiddleOfAReplayItGoesOn kills the process again and again while a plan is
// carried out and the portal drops answers.
func TestKilledInTheMiddleOfAReplayItGoesOn(t *testing.T) {
	t.Parallel()
	for _, m := range []mistake{mistakes[1], mistakes[4]} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			h := buildHouse(t, bitrixtest.Options{}, m.more, m.replace...)
			dir := t.TempDir()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			h.in = &instance{Addr: listener.Addr().String()}
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			config := filepath.Join(dir, "ringbridge.yaml")
			if err := os.WriteFile(config, []byte(strings.Replace(h.config, "127.0.0.1:0", h.in.Addr, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			process := startProcess(t, config)
			defer func() {
				h.in = nil // nothing of this process is to be stopped
				process.kill()
			}()
			waitReady(t, h)
			h.sendWeek(m)
			h.correct(m.correct)
			p := h.plan("{}", false)
			h.portal.Inject(bitrixtest.Fault{Method: "crm.item.add", Every: 3, Times: -1, Do: bitrixtest.CutAfter})
			h.portal.Inject(bitrixtest.Fault{Method: "tasks.task.add", Every: 5, Times: -1, Do: bitrixtest.CutBefore})
			if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/apply", "", ""); code != http.StatusAccepted {
				t.Fatalf("apply answered %d %s", code, body)
			}
			for _, at := range []int{3, 9, 15} {
				h.until("some calls are put right", func() bool {
					h.api(http.MethodGet, replays+"/"+p.ID, &p)
					return p.Applied >= at || p.State != "applying"
				})
				if p.State != "applying" {
					t.Fatalf("the plan is %s after %d calls: %s", p.State, p.Applied, p.Reason)
				}
				process.kill()
				process = startProcess(t, config)
				waitReady(t, h)
			}
			h.until("the plan is carried out", func() bool {
				h.api(http.MethodGet, replays+"/"+p.ID, &p)
				return p.State != "applying"
			})
			if p.State != "done" || p.Applied != 30 || p.Skipped != 0 {
				t.Errorf("the plan is %s, %d applied, %d skipped: %s; want done, 30 and 0", p.State, p.Applied, p.Skipped, p.Reason)
			}
			h.quiet()
			for id, n := range h.portal.Duplicates() {
				t.Errorf("%s was made %d times", id, n)
			}
			if got, want := h.sorted(), rightWeek(t, m); got != want {
				t.Errorf("the portal holds:\n%s\nwant what right settings make:\n%s", got, want)
			}
			if again := h.plan("{}", false); len(again.Rows) != 0 {
				t.Errorf("made again the plan is\n%s", again)
			}
		})
	}
}

func TestAReplayIsPausedResumedAndAborted(t *testing.T) {
	t.Parallel()
	m := mistakes[0]
	h := wrongWeek(t, m)
	h.correct(m.correct)
	p := h.plan("{}", false)
	post := func(verb string, want int) {
		t.Helper()
		if code, body := h.request(http.MethodPost, replays+"/"+p.ID+"/"+verb, "", ""); code != want {
			t.Fatalf("%s answered %d %s, want %d", verb, code, body, want)
		}
	}
	post("pause", http.StatusConflict)
	post("resume", http.StatusConflict)
	if p = h.showPlan(p.ID, false); p.State != "planned" || p.Applied != 0 {
		t.Fatalf("resumed before anybody approved it the plan is %s with %d applied", p.State, p.Applied)
	}
	post("apply", http.StatusAccepted)
	post("pause", http.StatusOK)
	h.quiet()
	if p = h.showPlan(p.ID, false); p.State != "paused" || p.Applied == 30 {
		t.Fatalf("paused right after it began the plan is %s with %d applied", p.State, p.Applied)
	}
	had := p.Applied
	post("resume", http.StatusAccepted)
	h.until("it goes on", func() bool {
		p = h.showPlan(p.ID, false)
		return p.Applied > had
	})
	post("abort", http.StatusOK)
	h.quiet()
	post("apply", http.StatusConflict)
	if p = h.showPlan(p.ID, false); p.State != "aborted" {
		t.Errorf("the plan is %s, want aborted", p.State)
	}
	// What was left is done by the next plan.
	p = h.plan("{}", false)
	if done := h.applyPlan(p.ID); done.State != "done" || done.Skipped != 0 {
		t.Fatalf("the next plan is %s with %d skipped: %s", done.State, done.Skipped, done.Reason)
	}
	h.quiet()
	if got, want := h.sorted(), rightWeek(t, m); got != want {
		t.Errorf("the portal holds:\n%s\nwant what right settings make:\n%s", got, want)
	}
}
