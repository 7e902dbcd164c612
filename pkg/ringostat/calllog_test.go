package ringostat_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/ringostat/ringostattest"
)

var home = location("Europe/Kyiv")

func location(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return l
}

// noon is the middle of most tests' span.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, home)

func openLog(t *testing.T, fake *ringostattest.Log, over func(*ringostat.CallLogOptions)) *ringostat.CallLog {
	t.Helper()
	o := ringostat.CallLogOptions{BaseURL: fake.URL, Key: fake.Key, AllowInsecure: true, Pause: 1}
	if over != nil {
		over(&o)
	}
	l, err := ringostat.NewCallLog(o)
	if err != nil {
		t.Fatalf("open the log: %v", err)
	}
	t.Cleanup(l.Close)
	return l
}

func read(t *testing.T, l *ringostat.CallLog, from, to time.Time, zone *time.Location) []ringostat.Row {
	t.Helper()
	rows, err := l.Rows(t.Context(), from, to, zone)
	if err != nil {
		t.Fatalf("read from %s to %s: %v", from, to, err)
	}
	return rows
}

func ids(rows []ringostat.Row) (out []string) {
	for _, r := range rows {
		out = append(out, r.CallID)
	}
	return out
}

func TestARowSaysWhatTheParserNeeds(t *testing.T) {
	fake := ringostattest.Start(t, home)
	fake.Add(ringostattest.Call("1.1", noon, nil), ringostattest.Going(ringostattest.Call("1.2", noon.Add(time.Minute), nil)))
	rows := read(t, openLog(t, fake, nil), noon.Add(-time.Hour), noon.Add(time.Hour), home)
	if got := ids(rows); !slices.Equal(got, []string{"1.1", "1.2"}) {
		t.Fatalf("rows %v, want both calls in their order", got)
	}
	if !rows[0].StartedAt.Equal(noon) || !rows[0].Finished || rows[1].Finished {
		t.Errorf("got %s finished %v and %v, want %s, the first finished and the second not", rows[0].StartedAt, rows[0].Finished, rows[1].Finished, noon)
	}
	report, err := ringostat.Parse(ringostat.Request{ContentType: "application/json", Body: rows[0].Raw}, ringostat.Options{})
	if err != nil || report.Outcome != ringostat.Answered || report.Client != "+380671112233" || report.Talk != 30*time.Second {
		t.Errorf("the row reads as %+v (%v), want an answered call of half a minute", report, err)
	}
	q := fake.Requests()[0].URL.Query()
	if fields := strings.Split(q.Get("fields"), ","); len(fields) != 37 || q.Get("order") != "calldate asc" || q.Get("export_type") != "json" {
		t.Errorf("asked with %v, want 37 fields in JSON by date", q)
	}
}

// The vendor doesn't say which zone from and to are in.
func TestNoZoneOfTheServerLosesARow(t *testing.T) {
	for _, server := range []string{"Europe/Kyiv", "UTC"} {
		for _, project := range []string{"Europe/Kyiv", "UTC", "Asia/Almaty", "America/New_York", "Pacific/Kiritimati"} {
			for _, day := range []time.Time{noon, time.Date(2026, 10, 25, 3, 30, 0, 0, time.UTC), time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)} {
				fake := ringostattest.Start(t, location(server))
				for minute := -180; minute <= 180; minute += 15 {
					fake.Add(ringostattest.Call(fmt.Sprint(minute), day.Add(time.Duration(minute)*time.Minute), nil))
				}
				rows := read(t, openLog(t, fake, nil), day.Add(-time.Hour), day.Add(time.Hour), location(project))
				if got, want := ids(rows), []string{"-60", "-45", "-30", "-15", "0", "15", "30", "45", "60"}; !slices.Equal(got, want) {
					t.Errorf("server in %s, project in %s, at %s: rows %v, want %v", server, project, day, got, want)
				}
			}
		}
	}
}

func TestMoreRowsThanTheLimitAreReadInHalves(t *testing.T) {
	const calls = 7000
	fake := ringostattest.Start(t, home)
	rows := make([]ringostattest.Row, calls)
	for i := range rows {
		// Two calls in each second: some stand on every border of two halves.
		at := noon.Add(time.Duration(i/2) * time.Second)
		rows[i] = ringostattest.Row{"uniqueid": fmt.Sprint(i), "calldate": at.Format("2006-01-02T15:04:05-0700"), "disposition": "NO ANSWER", "caller": "380671112233"}
	}
	fake.Fill(rows)
	got := ids(read(t, openLog(t, fake, nil), noon.Add(-time.Hour), noon.Add(2*time.Hour), home))
	slices.Sort(got)
	if distinct := slices.Compact(slices.Clone(got)); len(got) != calls || len(distinct) != calls {
		t.Errorf("%d rows of which %d differ, want %d once each", len(got), len(distinct), calls)
	}
}

func TestALogThatOverlooksTheSpanIsNotAskedForEver(t *testing.T) {
	fake := ringostattest.Start(t, home)
	page := "[" + strings.TrimSuffix(strings.Repeat(`{"uniqueid":"1"},`, ringostattest.Limit), ",") + "]"
	fake.Break(ringostattest.Answer(http.StatusOK, "application/json", page))
	_, err := openLog(t, fake, nil).Rows(t.Context(), noon.Add(-time.Hour), noon, home)
	if !errors.Is(err, ringostat.ErrUnreadable) {
		t.Errorf("error %v, want %v", err, ringostat.ErrUnreadable)
	}
	if n := len(fake.Requests()); n > 200 {
		t.Errorf("%d requests, want an end", n)
	}
}

func TestEveryFailureHasItsKindAndHoldsNoKey(t *testing.T) {
	fake := ringostattest.Start(t, home)
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`[{"uniqueid":`))
	}
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, fake.URL+"/other?key="+fake.Key, http.StatusFound)
	}
	echo := `{"error":{"code":-32000,"message":"wrong key ` + fake.Key + `"}}`
	for _, c := range []struct {
		name string
		how  http.HandlerFunc
		want error
	}{
		{"wrong key", ringostattest.Answer(401, "application/json", echo), ringostat.ErrKey},
		{"forbidden", ringostattest.Answer(403, "text/html", "<html>"+fake.Key), ringostat.ErrKey},
		{"error member", ringostattest.Answer(200, "application/json", echo), ringostat.ErrKey},
		{"HTML", ringostattest.Answer(200, "text/html", "<!doctype html><p>"+fake.Key), ringostat.ErrUnreadable},
		{"nothing", ringostattest.Answer(200, "application/json", " \n"), ringostat.ErrUnreadable},
		{"JSON cut off", ringostattest.Answer(200, "application/json", `[{"uniqueid":"1"},{"uniq`), ringostat.ErrUnreadable},
		{"object", ringostattest.Answer(200, "application/json", `{"calls":[]}`), ringostat.ErrUnreadable},
		{"object cut off", ringostattest.Answer(200, "application/json", `{"error`), ringostat.ErrUnreadable},
		{"list of words", ringostattest.Answer(200, "application/json", `["`+fake.Key+`"]`), ringostat.ErrUnreadable},
		{"moved", elsewhere, ringostat.ErrUnreadable},
		{"not found", ringostattest.Answer(404, "text/plain", fake.Key), ringostat.ErrUnreadable},
		{"out of order", ringostattest.Answer(502, "text/html", fake.Key), ringostat.ErrUnreachable},
		{"too fast", ringostattest.Answer(429, "text/plain", ""), ringostat.ErrUnreachable},
		{"connection cut", cut, ringostat.ErrUnreachable},
	} {
		fake.Break(c.how)
		l := openLog(t, fake, nil)
		rows, err := l.Rows(t.Context(), noon.Add(-time.Hour), noon, home)
		if !errors.Is(err, c.want) || rows != nil {
			t.Errorf("%s: got %v rows, error %v; want none, %v", c.name, rows, err, c.want)
		}
		for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", l), fmt.Sprintf("%#v", l), fmt.Sprintf("%#v", err)} {
			if strings.Contains(text, fake.Key) {
				t.Errorf("%s: the key is in %q", c.name, text)
			}
		}
	}
	for _, r := range fake.Requests() {
		if r.URL.Path != "/calls/list" || strings.Contains(r.URL.String(), fake.Key) {
			t.Errorf("the request %s followed an answer or shows the key", r.URL.Path)
		}
	}
}

func TestAnEmptyLogIsNoFailure(t *testing.T) {
	fake := ringostattest.Start(t, home)
	for _, body := range []string{"[]", "\xef\xbb\xbf [ ]\n", "null"} {
		fake.Break(ringostattest.Answer(200, "application/json", body))
		if rows, err := openLog(t, fake, nil).Rows(t.Context(), noon.Add(-time.Hour), noon, home); len(rows) != 0 || err != nil {
			t.Errorf("answer %q: rows %v, error %v; want none and none", body, rows, err)
		}
	}
}

func TestARowWithoutAReadableDateIsKept(t *testing.T) {
	fake := ringostattest.Start(t, home)
	fake.Break(ringostattest.Answer(200, "application/json", `[{"uniqueid":"a","calldate":"yesterday","disposition":"BUSY","caller":"1"}]`))
	rows := read(t, openLog(t, fake, nil), noon.Add(-time.Hour), noon, home)
	if len(rows) != 1 || !rows[0].StartedAt.IsZero() || rows[0].CallID != "a" {
		t.Errorf("got %v, want the row without a time", rows)
	}
}

func TestNobodyIsAskedInAPrivateNetworkUnlessAllowed(t *testing.T) {
	fake := ringostattest.Start(t, home)
	if _, err := ringostat.NewCallLog(ringostat.CallLogOptions{BaseURL: fake.URL, Key: "k"}); err == nil {
		t.Error("an http:// address was taken without allow_insecure")
	}
	l := openLog(t, fake, func(o *ringostat.CallLogOptions) {
		o.AllowInsecure, o.BaseURL = false, strings.Replace(fake.URL, "http://", "https://", 1)
	})
	_, err := l.Rows(t.Context(), noon, noon.Add(time.Hour), home)
	if !errors.Is(err, ringostat.ErrUnreachable) || !strings.Contains(err.Error(), "allow_insecure") {
		t.Errorf("error %v, want one that names allow_insecure", err)
	}
	if n := len(fake.Requests()); n != 0 {
		t.Errorf("%d requests arrived, want none", n)
	}
}

// silent never answers; it needs no network, so the clock can be a test's.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, &net.OpError{Op: "read", Err: r.Context().Err()}
}

func TestALogThatNeverAnswersIsGivenUpAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := ringostat.NewCallLog(ringostat.CallLogOptions{BaseURL: "https://api.example", Key: "k", Transport: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = l.Rows(t.Context(), noon, noon.Add(time.Hour), home)
		if waited := time.Since(began); !errors.Is(err, ringostat.ErrUnreachable) || waited != time.Minute {
			t.Errorf("after %s: %v; want %v after a minute", waited, err, ringostat.ErrUnreachable)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err = l.Rows(ctx, noon, noon.Add(time.Hour), home); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ringostat.ErrUnreachable) {
			t.Errorf("a caller who gave up got %v, want his own reason", err)
		}
	})
}
