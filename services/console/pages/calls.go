package pages

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

var callsPages = []page{
	{"GET /console/p/{project}/calls", service.Viewer, (*visit).calls},
	{"GET /console/p/{project}/calls/live", service.Viewer, (*visit).callsLive},
	{"GET /console/p/{project}/calls/{id...}", service.Viewer, (*visit).story},
}

// callItem is a call in the API's list.
type callItem struct {
	ID        string `json:"id"`
	StartedAt string `json:"started_at"`
	Direction string `json:"direction"`
	Outcome   string `json:"outcome"`
	Client    string `json:"client"`
	Phone     string `json:"phone"`
	Employee  string `json:"employee"`
	Rule      string `json:"rule"`
	State     string `json:"state"`
	// ToldAt stands where nobody has said yet when the call began.
	ToldAt string `json:"told_at"`
}

type callList struct {
	Items []callItem `json:"items"`
	Next  string     `json:"next"`
}

// callsPerPage is how many calls a page shows.
const callsPerPage = "50"

// callFilters are what the list can be narrowed by, as they stand in the page's
// address and as the API names them.
var callFilters = []string{"phone", "employee", "direction", "outcome", "client", "state", "from", "to"}

// callChoices are the words of each filter that is chosen from a list.
var callChoices = map[string][]string{
	"direction": {"inbound", "outbound", "internal"},
	"outcome":   {"answered", "missed", "voicemail"},
	"client":    {"new", "contact", "open", "anonymous"},
	"state":     {"unfinished", "waiting", "done", "ignored", "parked", "in_doubt"},
}

type callsData struct {
	callList
	Filter    url.Values
	Employees []string
	// Live is where news come from; empty on older pages.
	Live    string
	Older   string
	Trouble string
	New     map[string]bool
}

// Chosen is what a filter is set to.
func (d callsData) Chosen(name string) string { return d.Filter.Get(name) }

// Choices are the words of a filter.
func (d callsData) Choices(name string) []string { return callChoices[name] }

// Short tells that the list stops although more may follow: the search had to look
// through too many calls.
func (d callsData) Short() bool { return d.Next != "" && len(d.Items) < 50 }

// calls shows the newest calls, or those that a filter in the address finds.
func (v *visit) calls() {
	filter, clean := callFilter(v.r.URL.Query())
	if !clean {
		v.redirect(address(v.r.URL.Path, filter))
		return
	}
	d := callsData{Filter: filter, Employees: v.employees(filter.Get("employee"))}
	query, err := v.callQuery(filter)
	if err == nil {
		err = v.get(v.path("calls"), query, &d.callList)
	}
	if no, ok := errors.AsType[*refused](err); ok && no.Status < http.StatusInternalServerError {
		d.Trouble = v.T("calls.wrong")
		if _, wrongPhone := filter["phone"]; wrongPhone {
			d.Trouble = v.T("calls.wrong_phone")
		}
		v.render(no.Status, "calls", d)
		return
	} else if err != nil {
		v.failed(err)
		return
	}
	if d.Next != "" {
		older := cloned(filter)
		older.Set("cursor", d.Next)
		d.Older = address(v.r.URL.Path, older)
	}
	if !filter.Has("cursor") {
		d.Live = address(v.r.URL.Path+"/live", filter)
	}
	v.show("calls", d)
}

// callFilter keeps what is set; clean is false where a form sent empty fields too, so
// that the address that people pass on holds only what matters.
func callFilter(query url.Values) (filter url.Values, clean bool) {
	filter, clean = url.Values{}, true
	for _, name := range append([]string{"cursor"}, callFilters...) {
		if value := query.Get(name); value != "" {
			filter.Set(name, value)
		} else if query.Has(name) {
			clean = false
		}
	}
	return filter, clean
}

// callQuery is the filter as the API takes it: both days are meant whole, and calls that
// go on belong to the list.
func (v *visit) callQuery(filter url.Values) (url.Values, error) {
	query := cloned(filter)
	query.Set("limit", callsPerPage)
	if filter.Get("state") == "unfinished" {
		query.Del("state")
		query.Set("unfinished", "only")
	} else {
		query.Set("unfinished", "too")
	}
	for ours, apis := range map[string]string{"from": "since", "to": "until"} {
		query.Del(ours)
		if !filter.Has(ours) {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, filter.Get(ours), v.Project.Location())
		if err != nil {
			return nil, &refused{Status: http.StatusBadRequest}
		}
		if ours == "to" {
			day = day.AddDate(0, 0, 1)
		}
		query.Set(apis, day.Format(time.RFC3339))
	}
	return query, nil
}

func cloned(values url.Values) url.Values {
	out := url.Values{}
	for name, all := range values {
		out[name] = slices.Clone(all)
	}
	return out
}

func address(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// longCall is after how long a call whose end nobody reported hardly goes on.
const longCall = 4 * time.Hour

// Began is when the call began, or was first told of.
func (v *visit) Began(c callItem) time.Time { return v.LocalText(cmp.Or(c.StartedAt, c.ToldAt)) }

// Standing is the state of a call as it is shown: of one that began long ago nobody knows
// that it goes on.
func (v *visit) Standing(c callItem) string {
	if c.State == "unfinished" && v.site.Now().Sub(v.Began(c)) > longCall {
		return "unheard"
	}
	return c.State
}

// employees are those that the settings name, and the one that is asked for.
func (v *visit) employees(asked string) []string {
	var out []string
	for _, e := range v.Project.Employees {
		if e.Name != "" && !slices.Contains(out, e.Name) {
			out = append(out, e.Name)
		}
	}
	if asked != "" && !slices.Contains(out, asked) {
		out = append(out, asked)
	}
	slices.Sort(out)
	return out
}

// What tells in words what kind of call it was.
func (w words) What(direction, outcome string) string {
	if direction == "internal" || outcome == "" {
		return w.Known("call."+direction, direction)
	}
	return w.Known("call."+direction+"."+outcome, direction+" "+outcome)
}

var ukrainian = regexp.MustCompile(`^\+380(\d\d)(\d{3})(\d\d)(\d\d)$`)

// Phone writes a number as people do.
func (w words) Phone(number string) string {
	return ukrainian.ReplaceAllString(number, "+380\u00a0$1\u00a0$2\u00a0$3\u00a0$4")
}

// Who names the client of a call.
func (w words) Who(c callItem) string {
	switch {
	case c.Phone != "":
		return w.Phone(c.Phone)
	case c.Direction == "internal":
		return w.T("call.colleagues")
	}
	return w.T("call.hidden")
}

// CallPath is the address of a call's page. Ids hold slashes now and then; each other
// character is escaped.
func (v *visit) CallPath(id string) string {
	return (&url.URL{Path: "/console/p/" + v.Project.ID + "/calls/" + id}).EscapedPath()
}

// Today tells whether a time lies in the current day of the project.
func (v *visit) Today(t time.Time) bool {
	return t.Format(time.DateOnly) == v.Local(v.site.Now()).Format(time.DateOnly)
}
