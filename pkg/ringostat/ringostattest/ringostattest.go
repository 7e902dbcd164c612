// Package ringostattest plays Ringostat's call log for tests: GET /calls/list with its
// limit of 6,500 rows, a clock in a zone of its own, calls that finish while one looks,
// and the ways in which it fails. It knows the log on its own account, so that a mistake
// of the client can't be a mistake of both. Start reading at [Start].
package ringostattest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Limit is how many rows an answer holds at most (help.ringostat.com 6312678).
const Limit = 6500

// Log is a call log. Its methods may be called while it is asked.
type Log struct {
	// URL is where it answers.
	URL string
	// Key is the only one that it takes.
	Key string

	mu       sync.Mutex
	zone     *time.Location
	rows     []Row
	faces    []time.Time // what the log's clock showed when the row's call began
	broken   http.HandlerFunc
	requests []*http.Request
}

// Row is a call as the log shows it: column and value.
type Row map[string]any

// Start starts an empty log that is gone with the test. zone is what it takes from and
// to in, which no document says of the real one.
func Start(t testing.TB, zone *time.Location) *Log {
	l := &Log{Key: "call-log-key-of-the-tests", zone: zone}
	server := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(server.Close)
	l.URL = server.URL
	return l
}

// Call is an answered call from +380671112233 to the employee with code 101, half a
// minute long, as the log shows it; over replaces columns.
func Call(id string, at time.Time, over Row) Row {
	r := Row{
		"uniqueid": id, "calldate": at.Format("2006-01-02T15:04:05-0700"), "call_type": "in", "disposition": "ANSWERED",
		"caller": "380671112233", "caller_number": "380671112233", "dst": "380441234567", "connected_with": "380501110101",
		"duration": 50, "duration_ms": "50000", "waittime": "20", "billsec": 30, "employee_number": 101, "has_recording": "1",
		"recording": "https://records.example/" + id + ".ogg?token=0123456789abcdef", "pool_name": "Simple nums pool",
		"utm_source": "google", "utm_medium": "cpc", "utm_term": "none)", "call_counter": 1, "proper_flag": 1, "category_mark": -1,
	}
	for column, v := range over {
		r[column] = v
	}
	return r
}

// Going takes what only a finished call has from a row.
func Going(r Row) Row {
	r["disposition"], r["duration"], r["duration_ms"], r["billsec"] = "IN PROGRESS", 0, "0", 0
	r["has_recording"], r["recording"] = "0", ""
	return r
}

// Add puts rows into the log; a row with the id of one that is there replaces it.
func (l *Log) Add(rows ...Row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rows {
		if i := slices.IndexFunc(l.rows, func(o Row) bool { return o["uniqueid"] == r["uniqueid"] }); i >= 0 {
			l.rows[i], l.faces[i] = r, l.face(r)
			continue
		}
		l.rows, l.faces = append(l.rows, r), append(l.faces, l.face(r))
	}
}

// face is the row's date on the log's own clock, held in UTC; now, where the row shows
// none: the log itself knows when a call was.
func (l *Log) face(r Row) time.Time {
	at, err := time.Parse("2006-01-02T15:04:05-0700", fmt.Sprint(r["calldate"]))
	if err != nil {
		at = time.Now()
	}
	at = at.In(l.zone)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
}

// Fill is Add for many rows that are surely new.
func (l *Log) Fill(rows []Row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rows {
		l.rows, l.faces = append(l.rows, r), append(l.faces, l.face(r))
	}
}

// Break makes every request be answered like this; nil mends it.
func (l *Log) Break(how http.HandlerFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = how
}

// Answer is a way to break: one code, type and text.
func Answer(code int, mediaType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

// Requests are those that came, also the refused ones.
func (l *Log) Requests() []*http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.requests)
}

func (l *Log) serve(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.requests = append(l.requests, r.Clone(r.Context()))
	broken := l.broken
	l.mu.Unlock()
	switch {
	case broken != nil:
		broken(w, r)
	case r.Header.Get("Auth-key") != l.Key:
		Answer(http.StatusUnauthorized, "application/json", `{"error":"Unauthorized"}`)(w, r)
	case r.Method != http.MethodGet || r.URL.Path != "/calls/list":
		Answer(http.StatusNotFound, "text/html", "<html>nothing here</html>")(w, r)
	default:
		l.list(w, r)
	}
}

// list answers like calls/list: rows between from and to on the log's own clock, both
// included, in the order of their dates, cut at the limit without a word.
func (l *Log) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	from, err1 := time.Parse(time.DateTime, q.Get("from"))
	to, err2 := time.Parse(time.DateTime, q.Get("to"))
	if err1 != nil || err2 != nil || q.Get("export_type") != "json" {
		Answer(http.StatusOK, "application/json", `{"error":{"code":-32602,"message":"invalid params"}}`)(w, r)
		return
	}
	fields := strings.Split(q.Get("fields"), ",")
	var found []int
	l.mu.Lock()
	for i, face := range l.faces {
		if !face.Before(from) && !face.After(to) {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b int) int { return l.faces[a].Compare(l.faces[b]) })
	rows := []Row{}
	for _, i := range found[:min(len(found), Limit)] {
		out := Row{}
		for _, f := range fields {
			if v, ok := l.rows[i][f]; ok {
				out[f] = v
			}
		}
		rows = append(rows, out)
	}
	l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(rows)
}
