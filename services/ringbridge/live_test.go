package main

import (
	"bufio"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// TestACallAppearsInAnOpenBrowserAndAStopDoesNotWaitForIt sends a webhook while somebody
// looks at the list, then stops the program while he still does.
func TestACallAppearsInAnOpenBrowserAndAStopDoesNotWaitForIt(t *testing.T) {
	h := openHouse(t, bitrixtest.Options{}, "")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	base := "http://" + h.in.Addr + "/console/"
	signedIn, err := browser.PostForm(base+"signin", url.Values{"token": {apiPass}})
	if err != nil {
		t.Fatal(err)
	}
	signedIn.Body.Close()
	stream, err := browser.Get(base + "p/shop/calls/live")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if got := stream.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Fatalf("the stream: %d %q", stream.StatusCode, got)
	}
	lines, over := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(over)
		for in := bufio.NewScanner(stream.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	h.send(h.call("live.1", nil))
	limit := time.After(20 * time.Second)
	for seen := ""; !strings.Contains(seen, "call-live.1"); {
		select {
		case seen = <-lines:
		case <-limit:
			t.Fatal("the call did not appear within 20 s")
		}
	}
	go func() {
		for range lines { // what else is told of the call
		}
	}()
	began := time.Now()
	h.stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the stop took %s with a stream open", took)
	}
	select {
	case <-over:
	case <-time.After(20 * time.Second):
		t.Error("the stream outlived the program")
	}
}
