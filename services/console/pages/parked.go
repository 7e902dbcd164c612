package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

var parkedPages = []page{
	{"GET /console/p/{project}/parked", service.Viewer, (*visit).parked},
	{"POST /console/p/{project}/parked", service.Operator, (*visit).decideParked},
}

// mostParked is how many things a page shows at most. More of them have one cause, and
// putting it right takes a person who looks at the first.
const mostParked = 200

type parkedItem struct {
	ID       string      `json:"id"`
	CallID   string      `json:"call_id"`
	Step     string      `json:"step"`
	Reason   string      `json:"reason"`
	Remedy   string      `json:"remedy"`
	ReasonIn event.Texts `json:"reason_in"`
	RemedyIn event.Texts `json:"remedy_in"`
	ParkedAt time.Time   `json:"parked_at"`
	Raw      []struct {
		ReceivedAt time.Time         `json:"received_at"`
		Method     string            `json:"method"`
		Query      string            `json:"query"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	} `json:"raw"`
}

// Text is a stored request as it came.
func (p parkedItem) Text(i int) string {
	r := p.Raw[i]
	return raw(r.Method, r.Query, r.Headers, r.Body)
}

type parkedData struct {
	Items []parkedItem
	// Cursor is where the page begins, empty for the newest; Older is where the next does.
	Cursor, Older string
	// Chosen are ticked, and Why is what was written: for a form that comes back.
	Chosen  map[string]bool
	Why     string
	Trouble string
	Results []parkedResult
}

// Here is the page's own address, Next that of the page after it.
func (d parkedData) Here(path string) string { return parkedAddress(path, d.Cursor) }
func (d parkedData) Next(path string) string { return parkedAddress(path, d.Older) }

func parkedAddress(path, cursor string) string {
	if cursor == "" {
		return path
	}
	return address(path, url.Values{"cursor": {cursor}})
}

// parkedResult is what became of one thing that a person decided about.
type parkedResult struct {
	ID, Call, Words string
	Well            bool
}

func (v *visit) parked() { v.showParked(http.StatusOK, parkedData{}) }

func (v *visit) showParked(code int, d parkedData) {
	d.Cursor = v.r.URL.Query().Get("cursor")
	query := url.Values{"limit": {strconv.Itoa(mostParked)}}
	if d.Cursor != "" {
		query.Set("cursor", d.Cursor)
	}
	var list struct {
		Items []parkedItem `json:"items"`
		Next  string       `json:"next"`
	}
	if err := v.get(v.path("parked"), query, &list); err != nil {
		v.failed(err)
		return
	}
	d.Items, d.Older = list.Items, list.Next
	for i, result := range d.Results {
		at := slices.IndexFunc(d.Items, func(p parkedItem) bool { return p.ID == result.ID })
		if result.Call == "" && at >= 0 {
			d.Results[i].Call = d.Items[at].CallID
		}
	}
	v.render(code, "parked", d)
}

// decideParked retries or drops what is ticked, one after the other, and says of each
// what became of it.
func (v *visit) decideParked() {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 256<<10)
	if err := v.r.ParseForm(); err != nil {
		v.problem(http.StatusBadRequest, v.T("parked.unreadable"))
		return
	}
	d := parkedData{Chosen: map[string]bool{}, Why: strings.TrimSpace(v.r.PostForm.Get("why"))}
	ids := v.r.PostForm["id"]
	for _, id := range ids {
		d.Chosen[id] = true
	}
	act := v.r.PostForm.Get("act")
	switch {
	case act != "retry" && act != "drop":
		d.Trouble = v.T("parked.unreadable")
	case len(ids) == 0:
		d.Trouble = v.T("parked.nothing_chosen")
	case len(ids) > mostParked:
		d.Trouble = v.T("parked.unreadable")
	case act == "drop" && d.Why == "":
		d.Trouble = v.T("parked.why_needed")
	}
	if d.Trouble != "" {
		v.showParked(http.StatusBadRequest, d)
		return
	}
	var body any
	if act == "drop" {
		body = map[string]string{"why": d.Why}
	}
	for _, id := range ids {
		result := parkedResult{ID: id, Words: v.T("parked.done." + act), Well: true}
		var moved struct {
			Call string `json:"call_id"`
		}
		err := v.do(http.MethodPost, v.path("parked", id, act), body, &moved)
		if result.Call = moved.Call; err != nil {
			code, what := v.why(err)
			result.Words, result.Well = what, false
			if code == http.StatusNotFound || code == http.StatusConflict {
				result.Words = v.T("parked.failed." + strconv.Itoa(code))
			}
		}
		d.Results = append(d.Results, result)
	}
	d.Chosen, d.Why = nil, ""
	v.showParked(http.StatusOK, d)
}

// said is a text for the reader: in his language, or as it was stored, in the project's.
type said struct {
	Text   string
	Stored bool
}

// Said chooses the reader's text where there is one.
func (w words) Said(in event.Texts, stored string) said {
	if text, ok := in[w.Lang]; ok {
		return said{Text: text}
	}
	return said{stored, true}
}

// Remedy is what a person can do about what stopped at a step. What was stored without
// the reader's language has words here where it is the same for all that stops there.
func (w words) Remedy(step string, in event.Texts, stored string) said {
	out := w.Said(in, stored)
	if text := w.Known("remedy."+step, ""); out.Stored && text != "" {
		return said{Text: text}
	}
	return out
}
