package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/ringbridge/ringbridge/pkg/staff"
)

// look is what the API says of a portal.
type look struct {
	Findings []finding `json:"findings"`
	Blocked  bool      `json:"blocked"`
	Portal   portal    `json:"portal"`
}

type finding struct {
	ID     string `json:"id"`
	Level  string `json:"level"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy"`
}

type portal struct {
	Host       string                   `json:"host"`
	Reached    bool                     `json:"reached"`
	User       string                   `json:"user"`
	Owner      *portalUser              `json:"owner"`
	Leads      *bool                    `json:"leads"`
	Users      []portalUser             `json:"users"`
	LeadStages []portalEntry            `json:"lead_stages"`
	Funnels    []portalFunnel           `json:"funnels"`
	Sources    []portalEntry            `json:"sources"`
	Fields     map[string][]portalField `json:"fields"`
}

type portalUser struct {
	ID        int      `json:"id"`
	Name      string   `json:"name"`
	Email     string   `json:"email"`
	Extension string   `json:"extension"`
	Numbers   []string `json:"numbers"`
}

type portalEntry struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Closed bool   `json:"closed"`
}

type portalFunnel struct {
	ID     int           `json:"id"`
	Name   string        `json:"name"`
	Stages []portalEntry `json:"stages"`
}

type portalField struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
}

// Mend are the findings that ask for something to be done, what blocks first.
func (l look) Mend() (out []finding) {
	for _, level := range []string{"blocks", "advice"} {
		for _, f := range l.Findings {
			if f.Level == level {
				out = append(out, f)
			}
		}
	}
	return out
}

// Fine are the findings that only tell.
func (l look) Fine() (out []finding) {
	for _, f := range l.Findings {
		if f.Level == "ok" {
			out = append(out, f)
		}
	}
	return out
}

// Knows tells whether the portal has an active user of that number.
func (p portal) Knows(id int) bool {
	return slices.ContainsFunc(p.Users, func(u portalUser) bool { return u.ID == id })
}

// NameOf is a user's name, or the number where the portal does not know it.
func (p portal) NameOf(id int) string {
	for _, u := range p.Users {
		if u.ID == id {
			return u.Name
		}
	}
	return strconv.Itoa(id)
}

func (p portal) staff() (out []staff.User) {
	for _, u := range p.Users {
		out = append(out, staff.User{ID: u.ID, Name: u.Name, Email: u.Email, Extension: u.Extension, Numbers: u.Numbers})
	}
	return out
}

// lookAtPortal asks the project's portal. An error of ours leaves a look with nothing
// in it, and the page says that the portal was not asked.
func (v *visit) lookAtPortal() look {
	query := url.Values{"lang": {v.Lang}}
	if v.r.URL.Query().Get("fresh") != "" {
		query.Set("fresh", "true")
	}
	var l look
	if err := v.get(v.path("portal"), query, &l); err != nil {
		l = look{Findings: []finding{{ID: "unasked", Level: "blocks", Title: v.T("look.unasked"), Detail: v.whyText(err)}}}
	}
	return l
}

func (v *visit) whyText(err error) string {
	_, what := v.why(err)
	return what
}

// try asks the API to try settings that are not kept.
func (v *visit) try(project string, draft block) (look, error) {
	var l look
	_, err := v.ask(http.MethodPost, "/check", url.Values{"lang": {v.Lang}}, nil, map[string]any{"project": project, "settings": draft}, &l)
	return l, err
}
