package pages

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

const (
	// sessionLength is how long a person stays signed in without looking.
	sessionLength = 12 * time.Hour
	// sessionLimit is how long a person stays signed in at all.
	sessionLimit = 7 * 24 * time.Hour
	// watching is how often a page that stays open is asked whether it may.
	watching = 10 * time.Second
)

const sessionCookie = "ringbridge_session"

// sessions are the people who are signed in. They live in memory: a restart asks
// everybody to sign in again.
type sessions struct {
	now func() time.Time

	mu sync.Mutex
	by map[[32]byte]session // by the digest of the secret, which only the browser has
}

// session is one browser of a person. What the person may do is looked up each time.
type session struct {
	name string
	// stamp is that of the password it was begun with; empty for the token's.
	stamp        string
	until, limit time.Time
}

func (s session) over(now time.Time) bool { return !now.Before(s.until) || !now.Before(s.limit) }

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, by: map[[32]byte]session{}}
}

// begin makes a session and returns its secret.
func (s *sessions) begin(name, stamp string) string {
	secret, now := rand.Text(), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, old := range s.by {
		if old.over(now) {
			delete(s.by, key)
		}
	}
	s.by[sha256.Sum256([]byte(secret))] = session{name, stamp, now.Add(sessionLength), now.Add(sessionLimit)}
	return secret
}

// find is the session of a request; a look of the person, and not of an open page,
// keeps it alive.
func (s *sessions) find(r *http.Request, look bool) (session, bool) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, now := sha256.Sum256([]byte(c.Value)), s.now()
	found, ok := s.by[key]
	if !ok || found.over(now) {
		delete(s.by, key)
		return session{}, false
	}
	if look {
		found.until = now.Add(sessionLength)
		s.by[key] = found
	}
	return found, true
}

// restamp keeps the session of somebody who changed the own password.
func (s *sessions) restamp(r *http.Request, stamp string) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		key := sha256.Sum256([]byte(c.Value))
		if found, ok := s.by[key]; ok {
			found.stamp = stamp
			s.by[key] = found
		}
	}
}

func (s *sessions) end(r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.by, sha256.Sum256([]byte(c.Value)))
	}
}

// who tells whose session the request belongs to, as the person is by now: somebody
// deleted, or with another password since, is signed in no more.
func (s *site) who(r *http.Request, look bool) (service.Person, bool, error) {
	found, ok := s.sessions.find(r, look)
	if !ok {
		return service.Person{}, false, nil
	}
	if found.name == service.TokenHolder.Name {
		return service.TokenHolder, true, nil
	}
	p, known, err := s.People.Get(r.Context(), found.name)
	if err != nil {
		return service.Person{}, false, err
	}
	if !known || p.Stamp != found.stamp {
		s.sessions.end(r)
		return service.Person{}, false, nil
	}
	return service.Person{Name: p.Name, Role: p.Role}, true, nil
}

// watched is the context of a request that stays open to show what is new: it ends soon
// after the person's right to look does.
func (s *site) watched(r *http.Request, role service.Role) (context.Context, context.CancelFunc) {
	ctx, leave := context.WithCancel(r.Context())
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		return ctx, leave
	}
	go func() {
		defer leave()
		tick := time.NewTicker(watching)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// While the broker can't be asked nobody is thrown out.
			if p, ok, err := s.who(r, false); err == nil && (!ok || !p.Role.May(role)) {
				return
			}
		}
	}()
	return ctx, leave
}

func (v *visit) toSignIn() {
	if v.r.Header.Get("HX-Request") != "" {
		v.w.Header().Set("HX-Redirect", "/console/signin") // a part can't hold a sign-in
		v.w.WriteHeader(http.StatusUnauthorized)
		return
	}
	to := "/console/signin"
	if v.r.Method == http.MethodGet {
		to += "?" + url.Values{"to": {v.r.URL.RequestURI()}}.Encode()
	}
	v.redirect(to)
}

func (v *visit) signOut() {
	v.site.sessions.end(v.r)
	http.SetCookie(v.w, sessionOf(v.r, "", -1))
	v.redirect("/console/signin")
}

// sessionOf is the cookie of a session: no script reads it, no other site sends it.
func sessionOf(r *http.Request, secret string, age int) *http.Cookie {
	return &http.Cookie{Name: sessionCookie, Value: secret, Path: "/console/", MaxAge: age, HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteStrictMode}
}

// chooseLanguage remembers the reader's language in the browser.
func (s *site) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	if lang := r.FormValue("lang"); spoken(lang) {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: lang, Path: "/console/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteLaxMode})
	}
	http.Redirect(w, r, ours(r.FormValue("to")), http.StatusSeeOther)
}

// ours is an address of the console to go to next; anything else leads to the start, so
// that nobody is sent to another site.
func ours(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/console/") || strings.Contains(to, `\`) {
		return "/console/"
	}
	return u.RequestURI()
}
