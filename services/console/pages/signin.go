package pages

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
)

type signInData struct {
	To, Wrong, Name string
	Named           bool // there are people who sign in by name
}

func (s *site) signInPage(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	v.show("signin", v.signInData(ours(r.URL.Query().Get("to")), "", ""))
}

func (v *visit) signInData(to, name, wrong string) signInData {
	d := signInData{To: to, Wrong: wrong, Name: name}
	if v.site.People != nil {
		all, err := v.site.People.List(v.r.Context())
		d.Named = err != nil || len(all) > 0
	}
	return d
}

// signIn takes the console's token, or a name and its password in the same field.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	v := s.visit(w, r)
	r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
	to, name, from := ours(r.FormValue("to")), strings.ToLower(strings.TrimSpace(r.FormValue("name"))), comesFrom(r)
	if len(name) > 64 {
		name = name[:64] // nobody's
	}
	keys := keysOf(from, name)
	if wait := s.tries.begin(keys); wait > 0 {
		v.comeBack(http.StatusTooManyRequests, wait, v.signInData(to, name, v.T("signin.often", v.Span(wait+time.Second))))
		return
	}
	person, stamp, err := s.recognise(r.Context(), name, r.FormValue("token"))
	switch {
	case errors.Is(err, people.ErrBusy):
		s.tries.void(keys)
		v.comeBack(http.StatusServiceUnavailable, 5*time.Second, v.signInData(to, name, v.T("signin.busy")))
	case err != nil:
		s.tries.void(keys)
		v.failed(err)
	case person.Name == "":
		s.signInFailed(r.Context(), name, from)
		v.render(http.StatusForbidden, "signin", v.signInData(to, name, v.T("signin.wrong")))
	default:
		s.tries.right(keys)
		s.sessions.end(r) // the browser's older one
		http.SetCookie(w, sessionOf(r, s.sessions.begin(person.Name, stamp), 0))
		s.acted(service.As(r.Context(), person), http.StatusSeeOther, "", map[string]string{"from": from})
		v.redirect(to)
	}
}

func (v *visit) comeBack(code int, wait time.Duration, data signInData) {
	v.w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	v.render(code, "signin", data)
}

// recognise tells who it is; nobody is no error.
func (s *site) recognise(ctx context.Context, name, secret string) (service.Person, string, error) {
	if name == "" || s.People == nil {
		got, want := sha256.Sum256([]byte(strings.TrimSpace(secret))), sha256.Sum256([]byte(s.Token.Reveal()))
		if s.Token == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return service.Person{}, "", nil
		}
		return service.TokenHolder, "", nil
	}
	p, right, err := s.People.SignIn(ctx, name, secret)
	if err != nil || !right {
		return service.Person{}, "", err
	}
	return service.Person{Name: p.Name, Role: p.Role}, p.Stamp, nil
}

// signInFailed tells the audit log of a failure, as long as they are few. A name that
// nobody has is not kept: it may be a password in the wrong field.
func (s *site) signInFailed(ctx context.Context, name, from string) {
	told, ok := s.failures.next()
	s.Log.Warn("a sign-in failed", zap.String("from", from))
	if !ok {
		return
	}
	details := map[string]string{"from": from}
	if told > 0 {
		details["untold"] = strconv.Itoa(told)
	}
	if s.People != nil {
		if _, known, err := s.People.Get(ctx, name); err != nil || !known {
			name = ""
		}
	}
	s.acted(ctx, http.StatusForbidden, name, details)
}

func (s *site) acted(ctx context.Context, code int, name string, details map[string]string) {
	if s.Told != nil {
		s.Told(ctx, event.ConsoleActed{Person: name, Door: event.DoorConsole, Action: "POST /console/signin", Code: code, Details: details})
	}
}

// maxFailures is how many failed sign-ins an hour the audit log tells of.
const maxFailures = 100

// failures bounds what guessing leaves in the stream, which is kept.
type failures struct {
	now func() time.Time

	mu     sync.Mutex
	hour   time.Time
	told   int
	untold int
}

// next tells whether one more failure is told of, and how many before it were not.
func (f *failures) next() (untold int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if hour := f.now().Truncate(time.Hour); hour != f.hour {
		f.hour, f.told = hour, 0
	}
	if f.told == maxFailures {
		f.untold++
		return 0, false
	}
	f.told++
	untold, f.untold = f.untold, 0
	return untold, true
}
