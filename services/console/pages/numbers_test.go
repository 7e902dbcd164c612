package pages

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// twoProjects has one that charts and plans are about, and another to change to.
const twoProjects = `
projects:
  - id: shop
    ringostat: {token: hook-of-the-shop}
    bitrix24: {webhook: "https://example.bitrix24.ua/rest/1/secretwebhook/"}
    employees: [{name: Olena Koval, code: "101", bitrix_user: 7}]
    senior: 1
  - id: market
    ringostat: {token: hook-of-the-market}
    bitrix24: {webhook: "https://market.bitrix24.ua/rest/1/secretwebhook/"}
    senior: 1
`

// theDay is a Tuesday in Kyiv, where it is the next day already.
var theDay = time.Date(2026, 3, 9, 22, 30, 0, 0, time.UTC)

// seat is a signed-in browser before pages with two projects.
type seat struct {
	t      *testing.T
	server *httptest.Server
	client *http.Client
	asked  []string // of the API
}

// sit opens the pages for a person of a role before an API that answers as api says.
func sit(t *testing.T, role service.Role, api func(r *http.Request) (int, any)) *seat {
	t.Helper()
	cfg, err := settings.Parse("test.yaml", []byte(twoProjects), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return theDay }
	projects, err := service.LoadProjects(t.Context(), bustest.Open(t), now, cfg.Projects)
	if err != nil {
		t.Fatal(err)
	}
	s := &seat{t: t}
	before := service.TokenHolder
	service.TokenHolder.Role = role
	t.Cleanup(func() { service.TokenHolder = before })
	site := &site{Env: service.Env{Mux: http.NewServeMux(), Log: zap.NewNop(), Now: now, Projects: projects}, sessions: newSessions(now), templates: parse()}
	site.Guarded = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
		code, answer := api(r)
		if file, ok := answer.(string); ok {
			w.Header().Set("Content-Type", "text/csv")
			w.Header().Set("Content-Disposition", "attachment")
			_, _ = w.Write([]byte(file))
			return
		}
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer)
	})
	mux := http.NewServeMux()
	for _, p := range site.pages() {
		mux.HandleFunc(p.pattern, site.signedIn(p))
	}
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	jar, _ := cookiejar.New(nil)
	s.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	at, _ := url.Parse(s.server.URL + "/console/")
	jar.SetCookies(at, []*http.Cookie{{Name: sessionCookie, Value: site.sessions.begin(service.TokenHolder.Name, ""), Path: "/console/"}})
	return s
}

func (s *seat) get(path, lang string) (int, string, http.Header) {
	s.t.Helper()
	r, _ := http.NewRequest(http.MethodGet, s.server.URL+path, nil)
	r.Header.Set("Accept-Language", lang)
	answer, err := s.client.Do(r)
	return read(s.t, answer, err)
}

func (s *seat) post(path string, form url.Values) (int, string, http.Header) {
	s.t.Helper()
	answer, err := s.client.PostForm(s.server.URL+path, form)
	return read(s.t, answer, err)
}

func refusal(code int, detail string) (int, any) {
	return code, map[string]any{"status": code, "title": "no", "detail": detail}
}

// aReport is an answer of the API with names as strangers write them.
func aReport(*http.Request) (int, any) {
	n := map[string]any{"calls": 1234, "answered": 1000, "missed": 200, "voicemail": 34, "new": 34, "known": 1200, "hidden": 3}
	with := func(name string, value any) []any {
		item := map[string]any{name: value}
		for k, v := range n {
			item[k] = v
		}
		return []any{item}
	}
	hours := []any{}
	for h := range 24 {
		hours = append(hours, map[string]any{"hour": h, "answered": h})
	}
	week := []any{}
	for d := range 7 {
		week = append(week, map[string]any{"weekday": d + 1, "missed": d})
	}
	summary := with("median_callback_s", 185)[0].(map[string]any)
	summary["not_called_back"] = 2
	source := with("source", hostile)[0].(map[string]any)
	source["campaign"] = hostile
	return http.StatusOK, map[string]any{
		"summary": summary, "days": map[string]any{"items": with("day", "2026-03-09")}, "hours": map[string]any{"items": hours}, "weekdays": map[string]any{"items": week},
		"employees": map[string]any{"items": with("employee", hostile)}, "sources": map[string]any{"items": []any{source}},
		"missed": map[string]any{"total": 2, "items": []any{map[string]any{"phone": "+380671112233", "last_at": "2026-03-09T12:00:00Z", "call_id": "1773050400.1", "calls": 2, "client": "new"}}},
	}
}

func TestTheAnalyticsPageTellsItsNumbersInEveryLanguage(t *testing.T) {
	s := sit(t, service.Viewer, aReport)
	for lang, want := range map[string][]string{
		"uk": {"Аналітика", "1\u00a0234", "3 хв 5 с", "81,0\u00a0%", "Вхідні за годинами доби", "9 бер. 2026, 14:00", "Показано 1 із 2"},
		"ru": {"Аналитика", "1\u00a0234", "3 мин 5 с", "Входящие по часам суток", "Показано 1 из 2"},
		"en": {"Analytics", "1,234", "3 min 5 s", "81.0%", "Incoming by hour of the day", "1 of 2 shown"},
	} {
		code, body, _ := s.get("/console/p/shop/analytics", lang)
		for _, w := range append(want, `href="/console/p/shop/calls/1773050400.1"`, "&lt;script&gt;alert(1)") {
			if code != http.StatusOK || !strings.Contains(body, w) {
				t.Errorf("%s: %d without %q", lang, code, w)
			}
		}
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") || strings.Contains(body, " style=") {
			t.Errorf("%s: a stranger's name acts, or a style is in the page, which the policy forbids", lang)
		}
	}
}

func TestAPeriodIsDaysOfTheProjectsZone(t *testing.T) {
	s := sit(t, service.Viewer, aReport)
	for query, want := range map[string]string{
		"":                               "since=2026-02-09&until=2026-03-11", // the 10th in Kyiv
		"?range=today":                   "since=2026-03-10&until=2026-03-11",
		"?range=7":                       "since=2026-03-04&until=2026-03-11",
		"?range=month":                   "since=2026-03-01&until=2026-03-11",
		"?range=last":                    "since=2026-02-01&until=2026-03-01",
		"?from=2026-01-31&to=2026-02-01": "since=2026-01-31&until=2026-02-02",
		"?from=2026-01-31":               "since=2026-01-31&until=2026-03-11",
	} {
		s.asked = nil
		if code, _, _ := s.get("/console/p/shop/analytics"+query, "en"); code != http.StatusOK || len(s.asked) != 1 || s.asked[0] != "GET /api/v1/projects/shop/analytics/report?limit=20&"+want {
			t.Errorf("%q: %d, asked %v, want %s", query, code, s.asked, want)
		}
	}
	for query, want := range map[string]string{
		"?range=century":                 "no such period",
		"?from=yesterday":                "no date",
		"?from=2026-03-02&to=2026-03-01": "begins after its end",
		"?from=1900-01-01":               "20 years",
	} {
		if code, body, _ := s.get("/console/p/shop/analytics"+query, "en"); code != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%q: %d, want 400 that says %q", query, code, want)
		}
	}
	if code, _, header := s.get("/console/p/shop/analytics?project=market&from=2026-01-31&to=2026-02-01", "en"); code != http.StatusSeeOther || header.Get("Location") != "/console/p/market/analytics?from=2026-01-31&to=2026-02-01" {
		t.Errorf("another project: %d to %q, want its page of the same period", code, header.Get("Location"))
	}
}

func TestAnExportPassesThroughAndARefusalIsShownInWords(t *testing.T) {
	refused := false
	s := sit(t, service.Viewer, func(*http.Request) (int, any) {
		if refused {
			return refusal(http.StatusServiceUnavailable, "the index is still being built")
		}
		return http.StatusOK, "id\r\n1\r\n"
	})
	code, body, header := s.get("/console/p/shop/analytics/calls.csv?range=today", "en")
	if code != http.StatusOK || body != "id\r\n1\r\n" || header.Get("Content-Disposition") != "attachment" || s.asked[0] != "GET /api/v1/projects/shop/analytics/export.csv?since=2026-03-10&until=2026-03-11" {
		t.Errorf("the export: %d %q %v, asked %v", code, body, header, s.asked)
	}
	refused = true
	for _, path := range []string{"/console/p/shop/analytics/calls.csv", "/console/p/shop/analytics"} {
		if code, body, header := s.get(path, "en"); code != http.StatusServiceUnavailable || !strings.Contains(body, "still being built") || header.Get("Content-Disposition") != "" {
			t.Errorf("%s refused: %d %v, want a page with the reason", path, code, header)
		}
	}
	if code, _, _ := s.get("/console/p/shop/analytics/passwords.csv", "en"); code != http.StatusNotFound {
		t.Errorf("another file: %d, want 404", code)
	}
}

func TestALongPeriodIsDrawnInWeeksAndMonthsWithoutLosingACall(t *testing.T) {
	at := func(day string) time.Time {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		from, to, over string
		columns        int
	}{
		{"2026-01-01", "2026-01-01", "day", 1}, {"2026-01-01", "2026-03-03", "day", 62}, {"2026-01-01", "2026-03-04", "week", 10},
		{"2024-01-31", "2026-03-09", "month", 27},
	} {
		d := numbersData{period: period{From: at(c.from), To: at(c.to)}}
		calls := 0
		for day, n := at(c.from), 1; !day.After(at(c.to)); day, n = day.AddDate(0, 0, 1), n+1 {
			item := d.Days.Items
			item = append(item, struct {
				Day string `json:"day"`
				counted
			}{day.Format(time.DateOnly), counted{Answered: n}})
			d.Days.Items, calls = item, calls+n
		}
		v := &visit{site: &site{Env: service.Env{Now: func() time.Time { return theDay }}}, words: words{"en"}}
		got, over := v.stretches(&d)
		sum := 0
		for _, s := range got {
			sum += s.Answered
		}
		if over != c.over || len(got) != c.columns || sum != calls {
			t.Errorf("%s to %s: %d columns by %s with %d calls, want %d by %s with %d", c.from, c.to, len(got), over, sum, c.columns, c.over, calls)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew; read the difference before you commit it")

func TestAChartIsAsItWasSeen(t *testing.T) {
	c := chart{
		ID: "days", Title: `By day & "night"`, Note: "The most: Tuesday.", Number: words{"en"}.Number,
		Series:  []series{{"answered", "Answered"}, {"missed", "Missed"}, {"voicemail", "Voicemail"}},
		Columns: []column{{"Mon", "Monday", []int{900, 100, 0}}, {"Tue", "Tuesday", []int{1000, 200, 34}}, {hostile, hostile, []int{0, 0, 1}}},
	}
	got := fmt.Sprint(c.SVG()) + "\n"
	golden := filepath.Join("testdata", "chart.svg")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != got {
		t.Errorf("%s (%v) is\n%s\nand not\n%s\nIf the new one is right, run the test with -update and read the difference.", golden, err, want, got)
	}
}

func TestTheLinesBehindAChartAreRoundAndFew(t *testing.T) {
	for most, want := range map[int][2]int{0: {1, 1}, 1: {1, 1}, 4: {1, 4}, 5: {2, 6}, 9: {5, 10}, 21: {10, 30}, 1234: {500, 1500}, 999_999: {500_000, 1_000_000}} {
		if step, top := steps(most); step != want[0] || top != want[1] {
			t.Errorf("up to %d: a line every %d up to %d, want %v", most, step, top, want)
		}
	}
}
