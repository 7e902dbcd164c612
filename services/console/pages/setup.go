package pages

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

var setupPages = []page{
	{"GET /console/p/{project}/setup", service.Viewer, (*visit).setup},
	{"GET /console/p/{project}/setup/light", service.Viewer, (*visit).light},
	{"GET /console/p/{project}/setup/hook", service.Admin, (*visit).addresses},
	{"POST /console/p/{project}/setup/hook", service.Admin, (*visit).newAddress},
	{"POST /console/p/{project}/setup/hook/old", service.Admin, (*visit).dropAddress},
	{"POST /console/p/{project}/setup/portal", service.Admin, (*visit).changePortal},
	{"POST /console/p/{project}/setup/people", service.Admin, (*visit).people},
	{"POST /console/p/{project}/setup/names", service.Admin, (*visit).changeNames},
	{"POST /console/p/{project}/setup/project", service.Admin, (*visit).changeProject},
	// Whoever comes back to the address of a form, to see it in another language.
	{"GET /console/p/{project}/setup/{form...}", service.Viewer, (*visit).backToSetup},
}

// setupData is the set-up page. What a form holds is what was typed, until it is taken.
type setupData struct {
	Look     look
	Revision string
	code     int

	Tried       *look // the webhook that was pasted and not taken
	Host, User  string
	Insecure    bool
	WrongPortal wrong

	Senior           int
	Rows             []employeeRow
	RingostatProject string
	HasKey           bool
	WrongPeople      wrong

	Names      string // renamed parameters, a line each: ours: theirs
	WrongNames wrong

	Name, Locale, Country, TimeZone string
	WrongProject                    wrong

	Light lightData
}

// lightData is when the webhook's address was last used.
type lightData struct {
	Tokens int       `json:"tokens"`
	Last   time.Time `json:"last"`
	Source string    `json:"source"`
	What   string    // what went wrong instead
}

func (v *visit) setupData() setupData {
	p := v.Project
	d := setupData{
		Look: v.lookAtPortal(), Revision: strconv.Itoa(p.Number), code: http.StatusOK, Senior: p.Senior, HasKey: p.Ringostat.APIKey != "",
		Insecure: p.Bitrix24.AllowInsecure, Name: p.Name, Locale: p.Locale, Country: p.Country, TimeZone: p.TimeZone, Light: v.lightData(),
		Names: linesOf(p.Ringostat.Fields),
	}
	for _, e := range p.Employees {
		d.Rows = append(d.Rows, rowOf(e))
	}
	return d
}

func (v *visit) setup() {
	d := v.setupData()
	suggest(d.Rows, d.Look.Portal, v.Project.Country)
	v.show("setup", d)
}

func (v *visit) backToSetup() { v.redirect("/console/p/" + v.Project.ID + "/setup") }

func (v *visit) lightData() (d lightData) {
	if err := v.get(v.path("hook"), nil, &d); err != nil {
		d.What = v.whyText(err)
	}
	return d
}

// light is the part that says whether calls come in.
func (v *visit) light() {
	if v.r.Header.Get("HX-Request") == "" {
		v.backToSetup()
		return
	}
	v.renderPart(http.StatusOK, "setup", "light", setupData{Light: v.lightData()})
}

// changePortal tries a webhook and keeps it if the portal lets it in.
func (v *visit) changePortal() {
	f := v.form()
	next := bitrix24Of(f)
	next["allow_insecure"] = f.Get("insecure") != ""
	if next["webhook"] == "" { // only the box was ticked or emptied
		v.keepWebhook(next)
	}
	d := v.setupData()
	d.Revision, d.Host, d.User, d.Insecure = f.Get("revision"), f.Get("portal"), f.Get("user"), f.Get("insecure") != ""
	tried, err := v.try(v.Project.ID, block{"bitrix24": next})
	if err == nil && !tried.Portal.Reached {
		d.Tried = &tried
		d.WrongPortal.Trouble = v.T("portal.kept")
		v.renderForm(http.StatusUnprocessableEntity, "setup", d)
		return
	}
	if err == nil {
		err = v.change(func(b block) {
			kept := b.under("bitrix24")
			for _, key := range []string{"webhook", "portal", "user", "secret"} {
				delete(kept, key)
			}
			for key, value := range next {
				kept[key] = value
			}
		})
	}
	if err != nil {
		d.code, d.WrongPortal = v.wrongOf(err, among("bitrix24"))
		v.renderForm(d.code, "setup", d)
		return
	}
	v.saved("setup", "portal")
}

// keepWebhook leaves the webhook as it is, in whichever form it is there.
func (v *visit) keepWebhook(next block) {
	had := v.Project.Bitrix24
	if had.Webhook != "" {
		next["webhook"] = had.Webhook.String()
		return
	}
	delete(next, "webhook")
	next["portal"], next["user"], next["secret"] = had.Portal, had.User, had.Secret.String()
}

// changeProject takes the name, the language, the country, the zone and the key of
// Ringostat's API, which stays as it is when it is left empty.
func (v *visit) changeProject() {
	f := v.form()
	err := v.change(func(b block) {
		b["name"], b["locale"], b["country"], b["time_zone"] = f.Get("name"), f.Get("locale"), strings.ToUpper(f.Get("country")), f.Get("time_zone")
		ringostat := b.under("ringostat")
		switch {
		case f.Get("no_key") != "":
			delete(ringostat, "api_key")
		case f.Get("api_key") != "":
			ringostat["api_key"] = f.Get("api_key")
		}
	})
	if err == nil {
		v.saved("setup", "project")
		return
	}
	d := v.setupData()
	d.Revision, d.Name, d.Locale, d.Country, d.TimeZone = f.Get("revision"), f.Get("name"), f.Get("locale"), f.Get("country"), f.Get("time_zone")
	d.code, d.WrongProject = v.wrongOf(err, among("name", "locale", "country", "time_zone", "ringostat"))
	v.renderForm(d.code, "setup", d)
}

// hookData is the page with the secret addresses.
type hookData struct {
	Addresses []string
	Needed    []parameter
	Useful    []parameter
	Trouble   string
}

// parameter is one of a call, as it has to be set up in Ringostat.
type parameter struct{ Ours, Theirs string }

// What a call can't do without, and what makes it tell more. The order is that of
// contract.md.
var (
	neededParameters = strings.Fields("call_id direction status date caller callee connected_with outbound_number call_duration talk waiting employee_code employee_name has_recording recording_wav")
	usefulParameters = strings.Fields("recording extension department scheme pool insertion_type client_id landing referrer visitor_ip user_agent call_card utm_source utm_medium utm_campaign utm_content utm_term")
)

func (v *visit) parameters(names []string) (out []parameter) {
	for _, name := range names {
		theirs := name
		if renamed := v.Project.Ringostat.Fields[name]; renamed != "" {
			theirs = renamed
		}
		out = append(out, parameter{name, theirs})
	}
	return out
}

func (v *visit) addresses() { v.showAddresses(http.MethodGet) }

func (v *visit) newAddress() { v.showAddresses(http.MethodPost) }

func (v *visit) dropAddress() { v.showAddresses(http.MethodDelete) }

func (v *visit) showAddresses(method string) {
	var out struct {
		Addresses []string `json:"addresses"`
	}
	d, code := hookData{Needed: v.parameters(neededParameters), Useful: v.parameters(usefulParameters)}, http.StatusOK
	err := v.do(method, v.path("hook", "addresses"), nil, &out)
	if err == nil && method != http.MethodGet {
		v.redirect("/console/p/" + v.Project.ID + "/setup/hook")
		return
	}
	if err != nil && method != http.MethodGet {
		code, d.Trouble = v.why(err)
		d.Trouble = v.Known("hook."+strconv.Itoa(code), d.Trouble)
		err = v.get(v.path("hook", "addresses"), nil, &out)
	}
	if err != nil {
		v.failed(err)
		return
	}
	d.Addresses = out.Addresses
	v.render(code, "hook", d)
}

// For is the address of a hook for one event of Ringostat.
func (d hookData) For(event string) string {
	if len(d.Addresses) == 0 {
		return ""
	}
	return d.Addresses[0] + "?" + url.Values{"event": {event}}.Encode()
}
