package main

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

func TestAViewIsBuiltAgainWhileCallsFlow(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	counts := func() string {
		_, body := h.request("GET", "/api/v1/projects/shop/analytics/counts", "", "")
		return body
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			h.send(h.call(fmt.Sprintf("v%03d", i), url.Values{"caller": {fmt.Sprintf("+3806711144%02d", i)}}))
		}
	}
	send(0, 30)
	h.quiet()
	for n, view := range []string{"console", "analytics"} {
		flowing := make(chan struct{})
		go func() {
			defer close(flowing)
			send(30+20*n, 50+20*n)
		}()
		var stdout, stderr bytes.Buffer
		code := runCLI([]string{"rebuild", view, "--url", "http://" + h.in.Addr, "--token", apiPass}, &stdout, &stderr)
		<-flowing
		if code != exitDone || !strings.Contains(stdout.String(), view+" is built again") {
			t.Errorf("rebuild %s: exit %d, %s%s", view, code, &stdout, &stderr)
		}
	}
	h.quiet()
	var list struct{ Items []struct{ State string } }
	if h.api("GET", "/api/v1/projects/shop/calls?limit=500", &list); len(list.Items) != 70 {
		t.Errorf("the index has %d calls after it was built again, want 70", len(list.Items))
	}
	for _, c := range list.Items {
		if c.State != "done" {
			t.Errorf("a call is %s, want done", c.State)
		}
	}
	h.until("every call is counted once", func() bool { return strings.Contains(counts(), `"calls":70`) })
	var stdout, stderr bytes.Buffer
	if code := runCLI([]string{"rebuild", "nothing", "--url", "http://" + h.in.Addr, "--token", apiPass}, &stdout, &stderr); code != exitNotWell || !strings.Contains(stderr.String(), "no view") {
		t.Errorf("rebuild nothing: exit %d, %s", code, &stderr)
	}
}
