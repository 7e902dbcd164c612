package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Store keeps the newest value of each key, on disk before a write returns, with
// compare-and-set. Keys are made of letters, digits, "-", "_", "=" and ".".
type Store struct {
	name   string
	kv     jetstream.KeyValue
	writes *sync.RWMutex
}

// ErrConflict is returned by Set when the key was changed since it was read.
var ErrConflict = errors.New("changed by somebody else meanwhile")

// Store opens the store of that name, making it where it is missing.
func (b *Bus) Store(ctx context.Context, name, about string) (*Store, error) {
	return b.StoreFor(ctx, name, about, 0)
}

// StoreFor is Store for values that are forgotten after a while: only what may be lost
// without harm belongs there.
func (b *Bus) StoreFor(ctx context.Context, name, about string, while time.Duration) (*Store, error) {
	kv, err := b.js.CreateOrUpdateKeyValue(ctx, storeConfig(name, about, while, b.replicas))
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", name, err)
	}
	// A replicated store takes a moment until it can be read.
	patience, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	for {
		if _, err := kv.Get(patience, "nothing"); !errors.Is(err, nats.ErrNoResponders) {
			fault.Point("store", name, "opened")
			return &Store{name, kv, b.writes}, nil
		}
		select {
		case <-patience.Done():
			return nil, fmt.Errorf("open store %s: %w: nobody answers", name, ErrUnavailable)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Get reads a key into v and returns its revision, 0 where the key is missing.
func (s *Store) Get(ctx context.Context, key string, v any) (uint64, error) {
	entry, err := s.kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	if err := json.Unmarshal(entry.Value(), v); err != nil {
		return 0, fmt.Errorf("decode %s: %w", key, err)
	}
	return entry.Revision(), nil
}

// Keys lists the keys that have a value, in alphabetical order.
func (s *Store) Keys(ctx context.Context) ([]string, error) {
	keys, err := s.kv.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the keys of store %s: %w", s.name, err)
	}
	slices.Sort(keys)
	return keys, nil
}

// Set writes a key that was read at revision (0: that did not exist) and returns the
// new revision, or [ErrConflict]. A value that is too large for the broker (1 MiB) is an
// error that trying again cannot cure: a [Work] that returns it drops its event.
//
// Under a lease that was lost it writes nothing and returns [ErrLost]. As the lease is
// looked at after the key was read, a holder that was paused can at most write before
// its successor's first write, never over it.
func (s *Store) Set(ctx context.Context, key string, v any, revision uint64) (uint64, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", key, err)
	}
	s.writes.RLock()
	defer s.writes.RUnlock()
	if err := Held(ctx); err != nil {
		return 0, fmt.Errorf("write %s: %w", key, err)
	}
	fault.Point("store", s.name, "before")
	if fault.Wrong("last-write-wins") {
		revision, err = s.kv.Put(ctx, key, data)
	} else if revision == 0 {
		revision, err = s.kv.Create(ctx, key, data)
	} else {
		revision, err = s.kv.Update(ctx, key, data, revision)
	}
	if conflict(err) {
		return 0, fmt.Errorf("write %s: %w", key, ErrConflict)
	}
	if errors.Is(err, nats.ErrMaxPayload) {
		return 0, Drop(fmt.Errorf("write %s: %d bytes are more than the broker keeps in one piece", key, len(data)))
	}
	if err != nil {
		return 0, fmt.Errorf("write %s: %w: %w", key, ErrUnavailable, err)
	}
	fault.Point("store", s.name, "after")
	return revision, nil
}

// Change reads a key, lets change alter it, and writes it back, again from the start
// as long as somebody else was quicker. change returns false to leave it as it is.
func Change[T any](ctx context.Context, s *Store, key string, change func(*T) (bool, error)) (T, error) {
	for {
		var v T
		revision, err := s.Get(ctx, key, &v)
		if err != nil {
			return v, err
		}
		write, err := change(&v)
		if err != nil || !write {
			return v, err
		}
		if _, err = s.Set(ctx, key, v, revision); err == nil || !errors.Is(err, ErrConflict) {
			return v, err
		}
	}
}
