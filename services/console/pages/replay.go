package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
)

var replayPages = []page{
	{"GET /console/p/{project}/replays", service.Viewer, (*visit).replays},
	{"POST /console/p/{project}/replays", service.Operator, (*visit).planReplay},
	{"GET /console/p/{project}/replays/{id}", service.Viewer, (*visit).replay},
	{"POST /console/p/{project}/replays/{id}/{name}", service.Operator, (*visit).moveReplay},
}

// plan is a replay as the API tells of it.
type plan struct {
	ID       string         `json:"id"`
	State    string         `json:"state"`
	Revision int            `json:"revision"`
	Since    string         `json:"since"`
	Until    string         `json:"until"`
	Calls    []string       `json:"call_ids"`
	Rule     string         `json:"rule"`
	Fresh    bool           `json:"fresh"`
	Decided  int            `json:"calls"`
	Totals   map[string]int `json:"totals"`
	ToApply  int            `json:"to_apply"`
	Applied  int            `json:"applied"`
	Skipped  int            `json:"skipped"`
	Reason   string         `json:"reason"`
	Rows     []planRow      `json:"rows"`
	Next     string         `json:"next"`
}

type planRow struct {
	Kind     string       `json:"kind"`
	Call     string       `json:"call_id"`
	Phone    string       `json:"phone"`
	Entity   string       `json:"entity"`
	BitrixID int          `json:"bitrix_id"`
	Field    string       `json:"field"`
	Old      string       `json:"old"`
	New      string       `json:"new"`
	Changes  []planChange `json:"changes"`
	RuleOld  string       `json:"rule_old"`
	RuleNew  string       `json:"rule_new"`
	Why      string       `json:"why"`
	Reasons  []planReason `json:"reasons"`
}

// planReason is a reason of a row, by its code.
type planReason struct {
	Code     string            `json:"code"`
	Params   map[string]string `json:"params"`
	Settings []planChange      `json:"settings"`
}

type planChange struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// All are the fields that change: the row's own, or its several ones.
func (r planRow) All() []planChange {
	if len(r.Changes) == 0 && (r.Field != "" || r.Old != "" || r.New != "") {
		return []planChange{{r.Field, r.Old, r.New}}
	}
	return r.Changes
}

// Changes counts what the plan would write to the portal: what is approved.
func (p plan) Changes() (n int) {
	for kind, rows := range p.Totals {
		if kind != "same" && kind != "conflict" {
			n += rows
		}
	}
	return n
}

// Settled is how many calls were gone through.
func (p plan) Settled() int { return p.Applied + p.Skipped }

// Moving says that the plan changes by itself.
func (p plan) Moving() bool { return p.State == "planning" || p.State == "applying" }

// Percent is how much of the plan is carried out, for the picture.
func (p plan) Percent() int { return 100 * p.Settled() / max(1, p.ToApply) }

// kinds are those of rows, in the order in which the API tells them.
var kinds = []string{"create", "update", "reassign", "compensate", "conflict", "same"}

type replaysData struct {
	Items   []plan
	Trouble string
	Wish    wish
	Rules   []rules.Rule
}

// wish is what a new plan is asked to look at.
type wish struct {
	Since string   `json:"since,omitempty"`
	Until string   `json:"until,omitempty"`
	Calls []string `json:"calls,omitempty"`
	Rule  string   `json:"rule,omitempty"`
	Fresh bool     `json:"fresh,omitempty"`
}

// Call is the one call that is wished for.
func (w wish) Call() string { return strings.Join(w.Calls, " ") }

func (v *visit) replays() {
	q := v.r.URL.Query()
	d := replaysData{Wish: wish{Since: q.Get("since"), Until: q.Get("until"), Calls: strings.Fields(q.Get("call")), Rule: q.Get("rule")}}
	v.listReplays(http.StatusOK, d)
}

func (v *visit) listReplays(code int, d replaysData) {
	var list struct {
		Items []plan `json:"items"`
	}
	if err := v.get(v.path("replays"), nil, &list); err != nil {
		v.failed(err)
		return
	}
	d.Items, d.Rules = list.Items, rules.Table()
	v.render(code, "replays", d)
}

// planReplay begins a plan and leads to it.
func (v *visit) planReplay() {
	w := wish{
		Since: v.r.PostFormValue("since"), Until: v.r.PostFormValue("until"), Calls: strings.Fields(v.r.PostFormValue("call")),
		Rule: v.r.PostFormValue("rule"), Fresh: v.r.PostFormValue("fresh") != "",
	}
	if err := v.begin(w); err != nil {
		d := replaysData{Wish: w}
		var code int
		code, d.Trouble = v.why(err)
		v.listReplays(code, d)
	}
}

func (v *visit) begin(w wish) error {
	var p plan
	if err := v.do(http.MethodPost, v.path("replays"), w, &p); err != nil {
		return err
	}
	v.redirect(v.at(p.ID))
	return nil
}

// at is the page of a plan.
func (v *visit) at(id string) string {
	return "/console/p/" + url.PathEscape(v.Project.ID) + "/replays/" + url.PathEscape(id)
}

type replayData struct {
	plan
	Trouble string
	Kinds   []group // those that the plan has, without their rows
	Groups  []group
	Stale   bool
	Same    bool   // rows that stay the same are shown too
	Only    string // the kind that alone is shown
	Cursor  string
}

// Page is the address of a page of the rows, as they are chosen now.
func (d replayData) Page(cursor string) string {
	q := url.Values{}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	if d.Only != "" {
		q.Set("kind", d.Only)
	}
	if d.Same {
		q.Set("all", "1")
	}
	return "?" + q.Encode()
}

// Plan is the plan for the pieces of the page.
func (d replayData) Plan() plan { return d.plan }

// group is the rows of one kind on this page.
type group struct {
	Kind  string
	Total int // in the whole plan
	Rows  []planRow
}

// rowsOnAPage are as many as a person reads at once.
const rowsOnAPage = 200

func (v *visit) replay() {
	if v.r.Header.Get("HX-Target") == "progress" {
		v.progress()
		return
	}
	v.showReplay(http.StatusOK, "")
}

// progress is asked for again and again while a plan moves; when it stands, the page is
// another.
func (v *visit) progress() {
	var p plan
	if err := v.get(v.path("replays", v.r.PathValue("id")), url.Values{"limit": {"1"}}, &p); err != nil {
		v.failed(err)
		return
	}
	if !p.Moving() {
		v.w.Header().Set("HX-Refresh", "true")
	}
	v.show("replay", replayData{plan: p})
}

func (v *visit) showReplay(code int, trouble string) {
	q := v.r.URL.Query()
	d := replayData{Trouble: trouble, Same: q.Has("all"), Only: q.Get("kind"), Cursor: q.Get("cursor")}
	ask := url.Values{"limit": {strconv.Itoa(rowsOnAPage)}, "order": {"kind"}}
	if d.Only != "" {
		ask.Set("kind", d.Only)
	}
	if d.Cursor != "" {
		ask.Set("cursor", d.Cursor)
	}
	if d.Same {
		ask.Set("all", "true")
	}
	if err := v.get(v.path("replays", v.r.PathValue("id")), ask, &d.plan); err != nil {
		v.failed(err)
		return
	}
	d.Stale = d.Revision != v.Project.Number && slices.Contains([]string{"planned", "paused"}, d.State)
	for _, kind := range kinds {
		g := group{Kind: kind, Total: d.Totals[kind]}
		if g.Total > 0 {
			d.Kinds = append(d.Kinds, g)
		}
		for _, row := range d.Rows {
			if row.Kind == kind {
				g.Rows = append(g.Rows, row)
			}
		}
		if len(g.Rows) > 0 {
			d.Groups = append(d.Groups, g)
		}
	}
	v.render(code, "replay", d)
}

// moveReplay does with a plan what a button says.
func (v *visit) moveReplay() {
	id, name := v.r.PathValue("id"), v.r.PathValue("name")
	var p plan
	if err := v.get(v.path("replays", id), url.Values{"limit": {"1"}}, &p); err != nil {
		v.failed(err)
		return
	}
	var err error
	switch name {
	case "apply":
		// Who types the number has read it.
		typed := strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, v.r.PostFormValue("number"))
		if n, wrong := strconv.Atoi(typed); wrong != nil || n != p.Changes() {
			v.showReplay(http.StatusUnprocessableEntity, v.T("replay.wrong.number", v.Number(p.Changes())))
			return
		}
		err = v.do(http.MethodPost, v.path("replays", id, name), nil, nil)
	case "pause", "resume", "abort":
		err = v.do(http.MethodPost, v.path("replays", id, name), nil, nil)
	case "again":
		if err = v.begin(wish{p.Since, p.Until, p.Calls, p.Rule, p.Fresh}); err == nil {
			return
		}
	default:
		v.notFound()
		return
	}
	if err != nil {
		v.showReplay(v.why(err))
		return
	}
	v.redirect(v.at(id))
}
