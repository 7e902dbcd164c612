package settings

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Key seals what must not lie open at rest. The zero Key seals nothing.
type Key [32]byte

// ParseKey reads 32 bytes in base64, as `secret_key` of the file holds them.
func ParseKey(written Secret) (key Key, err error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(written.Reveal()))
	if err != nil || len(raw) != len(key) {
		return key, errors.New("secret_key is not 32 bytes in base64")
	}
	return Key(raw), nil
}

// ErrSealed is returned by Open for what was sealed with another key, or about
// something else, or changed since.
var ErrSealed = errors.New("it was sealed with another secret_key")

// Seal encrypts data with AES-256-GCM. What it is about is bound to it, so that one
// project's settings can't be passed off as another's.
func (k Key) Seal(data []byte, about string) ([]byte, error) {
	gcm, err := k.cipher()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("make a nonce: %w", err)
	}
	return gcm.Seal(nonce, nonce, data, []byte(about)), nil
}

// Open is the reverse of Seal.
func (k Key) Open(sealed []byte, about string) ([]byte, error) {
	gcm, err := k.cipher()
	if err != nil {
		return nil, err
	}
	if len(sealed) < gcm.NonceSize() {
		return nil, ErrSealed
	}
	data, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], []byte(about))
	if err != nil {
		return nil, ErrSealed
	}
	return data, nil
}

func (k Key) cipher() (cipher.AEAD, error) {
	if k == (Key{}) {
		return nil, errors.New("there is no secret_key to seal with")
	}
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, fmt.Errorf("use secret_key: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("use secret_key: %w", err)
	}
	return gcm, nil
}
