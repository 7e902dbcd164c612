package pages

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/service"
)

var mePages = []page{
	{"GET /console/me", service.Viewer, (*visit).me},
	{"POST /console/me", service.Viewer, (*visit).changeOwnPassword},
}

type meData struct {
	Wrong string
	Done  bool
	Token bool // signed in with the token, which has no password
}

// me is where somebody changes the own password.
func (v *visit) me() { v.showMe(http.StatusOK, "") }

func (v *visit) showMe(code int, wrong string) {
	v.render(code, "me", meData{wrong, v.r.URL.Query().Get("done") == "kept", v.Person == service.TokenHolder})
}

// changeOwnPassword takes the old password and a new one. Guessing the old one waits as
// long as guessing at the sign-in: a browser left open is no way around that.
func (v *visit) changeOwnPassword() {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 8<<10)
	from := comesFrom(v.r)
	keys := keysOf(from, v.Person.Name)
	if wait := v.site.tries.begin(keys); wait > 0 {
		v.w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		v.showMe(http.StatusTooManyRequests, v.T("signin.often", v.Span(wait+time.Second)))
		return
	}
	err := v.do(http.MethodPut, "/me/password", map[string]string{"old": v.r.FormValue("old"), "new": v.r.FormValue("new")}, nil)
	if no, ok := errors.AsType[*refused](err); ok && no.Title == "old password wrong" {
		v.site.Log.Warn("an old password was wrong", zap.String("from", from))
	} else {
		v.site.tries.void(keys)
	}
	if err != nil {
		code, what := v.why(err)
		v.showMe(code, what)
		return
	}
	v.site.tries.right(keys)
	v.keepSession()
	v.redirect("/console/me?done=kept")
}

// keepSession keeps this browser signed in after the own new password, which ends one's
// other sessions.
func (v *visit) keepSession() {
	if p, known, err := v.site.People.Get(v.r.Context(), v.Person.Name); err == nil && known {
		v.site.sessions.restamp(v.r, p.Stamp)
	}
}
