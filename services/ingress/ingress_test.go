package ingress

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

func TestARequestIsOnDiskBeforeItIsAnswered(t *testing.T) {
	d := openDoor(t)
	r := httptest.NewRequest(http.MethodPost, address+"?event=after", strings.NewReader("call_id=1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Ringostat")
	r.Header.Set("Authorization", "Basic c2VjcmV0")
	r.Header.Set("Cookie", "session=secret")
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.String() != "ok" {
		t.Errorf("answered %d %q, want 200 \"ok\"", w.Code, w.Body)
	}
	envelopes, requests := d.stored()
	if len(requests) != 1 {
		t.Fatalf("%d requests stored, want 1", len(requests))
	}
	want := event.CallReceived{
		Project: "shop", Source: event.FromWebhook, Method: "POST", Query: "event=after", Body: []byte("call_id=1"),
		Headers:    map[string]string{"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Ringostat"},
		ReceivedAt: time.Date(2026, 1, 2, 12, 0, 0, 123_000_000, time.UTC),
	}
	if !reflect.DeepEqual(requests[0], want) {
		t.Errorf("stored %+v\nwant   %+v", requests[0], want)
	}
	if e := envelopes[0]; e.Type != event.TypeCallReceived || e.Project != "shop" || e.Cause != "" || e.ID == "" {
		t.Errorf("envelope %+v, want a call.received of the shop that nothing caused", e)
	}
}

// TestEveryByteComesBack sends anything over a real connection, also what no parser
// likes: it must lie in the stream as it came.
func TestEveryByteComesBack(t *testing.T) {
	d := openDoor(t)
	server := httptest.NewServer(d.mux)
	defer server.Close()
	sent := 0
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(t, "method")
		// What a request line can hold: no blank and no control character.
		query := string(rapid.SliceOf(rapid.ByteRange(0x21, 0xff).Filter(func(b byte) bool { return b != 0x7f })).Draw(t, "query"))
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		r, err := http.NewRequest(method, server.URL+address, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.RawQuery = query
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if answer, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || string(answer) != "ok" {
			t.Fatalf("answered %d %q, want 200 ok", response.StatusCode, answer)
		}
		sent++
		e, err := d.bus.Get(d.t.Context(), d.skip+uint64(sent))
		if err != nil {
			t.Fatal(err)
		}
		got, err := event.As[event.CallReceived](e)
		if err != nil {
			t.Fatal(err)
		}
		if got.Method != method || !bytes.Equal(got.Body, body) {
			t.Fatalf("stored %s %q, sent %s %q", got.Method, got.Body, method, body)
		}
		if utf8.ValidString(query) && got.Query != query || unescape(got.Query) != unescape(query) {
			t.Fatalf("stored the query %q, sent %q", got.Query, query)
		}
	})
}

// unescape is what a query means: its bytes, with %XX read.
func unescape(query string) string {
	var b strings.Builder
	for i := 0; i < len(query); i++ {
		if query[i] == '%' && i+2 < len(query) {
			if n, err := strconv.ParseUint(query[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(query[i])
	}
	return b.String()
}

func TestBytesThatAreNoTextMeanTheSameInTheQuery(t *testing.T) {
	for query, want := range map[string]string{
		"name=Olena": "name=Olena", "name=\xce\xeb": "name=%CE%EB", "name=Олена\xff&x=%41": "name=Олена%FF&x=%41", "": "",
	} {
		if got := asText(query); got != want {
			t.Errorf("asText(%q) = %q, want %q", query, got, want)
		}
	}
}

func TestWhoKnowsTheSecretIsLetIn(t *testing.T) {
	d := openDoor(t)
	for path, want := range map[string]int{
		address:                      200,
		address + "/":                200,
		"/ringostat/shop/" + newHook: 200, // both are good during a change
		"/ringostat/other/only-secret-of-the-other": 200,
		"/ringostat/other/" + hook:                  404, // another project's secret
		"/ringostat/shop/only-secret-of-the-other":  404,
		"/ringostat/shop/" + hook[:len(hook)-1]:     404,
		"/ringostat/shop/" + hook + "x":             404,
		"/ringostat/shop/" + strings.ToUpper(hook):  404,
		"/ringostat/shopp/" + hook:                  404,
		"/ringostat/shop/no%20token":                404,
		"/ringostat/shop/***":                       404,
		"/ringostat/shop/":                          404,
		"/ringostat/shop":                           404,
	} {
		if w := d.knock(http.MethodGet, path, nil); w.Code != want {
			t.Errorf("GET %s: %d, want %d", path, w.Code, want)
		}
	}
	if _, requests := d.stored(); len(requests) != 4 {
		t.Errorf("%d requests stored, want the 4 that were let in", len(requests))
	}
}

func TestAMissingSecretLetsNobodyIn(t *testing.T) {
	for _, given := range []string{"", "no token", "no second token"} {
		for _, tokens := range [][]settings.Secret{nil, {}, {"the one"}} {
			if allowed(tokens, given) {
				t.Errorf("allowed with %d secrets and %q given", len(tokens), given)
			}
		}
	}
}

func TestAnUnknownProjectAndAWrongSecretLookTheSame(t *testing.T) {
	d := openDoor(t)
	project, secret := d.knock(http.MethodPost, "/ringostat/nobody/"+hook, nil), d.knock(http.MethodPost, "/ringostat/shop/wrong", nil)
	if project.Code != http.StatusNotFound || project.Code != secret.Code || project.Body.String() != secret.Body.String() || !reflect.DeepEqual(project.Header(), secret.Header()) {
		t.Errorf("unknown project: %d %q %v\nwrong secret:    %d %q %v\nwant the same 404", project.Code, project.Body, project.Header(), secret.Code, secret.Body, secret.Header())
	}
	// A wrong method tells nothing either to who does not know the secret.
	if w := d.knock(http.MethodDelete, "/ringostat/shop/wrong", nil); w.Code != http.StatusNotFound {
		t.Errorf("DELETE with a wrong secret: %d, want 404", w.Code)
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	d := openDoor(t)
	for _, method := range []string{"DELETE", "PATCH", "HEAD", "OPTIONS", "PROPFIND"} {
		if w := d.knock(method, address, nil); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST, PUT" {
			t.Errorf("%s: %d, Allow %q; want 405 and GET, POST, PUT", method, w.Code, w.Header().Get("Allow"))
		}
	}
	if _, requests := d.stored(); len(requests) != 0 {
		t.Errorf("%d requests stored, want none", len(requests))
	}
}

// onlyReader hides a body's length, so that it travels in chunks.
type onlyReader struct{ io.Reader }

func TestABodyOverTheLimitIsRefusedWhole(t *testing.T) {
	d := openDoor(t)
	server := httptest.NewServer(d.mux)
	defer server.Close()
	post := func(body io.Reader) int {
		t.Helper()
		response, err := http.Post(server.URL+address, "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	full := bytes.Repeat([]byte("x"), maxBody)
	if got := post(bytes.NewReader(full)); got != http.StatusOK {
		t.Errorf("a body of exactly the limit: %d, want 200", got)
	}
	if got := post(bytes.NewReader(append(full, 'x'))); got != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte over the limit: %d, want 413", got)
	}
	if got := post(onlyReader{bytes.NewReader(append(full, 'x'))}); got != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte over the limit, in chunks: %d, want 413", got)
	}
	if _, requests := d.stored(); len(requests) != 1 || len(requests[0].Body) != maxBody {
		t.Errorf("%d requests stored, want only the one that fits, whole", len(requests))
	}
}

// brokenBody is a sender that goes away.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestABodyThatDoesNotArriveWholeIsNotStored(t *testing.T) {
	d := openDoor(t)
	w := d.knock(http.MethodPost, address, io.MultiReader(strings.NewReader("call_id=1&sta"), brokenBody{}))
	if _, requests := d.stored(); w.Code != http.StatusBadRequest || len(requests) != 0 {
		t.Errorf("half a body: %d and %d stored, want 400 and nothing", w.Code, len(requests))
	}
}

func TestWhatCannotBeStoredIsNotAccepted(t *testing.T) {
	dir := t.TempDir()
	open := func() *bus.Bus {
		t.Helper()
		b, err := bus.Open(t.Context(), bus.Options{Dir: dir, Fast: true})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := open()
	d := openDoorOn(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	w := d.knock(http.MethodPost, address, strings.NewReader("call_id=1"))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Body.String() == "ok" {
		t.Errorf("without a broker: %d %q, Retry-After %q; want 503 and when to come back", w.Code, w.Body, w.Header().Get("Retry-After"))
	}
	b = open()
	defer b.Close()
	if last, err := b.Last(t.Context()); err != nil || last != d.skip {
		t.Errorf("the stream goes to %d (%v), want %d as before", last, err, d.skip)
	}
}

// TestAFailureIsForgottenWithoutANewRequest matters because a balancer sends no
// request to a service that is not ready.
func TestAFailureIsForgottenWithoutANewRequest(t *testing.T) {
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	closed := sync.OnceValue(b.Close)
	defer closed()
	d := openDoorOn(t, b)
	if err := closed(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		env := d.env // started inside, where the clock is the test's
		env.Mux, env.Metrics, env.Group = http.NewServeMux(), prometheus.NewRegistry(), service.NewGroup(context.Background(), zap.NewNop())
		defer env.Group.Stop()
		if err := Start(env); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour) // long after the start
		env.Mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, address, nil))
		if env.Group.Healthy() == nil {
			t.Error("right after a request that could not be stored the service counts as well")
		}
		<-time.After(sickFor + time.Second)
		if err := env.Group.Healthy(); err != nil {
			t.Errorf("%s later: %v, want well", sickFor, err)
		}
	})
}

// slowBody says when somebody reads it and ends when it is told to.
type slowBody struct{ read, end chan struct{} }

func (s slowBody) Read([]byte) (int, error) {
	s.read <- struct{}{}
	<-s.end
	return 0, io.EOF
}

func TestTooManyAtOnceAreAskedToComeBack(t *testing.T) {
	d := openDoor(t)
	body := slowBody{make(chan struct{}), make(chan struct{})}
	var waiting sync.WaitGroup
	for range maxWaiting {
		waiting.Go(func() { d.knock(http.MethodPost, address, body) })
		<-body.read
	}
	w := d.knock(http.MethodPost, address, strings.NewReader("call_id=1"))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more than %d at once: %d, Retry-After %q; want 429 and when to come back", maxWaiting, w.Code, w.Header().Get("Retry-After"))
	}
	close(body.end)
	waiting.Wait()
	if w := d.knock(http.MethodPost, address, nil); w.Code != http.StatusOK {
		t.Errorf("when they are through: %d, want 200", w.Code)
	}
}

func TestTheSecretStaysAtTheDoor(t *testing.T) {
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	d := openDoorOn(t, b)
	d.knock(http.MethodPost, address+"?event=after", strings.NewReader("call_id=1"))
	d.knock(http.MethodDelete, address, nil)
	d.knock(http.MethodPost, address, bytes.NewReader(make([]byte, maxBody+1)))
	envelopes, _ := d.stored()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	d.knock(http.MethodPost, address, nil) // fails, with a line in the log
	told := []any{envelopes, d.group.Healthy().Error()}
	for _, entry := range d.logs.All() {
		told = append(told, entry.Message, fmt.Sprint(entry.ContextMap()))
	}
	if d.logs.Len() == 0 {
		t.Error("a request that could not be stored is not in the log")
	}
	families, err := d.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		told = append(told, family.String())
	}
	text, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), hook) {
		t.Errorf("the secret of the address is in what is kept and told: %s", text)
	}
}

func TestAnswersAreCounted(t *testing.T) {
	d := openDoor(t)
	d.knock(http.MethodPost, address, nil)
	d.knock(http.MethodPost, address, nil)
	d.knock(http.MethodDelete, address, nil)
	d.knock(http.MethodPost, "/ringostat/a-project-that-somebody-made-up/x", nil)
	families, err := d.metrics.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "ringbridge_webhooks_total" {
		t.Fatalf("metrics %v, %v; want ringbridge_webhooks_total", families, err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		name := ""
		for _, label := range m.GetLabel() {
			name += label.GetName() + "=" + label.GetValue() + " "
		}
		got[name] = m.GetCounter().GetValue()
	}
	// A project that is not ours must not become a label: anybody can make those up.
	want := map[string]float64{"code=200 project=shop ": 2, "code=404 project=unknown ": 1, "code=405 project=shop ": 1}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}
