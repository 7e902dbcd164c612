package pages

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

const shopBlock = `
projects:
  - id: shop
    name: Shop
    ringostat: {token: secret-hook-of-the-shop}
    bitrix24: {webhook: "https://shop.bitrix24.example/rest/1/secretwebhookofshop/"}
    senior: 1
    employees:
      - {name: Olena Koval, code: "101", bitrix_user: 7}
`

// told is an API that answers each address with what stands there, and remembers what it
// was asked.
type told struct {
	answers map[string]any // "METHOD PATH", without /api/v1/projects/shop
	asked   []*http.Request
}

func (a *told) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked = append(a.asked, r)
	answer, ok := a.answers[r.Method+" "+strings.TrimPrefix(strings.TrimPrefix(r.URL.EscapedPath(), "/api/v1"), "/projects/shop")]
	switch v := answer.(type) {
	case func(http.ResponseWriter, *http.Request):
		v(w, r)
	default:
		if !ok {
			service.Problem(w, http.StatusNotFound, "unknown", "There is no such thing.")
			return
		}
		service.Answer(w, v)
	}
}

// openWith starts the pages of the project shop in front of api, signed in.
func openWith(t *testing.T, api http.Handler, change ...func(*site)) (*httptest.Server, *http.Client) {
	t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(shopBlock), nil, nil)
	if err != nil {
		t.Fatalf("configuration: %v", err)
	}
	projects, err := service.LoadProjects(t.Context(), bustest.Open(t), time.Now, cfg.Projects)
	if err != nil {
		t.Fatalf("projects: %v", err)
	}
	mux := http.NewServeMux()
	s := newSite(service.Env{Mux: mux, Log: zaptest.NewLogger(t), Now: time.Now, Projects: projects}, Options{Guarded: api, Token: token})
	for _, c := range change {
		c(s)
	}
	s.open(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	client := server.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.PostForm(server.URL+"/console/signin", url.Values{"token": {token}})
	if code, body, _ := read(t, answer, err); code != http.StatusSeeOther {
		t.Fatalf("sign-in: %d %s", code, body)
	}
	return server, client
}

func visitIn(t *testing.T, client *http.Client, lang, address string) (int, string) {
	t.Helper()
	r, _ := http.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("Accept-Language", lang)
	answer, err := client.Do(r)
	code, body, _ := read(t, answer, err)
	return code, body
}

const hostile = `<script>alert(1)</script>"><img src=x onerror=alert(2)>`

func oneCall() callItem {
	return callItem{
		ID: "1767348000.13", StartedAt: "2026-01-02T12:00:00+02:00", Direction: "inbound", Outcome: "missed", Client: "new",
		Phone: "+380671112233", Employee: hostile, Rule: "missed/new", State: "in_doubt",
	}
}

// neverActs fails where a text from outside became markup.
func neverActs(t *testing.T, body string) {
	t.Helper()
	for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`} {
		if strings.Contains(body, bad) {
			t.Errorf("%q stands in the page as markup", bad)
		}
	}
	if !strings.Contains(body, "&lt;script&gt;alert(1)") {
		t.Error("the hostile name is not shown at all, so the test shows nothing")
	}
}

func TestTheListOfCallsSpeaksTheReadersLanguage(t *testing.T) {
	api := &told{answers: map[string]any{"GET /calls": callList{Items: slices.Repeat([]callItem{oneCall()}, 50), Next: "CURSOR"}}}
	server, client := openWith(t, api)
	for lang, words := range map[string][]string{
		"uk": {"вхідний, пропущено", "перевіряємо", "2 січ. 2026, 12:00", "Раніші дзвінки"},
		"ru": {"входящий, пропущен", "проверяем", "2 янв. 2026, 12:00", "Более ранние"},
		"en": {"incoming, missed", "in doubt", "2 Jan 2026, 12:00", "Older calls"},
	} {
		code, body := visitIn(t, client, lang, server.URL+"/console/p/shop/calls")
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", lang, code, body)
		}
		for _, w := range append(words, "+380\u00a067\u00a0111\u00a022\u00a033", `href="/console/p/shop/calls/1767348000.13"`, "cursor=CURSOR", `sse-connect="/console/p/shop/calls/live"`) {
			if !strings.Contains(strings.ReplaceAll(body, "&#43;", "+"), w) {
				t.Errorf("%s: no %q in the page", lang, w)
			}
		}
		neverActs(t, body)
	}
}

func TestTheFilterStandsInTheAddress(t *testing.T) {
	api := &told{answers: map[string]any{"GET /calls": callList{}}}
	server, client := openWith(t, api)
	answer, err := client.Get(server.URL + "/console/p/shop/calls?phone=&employee=Olena+Koval&from=2026-01-02&to=2026-01-02&state=")
	code, _, header := read(t, answer, err)
	if to := header.Get("Location"); code != http.StatusSeeOther || to != "/console/p/shop/calls?employee=Olena+Koval&from=2026-01-02&to=2026-01-02" {
		t.Fatalf("a form with empty fields: %d to %q, want the address without them", code, to)
	}
	code, body := visitIn(t, client, "en", server.URL+header.Get("Location"))
	if code != http.StatusOK || !strings.Contains(body, "Nothing fits") || !strings.Contains(body, "<option selected>Olena Koval</option>") {
		t.Errorf("the search: %d, want an empty list with the filter as it was chosen: %s", code, body)
	}
	q := api.asked[len(api.asked)-1].URL.Query()
	if q.Get("since") != "2026-01-02T00:00:00+02:00" || q.Get("until") != "2026-01-03T00:00:00+02:00" || q.Get("employee") != "Olena Koval" {
		t.Errorf("the API was asked %v; a day is meant whole, in the project's zone", q)
	}
}

func TestAWrongSearchIsExplained(t *testing.T) {
	wrong := func(w http.ResponseWriter, _ *http.Request) {
		service.Problem(w, http.StatusBadRequest, "wrong parameter", "phone is no phone number")
	}
	server, client := openWith(t, &told{answers: map[string]any{"GET /calls": wrong}})
	for _, query := range []string{"phone=abc", "from=yesterday"} {
		code, body := visitIn(t, client, "uk", server.URL+"/console/p/shop/calls?"+query)
		if code != http.StatusBadRequest || !strings.Contains(body, "role=\"alert\"") || strings.Contains(body, "wrong parameter") {
			t.Errorf("%s: %d, want 400 with words of ours: %s", query, code, body)
		}
	}
	if code, body := visitIn(t, client, "en", server.URL+"/console/p/shop/calls/none"); code != http.StatusNotFound || !strings.Contains(body, "Nothing was ever said") {
		t.Errorf("an unknown call: %d %s", code, body)
	}
}

// feed is a list whose changes a test makes.
type feed struct {
	lists chan callList
	asks  chan struct{}
}

func (f *feed) into(s *site) {
	s.lists.next = func(ctx context.Context, after uint64) (uint64, error) {
		return after + 1, ctx.Err()
	}
	s.lists.ask = func(ctx context.Context, project string, query url.Values) (callList, error) {
		f.asks <- struct{}{}
		select {
		case l := <-f.lists:
			return l, nil
		case <-ctx.Done():
			return callList{}, ctx.Err()
		}
	}
}

// follow reads a stream's events, one after the other.
func follow(t *testing.T, server *httptest.Server, client *http.Client, path string) (next func() (event, data string), code int) {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	r.Header.Set("Accept-Language", "en")
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	events := eventsOf(answer.Body)
	return func() (string, string) {
		select {
		case e := <-events:
			return e[0], e[1]
		case <-time.After(20 * time.Second):
			t.Fatal("the stream said nothing for 20 s")
			return "", ""
		}
	}, answer.StatusCode
}

// eventsOf reads server-sent events; the end of the stream is one without a name.
func eventsOf(body io.Reader) <-chan [2]string {
	out := make(chan [2]string, 100)
	go func() {
		defer close(out)
		var e [2]string
		for lines := bufio.NewScanner(body); lines.Scan(); {
			switch name, value, _ := strings.Cut(lines.Text(), ":"); {
			case name == "event":
				e[0] = strings.TrimSpace(value)
			case name == "data":
				e[1] += value + "\n"
			case lines.Text() == "" && e[0] != "":
				out <- e
				e = [2]string{}
			}
		}
	}()
	return out
}

func TestACallArrivesByItself(t *testing.T) {
	f := &feed{make(chan callList), make(chan struct{}, 100)}
	var lists *lists
	server, client := openWith(t, &told{}, f.into, func(s *site) { lists = s.lists })
	one, code := follow(t, server, client, "/console/p/shop/calls/live")
	two, _ := follow(t, server, client, "/console/p/shop/calls/live")
	if code != http.StatusOK {
		t.Fatalf("the stream: %d", code)
	}
	f.lists <- callList{Items: []callItem{oneCall()}}
	for _, next := range []func() (string, string){one, two} {
		if event, data := next(); event != "rows" || !strings.Contains(data, "1767348000.13") {
			t.Fatalf("at first: %q %q, want the list as it is", event, data)
		}
	}
	newer := oneCall()
	newer.ID, newer.Outcome = "2", "answered"
	f.lists <- callList{Items: []callItem{oneCall()}} // as before: nobody is bothered
	f.lists <- callList{Items: []callItem{newer, oneCall()}}
	for _, next := range []func() (string, string){one, two} {
		event, data := next()
		if event != "rows" || strings.Count(data, `<li class="new"`) != 1 || strings.Index(data, "call-2") > strings.Index(data, "call-1767348000.13") {
			t.Errorf("then: %q %q, want both calls, the new one on top and marked", event, data)
		}
		neverActs(t, data)
		if event, data := next(); event != "news" || !strings.Contains(data, "incoming, answered") {
			t.Errorf("then: %q %q, want a sentence for those who listen", event, data)
		}
	}
	lists.mu.Lock()
	defer lists.mu.Unlock()
	if len(lists.by) != 1 || lists.streams != 2 {
		t.Errorf("%d lists are followed for %d streams of one address, want 1 for 2", len(lists.by), lists.streams)
	}
}

func TestACallThatEndsIsToldOfInItsRow(t *testing.T) {
	f := &feed{make(chan callList), make(chan struct{}, 100)}
	server, client := openWith(t, &told{}, f.into)
	next, _ := follow(t, server, client, "/console/p/shop/calls/live")
	rings := callItem{ID: "1", ToldAt: time.Now().Format(time.RFC3339), Direction: "inbound", Phone: "+380671112233", State: "unfinished"}
	f.lists <- callList{Items: []callItem{oneCall()}}
	next()
	f.lists <- callList{Items: []callItem{rings, oneCall()}}
	if event, data := next(); event != "rows" || strings.Count(data, `<li class="new"`) != 1 || !strings.Contains(data, "goes on") || strings.Contains(data, "0001") {
		t.Errorf("while it rings: %q %q, want its row, marked, with the time it was told of", event, data)
	}
	if event, data := next(); event != "news" || !strings.Contains(data, "New call: incoming, ") {
		t.Errorf("while it rings: %q %q, want a sentence for those who listen", event, data)
	}
	over, newer := rings, oneCall()
	over.ToldAt, over.StartedAt, over.Outcome, over.State, newer.ID = "", "2026-01-02T12:00:00+02:00", "missed", "waiting", "2"
	f.lists <- callList{Items: []callItem{over, oneCall()}}
	if event, data := next(); event != "rows" || strings.Count(data, `id="call-1"`) != 1 || strings.Count(data, `<li class="new"`) != 1 || strings.Contains(data, "goes on") {
		t.Errorf("when it is over: %q %q, want one row for it, marked", event, data)
	}
	if event, data := next(); event != "news" || !strings.Contains(data, "The call is over: incoming, missed, ") {
		t.Errorf("when it is over: %q %q, want a sentence for those who listen", event, data)
	}
	over.State = "done"
	f.lists <- callList{Items: []callItem{over, oneCall(), newer}}
	next()
	f.lists <- callList{Items: []callItem{over, newer}}
	if event, data := next(); event != "rows" {
		t.Errorf("settled, and an older call that moves up: %q %q, want no sentence", event, data)
	}
}

func TestCallsThatGoOnAreInTheList(t *testing.T) {
	rings := callItem{ID: "1", ToldAt: time.Now().Format(time.RFC3339), Direction: "inbound", Phone: "+380671112233", State: "unfinished"}
	lost := rings
	lost.ID, lost.ToldAt = "2", time.Now().Add(-longCall-time.Minute).Format(time.RFC3339)
	api := &told{answers: map[string]any{"GET /calls": callList{Items: []callItem{rings, lost}}}}
	server, client := openWith(t, api)
	for query, want := range map[string]string{"": "too ", "?state=unfinished": "only ", "?state=done": "too done"} {
		_, body := visitIn(t, client, "en", server.URL+"/console/p/shop/calls"+query)
		q := api.asked[len(api.asked)-1].URL.Query()
		if got := q.Get("unfinished") + " " + q.Get("state"); got != want {
			t.Errorf("calls%s: the API was asked for %q, want %q", query, got, want)
		}
		if strings.Count(body, ">goes on</span>") != 1 || strings.Count(body, ">end unknown</span>") != 1 {
			t.Errorf("calls%s: want one call that goes on and one whose end nobody told: %s", query, body)
		}
	}
}

func TestAStreamEndsWithTheSession(t *testing.T) {
	f := &feed{make(chan callList), make(chan struct{}, 100)}
	server, client := openWith(t, &told{}, f.into)
	next, _ := follow(t, server, client, "/console/p/shop/calls/live")
	f.lists <- callList{Items: []callItem{oneCall()}}
	next()
	answer, err := client.PostForm(server.URL+"/console/signout", nil)
	read(t, answer, err)
	newer := oneCall()
	newer.ID = "2"
	f.lists <- callList{Items: []callItem{newer}}
	if event, data := next(); event != "ended" || strings.Contains(data, "<li") {
		t.Errorf("after signing out: %q %q, want no more calls", event, data)
	}
}

func TestStreamsEndWhenTheServerStops(t *testing.T) {
	f := &feed{make(chan callList), make(chan struct{}, 100)}
	stopping := make(chan struct{})
	var lists *lists
	server, client := openWith(t, &told{}, f.into, func(s *site) { s.Stopping, lists = stopping, s.lists })
	next, _ := follow(t, server, client, "/console/p/shop/calls/live")
	f.lists <- callList{}
	next()
	close(stopping)
	if event, _ := next(); event != "" {
		t.Errorf("after the stop: event %q, want the end", event)
	}
	deadline, tick := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		lists.mu.Lock()
		left := len(lists.by) + lists.streams
		lists.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("a list is followed although nobody looks")
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	f := &feed{make(chan callList), make(chan struct{}, 100)}
	server, client := openWith(t, &told{}, f.into, func(s *site) { s.lists.streams = maxStreams })
	if _, code := follow(t, server, client, "/console/p/shop/calls/live"); code != http.StatusServiceUnavailable {
		t.Errorf("one stream too many: %d, want 503", code)
	}
}
