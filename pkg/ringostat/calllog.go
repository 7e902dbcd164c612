package ringostat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Why the call log could not be read. Every error of [CallLog.Rows] is one of these,
// or the context's. None holds the key or anything that the other side sent.
var (
	// ErrKey means that Ringostat refuses the key: 401, 403, or an answer with an
	// `error` member, which is how its JSON-RPC refuses under code 200 (seen).
	ErrKey = errors.New("the API key is refused by Ringostat")
	// ErrUnreadable means that something answers which is not the call log: a page for
	// people, JSON that was cut off, an address that leads elsewhere.
	ErrUnreadable = errors.New("the answer is not a call log")
	// ErrUnreachable means that nobody answers, or only to say that it cannot now.
	ErrUnreachable = errors.New("the call log cannot be reached")
)

// Row is one line of the call log.
type Row struct {
	CallID string // empty where the row names none
	// StartedAt is the row's calldate, which carries its zone; zero where it can't be read.
	StartedAt time.Time
	// Finished is false while the call goes on: the row will say more later.
	Finished bool
	// Raw is the row as it came, which [Parse] reads as the body of a request.
	Raw json.RawMessage
}

const (
	// pageLimit is what calls/list gives at most, however many there are (help 6312678).
	pageLimit = 6500
	// maxRequests bounds one reading: a server that overlooks from and to would be asked
	// for ever smaller spans.
	maxRequests = 200
)

// logFields are the 37 columns that calls/list knows (seen in two clients of it).
var logFields = strings.Fields(`calldate caller caller_number dst pool_name disposition category_mark duration duration_ms
	call_type waittime billsec connected_with call_counter proper_flag repeated_flag utm_source utm_medium utm_campaign
	utm_content utm_term uniqueid category_number employee_number employee_mark employee_fio department client_id remote_ip
	refferrer landing recording recording_wav call_card additional_number has_recording scheme_name`)

// Rows reads the calls that began from from to to, both included, the earliest first.
// A row whose date can't be read is kept: what it is must be judged by somebody.
//
// The vendor does not say in which zone from and to are taken. They are sent in zone,
// with a [margin] on both sides, and the rows are chosen by their own calldate: a wrong
// guess costs rows that are read in vain and loses none. calldate without a zone is
// taken in zone, too.
//
// An answer with as many rows as the limit is thrown away and asked for again in two
// halves, down to one second.
func (c *CallLog) Rows(ctx context.Context, from, to time.Time, zone *time.Location) ([]Row, error) {
	if zone == nil {
		zone = time.UTC
	}
	if to.Before(from) {
		return nil, nil
	}
	m := margin(from, to, zone)
	r := reading{log: c, seen: map[string]bool{}}
	// Halves are made on the clock's face, not in time: in the hour that a clock change
	// repeats, a span of time can begin later on the face than it ends.
	if err := r.span(ctx, face(from.Add(-m), zone), face(to.Add(m), zone).Add(time.Second)); err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(r.raw))
	for _, raw := range r.raw {
		row := readRow(raw, zone)
		if row.StartedAt.IsZero() || !row.StartedAt.Before(from) && !row.StartedAt.After(to) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.CallID, b.CallID))
	})
	return rows, nil
}

func readRow(raw json.RawMessage, zone *time.Location) Row {
	// What is missing from the row is for the classifier to say; the rest is read anyway.
	report, _ := Parse(Request{Body: raw}, Options{Location: zone})
	return Row{CallID: report.CallID, StartedAt: report.StartedAt, Finished: report.Final, Raw: raw}
}

// offsets are where the server's clock may stand beside the project's own zone: UTC,
// and Kyiv in winter and summer, where the vendor is at home (our reading).
var offsets = []time.Duration{0, 2 * time.Hour, 3 * time.Hour}

// margin is how far a time of zone may be from the same face in the server's zone, and
// an hour for a clock that is changed meanwhile. For Kyiv that is four hours.
func margin(from, to time.Time, zone *time.Location) time.Duration {
	var m time.Duration
	for _, t := range []time.Time{from, to} {
		_, seconds := t.In(zone).Zone()
		for _, o := range offsets {
			m = max(m, (time.Duration(seconds)*time.Second - o).Abs())
		}
	}
	return m + time.Hour
}

// face is what a clock in zone shows, held in UTC.
func face(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// reading collects the rows of one span.
type reading struct {
	log      *CallLog
	requests int
	raw      []json.RawMessage
	seen     map[string]bool // halves share their border, and with it rows
}

func (r *reading) span(ctx context.Context, from, to time.Time) error {
	if r.requests++; r.requests > maxRequests {
		return fmt.Errorf("%w: %d requests were not enough, it seems not to look at from and to", ErrUnreadable, maxRequests)
	}
	rows, err := r.log.page(ctx, from, to)
	if err != nil {
		return err
	}
	if len(rows) < pageLimit {
		for _, raw := range rows {
			if !r.seen[string(raw)] {
				r.seen[string(raw)] = true
				r.raw = append(r.raw, raw)
			}
		}
		return nil
	}
	half := (to.Sub(from) / 2).Truncate(time.Second)
	if half < time.Second {
		return fmt.Errorf("%w: it shows %d calls or more within a second, which is more than it gives", ErrUnreadable, pageLimit)
	}
	if err := r.span(ctx, from, from.Add(half)); err != nil {
		return err
	}
	return r.span(ctx, from.Add(half), to)
}

// page asks for one span, given as the clock's face.
func (c *CallLog) page(ctx context.Context, from, to time.Time) ([]json.RawMessage, error) {
	query := url.Values{
		"export_type": {"json"}, "order": {"calldate asc"}, "fields": {strings.Join(logFields, ",")},
		"from": {from.Format(time.DateTime)}, "to": {to.Format(time.DateTime)},
	}
	body, err := c.get(ctx, "/calls/list?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("read the call log: %w", err)
	}
	rows, err := readPage(body)
	if err != nil {
		return nil, fmt.Errorf("read the call log: %w", err)
	}
	return rows, nil
}

// readPage takes the rows out of an answer.
func readPage(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
	switch {
	case bytes.Equal(body, []byte("null")):
		return nil, nil
	case len(body) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrUnreadable)
	case body[0] == '{':
		var answer struct {
			Error json.RawMessage `json:"error"`
		}
		switch err := json.Unmarshal(body, &answer); {
		case err != nil:
			return nil, fmt.Errorf("%w: its JSON is broken or cut off", ErrUnreadable)
		case len(answer.Error) > 0 && string(answer.Error) != "null":
			return nil, fmt.Errorf("%w: it answers with an error", ErrKey)
		}
		return nil, fmt.Errorf("%w: it is one JSON object and no list", ErrUnreadable)
	case body[0] != '[':
		return nil, fmt.Errorf("%w: it is no JSON, perhaps a page for people", ErrUnreadable)
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(body, &rows); err != nil {
		return nil, fmt.Errorf("%w: its JSON is broken or cut off", ErrUnreadable)
	}
	for _, raw := range rows {
		if len(raw) == 0 || raw[0] != '{' {
			return nil, fmt.Errorf("%w: its list holds something other than rows", ErrUnreadable)
		}
	}
	return rows, nil
}
