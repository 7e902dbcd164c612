package bitrix

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// moving is a transport to a TLS server that plays every host.
func moving(t *testing.T, h http.HandlerFunc) *http.Transport {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	return &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
		},
	}
}

func TestARenamedPortalIsFollowedOnceAndReported(t *testing.T) {
	var hosts []string
	transport := moving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hosts = append(hosts, r.Method+" "+r.Host+" "+string(body))
		if r.Host == "old.bitrix24.ua" {
			http.Redirect(w, r, "https://new.bitrix24.ua"+r.URL.Path, http.StatusFound)
			return
		}
		if r.URL.Path != "/rest/1/"+canary+"/profile" {
			t.Errorf("got path %s", r.URL.Path)
		}
		io.WriteString(w, `{"result":{"result":{"a":1},"result_error":[]}}`)
	})
	c := clientOf(t, "https://old.bitrix24.ua", func(o *Options) { o.Transport, o.AllowInsecure = transport, false })
	for range 2 {
		a, err := c.Call(context.Background(), "profile", Params{{"a", 1}})
		if err != nil || a.Moved != "new.bitrix24.ua" {
			t.Fatalf("got %v, moved %q, want new.bitrix24.ua", err, a.Moved)
		}
	}
	want := `POST old.bitrix24.ua {"a":1}, POST new.bitrix24.ua {"a":1}, POST new.bitrix24.ua {"a":1}`
	if got := strings.Join(hosts, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNoOtherRedirectGetsTheSecret(t *testing.T) {
	for _, test := range []struct {
		portal, location string
		reason           Reason
	}{
		{"https://shop.bitrix24.ua", "https://evil.example.com/rest/1/" + canary + "/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://shop.bitrix24.ua.example.com/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://evil.bitrix24.example/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://a.b.bitrix24.ua/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://bitrix24.ua/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "http://new.bitrix24.ua/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://new.bitrix24.ua:8443/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://u:p@new.bitrix24.ua/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://new.bitrix24.ua/login/?back=/rest/", ReasonMoved},
		{"https://shop.bitrix24.ua", "https://169.254.169.254/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "/rest/1/x/profile", ReasonMoved},
		{"https://shop.bitrix24.ua", "", ReasonMoved},
		{"https://shop.bitrix24.ua", "%zz" + canary, ReasonMoved},
		{"https://crm.example.com", "https://new.example.com/rest/1/x/profile", ReasonMoved},
		{"https://crm.example.com", "/bitrix/coupon_activation.php", ReasonPlan},
	} {
		var requests []string
		transport := moving(t, func(w http.ResponseWriter, r *http.Request) {
			requests = append(requests, r.Host)
			w.Header()["Location"] = []string{test.location}
			w.WriteHeader(http.StatusFound)
		})
		c := clientOf(t, test.portal, func(o *Options) { o.Transport = transport })
		_, err := c.Call(context.Background(), "profile", nil)
		if e := failure(t, err); e.Class != Wait || e.Reason != test.reason {
			t.Errorf("%s: got %v, want wait, %s", test.location, err, test.reason)
		}
		if len(requests) != 1 || "https://"+requests[0] != test.portal {
			t.Errorf("%s: requests to %v, want one to the portal", test.location, requests)
		}
		harmless(t, test.location, err)
	}
}

func TestAPortalThatMovesInCirclesIsLeftAlone(t *testing.T) {
	requests := 0
	transport := moving(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		other := map[string]string{"a.bitrix24.ua": "b.bitrix24.ua", "b.bitrix24.ua": "a.bitrix24.ua"}[r.Host]
		http.Redirect(w, r, "https://"+other+r.URL.Path, http.StatusPermanentRedirect)
	})
	c := clientOf(t, "https://a.bitrix24.ua", func(o *Options) { o.Transport = transport })
	_, err := c.Call(context.Background(), "profile", nil)
	if e := failure(t, err); e.Class != Wait || e.Reason != ReasonMoved || requests != 2 || !strings.Contains(err.Error(), "redirected to host a.bitrix24.ua") {
		t.Errorf("got %v after %d requests, want wait, moved after 2", err, requests)
	}
}
