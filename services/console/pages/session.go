package pages

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// sessionLength is how long a person stays signed in without looking.
const sessionLength = 12 * time.Hour

const sessionCookie = "ringbridge_session"

// sessions are the people who are signed in. They live in memory: a restart asks
// everybody to sign in again.
type sessions struct {
	now func() time.Time

	mu sync.Mutex
	by map[[32]byte]session // by the digest of the secret, which only the browser has
}

type session struct {
	service.Person
	until time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, by: map[[32]byte]session{}}
}

// begin makes a session and returns its secret.
func (s *sessions) begin(p service.Person) string {
	secret := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, old := range s.by {
		if s.now().After(old.until) {
			delete(s.by, key)
		}
	}
	s.by[sha256.Sum256([]byte(secret))] = session{p, s.now().Add(sessionLength)}
	return secret
}

// who tells whose session the request belongs to, and keeps it alive.
func (s *sessions) who(r *http.Request) (service.Person, bool) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return service.Person{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sha256.Sum256([]byte(c.Value))
	found, ok := s.by[key]
	if !ok || s.now().After(found.until) {
		return service.Person{}, false
	}
	found.until = s.now().Add(sessionLength)
	s.by[key] = found
	return found.Person, true
}

// stands tells whether the request's session is still there, without keeping it alive: a
// stream that stays open is nobody who looks.
func (s *sessions) stands(r *http.Request) bool {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.by[sha256.Sum256([]byte(c.Value))]
	return ok && !s.now().After(found.until)
}

func (s *sessions) end(r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.by, sha256.Sum256([]byte(c.Value)))
	}
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

type signInData struct{ To, Wrong string }

func (s *site) signInPage(w http.ResponseWriter, r *http.Request) {
	s.visit(w, r).show("signin", signInData{To: ours(r.URL.Query().Get("to"))})
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	to := ours(r.FormValue("to"))
	got, want := sha256.Sum256([]byte(strings.TrimSpace(r.FormValue("token")))), sha256.Sum256([]byte(s.Token.Reveal()))
	if s.Token == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		v.render(http.StatusForbidden, "signin", signInData{to, v.T("signin.wrong")})
		return
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: s.sessions.begin(service.TokenHolder), Path: "/console/", HttpOnly: true, Secure: secure(r), SameSite: http.SameSiteStrictMode})
	v.redirect(to)
}

func (v *visit) signOut() {
	v.site.sessions.end(v.r)
	http.SetCookie(v.w, &http.Cookie{Name: sessionCookie, Path: "/console/", MaxAge: -1, HttpOnly: true, Secure: secure(v.r), SameSite: http.SameSiteStrictMode})
	v.redirect("/console/signin")
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
