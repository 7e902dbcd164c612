package reconciler

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// verdict says what is done with a row.
type verdict string

const (
	// bring: nobody told of the call's end yet, or the row tells more.
	bring verdict = "bring"
	// known: what the row says is known already.
	known verdict = "known"
	// wait: the call goes on, or its webhook may still be on its way. It is read again.
	wait verdict = "wait"
)

// judge decides about a row: reports are what is known of its call, brought the marks of
// its rows that were brought lately.
func judge(r row, reports []event.Call, brought []string, grace time.Duration, now time.Time) verdict {
	switch before := event.Fold(reports); {
	case !r.Finished, !r.end.IsZero() && now.Sub(r.end) < grace:
		return wait
	case slices.Contains(brought, r.mark):
		return known
	case !before.Final:
		return bring
	case len(brought) > 0:
		// The log brought this call and now tells something else of it.
		return bring
	default:
		// A webhook brought it. Its own words and the log's differ in much that changes
		// nothing, so only these two count.
		after := event.Fold(event.With(reports, r.said))
		if after.Outcome != before.Outcome || after.Recording != "" && before.Recording == "" {
			return bring
		}
		return known
	}
}

// row is a row of the log with what judging it needs.
type row struct {
	ringostat.Row
	end  time.Time  // of the call; zero where it isn't said
	said event.Call // as a report: only what is judged by
	// mark is the same for the same news. It leaves out what changes without telling
	// anything, such as the token in a recording's link.
	mark string
}

// key names the row's call; rows that name none are told apart by what they say.
func (r row) key() string {
	if r.CallID == "" {
		return "mark:" + r.mark
	}
	return r.CallID
}

// id is the id of the event that the row becomes, whoever brings it and however often.
func (r row) id(project string) string {
	return event.Derive("reconciliation", project, r.CallID, r.mark)
}

// readRow reads what judging needs. A row that can't be read is judged too: it is brought
// once, and parked with a reason where requests are read.
func readRow(raw ringostat.Row, p service.Revision) row {
	report, err := ringostat.Parse(ringostat.Request{Body: raw.Raw}, ringostat.Options{
		Fields: p.Ringostat.Fields, Country: p.Country, Location: p.Location(),
	})
	r := row{Row: raw}
	if !report.StartedAt.IsZero() {
		r.end = report.StartedAt.Add(max(report.Duration, report.Waiting+report.Talk))
	}
	recording := report.Recording
	if report.HasRecording != nil && !*report.HasRecording {
		recording = "" // a link may be shown for a call that was not recorded (seen)
	}
	r.said = event.Call{
		ID: report.CallID, Event: string(report.Event), Final: report.Final, Outcome: event.Outcome(report.Outcome),
		Transit: report.Transit, Recording: recording, Talk: int(report.Talk.Seconds()), Duration: int(report.Duration.Seconds()),
	}
	link, _, _ := strings.Cut(recording, "?")
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	r.mark = event.Derive("row", report.CallID, report.StartedAt.UTC().Format(time.RFC3339), report.Status, string(report.Outcome),
		strconv.Itoa(r.said.Talk), strconv.Itoa(r.said.Duration), link, report.Answerer.Code, string(report.Direction), trouble)
	return r
}
