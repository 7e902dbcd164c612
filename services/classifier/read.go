package classifier

import (
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/phone"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// Read turns one stored request into the facts of a call under a project's settings.
// The error is a *ringostat.Unreadable with a reason and a remedy.
func Read(r event.CallReceived, s service.Revision) (event.Call, error) { return Reader(s)(r) }

// Reader is Read for many requests under the same settings.
func Reader(s service.Revision) func(event.CallReceived) (event.Call, error) {
	employees := Employees(s.Project)
	parse := ringostat.Parser(ringostat.Options{
		Fields: s.Ringostat.Fields, Country: s.Country, Location: s.Location(), Employees: employees,
	})
	return func(r event.CallReceived) (event.Call, error) {
		report, err := parse(ringostat.Request{Method: r.Method, Query: r.Query, ContentType: r.Headers["Content-Type"], Body: r.Body})
		if err != nil {
			return event.Call{}, err
		}
		return factsOf(report, r, s, employees), nil
	}
}

func factsOf(report ringostat.Report, r event.CallReceived, s service.Revision, employees []ringostat.Employee) event.Call {
	c := event.Call{
		ID: report.CallID, Event: string(report.Event), Final: report.Final,
		Direction: event.Direction(report.Direction), Outcome: event.Outcome(report.Outcome),
		Status: report.Status, StatusUnknown: report.StatusUnknown, Callback: report.Callback, Transit: report.Transit,
		Client: string(report.Client), ClientName: report.ClientName, Line: report.Line,
		Duration: seconds(report.Duration), Waiting: seconds(report.Waiting), Talk: seconds(report.Talk),
		Recording: recording(report), Card: report.CallCard, Rating: rating(report.Rating),
		Traffic: event.Traffic{
			Source: report.UTM.Source, Medium: report.UTM.Medium, Campaign: report.UTM.Campaign,
			Content: report.UTM.Content, Term: report.UTM.Term, ClientID: report.ClientID,
			Landing: report.Landing, Referrer: report.Referrer, VisitorIP: report.VisitorIP, UserAgent: report.UserAgent,
		},
		Department: report.Department, Scheme: report.Scheme, Pool: report.Pool, InsertionType: report.InsertionType,
		Extra: report.Extra,
	}
	if !report.StartedAt.IsZero() {
		at := report.StartedAt
		c.StartedAt = &at
	} else if report.Final {
		// Nobody said when: the request came right after the call, so that is close.
		at := r.ReceivedAt.Add(-report.Duration).In(s.Location()).Truncate(time.Second)
		c.StartedAt = &at
	}
	if c.Outcome != event.Missed || c.Direction == event.Outbound {
		c.Employee, c.AnsweredOn = onTheCall(report, s.Project, employees)
		c.Extension = report.Answerer.Extension
	}
	if c.Direction == event.Inbound && c.Outcome == event.Voicemail {
		c.Employee, c.AnsweredOn, c.Extension = nil, "", ""
	}
	return bound(c)
}

// onTheCall finds who took or made the call, and the line it was taken on in words.
func onTheCall(report ringostat.Report, p settings.Project, employees []ringostat.Employee) (*event.Employee, string) {
	on := lineWords(report.Answerer)
	if i, ok := ringostat.FindEmployee(employees, report.Answerer); ok {
		e := p.Employees[i]
		return &event.Employee{Name: e.Name, Code: e.Code, BitrixUser: e.BitrixUser}, on
	}
	return nil, on
}

// Employees are the project's people as Ringostat's reports may name them.
func Employees(p settings.Project) []ringostat.Employee {
	out := make([]ringostat.Employee, len(p.Employees))
	for i, e := range p.Employees {
		out[i] = ringostat.Employee{Code: e.Code, Extension: e.Extension, SIP: e.SIP, Name: e.Name, Email: e.Email}
		for _, raw := range e.Numbers {
			if n, ok := phone.Parse(raw, p.Country); ok {
				out[i].Numbers = append(out[i].Numbers, n)
			}
		}
	}
	return out
}

func lineWords(l ringostat.Line) string {
	var parts []string
	for _, part := range []string{string(l.Number), l.SIP, l.Extension, l.Name} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// recording is the link to listen by. A link may be sent for a call that was not
// recorded (seen in the call log's own sample); has_recording then says 0.
func recording(r ringostat.Report) string {
	if r.HasRecording != nil && !*r.HasRecording {
		return ""
	}
	if r.Recording != "" {
		return r.Recording
	}
	return r.RecordingWAV
}

func rating(r ringostat.CallRating) string {
	var parts []string
	for _, part := range []string{r.CategoryNumber, r.CategoryMark, r.EmployeeMark} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " / ")
}

func seconds(d time.Duration) int { return int(d.Round(time.Second) / time.Second) }
