package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

var peoplePages = []page{
	{"GET /console/people", service.Admin, (*visit).peoplePage},
	{"POST /console/people", service.Admin, (*visit).addPerson},
	{"GET /console/people/{name}", service.Admin, (*visit).person},
	{"POST /console/people/{name}", service.Admin, (*visit).changePerson},
	{"POST /console/people/{name}/delete", service.Admin, (*visit).deletePerson},
}

// human is a person as the API shows one.
type human struct {
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
	ChangedAt time.Time `json:"changed_at"`
}

// Parts are the name in pieces, for a line to be broken between.
func (h human) Parts() []string { return strings.SplitAfter(h.Name, "@") }

type peopleData struct {
	Items []human
	Done  string // kept, gone, or nothing
	Wrong string
	// New is what was filled in, without the password.
	New human
}

// Roles are those that can be given.
func (shown) Roles() []service.Role { return service.Roles }

func (v *visit) everybody() ([]human, error) {
	var list struct {
		Items []human `json:"items"`
	}
	err := v.get("/people", nil, &list)
	return list.Items, err
}

func (v *visit) peoplePage() {
	v.showPeople(http.StatusOK, peopleData{Done: v.r.URL.Query().Get("done"), New: human{Role: string(service.Viewer)}})
}

func (v *visit) showPeople(code int, data peopleData) {
	var err error
	if data.Items, err = v.everybody(); err != nil {
		v.failed(err)
		return
	}
	v.render(code, "people", data)
}

func (v *visit) addPerson() {
	who := human{Name: strings.ToLower(strings.TrimSpace(v.r.FormValue("name"))), Role: v.r.FormValue("role")}
	all, err := v.everybody()
	if err != nil {
		v.failed(err)
		return
	}
	if slices.ContainsFunc(all, func(h human) bool { return h.Name == who.Name }) {
		v.showPeople(http.StatusConflict, peopleData{Wrong: v.T("people.taken", who.Name), New: who})
		return
	}
	if err := v.putPerson(who, v.r.FormValue("password")); err != nil {
		code, what := v.why(err)
		v.showPeople(code, peopleData{Wrong: what, New: who})
		return
	}
	v.redirect("/console/people?done=kept")
}

func (v *visit) putPerson(who human, password string) error {
	body := map[string]string{"role": who.Role}
	if password != "" {
		body["password"] = password
	}
	return v.do(http.MethodPut, "/people/"+url.PathEscape(who.Name), body, nil)
}

type personData struct {
	human
	Wrong string
	Self  bool // the person who looks
}

// named finds the person of the address.
func (v *visit) named() (human, bool) {
	all, err := v.everybody()
	if err != nil {
		v.failed(err)
		return human{}, false
	}
	i := slices.IndexFunc(all, func(h human) bool { return h.Name == v.r.PathValue("name") })
	if i < 0 {
		v.problem(http.StatusNotFound, v.T("people.unknown", v.r.PathValue("name")))
		return human{}, false
	}
	return all[i], true
}

func (v *visit) person() {
	if who, ok := v.named(); ok {
		v.showPerson(http.StatusOK, who, "")
	}
}

func (v *visit) showPerson(code int, who human, wrong string) {
	v.render(code, "person", personData{who, wrong, who.Name == v.Person.Name})
}

func (v *visit) changePerson() {
	who, ok := v.named()
	if !ok {
		return
	}
	who.Role = v.r.FormValue("role")
	password := v.r.FormValue("password")
	if err := v.putPerson(who, password); err != nil {
		code, what := v.why(err)
		v.showPerson(code, who, what)
		return
	}
	if password != "" && who.Name == v.Person.Name {
		v.keepSession()
	}
	v.redirect("/console/people?done=kept")
}

func (v *visit) deletePerson() {
	who, ok := v.named()
	if !ok {
		return
	}
	if err := v.do(http.MethodDelete, "/people/"+url.PathEscape(who.Name), nil, nil); err != nil {
		v.failed(err)
		return
	}
	v.redirect("/console/people?done=gone")
}
