package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestRebuildMissesNoCallThatComesMeanwhile rebuilds both read models again and again by
// the command line while calls flow.
func TestRebuildMissesNoCallThatComesMeanwhile(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	sent := 0
	call := func() {
		h.send(h.call(fmt.Sprintf("c%03d", sent), with(missedCall, url.Values{"caller": {fmt.Sprintf("+38067111%04d", sent)}})))
		sent++
	}
	for range 40 {
		call()
	}
	var rebuilding sync.WaitGroup
	done := make(chan struct{})
	rebuilding.Go(func() {
		defer close(done)
		for range 3 {
			for _, view := range []string{"analytics", "console"} {
				r := runLook(h, "rebuild", view)
				if r.exit != exitDone || !strings.Contains(r.out, view+" is built anew from") || !strings.Contains(r.err, " events") {
					t.Errorf("rebuild %s: exit %d, %s%s; want the end and progress", view, r.exit, r.out, r.err)
				}
			}
		}
	})
	during := 0
	for flowing := true; flowing; {
		select {
		case <-done:
			flowing = false
		case <-time.After(5 * time.Millisecond):
			if sent < 500 { // a page of the list
				call()
				during++
			}
		}
	}
	rebuilding.Wait()
	h.quiet()
	if during == 0 {
		t.Fatal("no call came while the read models were built")
	}
	if got := len(exportJSONL(t, h, filepath.Join(t.TempDir(), "all.jsonl"))); got != sent {
		t.Errorf("analytics has %d calls, want %d, %d of which came during the rebuilds", got, sent, during)
	}
	listed := strings.Count(runLook(h, "calls", "--json", "--limit", "500").out, "\"started_at\"")
	if listed != sent {
		t.Errorf("the list has %d calls, want %d", listed, sent)
	}
}

func TestTheHelpOfRebuildNamesEveryReadModel(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	cmd("rebuild", "--help").expect(t, exitDone, h.in.env.Views.Names()...)
}
