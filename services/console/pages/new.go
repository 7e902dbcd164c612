package pages

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/staff"
)

var newPages = []page{
	{"GET /console/new", service.Admin, (*visit).newProject},
	{"POST /console/new", service.Admin, (*visit).makeProject},
	{"POST /console/new/id", service.Admin, (*visit).suggestID},
}

// newData is the form of a new project. The webhook is never sent back.
type newData struct {
	Name, ID, Locale, Country, TimeZone, Host, User string
	Insecure                                        bool
	Tried                                           *look
	Wrong                                           wrong
	// Part: only the result is shown, and the fields stay as they are in the browser.
	Part bool
}

func (v *visit) newProject() {
	v.show("new", newData{Locale: v.Lang, Country: "UA", TimeZone: "Europe/Kyiv"})
}

// suggestID shows the field of the id with one made of the name.
func (v *visit) suggestID() {
	v.renderPart(http.StatusOK, "new", "ident", newData{ID: projectID(v.form().Get("name"))})
}

// makeProject tries the portal and makes the project if it lets the webhook in: what
// else is wrong is mended on the set-up page, in place. The senior manager is the
// webhook's owner until somebody else is chosen.
func (v *visit) makeProject() {
	f := v.form()
	d := newData{Name: f.Get("name"), ID: f.Get("id"), Locale: f.Get("locale"), Country: strings.ToUpper(f.Get("country")), TimeZone: f.Get("time_zone"),
		Host: f.Get("portal"), User: f.Get("user"), Insecure: f.Get("insecure") != "", Part: v.r.Header.Get("HX-Target") == "tried"}
	if d.ID == "" {
		d.ID = projectID(d.Name)
	}
	b := block{"id": d.ID, "name": d.Name, "locale": d.Locale, "country": d.Country, "time_zone": d.TimeZone, "bitrix24": bitrix24Of(f)}
	for _, key := range []string{"name", "locale", "country", "time_zone"} {
		if b[key] == "" {
			delete(b, key)
		}
	}
	tried, err := v.try("", b)
	if err == nil {
		d.Tried = &tried
		if f.Get("do") == "try" || !tried.Portal.Reached || tried.Portal.Owner == nil {
			code := http.StatusOK
			if f.Get("do") != "try" {
				code = http.StatusUnprocessableEntity
			}
			v.renderForm(code, "new", d)
			return
		}
		b["senior"] = tried.Portal.Owner.ID
		err = v.do(http.MethodPost, "/projects", b, nil)
	}
	if err != nil {
		var code int
		code, d.Wrong = v.wrongOf(err, among("id", "name", "locale", "country", "time_zone", "bitrix24"))
		if code == http.StatusConflict {
			d.Wrong = wrong{v.T("change.wrong"), map[string]string{"id": v.T("new.taken")}}
		}
		v.renderForm(code, "new", d)
		return
	}
	v.redirect("/console/p/" + url.PathEscape(d.ID) + "/setup?saved=new")
}

// bitrix24Of reads the webhook's address, whole or in three parts.
func bitrix24Of(f url.Values) block {
	b := block{}
	if webhook := f.Get("webhook"); webhook != "" {
		b["webhook"] = webhook
	} else if f.Get("portal") != "" || f.Get("secret") != "" {
		b["portal"], b["user"], b["secret"] = f.Get("portal"), f.Get("user"), f.Get("secret")
	} else {
		b["webhook"] = ""
	}
	if f.Get("insecure") != "" {
		b["allow_insecure"] = true
	}
	return b
}

// projectID makes an id of a name: small Latin letters, digits and -.
func projectID(name string) string {
	var b strings.Builder
	for _, r := range staff.Latin(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	id := b.String()
	return strings.Trim(id[:min(len(id), 40)], "-")
}
