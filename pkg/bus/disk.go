package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/nats-io/nats-server/v2/server"
)

// This file keeps the embedded broker from a full disk. Measured: with no space left
// the broker answers nothing at all, and a stream that met it once stores nothing more
// until the next start, however much was freed.

const (
	maxStore = 16 << 30
	// The room kept free on the disk: a twentieth of it, within these bounds. Below it
	// nothing from outside is taken; the last quarter is never used.
	minReserve = 64 << 20
	maxReserve = 1 << 30
	// readOnly is ST_RDONLY of statfs(2).
	readOnly = 1
)

// disk is where the embedded broker's files are.
type disk struct {
	dir string
	// stuck is true once the broker met a disk error: nobody has to wait for it again.
	stuck atomic.Bool
}

func reserve(s syscall.Statfs_t) uint64 {
	return min(max(minReserve, s.Blocks*uint64(s.Bsize)/20), maxReserve)
}

func free(s syscall.Statfs_t) uint64 { return s.Bavail * uint64(s.Bsize) }

func (d *disk) stat() (s syscall.Statfs_t, err error) {
	if err := syscall.Statfs(d.dir, &s); err != nil {
		return s, fmt.Errorf("ask for the free space of %s: %w", d.dir, err)
	}
	return s, nil
}

// room returns nil when the disk can take more from outside.
func (d *disk) room() error {
	s, err := d.stat()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case s.Flags&readOnly != 0:
		return fmt.Errorf("the disk of %s can only be read: %w", d.dir, ErrUnavailable)
	case free(s) < reserve(s):
		return fmt.Errorf("the disk of %s is full: %d MiB are free, %d MiB are kept for calls that were taken already; free some space: %w",
			d.dir, free(s)>>20, reserve(s)>>20, ErrUnavailable)
	}
	return nil
}

// room returns why nothing from outside can be taken, or nil.
func (b *Bus) room() error {
	if b.disk == nil {
		return nil
	}
	if b.disk.stuck.Load() {
		return fmt.Errorf("%w: %w", ErrUnavailable, ErrStuck)
	}
	return b.disk.room()
}

// DiskState is how much the embedded broker stores, and what the disk still has, in bytes.
type DiskState struct {
	// Used of Limit are stored; at Limit nothing more is taken.
	Used  int64 `json:"used"`
	Limit int64 `json:"limit"`
	// Free is what the disk has left; below Reserve nothing from outside is taken.
	Free    int64 `json:"free"`
	Reserve int64 `json:"reserve"`
	// Trouble is why nothing from outside is taken now; empty where it is.
	Trouble string `json:"trouble,omitempty"`
}

// Disk tells of the embedded broker's disk; ok is false with an outside broker, whose
// disk is its own business.
func (b *Bus) Disk() (state DiskState, ok bool, err error) {
	if b.disk == nil {
		return state, false, nil
	}
	s, err := b.disk.stat()
	if err != nil {
		return state, true, err
	}
	state = DiskState{Free: int64(free(s)), Reserve: int64(reserve(s))}
	if c := b.server.JetStreamConfig(); c != nil {
		state.Limit = c.MaxStore
	}
	v, err := b.server.Jsz(nil)
	if err != nil {
		return state, true, fmt.Errorf("ask the embedded broker what it stores: %w", err)
	}
	state.Used = int64(v.Store)
	if err := b.room(); err != nil {
		state.Trouble = err.Error()
	}
	return state, true, nil
}

// ErrStuck says that the embedded broker met a disk error and stores nothing until the
// next start.
var ErrStuck = errors.New("the embedded broker stopped storing")

// stuck asks the broker whether a disk error ended its storing. There is no other sign:
// it just does not answer.
func (b *Bus) stuck() error {
	h := b.server.Healthz(&server.HealthzOptions{})
	if h == nil || h.Error == "" {
		return nil
	}
	if strings.Contains(h.Error, "write error") {
		b.disk.stuck.Store(true)
		return fmt.Errorf("%w: %s", ErrStuck, h.Error)
	}
	return fmt.Errorf("the embedded broker is not well: %s", h.Error)
}

// Stuck returns [ErrStuck] when only a new start of the process makes the embedded
// broker store again, and the disk is such that it would.
func (b *Bus) Stuck() error {
	if b.server == nil {
		return nil
	}
	if err := b.stuck(); errors.Is(err, ErrStuck) && b.disk.room() == nil && b.disk.writable() {
		return err
	}
	return nil
}

// writable tries it: a file system that met an error refuses writes while it still
// says that it takes them.
func (d *disk) writable() bool {
	f, err := os.CreateTemp(d.dir, "probe")
	if err != nil {
		return false
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())) == nil
}

// storeLimit is what the broker may store: with the disk as it is now it refuses, which
// is an answer, before the disk is full, which is none.
func storeLimit(dir string) (int64, error) {
	s, err := (&disk{dir: dir}).stat()
	if err != nil {
		return 0, err
	}
	used, err := sizeOf(dir)
	if err != nil {
		return 0, err
	}
	room := int64(free(s)) - int64(reserve(s)/4)
	return min(max(used+room, used, 1<<20), maxStore), nil
}

func sizeOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure the data folder: %w", err)
	}
	return total, nil
}
