package check_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/services/check"
)

// clientAt is a client over a real connection.
func clientAt(t *testing.T, address string, insecure bool, timeout time.Duration) *bitrix.Client {
	t.Helper()
	c, err := bitrix.New(bitrix.Options{Portal: mustURL(t, address), User: "1", Secret: canary, AllowInsecure: insecure, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// serve starts something that is no portal.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// silence is an address where nobody listens.
func silence(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func say(status int, body string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		io.WriteString(w, body)
		return w.Result(), nil
	}
}

// outages are one for each way in which a portal tells nothing at all.
var outages = []struct {
	name    string
	arrange func(*setting) *bitrix.Client
	id      string
	mention string
}{
	{"a name that is not there is told from a portal that is down", func(s *setting) *bitrix.Client {
		s.at("https://shop.bitrix24.invalid/rest/1/" + canary + "/")
		s.fail = func(*http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "shop.bitrix24.invalid", IsNotFound: true}
		}
		return s.client()
	}, "address.name", "There is no portal shop.bitrix24.invalid"},
	{"a port where nobody listens is unreachable", func(s *setting) *bitrix.Client {
		return clientAt(s.t, silence(s.t), true, 0)
	}, "address.unreachable", "connection refused"},
	{"a connection that breaks off is unreachable", func(s *setting) *bitrix.Client {
		return clientAt(s.t, serve(s.t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), true, 0)
	}, "address.unreachable", "firewall"},
	{"a portal that does not answer is slow", func(s *setting) *bitrix.Client {
		return clientAt(s.t, serve(s.t, func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return // the client gave up in the middle; nobody would end the context then
			}
			<-r.Context().Done()
		}), true, 50*time.Millisecond)
	}, "address.timeout", "did not answer in time"},
	{"a certificate of one's own making is not safe", func(s *setting) *bitrix.Client {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = quiet()
		server.StartTLS()
		s.t.Cleanup(server.Close)
		return clientAt(s.t, server.URL, true, 0)
	}, "address.tls", "certificate"},
	{"a port that speaks no TLS is not safe", func(s *setting) *bitrix.Client {
		return clientAt(s.t, strings.Replace(serve(s.t, http.NotFound), "http:", "https:", 1), true, 0)
	}, "address.tls", "TLS"},
	{"a portal that wants https is told", func(s *setting) *bitrix.Client {
		s.fail = say(400, `{"error":"INVALID_REQUEST","error_description":"Https required"}`)
		return s.client()
	}, "address.https", "https://"},
	{"a name that leads into the own network is forbidden", func(s *setting) *bitrix.Client {
		return clientAt(s.t, "https://localhost:1", false, 0)
	}, "address.forbidden", "allow_insecure: true"},
	{"a redirect to somewhere else is not followed", func(s *setting) *bitrix.Client {
		s.fail = func(*http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.Header().Set("Location", "http://elsewhere.example.com/login/")
			w.WriteHeader(302)
			return w.Result(), nil
		}
		return s.client()
	}, "address.elsewhere", "elsewhere.example.com"},
	{"a web page is not Bitrix24", func(s *setting) *bitrix.Client {
		s.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.HTML200})
		return s.client()
	}, "address.not_bitrix24", "status 200"},
	{"a page that is not found is not Bitrix24", func(s *setting) *bitrix.Client {
		s.fail = say(404, "<html>not found</html>")
		return s.client()
	}, "address.not_bitrix24", "status 404"},
	{"JSON of something else is not Bitrix24", func(s *setting) *bitrix.Client {
		s.fail = say(200, `{"result":"hello"}`)
		return s.client()
	}, "address.not_bitrix24", "does not answer like Bitrix24"},
	{"a refusal that nobody knows is quoted", func(s *setting) *bitrix.Client {
		s.fail = say(418, `{"error":"TEAPOT","error_description":"short and stout"}`)
		return s.client()
	}, "address.refused", "refused the request"},
	{"a revoked webhook is told with exactly what to do", func(s *setting) *bitrix.Client {
		s.portal.RevokeWebhook()
		return s.client()
	}, "credentials", "Inbound webhook"},
	{"an owner whom the portal won't let in is dismissed", func(s *setting) *bitrix.Client {
		s.portal.SetActive(1, false)
		return s.client()
	}, "owner.inactive", "active administrator"},
	{"a plan without REST is told", func(s *setting) *bitrix.Client {
		s.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.PlanExpired})
		return s.client()
	}, "plan", "paid plans"},
	{"a deleted portal is told", func(s *setting) *bitrix.Client {
		s.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.Refuse(500, "PORTAL_DELETED", "Portal was deleted")})
		return s.client()
	}, "portal.gone", "deleted"},
	{"a portal that is asked too much points at other programs", func(s *setting) *bitrix.Client {
		s.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.RefuseQueryLimit})
		return s.client()
	}, "portal.busy", "another program"},
	{"a portal closed by the vendor is told", func(s *setting) *bitrix.Client {
		s.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.Overload})
		return s.client()
	}, "portal.overload", "support"},
	{"a proxy's page is a fault of the portal", func(s *setting) *bitrix.Client {
		s.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.HTML502Before})
		return s.client()
	}, "portal.fault", "status 502"},
	{"an internal error is a fault of the portal", func(s *setting) *bitrix.Client {
		s.portal.Inject(bitrixtest.Fault{Times: -1, Do: bitrixtest.Status500Before})
		return s.client()
	}, "portal.fault", "status 500"},
}

func TestAPortalThatTellsNothingHasOneFindingWithTheCause(t *testing.T) {
	for _, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			s := healthy(t, bitrixtest.Options{})
			r := s.examine(o.arrange(s))
			if ids(r) != o.id {
				t.Fatalf("findings %q, want %q alone: %+v", ids(r), o.id, r.Findings)
			}
			f := r.Findings[0]
			if all := f.Title + " | " + f.Detail + " | " + f.Remedy; !strings.Contains(all, o.mention) {
				t.Errorf("%s says %q, want %q in it", o.id, all, o.mention)
			}
			if !r.Blocked() {
				t.Errorf("%s does not block", o.id)
			}
		})
	}
}

func TestAPortalThatMovedIsCheckedAndNamed(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	s.portal.Inject(bitrixtest.Fault{Times: -1, When: func(bitrixtest.Request) bool { return true }, Do: bitrixtest.RedirectTo("https://new.bitrix24.ua/rest/1/" + canary + "/")})
	old := s.portal
	s.fail = func(r *http.Request) (*http.Response, error) {
		s2 := *s
		s2.fail = nil
		if r.URL.Host == "new.bitrix24.ua" {
			old.Heal()
		}
		return s2.RoundTrip(r)
	}
	r := check.Run(context.Background(), s.client(), s.project, "en")
	f, ok := find(r, "address.moved")
	if !ok || f.Level != check.Advice || !strings.Contains(f.Remedy, "new.bitrix24.ua") {
		t.Errorf("findings %q with %+v, want advice address.moved that names new.bitrix24.ua", ids(r), f)
	}
	if _, ok := find(r, "owner"); !ok {
		t.Errorf("findings %q, want the rest of the check too", ids(r))
	}
}

func TestACheckThatIsStoppedSaysSo(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := check.Run(ctx, s.client(), s.project, "en")
	if ids(r) != "stopped" || !r.Blocked() {
		t.Errorf("findings %q, blocked %v; want stopped alone, which blocks", ids(r), r.Blocked())
	}
}

func TestAFaultInTheSecondRequestIsAFinding(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	requests := 0
	s.fail = func(r *http.Request) (*http.Response, error) {
		if requests++; requests == 2 {
			return nil, errors.New("the cable was pulled")
		}
		s2 := *s
		s2.fail = nil
		return s2.RoundTrip(r)
	}
	r := check.Run(context.Background(), s.client(), s.project, "en")
	f, ok := find(r, "unread.optional")
	if !ok || !strings.Contains(f.Title, "call records") {
		t.Errorf("findings %q with %+v, want unread.optional about call records", ids(r), f)
	}
	if r.Blocked() {
		t.Errorf("blocked by what calls are written without: %q", ids(r))
	}
}
