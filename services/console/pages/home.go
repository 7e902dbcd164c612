package pages

import (
	"net/http"

	"github.com/ringbridge/ringbridge/pkg/service"
)

var homePages = []page{
	{"GET /console/{$}", service.Viewer, (*visit).home},
	{"POST /console/signout", service.Viewer, (*visit).signOut},
}

// home leads to the first project's calls, or to where the first project is made.
func (v *visit) home() {
	for _, id := range v.site.Projects.IDs() {
		v.redirect("/console/p/" + id + "/calls")
		return
	}
	if v.May(service.Admin) {
		v.redirect("/console/new")
		return
	}
	v.problem(http.StatusNotFound, v.T("home.none"))
}
