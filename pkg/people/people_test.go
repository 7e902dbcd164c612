package people

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/service"
)

const phrase = "an invented pass phrase"

func open(t *testing.T) *People {
	t.Helper()
	p, err := OpenFast(t.Context(), bustest.Open(t), func() time.Time { return time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *People) put(t *testing.T, name string, role service.Role, password string) Person {
	t.Helper()
	kept, _, err := p.Put(t.Context(), name, role, password)
	if err != nil {
		t.Fatalf("put %s: %v", name, err)
	}
	return kept
}

func TestOnlyTheRightPasswordOfTheNameSignsIn(t *testing.T) {
	p := open(t)
	p.put(t, "olena", service.Operator, phrase)
	p.put(t, "petro", service.Viewer, "another invented phrase")
	for _, c := range []struct {
		name, password string
		want           bool
	}{
		{"olena", phrase, true}, {"olena", "another invented phrase", false}, {"olena", "", false}, {"olena", phrase + " ", false},
		{"petro", "another invented phrase", true}, {"nobody", phrase, false}, {"", phrase, false}, {"", "", false},
	} {
		who, ok, err := p.SignIn(t.Context(), c.name, c.password)
		if err != nil || ok != c.want || ok && who.Name != c.name || !ok && who != (Person{}) {
			t.Errorf("%q with %q: %+v, %v, %v; want %v", c.name, c.password, who, ok, err, c.want)
		}
	}
}

func TestAPasswordIsTheSameHoweverItIsComposed(t *testing.T) {
	p := open(t)
	p.put(t, "olena", service.Viewer, "кава з їжаком о 7")
	if _, ok, err := p.SignIn(t.Context(), "olena", "кава з і\u0308жаком о 7"); !ok || err != nil {
		t.Errorf("ї of two signs: %v, %v; want the same password", ok, err)
	}
}

func TestWhatCannotBeKeptIsRefused(t *testing.T) {
	p := open(t)
	for _, c := range []struct {
		name     string
		role     service.Role
		password string
		want     error
	}{
		{"", service.Viewer, phrase, ErrName}, {"Olena", service.Viewer, phrase, ErrName}, {"олена", service.Viewer, phrase, ErrName},
		{"token", service.Viewer, phrase, ErrName}, {"../x", service.Viewer, phrase, ErrName}, {".", service.Viewer, phrase, ErrName},
		{strings.Repeat("a", 65), service.Viewer, phrase, ErrName}, {strings.Repeat("a", 64), service.Viewer, phrase, nil},
		{"olena@example.com", service.Viewer, phrase, nil}, {"olena", "owner", phrase, ErrRole}, {"olena", "", phrase, ErrRole},
		{"olena", service.Viewer, "", ErrNew}, {"olena", service.Viewer, "elevenchars", ErrPassword},
		{"olena", service.Viewer, "одинадцять1", ErrPassword}, {"olena", service.Viewer, "дванадцять12", nil},
		{"olena", service.Viewer, strings.Repeat("a", 257), ErrPassword}, {"olena", service.Viewer, "not utf-8: \xff\xfe\xfd", ErrPassword},
	} {
		if _, _, err := p.Put(t.Context(), c.name, c.role, c.password); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("name %q, role %q, password %q: %v, want %v", c.name, c.role, c.password, err, c.want)
		}
	}
}

func TestOnlyANewPasswordMakesANewStamp(t *testing.T) {
	p := open(t)
	first := p.put(t, "olena", service.Viewer, phrase)
	demoted := p.put(t, "olena", service.Admin, "")
	if first.Stamp == "" || demoted.Stamp != first.Stamp || demoted.Role != service.Admin {
		t.Errorf("another role alone: %+v after %+v, want the same stamp", demoted, first)
	}
	if again := p.put(t, "olena", service.Admin, phrase); again.Stamp == first.Stamp {
		t.Error("a password that was set again has the old stamp")
	}
	before := p.put(t, "olena", service.Admin, phrase).Stamp
	if had, err := p.Delete(t.Context(), "olena"); !had || err != nil {
		t.Errorf("delete: %v, %v; want true", had, err)
	}
	if _, ok, _ := p.SignIn(t.Context(), "olena", phrase); ok {
		t.Error("somebody deleted signs in")
	}
	if back := p.put(t, "olena", service.Viewer, phrase); back.Stamp == before {
		t.Error("a namesake who came later has the stamp of the one before")
	}
}

func TestAHashOfOlderParametersIsMadeAnewAtTheSignIn(t *testing.T) {
	p := open(t)
	stamp := p.put(t, "olena", service.Viewer, phrase).Stamp
	p.hashes = newHasher(parameters{memory: 128, passes: 2, threads: 1})
	if _, ok, err := p.SignIn(t.Context(), "olena", "a wrong pass phrase"); ok || err != nil {
		t.Fatalf("wrong: %v, %v", ok, err)
	}
	if b, _ := p.read(t.Context()); !p.hashes.old(b.People["olena"].Hash) {
		t.Error("a wrong password renewed the hash")
	}
	for range 2 {
		if _, ok, err := p.SignIn(t.Context(), "olena", phrase); !ok || err != nil {
			t.Fatalf("%v, %v; want a sign-in", ok, err)
		}
		b, _ := p.read(t.Context())
		if r := b.People["olena"]; !strings.Contains(r.Hash, "$m=128,t=2,p=1$") || r.Stamp != stamp {
			t.Errorf("kept %s with stamp %s, want today's parameters and the stamp %s", r.Hash, r.Stamp, stamp)
		}
	}
}

// TestTheHashIsThatOfTheReference holds against the test vector of the reference
// implementation (github.com/P-H-C/phc-winner-argon2, test.c, version 0x13).
func TestTheHashIsThatOfTheReference(t *testing.T) {
	const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := newHasher(cheap)
	for password, want := range map[string]bool{"password": true, "Password": false} {
		if got, err := h.check(t.Context(), hash, password); got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", password, got, err, want)
		}
	}
}

func TestAHashThatIsNoneIsAnErrorAndNoPanic(t *testing.T) {
	h := newHasher(cheap)
	const key = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, hash := range []string{
		"x", "$argon2i$v=19$m=64,t=1,p=1" + key, "$argon2id$v=16$m=64,t=1,p=1" + key, "$argon2id$v=19$m=64,t=0,p=1" + key,
		"$argon2id$v=19$m=64,t=1,p=0" + key, "$argon2id$v=19$m=4294967295,t=1,p=1" + key, "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$",
		"$argon2id$v=19$m=64,t=1,p=1$!$!", "$argon2id$v=19$m=64,t=4000000000,p=1" + key,
	} {
		if ok, err := h.check(t.Context(), hash, "password"); ok || !errors.Is(err, errHash) {
			t.Errorf("%s: %v, %v; want that it is not readable", hash, ok, err)
		}
	}
}

func TestAFloodOfSignInsIsTurnedAwayAndNotHashed(t *testing.T) {
	h := newHasher(cheap)
	for range atOnce {
		h.slots <- struct{}{} // as if hashes were being made
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var waiting sync.WaitGroup
	var mu sync.Mutex
	busy := 0
	for range inLine + 20 {
		waiting.Go(func() {
			if _, err := h.make(ctx, phrase); errors.Is(err, ErrBusy) {
				mu.Lock()
				defer mu.Unlock()
				if busy++; busy == 20 {
					leave() // those in line give up
				}
			}
		})
	}
	waiting.Wait()
	if busy != 20 || h.waiting.Load() != 0 {
		t.Errorf("%d were turned away, %d still wait; want 20 and 0", busy, h.waiting.Load())
	}
	for range atOnce {
		<-h.slots
	}
	if _, err := h.make(t.Context(), phrase); err != nil {
		t.Errorf("after the flood: %v", err)
	}
}

func TestPeopleKeptAtTheSameTimeAreAllKept(t *testing.T) {
	p := open(t)
	var work sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		work.Go(func() {
			if _, _, err := p.Put(t.Context(), name, service.Viewer, phrase); err != nil {
				t.Errorf("put %s: %v", name, err)
			}
		})
	}
	work.Wait()
	all, err := p.List(t.Context())
	if err != nil || len(all) != 5 || all[0].Name != "a" || all[4].Name != "e" {
		t.Errorf("%+v, %v; want a to e", all, err)
	}
}

func BenchmarkSignIn(b *testing.B) {
	h := newHasher(recommended)
	for b.Loop() {
		if _, err := h.check(b.Context(), "", phrase); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOnlyTheOldPasswordOpensTheWayToANewOne(t *testing.T) {
	p := open(t)
	first := p.put(t, "olena", service.Operator, phrase)
	const another = "another invented phrase"
	for _, c := range []struct {
		name, old, password string
		want                error
	}{
		{"olena", "a wrong old phrase", another, ErrOld}, {"olena", "", another, ErrOld}, {"nobody", phrase, another, ErrOld}, {"", "", another, ErrOld},
		{"olena", phrase, "too short", ErrPassword}, {"olena", "a wrong old phrase", "too short", ErrOld},
	} {
		if err := p.ChangePassword(t.Context(), c.name, c.old, c.password); !errors.Is(err, c.want) {
			t.Errorf("%q from %q to %q: %v, want %v", c.name, c.old, c.password, err, c.want)
		}
	}
	if all, _ := p.List(t.Context()); len(all) != 1 || all[0] != first {
		t.Fatalf("after what was refused: %+v, want %+v alone", all, first)
	}
	if err := p.ChangePassword(t.Context(), "olena", phrase, another); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := p.SignIn(t.Context(), "olena", phrase); ok || err != nil {
		t.Errorf("the old password: %v, %v; want it refused", ok, err)
	}
	now, ok, err := p.SignIn(t.Context(), "olena", another)
	if !ok || err != nil || now.Role != service.Operator || now.Stamp == first.Stamp {
		t.Errorf("the new password: %+v, %v, %v; want olena, still an operator, with another stamp", now, ok, err)
	}
}
