package pages

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/service"
)

func TestTheCookieOfASessionIsForThisBrowserAlone(t *testing.T) {
	h := openHouse(t)
	for _, https := range []bool{false, true} {
		b := h.browser("192.0.2.1")
		b.https = https
		_, _, header := b.signIn("", token)
		c := b.cookies[sessionCookie]
		if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure != https || c.Path != "/console/" || c.MaxAge != 0 || c.Domain != "" || len(c.Value) < 22 {
			t.Errorf("https %v: cookie %q; want HttpOnly, SameSite=Strict, Secure only behind https, for /console/, of no other host", https, header.Get("Set-Cookie"))
		}
		if got := header.Get("Strict-Transport-Security") != ""; got != https {
			t.Errorf("https %v: Strict-Transport-Security is sent: %v", https, got)
		}
	}
	b := h.browser("192.0.2.1").in("", token)
	first := b.cookies[sessionCookie].Value
	stolen := h.browser("192.0.2.9")
	stolen.cookies[sessionCookie] = b.cookies[sessionCookie]
	if b.in("", token); b.cookies[sessionCookie].Value == first || stolen.signedIn() {
		t.Error("after another sign-in the browser's older session still holds")
	}
}

func TestASessionEndsAfterTwelveHoursOfNothingAndSevenDaysOfAll(t *testing.T) {
	h := openHouse(t)
	idle, busy := h.browser("192.0.2.1").in("", token), h.browser("192.0.2.2").in("", token)
	for passed := time.Duration(0); passed < 7*24*time.Hour; passed += 11 * time.Hour {
		if !busy.signedIn() {
			t.Fatalf("who looks every 11 hours is signed out after %s, want 7 days", passed)
		}
		h.later(11 * time.Hour)
	}
	if busy.signedIn() {
		t.Error("after 7 days somebody is still signed in, want the sign-in asked for again")
	}
	if idle.signedIn() {
		t.Error("who did not look for 7 days is still signed in")
	}
	fresh := h.browser("192.0.2.3").in("", token)
	h.later(12*time.Hour - time.Second)
	if !fresh.signedIn() {
		t.Error("a second before 12 hours: signed out")
	}
	h.later(12 * time.Hour)
	if fresh.signedIn() {
		t.Error("12 hours after the last look: still signed in")
	}
	h.browser("192.0.2.4").in("", token)
	if n := len(h.site.sessions.by); n != 1 {
		t.Errorf("%d sessions are kept, want that of the last sign-in alone", n)
	}
}

func TestSigningOutEndsTheSessionAndNotOnlyTheCookie(t *testing.T) {
	h := openHouse(t)
	b := h.browser("192.0.2.1").in("", token)
	kept := *b.cookies[sessionCookie]
	if code, _ := b.post("/console/signout", url.Values{}); code != http.StatusSeeOther || b.cookies[sessionCookie] != nil {
		t.Errorf("signing out: %d, cookie %v; want the sign-in and no cookie", code, b.cookies[sessionCookie])
	}
	b.cookies[sessionCookie] = &kept
	if b.signedIn() {
		t.Error("the cookie of before still signs in")
	}
}

func TestWhatHappensToAPersonHoldsAtOnce(t *testing.T) {
	h := openHouse(t)
	h.put("olena", service.Admin, phrase)
	h.put("petro", service.Admin, phrase)
	olena, phone, petro := h.browser("192.0.2.1").in("olena", phrase), h.browser("192.0.2.2").in("olena", phrase), h.browser("192.0.2.3").in("petro", phrase)
	if code, _ := olena.get("/console/people"); code != http.StatusOK {
		t.Fatalf("an admin looks at people: %d", code)
	}

	if code, body := petro.post("/console/people/olena", url.Values{"role": {"operator"}}); code != http.StatusSeeOther {
		t.Fatalf("petro makes olena an operator: %d %s", code, body)
	}
	if code, _ := olena.get("/console/people"); code != http.StatusForbidden || !olena.signedIn() {
		t.Errorf("olena, an operator now, looks at people: %d, want 403 and still signed in", code)
	}
	if code, body := olena.post("/console/people/olena", url.Values{"role": {"admin"}}); code != http.StatusForbidden {
		t.Errorf("an operator makes herself an admin: %d %s, want 403", code, body)
	}

	if code, body := olena.post("/console/me", url.Values{"old": {phrase}, "new": {another}}); code != http.StatusSeeOther {
		t.Fatalf("olena changes her password: %d %s", code, body)
	}
	if !olena.signedIn() || phone.signedIn() {
		t.Error("after the own new password: want this browser signed in, and the phone not")
	}
	if code, _, _ := phone.signIn("olena", phrase); code != http.StatusForbidden {
		t.Errorf("the old password: %d, want 403", code)
	}
	phone.in("olena", another)

	if code, _ := petro.post("/console/people/olena", url.Values{"role": {"viewer"}, "password": {phrase}}); code != http.StatusSeeOther {
		t.Fatalf("petro gives olena a password: %d", code)
	}
	if olena.signedIn() || phone.signedIn() {
		t.Error("after a new password from an admin olena is still signed in")
	}
	phone.in("olena", phrase)
	if code, _ := petro.post("/console/people/olena/delete", url.Values{}); code != http.StatusSeeOther {
		t.Fatalf("petro deletes olena: %d", code)
	}
	if phone.signedIn() || !petro.signedIn() {
		t.Error("want olena out at once, and petro still in")
	}
}
