package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// parameters are those of argon2id.
type parameters struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// recommended is the second recommended option of RFC 9106, section 4: for where 2 GiB
// for each sign-in are too much.
var recommended = parameters{memory: 64 << 10, passes: 3, threads: 4}

// cheap parameters make a test's hash in a moment.
var cheap = parameters{memory: 64, passes: 1, threads: 1}

const (
	saltBytes = 16
	keyBytes  = 32
	// atOnce and inLine bound what a flood of sign-ins costs: 64 MiB for each at once.
	atOnce = 2
	inLine = 30
)

// ErrBusy is returned while too many people sign in at once; nothing was looked at.
var ErrBusy = errors.New("too many people sign in at once")

// fits tells whether a new password is long enough, and not long enough to be a burden.
func fits(password string) bool {
	n := utf8.RuneCountInString(norm.NFKC.String(password))
	return utf8.ValidString(password) && n >= 12 && n <= 256
}

// hasher makes and checks hashes, few at once.
type hasher struct {
	today parameters
	// nobody is the hash of no password, checked where there is no person: it costs as much.
	nobody  string
	slots   chan struct{}
	waiting atomic.Int32
}

func newHasher(p parameters) *hasher {
	return &hasher{today: p, nobody: p.write(random(saltBytes), random(keyBytes)), slots: make(chan struct{}, atOnce)}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails: crypto/rand
	return b
}

// key is argon2id of a password, which is the same however a keyboard composes its
// characters.
func (h *hasher) key(ctx context.Context, p parameters, password string, salt []byte, length int) ([]byte, error) {
	if h.waiting.Add(1) > inLine {
		h.waiting.Add(-1)
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		h.waiting.Add(-1)
	case <-ctx.Done():
		h.waiting.Add(-1)
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, p.passes, p.memory, p.threads, uint32(length)), nil
}

func (h *hasher) make(ctx context.Context, password string) (string, error) {
	salt := random(saltBytes)
	key, err := h.key(ctx, h.today, password, salt, keyBytes)
	if err != nil {
		return "", err
	}
	return h.today.write(salt, key), nil
}

// check tells whether the password is the one of the hash; an empty hash is nobody's.
func (h *hasher) check(ctx context.Context, hash, password string) (bool, error) {
	if hash == "" {
		hash = h.nobody
	}
	p, salt, want, err := parse(hash)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, p, password, salt, len(want))
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, err
}

// old tells whether a hash was made with other parameters than those of today.
func (h *hasher) old(hash string) bool {
	p, _, _, err := parse(hash)
	return err == nil && p != h.today
}

// write is the hash as the PHC string format has it.
func (p parameters) write(salt, key []byte) string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.threads, text(salt), text(key))
}

var errHash = errors.New("a kept password hash is not readable")

func parse(hash string) (p parameters, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	version := 0
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil {
		return p, nil, nil, errHash
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	key, errKey := base64.RawStdEncoding.DecodeString(parts[5])
	// What is beyond these bounds was not made here: it would eat the memory, or panic.
	if errSalt != nil || errKey != nil || len(key) < 16 || p.passes < 1 || p.passes > 50 || p.threads < 1 || p.memory > 1<<20 {
		return p, nil, nil, errHash
	}
	return p, salt, key, nil
}
