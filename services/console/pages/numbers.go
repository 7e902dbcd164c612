package pages

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

var numbersPages = []page{
	{"GET /console/p/{project}/analytics", service.Viewer, (*visit).numbers},
	{"GET /console/p/{project}/analytics/{name}", service.Viewer, (*visit).export},
}

// counted are sums of calls, as the API gives them.
type counted struct {
	Calls     int `json:"calls"`
	Answered  int `json:"answered"`
	Missed    int `json:"missed"`
	Voicemail int `json:"voicemail"`
	Outbound  int `json:"outbound"`
	Reached   int `json:"outbound_answered"`
	Internal  int `json:"internal"`
	New       int `json:"new"`
	Known     int `json:"known"`
	Hidden    int `json:"hidden"`
	Talk      int `json:"talk_s"`
	Waiting   int `json:"waiting_s"`
}

func (c *counted) add(more counted) {
	c.Calls += more.Calls
	c.Answered += more.Answered
	c.Missed += more.Missed
	c.Voicemail += more.Voicemail
	c.New += more.New
	c.Known += more.Known
}

// Incoming is how many calls came in.
func (c counted) Incoming() int { return c.Answered + c.Missed + c.Voicemail }

type report struct {
	Summary struct {
		counted
		NotCalledBack int  `json:"not_called_back"`
		CalledBack    int  `json:"called_back"`
		CalledAgain   int  `json:"called_again"`
		Median        *int `json:"median_callback_s"`
	} `json:"summary"`
	Days struct {
		Items []struct {
			Day string `json:"day"`
			counted
		} `json:"items"`
	} `json:"days"`
	Hours struct {
		Items []struct {
			Hour int `json:"hour"`
			counted
		} `json:"items"`
	} `json:"hours"`
	Weekdays struct {
		Items []struct {
			Weekday int `json:"weekday"`
			counted
		} `json:"items"`
	} `json:"weekdays"`
	Employees struct {
		Items []struct {
			Employee string `json:"employee"`
			counted
		} `json:"items"`
	} `json:"employees"`
	Sources struct {
		Items []sourced `json:"items"`
	} `json:"sources"`
	Missed struct {
		Items []struct {
			Phone  string `json:"phone"`
			Since  string `json:"since"`
			Last   string `json:"last_at"`
			Call   string `json:"call_id"`
			Calls  int    `json:"calls"`
			Client string `json:"client"`
		} `json:"items"`
		Total int `json:"total"`
	} `json:"missed"`
}

type sourced struct {
	Source   string `json:"source"`
	Medium   string `json:"medium"`
	Campaign string `json:"campaign"`
	counted
}

type numbersData struct {
	period
	Trouble string
	report
	Columns   []chart // what is drawn in columns
	Employees table
	Sources   table
	Campaigns table
	All       bool // every client to call back is shown
}

// someMissed and allMissed are how many clients to call back are shown at first, and at
// most.
const (
	someMissed = 20
	allMissed  = 1000
)

func (v *visit) numbers() {
	q := v.r.URL.Query()
	if other := q.Get("project"); other != "" && other != v.Project.ID {
		q.Del("project")
		v.redirect("/console/p/" + url.PathEscape(other) + "/analytics?" + q.Encode())
		return
	}
	d := numbersData{All: q.Has("all")}
	p, wrong := v.periodOf(q)
	if d.period = p; wrong != "" {
		d.Trouble = v.T(wrong)
		v.render(http.StatusBadRequest, "numbers", d)
		return
	}
	limit := someMissed
	if d.All {
		limit = allMissed
	}
	query := p.query()
	query.Set("limit", strconv.Itoa(limit))
	if err := v.get(v.path("analytics", "report"), query, &d.report); err != nil {
		v.failed(err)
		return
	}
	v.draw(&d)
	v.show("numbers", d)
}

// period is the days that are looked at, both included; their beginning is the
// project's.
type period struct {
	Name     string // today, 7, 30, month, last, or free
	From, To time.Time
}

// periods are those that can be chosen with one click; the first one is shown unasked.
var periods = []string{"30", "7", "today", "month", "last"}

// Periods are those that can be chosen with one click, the shortest first.
func (numbersData) Periods() []string { return []string{"today", "7", "30", "month", "last"} }

// periodOf reads the days that are asked for; wrong is a text's key.
func (v *visit) periodOf(q url.Values) (p period, wrong string) {
	now := v.Local(v.site.Now())
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	p = named(periods[0], today)
	if name := q.Get("range"); name != "" {
		if !slices.Contains(periods, name) {
			return p, "numbers.wrong.range"
		}
		return named(name, today), ""
	}
	from, to := q.Get("from"), q.Get("to")
	if from == "" && to == "" {
		return p, ""
	}
	p.Name, p.To = "free", today
	var errs [2]error
	if to != "" {
		p.To, errs[0] = time.ParseInLocation(time.DateOnly, to, now.Location())
	}
	p.From = p.To
	if from != "" {
		p.From, errs[1] = time.ParseInLocation(time.DateOnly, from, now.Location())
	}
	switch {
	case errors.Join(errs[:]...) != nil:
		return named(periods[0], today), "numbers.wrong.date"
	case p.From.After(p.To):
		return p, "numbers.wrong.order"
	case p.From.Before(p.To.AddDate(-mostYears, 0, 0)):
		return p, "numbers.wrong.long"
	}
	return p, ""
}

// mostYears bounds a period, so that a chart has an end.
const mostYears = 20

func named(name string, today time.Time) period {
	p := period{name, today, today}
	first := today.AddDate(0, 0, 1-today.Day())
	switch name {
	case "7":
		p.From = today.AddDate(0, 0, -6)
	case "30":
		p.From = today.AddDate(0, 0, -29)
	case "month":
		p.From = first
	case "last":
		p.From, p.To = first.AddDate(0, -1, 0), first.AddDate(0, 0, -1)
	}
	return p
}

// query asks the API for the period.
func (p period) query() url.Values {
	return url.Values{"since": {p.From.Format(time.DateOnly)}, "until": {p.To.AddDate(0, 0, 1).Format(time.DateOnly)}}
}

// FromDay and ToDay are the days as a form writes them.
func (p period) FromDay() string { return p.From.Format(time.DateOnly) }

// ToDay is the last day.
func (p period) ToDay() string { return p.To.Format(time.DateOnly) }

// Fills are the patterns of the charts.
func (visit) Fills() template.HTML { return fills }

// Part is a share of a whole in per cent.
func (w words) Part(n, of int) string { return w.Share(float64(n) / float64(of)) }

// Seconds is a span of seconds.
func (w words) Seconds(n any) string {
	switch n := n.(type) {
	case int:
		return w.Span(time.Duration(n) * time.Second)
	case *int:
		return w.Span(time.Duration(*n) * time.Second)
	}
	return ""
}
