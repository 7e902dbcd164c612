package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/settings"
)

type keys struct {
	token      settings.Secret
	tokenIsNew bool // it is not in DATA/token yet
	seal       settings.Key
}

// ensureKeys reads the console's token and the key that seals credentials, making at
// the first start what the configuration does not give. The key is kept in
// DATA/secret.key at once; the token is the caller's to keep, once the start succeeded.
func ensureKeys(cfg settings.Config) (keys, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return keys{}, fmt.Errorf("make the data folder: %w", err)
	}
	k := keys{token: cfg.Console.Token}
	if k.token == "" {
		token, isNew, err := readOr(tokenFile(cfg), hex.EncodeToString)
		if err != nil {
			return k, err
		}
		k.token, k.tokenIsNew = settings.Secret(token), isNew
	}
	written := cfg.SecretKey
	if written == "" {
		path := filepath.Join(cfg.Data, "secret.key")
		made, isNew, err := readOr(path, base64.StdEncoding.EncodeToString)
		if err == nil && isNew {
			err = writeSecret(path, made)
		}
		if err != nil {
			return k, err
		}
		written = settings.Secret(made)
	}
	var err error
	k.seal, err = settings.ParseKey(written)
	return k, err
}

// readOr reads a secret from a file, or makes one of 32 random bytes.
func readOr(path string, encode func([]byte) string) (secret string, isNew bool, err error) {
	data, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(data)) != "" {
		return strings.TrimSpace(string(data)), false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("read %s: %w", path, err)
	}
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", false, fmt.Errorf("make a secret: %w", err)
	}
	return encode(b), true, nil
}

// writeSecret keeps a secret in a file that only this user can read.
func writeSecret(path, secret string) error {
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
