package pages

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

var auditPages = []page{
	{"GET /console/audit", service.Admin, (*visit).audit},
}

// auditLine is a line of the audit log as the API shows it.
type auditLine struct {
	At time.Time `json:"at"`
	event.ConsoleActed
}

type auditData struct {
	Lines        []auditLine
	Names        []string // to choose from
	Project, Who string   // what is filtered by
	Older        string   // address of the next page
	Zone         string
	zone         *time.Location
}

// audit shows who changed what, the newest first.
func (v *visit) audit() {
	q := v.r.URL.Query()
	data := auditData{Project: q.Get("project"), Who: strings.TrimSpace(q.Get("person")), zone: v.anyZone()}
	data.Zone = data.zone.String()
	ask := url.Values{"limit": {"50"}}
	for _, name := range []string{"project", "person", "cursor"} {
		if value := strings.TrimSpace(q.Get(name)); value != "" {
			ask.Set(name, value)
		}
	}
	var list struct {
		Items []auditLine `json:"items"`
		Next  string      `json:"next"`
	}
	if err := v.get("/audit", ask, &list); err != nil {
		v.failed(err)
		return
	}
	people, err := v.everybody()
	if err != nil {
		v.failed(err)
		return
	}
	data.Names = []string{service.TokenHolder.Name}
	for _, p := range people {
		data.Names = append(data.Names, p.Name)
	}
	data.Lines = list.Items
	if list.Next != "" {
		ask.Set("cursor", list.Next)
		ask.Del("limit")
		data.Older = "/console/audit?" + ask.Encode()
	}
	v.show("audit", data)
}

// anyZone is the zone of the project being filtered by, or of the first one: lines of
// several projects stand in one list and take one clock.
func (v *visit) anyZone() *time.Location {
	for _, id := range append([]string{v.r.URL.Query().Get("project")}, v.site.Projects.IDs()...) {
		if p, ok := v.site.Projects.Get(id); ok {
			return p.Location()
		}
	}
	return time.UTC
}

// Anywhere is a time on a page about no project.
func (v *visit) Anywhere(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(v.anyZone())
}

// When is the time of a line.
func (d auditData) When(l auditLine) time.Time { return l.At.In(d.zone) }

// Did says in words what a line tells of; one that nobody has words for is shown as the
// address that it is.
func (v *visit) Did(l auditLine) string {
	action := "acted." + l.Action
	return v.Known(action+" "+strconv.Itoa(l.Code), v.Known(action, l.Action))
}

// Actor names the person of a line.
func (v *visit) Actor(l auditLine) string {
	switch l.Person {
	case service.TokenHolder.Name:
		return v.T("audit.token")
	case "":
		return v.T("audit.nobody")
	}
	return l.Person
}

// detail is one of a line's details, in words.
type detail struct{ Name, Value string }

// Details are what else is known of a line.
func (v *visit) Details(l auditLine) (out []detail) {
	if l.Target != "" {
		out = append(out, detail{v.T("audit.target"), l.Target})
	}
	for _, name := range slices.SortedFunc(maps.Keys(l.ConsoleActed.Details), cmp.Compare) {
		value := l.ConsoleActed.Details[name]
		if value != "" {
			out = append(out, detail{v.Known("audit.detail."+name, name), v.Known("audit.detail."+name+"."+value, value)})
		}
	}
	return out
}

// ProjectName is the name of a project, or its id where it is no more.
func (v *visit) ProjectName(id string) string {
	if p, ok := v.site.Projects.Get(id); ok {
		return p.Name
	}
	return id
}
