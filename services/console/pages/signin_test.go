package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

func TestAPersonSignsInByNameAndIsWhoTheyAre(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Viewer, phrase)
	b := h.browser("192.0.2.1")
	if _, body := b.get("/console/signin"); !strings.Contains(body, `name="name"`) {
		t.Errorf("the sign-in asks for no name although there is somebody: %s", body)
	}
	b.in(" Olena ", phrase)
	_, body := b.get("/console/me")
	if !strings.Contains(body, ">olena</a>") || !strings.Contains(body, "viewer") {
		t.Errorf("the own page names neither olena nor her role: %s", body)
	}
	for _, path := range []string{"/console/people", "/console/people/olena", "/console/audit", "/console/new"} {
		if code, body := b.get(path); code != http.StatusForbidden || !strings.Contains(body, "role “admin”") {
			t.Errorf("%s for a viewer: %d %s, want 403 and the role that it takes", path, code, body)
		}
	}
}

func TestAnUnknownNameAndAWrongPasswordAreAnsweredAlike(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Admin, phrase)
	answer := func(name, secret string) string {
		code, body, header := h.browser("192.0.2."+strconv.Itoa(len(name))).signIn(name, secret)
		if code != http.StatusForbidden || header.Get("Set-Cookie") != "" {
			t.Errorf("%q with %q: %d, cookie %q; want 403 and none", name, secret, code, header.Get("Set-Cookie"))
		}
		return strings.ReplaceAll(body, name, "NAME")
	}
	wrong, unknown, token := answer("olena", "a wrong pass phrase"), answer("petro", phrase), answer("olena", token)
	if wrong != unknown || wrong != token {
		t.Errorf("a wrong password is answered\n%s\nan unknown name\n%s\nthe token under a name\n%s", wrong, unknown, token)
	}
}

func TestFiveFailuresMakeTheNextTryWaitAndASuccessForgetsThem(t *testing.T) {
	h := openHouse(t)
	b := h.browser("192.0.2.1")
	fail := func(n int) {
		t.Helper()
		for i := range n {
			if code, _, _ := b.signIn("", "wrong"); code != http.StatusForbidden {
				t.Fatalf("failure %d: %d, want 403", i+1, code)
			}
		}
	}
	fail(5)
	last := 0
	for range 4 {
		code, body, header := b.signIn("", token) // the right one, too early
		wait, err := strconv.Atoi(header.Get("Retry-After"))
		if code != http.StatusTooManyRequests || err != nil || wait <= last || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, "Too many failed attempts") {
			t.Fatalf("a try too early: %d, Retry-After %q after %d, %s; want 429, a longer wait, and words", code, header.Get("Retry-After"), last, body)
		}
		last = wait
		h.later(time.Duration(wait) * time.Second)
		fail(1)
	}
	if code, _, _ := h.browser("192.0.2.2").signIn("", token); code != http.StatusSeeOther {
		t.Errorf("somebody elsewhere: %d, want to be let in", code)
	}
	h.later(time.Minute)
	b.in("", token)
	fail(4)
	b.in("", token)
}

func TestGuessingAtANameFromManyAddressesWaitsToo(t *testing.T) {
	h := openHouse(t)
	now := h.clock
	tries := newTries(now)
	for i := range 5 {
		if wait := tries.begin(keysOf(fmt.Sprint("192.0.2.", i), "olena")); wait != 0 {
			t.Fatalf("try %d waits %s, want 0", i+1, wait)
		}
	}
	if wait := tries.begin(keysOf("192.0.2.99", "olena")); wait <= 0 {
		t.Errorf("the sixth guess at a name waits %s, want a wait", wait)
	}
	if wait := tries.begin(keysOf("192.0.2.99", "petro")); wait != 0 {
		t.Errorf("another name waits %s, want 0", wait)
	}
	for range 40 {
		h.later(maxWait)
		tries.begin(keysOf("192.0.2.7", "olena"))
	}
	if name, address := tries.by["name olena"].until.Sub(now()), tries.by["address 192.0.2.7"].until.Sub(now()); name != maxNameWait || address != maxWait {
		t.Errorf("after very many guesses the name waits %s, the address %s; want %s, %s", name, address, maxNameWait, maxWait)
	}
	h.later(forgetting + time.Second)
	if tries.begin(keysOf("192.0.2.7", "olena")); tries.by["name olena"].failed != 1 {
		t.Errorf("after an hour of nothing %d failures are known, want the last alone", tries.by["name olena"].failed)
	}
}

func TestAFloodOfNamesFillsNoMemoryAndHidesNoGuessing(t *testing.T) {
	now := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	tries := newTries(func() time.Time { return now })
	for range 6 {
		tries.begin(keysOf("192.0.2.1", "olena"))
		now = now.Add(3 * time.Minute)
	}
	now = now.Add(-3 * time.Minute)
	for i := range maxTries + 500 {
		tries.begin([]string{"name " + strconv.Itoa(i)})
	}
	if len(tries.by) > maxTries {
		t.Errorf("%d keys are remembered, want at most %d", len(tries.by), maxTries)
	}
	if got := tries.by["name olena"].failed; got != 6 {
		t.Errorf("after a flood of names %d failures at the guessed one are known, want 6", got)
	}
}

func TestOnlyAProxyOfTheHouseSaysWhereARequestComesFrom(t *testing.T) {
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"}, {"192.0.2.1:5", "198.51.100.7", "192.0.2.1"}, {"127.0.0.1:5", "198.51.100.7", "198.51.100.7"},
		{"10.0.0.2:5", "203.0.113.9, 198.51.100.7", "198.51.100.7"}, {"127.0.0.1:5", "nonsense", "127.0.0.1"},
		{"[2001:db8:1:2:3::4]:5", "", "2001:db8:1:2::/64"}, {"[::ffff:192.0.2.1]:5", "", "192.0.2.1"}, {"[::1]:5", "2001:db8::9", "2001:db8::/64"},
	} {
		r := httptest.NewRequest("POST", "/console/signin", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := comesFrom(r); got != c.want {
			t.Errorf("%s, forwarded for %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestGuessingTheOldPasswordWaitsAsTheSignInDoes(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Viewer, phrase)
	b := h.browser("192.0.2.1").in("olena", phrase)
	for _, c := range []struct {
		lang, old, new, says string
		code                 int
	}{
		{"en", "wrong", another, "The current password is not right.", 422}, {"uk", "wrong", another, "Поточний пароль неправильний.", 422},
		{"ru", "wrong", another, "Текущий пароль неверный.", 422}, {"en", phrase, "short", "A password has 12 to 256 characters.", 422},
		{"en", "wrong", another, "not right", 422}, {"en", "wrong", another, "not right", 422}, {"en", phrase, another, "Too many failed attempts", 429},
	} {
		b.lang = c.lang
		if code, body := b.post("/console/me", url.Values{"old": {c.old}, "new": {c.new}}); code != c.code || !strings.Contains(body, c.says) || strings.Contains(body, phrase) || strings.Contains(body, another) {
			t.Errorf("%s, %q to %q: %d %s; want %d, %q and no password", c.lang, c.old, c.new, code, body, c.code, c.says)
		}
	}
}

func TestSignInsAreInTheAuditLogAndNoSecretIsAnywhere(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Admin, phrase)
	b := h.browser("192.0.2.1")
	const typed = "a-password-in-the-wrong-field"
	b.signIn("olena", "a wrong pass phrase")
	b.signIn(typed, phrase)
	b.in("", token)
	b.in("olena", phrase)
	var seen strings.Builder
	for _, path := range []string{"/console/people", "/console/people/olena", "/console/audit", "/console/me", "/console/signin"} {
		_, body := b.get(path)
		seen.WriteString(body)
	}
	var got []string
	for _, e := range h.stored() {
		seen.Write(e.Data)
		var l event.ConsoleActed
		if e.Type == event.TypeConsoleActed && json.Unmarshal(e.Data, &l) == nil {
			got = append(got, fmt.Sprint(l.Person, " ", l.Role, " ", l.Action, " ", l.Code, " ", l.Details["from"]))
		}
	}
	want := []string{"olena  POST /console/signin 403 192.0.2.1", "  POST /console/signin 403 192.0.2.1", "token admin POST /console/signin 303 192.0.2.1", "olena admin POST /console/signin 303 192.0.2.1"}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log holds %q, want %q", got, want)
	}
	for _, l := range h.logs.All() {
		fmt.Fprintln(&seen, l.Message, l.ContextMap())
	}
	if len(h.logs.FilterMessage("a sign-in failed").All()) != 2 {
		t.Errorf("the log tells of %d failed sign-ins, want 2", len(h.logs.FilterMessage("a sign-in failed").All()))
	}
	for _, secret := range []string{phrase, "a wrong pass phrase", typed, token, "argon2", b.cookies[sessionCookie].Value} {
		if strings.Contains(seen.String(), secret) {
			t.Errorf("%q stands in a page, an event or a line of the log", secret)
		}
	}
}

func TestGuessingLeavesFewLinesInTheAuditLog(t *testing.T) {
	now := time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)
	f := &failures{now: func() time.Time { return now }}
	told := 0
	for range maxFailures + 20 {
		if _, ok := f.next(); ok {
			told++
		}
	}
	now = now.Add(time.Hour)
	untold, ok := f.next()
	if told != maxFailures || !ok || untold != 20 {
		t.Errorf("%d lines, then %d untold, %v; want %d, then 20 untold with the next hour's first", told, untold, ok, maxFailures)
	}
}
