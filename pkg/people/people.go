// Package people keeps who may use the console by name: each person's role, and an
// argon2id hash of the password. It is kept in the broker, so that every process knows
// the same people; a change holds from the next request on.
//
// It never keeps, logs or returns a password, and tells nobody whether it was the name
// or the password that was wrong. Start reading at [People].
package people

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// Person is one of the people.
type Person struct {
	Name      string       `json:"name"`
	Role      service.Role `json:"role"`
	CreatedAt time.Time    `json:"created_at"`
	ChangedAt time.Time    `json:"changed_at"`
	// Stamp is another one with each password that is set: what was begun under an older
	// one is over.
	Stamp string `json:"-"`
}

// What is wrong with a person that is to be kept.
var (
	ErrName     = errors.New("a name has 1 to 64 of a to z, 0 to 9, “.”, “_”, “@” and “-”, and begins with a letter or a digit; “token” is taken by whoever holds the console's token")
	ErrRole     = errors.New("a role is viewer, operator or admin")
	ErrPassword = errors.New("a password has 12 to 256 characters")
	// ErrNew is returned for somebody new without a password.
	ErrNew = errors.New("somebody new needs a password")
)

// People is who may sign in by name.
type People struct {
	store  *bus.Store
	now    func() time.Time
	hashes *hasher
}

// record is what is kept of a person.
type record struct {
	Role    service.Role `json:"role"`
	Hash    string       `json:"hash"`
	Stamp   string       `json:"stamp"`
	Created time.Time    `json:"created"`
	Changed time.Time    `json:"changed"`
}

func (r record) person(name string) Person {
	return Person{name, r.Role, r.Created, r.Changed, r.Stamp}
}

// book is everybody. There are few of them, so that one key holds all and a list is one
// look.
type book struct {
	People map[string]record `json:"people"`
}

const everybody = "everybody"

// Open finds the people that the broker keeps.
func Open(ctx context.Context, b *bus.Bus, now func() time.Time) (*People, error) {
	store, err := b.Store(ctx, "people", "who may use the console, with hashed passwords")
	if err != nil {
		return nil, err
	}
	return &People{store: store, now: now, hashes: newHasher(recommended)}, nil
}

// OpenFast is Open with hashes that cost next to nothing and protect nothing: for tests
// that are about something else.
func OpenFast(ctx context.Context, b *bus.Bus, now func() time.Time) (*People, error) {
	p, err := Open(ctx, b, now)
	if err == nil {
		p.hashes = newHasher(cheap)
	}
	return p, err
}

func (p *People) read(ctx context.Context) (book, error) {
	var b book
	_, err := p.store.Get(ctx, everybody, &b)
	return b, err
}

// List is everybody, by name.
func (p *People) List(ctx context.Context) ([]Person, error) {
	b, err := p.read(ctx)
	out := []Person{}
	for _, name := range slices.Sorted(maps.Keys(b.People)) {
		out = append(out, b.People[name].person(name))
	}
	return out, err
}

// Get finds one person.
func (p *People) Get(ctx context.Context, name string) (Person, bool, error) {
	b, err := p.read(ctx)
	r, ok := b.People[name]
	return r.person(name), ok, err
}

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,63}$`)

// Put keeps a person with this role, and with this password unless it is empty. It
// tells whether the person is new.
func (p *People) Put(ctx context.Context, name string, role service.Role, password string) (kept Person, made bool, err error) {
	switch {
	case !nameShape.MatchString(name) || name == service.TokenHolder.Name:
		return kept, false, ErrName
	case !slices.Contains(service.Roles, role):
		return kept, false, ErrRole
	case password != "" && !fits(password):
		return kept, false, ErrPassword
	}
	if password == "" {
		switch _, ok, err := p.Get(ctx, name); {
		case err != nil:
			return kept, false, err
		case !ok:
			return kept, false, ErrNew
		}
	}
	hash := ""
	if password != "" {
		if hash, err = p.hashes.make(ctx, password); err != nil {
			return kept, false, err
		}
	}
	_, err = bus.Change(ctx, p.store, everybody, func(b *book) (bool, error) {
		r, had := b.People[name]
		if !had && hash == "" {
			return false, ErrNew // deleted meanwhile
		}
		now := p.now().UTC()
		if made = !had; made {
			r.Created = now
		}
		r.Role, r.Changed = role, now
		if hash != "" {
			r.Hash, r.Stamp = hash, rand.Text()
		}
		if b.People == nil {
			b.People = map[string]record{}
		}
		b.People[name], kept = r, r.person(name)
		return true, nil
	})
	return kept, made, err
}

// ErrOld is returned where the old password is not the person's.
var ErrOld = errors.New("the old password is not right")

// ChangePassword gives somebody who knows the old password another one. The errors are
// [ErrOld], which a name that nobody has gets too, [ErrPassword] and [ErrBusy].
func (p *People) ChangePassword(ctx context.Context, name, old, password string) error {
	b, err := p.read(ctx)
	if err != nil {
		return err
	}
	was := b.People[name]
	switch right, err := p.hashes.check(ctx, was.Hash, old); {
	case err != nil:
		return err
	case !right:
		return ErrOld
	case !fits(password):
		return ErrPassword
	}
	hash, err := p.hashes.make(ctx, password)
	if err != nil {
		return err
	}
	_, err = bus.Change(ctx, p.store, everybody, func(b *book) (bool, error) {
		r, known := b.People[name]
		if !known || r.Stamp != was.Stamp {
			return false, ErrOld // deleted, or changed by somebody else meanwhile
		}
		r.Hash, r.Stamp, r.Changed = hash, rand.Text(), p.now().UTC()
		b.People[name] = r
		return true, nil
	})
	return err
}

// Delete takes a person away and tells whether there was one.
func (p *People) Delete(ctx context.Context, name string) (had bool, err error) {
	_, err = bus.Change(ctx, p.store, everybody, func(b *book) (bool, error) {
		_, had = b.People[name]
		delete(b.People, name)
		return had, nil
	})
	return had, err
}

// SignIn tells who it is that knows this name and password. It takes as long for a name
// that nobody has. A hash of older parameters is made anew on the way.
func (p *People) SignIn(ctx context.Context, name, password string) (Person, bool, error) {
	b, err := p.read(ctx)
	if err != nil {
		return Person{}, false, err
	}
	r, known := b.People[name]
	right, err := p.hashes.check(ctx, r.Hash, password)
	if err != nil || !right || !known {
		return Person{}, false, err
	}
	if p.hashes.old(r.Hash) {
		err = p.renew(ctx, name, r.Hash, password)
	}
	return r.person(name), err == nil, err
}

// renew keeps the same password under today's parameters, unless it was changed since.
func (p *People) renew(ctx context.Context, name, was, password string) error {
	hash, err := p.hashes.make(ctx, password)
	if err != nil {
		return err
	}
	_, err = bus.Change(ctx, p.store, everybody, func(b *book) (bool, error) {
		r := b.People[name]
		if r.Hash != was {
			return false, nil
		}
		r.Hash = hash
		b.People[name] = r
		return true, nil
	})
	return err
}
