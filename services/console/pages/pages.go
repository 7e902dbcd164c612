// Package pages is the console as people see it in a browser: server-rendered pages on
// the program's own address, under /console/. A page knows nothing of its own: it asks
// the program's API in the name of the person who looks, so that whatever the pages can
// do, a script can do too. It decides nothing and writes to no portal.
//
// Start reading at [Open]; what a page works with is [visit]; every text is in words*.go.
package pages

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

//go:embed assets
var assets embed.FS

//go:embed templates
var templates embed.FS

// Options are what only the pages need.
type Options struct {
	// Guarded is the program's API behind [service.Guarded]: it takes the pages' word for
	// who a request comes from.
	Guarded http.Handler
	// Token opens the first sign-in.
	Token settings.Secret
	// People may sign in by name; nil means nobody may.
	People *people.People
	// Told is told of sign-ins, for the audit log; nil means nobody is.
	Told func(context.Context, event.ConsoleActed)
	// Home: / leads to the console.
	Home bool
	// Stopping is closed when the server wants to stop: streams end then, so that they
	// don't hold it up.
	Stopping <-chan struct{}
}

type site struct {
	service.Env
	Options
	sessions  *sessions
	tries     *tries
	failures  *failures
	lists     *lists
	templates map[string]*template.Template
}

// page is one address of the console.
type page struct {
	pattern string // as http.ServeMux takes it; {project} is looked up
	role    service.Role
	serve   func(*visit)
}

// pages are all addresses that take a signed-in person, in the order of the menu.
func (s *site) pages() []page {
	var all []page
	for _, some := range [][]page{homePages, callsPages, parkedPages, replayPages, numbersPages, healthPages, newPages, setupPages, rulesPages, peoplePages, mePages, auditPages} {
		all = append(all, some...)
	}
	return all
}

// looks knows the addresses that are looked at, and not those that take forms only.
var looks = sync.OnceValue(func() *http.ServeMux {
	mux := http.NewServeMux()
	for _, p := range (*site)(nil).pages() {
		if strings.HasPrefix(p.pattern, "GET ") {
			mux.HandleFunc(p.pattern, http.NotFound)
		}
	}
	return mux
})

// Open puts the pages on the environment's mux.
func Open(env service.Env, o Options) { newSite(env, o).open(env.Mux) }

func newSite(env service.Env, o Options) *site {
	s := &site{Env: env, Options: o, sessions: newSessions(env.Now), tries: newTries(env.Now), failures: &failures{now: env.Now}, templates: parse()}
	s.lists = s.newLists()
	return s
}

func (s *site) open(on *http.ServeMux) {
	mux := http.NewServeMux()
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	mux.Handle("GET /console/assets/", http.StripPrefix("/console/assets/", cached(http.FileServerFS(files))))
	mux.HandleFunc("GET /console/signin", s.signInPage)
	mux.HandleFunc("POST /console/signin", s.signIn)
	mux.HandleFunc("POST /console/language", s.chooseLanguage)
	for _, p := range s.pages() {
		mux.HandleFunc(p.pattern, s.signedIn(p))
	}
	mux.HandleFunc("/console/", s.signedIn(page{"", service.Viewer, (*visit).notFound}))
	// A form that another site sends in a person's name is refused before anything
	// looks at it.
	on.Handle("/console/", secured(http.NewCrossOriginProtection().Handler(mux)))
	if s.Home {
		on.Handle("GET /{$}", http.RedirectHandler("/console/", http.StatusSeeOther))
	}
}

// signedIn lets a page see people who are signed in and have its role; others are sent
// to the sign-in and come back from there.
func (s *site) signedIn(p page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := s.visit(w, r)
		person, ok, err := s.who(r, true)
		switch {
		case err != nil:
			v.failed(err)
			return
		case !ok:
			v.toSignIn()
			return
		}
		v.Person = person
		ctx, leave := s.watched(r, p.role)
		defer leave()
		v.r = r.WithContext(service.As(ctx, person))
		if !person.Role.May(p.role) {
			v.problem(http.StatusForbidden, v.T("problem.role", v.T("role."+string(p.role))))
			return
		}
		if id := r.PathValue("project"); id != "" {
			found, ok := s.Projects.Get(id)
			if !ok {
				v.problem(http.StatusNotFound, v.T("problem.project", id))
				return
			}
			v.Project = found
		}
		p.serve(v)
	}
}

// secured adds what keeps a page's content from ever acting: only files of ours run,
// nobody frames us, and what is shown stays out of shared caches.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if secure(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// secure tells whether the person's browser came by https, if need be through a proxy
// that says so.
func secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache") // asked for again, answered "not modified"
		next.ServeHTTP(w, r)
	})
}
