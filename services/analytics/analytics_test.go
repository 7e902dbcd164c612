package analytics

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

type items[T any] struct {
	Items []T
	Total int
}

// aDay stores a day's calls: the newest begins 10 hours after noon, on the same day in
// Kyiv and in UTC; one begins when it is the next day in Kyiv only.
func (d *desk) aDay() {
	d.t.Helper()
	google := answeredBy("Olena Koval", number(1), 100)
	google.Traffic = event.Traffic{Source: "google", Medium: "cpc", Campaign: "winter"}
	d.tell("1", 0, google, "new")
	d.tell("2", 14, answeredBy("Olena Koval", number(2), 50), "open")
	d.tell("3", 20, answeredBy("Petro Bondar", number(3), 7), "contact")
	d.tell("4", 30, inVain(number(4)), "new")
	d.tell("5", 40, inVain(number(5)), "open")
	d.tell("6", 41, inVain(number(4)), "new")
	voicemail := inVain(number(6))
	voicemail.Outcome = event.Voicemail
	d.tell("7", 50, voicemail, "new")
	d.tell("8", 60, inVain(""), "anonymous")
	d.tell("9", 90, event.Call{Direction: event.Outbound, Outcome: event.Answered, Client: number(5), Employee: &event.Employee{Name: "Olena Koval"}, Talk: 3}, "open")
	d.tell("10", 95, event.Call{Direction: event.Outbound, Outcome: event.Missed, Client: number(4), Employee: &event.Employee{Name: "Petro Bondar"}}, "open")
	d.tell("11", 100, event.Call{Direction: event.Internal, Outcome: event.Answered, Talk: 2}, "")
	d.tell("12", 110, answeredBy("Petro Bondar", number(6), 4), "open")
	d.tell("13", 12*60+30, inVain(number(7)), "") // half past midnight in Kyiv, not decided yet
	ringing := event.Call{ID: "14", Event: "before", Direction: event.Inbound, Client: number(8)}
	d.publish(event.First("classifier", noon, &event.CallClassified{Project: "shop", Changed: true, Call: ringing}))
}

func TestTheSummaryCountsEveryFinishedCallOnce(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	type sums struct {
		counts
		CalledBack    int   `json:"called_back"`
		CalledAgain   int   `json:"called_again"`
		NotCalledBack int   `json:"not_called_back"`
		Median        int64 `json:"median_callback_s"`
	}
	want := sums{counts{
		Calls: 13, Answered: 4, Missed: 5, Voicemail: 1, Outbound: 2, OutboundAnswered: 1, Internal: 1,
		New: 4, Known: 4, Hidden: 1, Talk: 166, Waiting: 40,
	}, 1, 1, 2, 55 * 60}
	if diff := cmp.Diff(want, get[sums](d, shop+"summary", "Summary"), cmp.AllowUnexported(sums{})); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	// From 12:14 on and before 12:30: borders inside a quarter of an hour count exactly.
	got := get[sums](d, shop+"summary?since=2026-01-15T12:14:00%2B02:00&until=2026-01-15T12:30:00%2B02:00", "Summary")
	if got.Calls != 2 || got.Answered != 2 || got.Talk != 57 {
		t.Errorf("two calls in the span: %+v", got)
	}
	if got := get[sums](d, shop+"summary?since=2026-01-15T12:13:00Z&until=2026-01-15T12:14:00Z", "Summary"); got != (sums{}) {
		t.Errorf("a span without calls: %+v, want nothing", got)
	}
	if got := get[sums](d, shop+"summary?since=23h45m", "Summary"); got.Calls != 11 {
		t.Errorf("a span back from now: %d calls, want 11", got.Calls)
	}
}

func TestDaysAndHoursAreThoseOfTheProjectsZone(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	type day struct {
		Day string
		counts
	}
	var got []string
	for _, i := range get[items[day]](d, shop+"days", "Days").Items {
		got = append(got, i.Day)
		if want := map[string]int64{"2026-01-15": 12, "2026-01-16": 1}[i.Day]; i.Calls != want {
			t.Errorf("%s: %d calls, want %d", i.Day, i.Calls, want)
		}
	}
	if !slices.Equal(got, []string{"2026-01-15", "2026-01-16"}) {
		t.Errorf("days %v, want two, in their order", got)
	}
	type hour struct {
		Hour int
		counts
	}
	hours := get[items[hour]](d, shop+"hours", "Hours").Items
	if len(hours) != 24 || hours[12].Calls != 7 || hours[13].Calls != 5 || hours[0].Missed != 1 || hours[10].Calls != 0 {
		t.Errorf("hours %+v, want 24 with 7 calls at 12, 5 at 13, one missed at 0", hours)
	}
}

func TestTheWeekBeginsOnMondayInTheProjectsZone(t *testing.T) {
	d := openDesk(t)
	d.aDay() // a Thursday, and half an hour of the Friday in Kyiv only
	type weekday struct {
		Weekday int
		counts
	}
	for i, day := range get[items[weekday]](d, shop+"weekdays", "Weekdays").Items {
		if want := []int64{0, 0, 0, 12, 1, 0, 0}[i]; day.Weekday != i+1 || day.Calls != want {
			t.Errorf("day %d is %d with %d calls, want %d calls", i+1, day.Weekday, day.Calls, want)
		}
	}
}

func TestEmployeesAndSourcesAreListedByTheirCalls(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	type employee struct {
		Employee string
		counts
	}
	people := get[items[employee]](d, shop+"employees", "Employees").Items
	if len(people) != 2 || people[0].Employee != "Olena Koval" || people[0].Answered != 2 || people[0].Talk != 153 || people[1].OutboundAnswered != 0 || people[1].Answered != 2 {
		t.Errorf("employees %+v, want Olena with 2 answered and 153 s, then Petro with 2", people)
	}
	type source struct {
		Source, Medium, Campaign string
		counts
	}
	all := get[items[source]](d, shop+"sources", "Sources").Items
	if len(all) != 2 || all[0].Source != "" || all[0].Calls != 9 || all[1].Source+"/"+all[1].Medium+"/"+all[1].Campaign != "google/cpc/winter" || all[1].New != 1 {
		t.Errorf("sources %+v, want nine incoming calls of no source, then the one of google", all)
	}
}

func TestClientsWhoWaitToBeCalledBackAreListed(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	got := get[items[waiting]](d, shop+"missed", "Waiting")
	if got.Total != 2 || len(got.Items) != 2 {
		t.Fatalf("%+v, want two clients", got)
	}
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	if w := got.Items[1]; w.Phone != number(4) || !w.Since.Equal(at(30)) || !w.Last.Equal(at(41)) || w.Call != "6" || w.Calls != 2 || w.Client != "new" {
		t.Errorf("%+v, want the client who called twice; our call that nobody answered changes nothing", w)
	}
	if w := got.Items[0]; w.Phone != number(7) || w.Client != "" {
		t.Errorf("%+v, want the one who called last first", w)
	}
	if one := get[items[waiting]](d, shop+"missed?limit=1", "Waiting"); one.Total != 2 || len(one.Items) != 1 {
		t.Errorf("with a limit of one: %+v, want one of two", one)
	}
}

func TestTheReportIsWhatItsPartsAnswer(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	const query = "?until=2026-01-15T13:35:00%2B02:00&limit=1"
	all := get[map[string]any](d, shop+"report"+query, "Report")
	for part, schema := range map[string]string{"summary": "Summary", "days": "Days", "hours": "Hours", "weekdays": "Weekdays", "employees": "Employees", "sources": "Sources", "missed": "Waiting"} {
		if diff := cmp.Diff(get[any](d, shop+part+query, schema), all[part]); diff != "" {
			t.Errorf("%s (-alone +in the report):\n%s", part, diff)
		}
	}
}

func TestTheExportTellsEveryFinishedCallInItsOrder(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	all := d.exported("")
	var ids []string
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	if got := strings.Join(ids, " "); got != "1 2 3 4 5 6 7 8 9 10 11 12 13" {
		t.Fatalf("calls %s, want all that are over, the oldest first", got)
	}
	if c := all[4]; c.NextAt == nil || !c.NextAt.Equal(noon.Add(90*time.Minute)) || c.NextBy != "outbound" || c.StartedAt.Format(time.RFC3339) != "2026-01-15T12:40:00+02:00" {
		t.Errorf("the missed call that was called back: %+v", c)
	}
	if c := all[6]; c.NextBy != "inbound" {
		t.Errorf("the voicemail whose client called again: %+v", c)
	}
	if got := d.exported("?since=2026-01-16"); len(got) != 1 || got[0].ID != "13" || got[0].State != "waiting" {
		t.Errorf("since the next day: %+v, want the last call", got)
	}
}

func TestWrongQuestionsAreAnsweredWithWhatIsRight(t *testing.T) {
	d := openDesk(t)
	for path, want := range map[string]int{
		shop + "summary?since=yesterday":               400,
		shop + "summary?since=2h&until=3h":             400,
		shop + "calls?until=soon":                      400,
		shop + "missed?limit=0":                        400,
		shop + "export.csv?since=yesterday":            400,
		shop + "export.xlsx":                           404,
		"/api/v1/projects/market/analytics/summary":    404,
		"/api/v1/views/analitics/rebuild":              404,
		"/api/v1/projects/shop/analytics/days?until=1": 400,
	} {
		if w := d.ask(http.MethodGet, path); w.Code != want {
			t.Errorf("GET %s: %d %s, want %d", path, w.Code, w.Body, want)
		}
	}
	if w := d.ask(http.MethodPost, "/api/v1/views/analitics/rebuild"); w.Code != 404 || !strings.Contains(w.Body.String(), "analytics") {
		t.Errorf("a rebuild of an unknown view: %d %s, want 404 that names those there are", w.Code, w.Body)
	}
}

func TestADeletedReadModelIsBuiltAgainAtTheStart(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	want := d.exported("")
	d.group.Stop()
	if err := os.RemoveAll(filepath.Join(d.data, "views")); err != nil {
		t.Fatal(err)
	}
	d.start()
	if diff := cmp.Diff(want, d.exported("")); diff != "" {
		t.Errorf("built again (-want +got):\n%s", diff)
	}
}

func TestAReadModelThatIsBuiltAnewWhileCallsFlowIsTheSame(t *testing.T) {
	d := openDesk(t)
	d.aDay()
	type status struct {
		State string
		Built int
	}
	for n := range 3 {
		if w := d.ask(http.MethodPost, "/api/v1/views/analytics/rebuild"); w.Code != http.StatusAccepted {
			t.Fatalf("rebuild: %d %s", w.Code, w.Body)
		}
		for k := 0; ; k++ {
			id := 100 + 1000*n + k
			d.tell(number(id), id, answeredBy("Olena Koval", number(id), 1), "new")
			if all := d.exported("?since=2026-01-15"); !slices.ContainsFunc(all, func(c Call) bool { return c.ID == number(id) }) {
				t.Fatalf("the answer during a rebuild lacks the call that was stored before the question")
			}
			s := get[status](d, "/api/v1/views/analytics/rebuild", "View")
			if s.State != "rebuilding" && s.Built == n+1 {
				break
			}
		}
	}
	got := d.exported("")
	sums := d.ask(http.MethodGet, shop+"report").Body.String()
	bustest.Eventually(t, 20*time.Second, "old files are gone", func() bool {
		files, _ := filepath.Glob(filepath.Join(d.data, "views", "*.db"))
		return len(files) == 1
	})
	d.group.Stop()
	if err := os.RemoveAll(filepath.Join(d.data, "views")); err != nil {
		t.Fatal(err)
	}
	d.start()
	if diff := cmp.Diff(d.exported(""), got); diff != "" {
		t.Errorf("built anew while calls flowed (-want +got):\n%s", diff)
	}
	if again := d.ask(http.MethodGet, shop+"report").Body.String(); again != sums {
		t.Errorf("report %s, want %s", sums, again)
	}
}
