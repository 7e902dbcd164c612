package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// This file gives restored files their place, so that a folder is either what it was or
// whole, whatever happens in between.

// Vacant returns nil when a folder may be restored into: it is missing, or empty and in
// no process' use. Else it returns [ErrNotEmpty], or who uses it.
func Vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the data folder: %w", err)
	}
	i := slices.IndexFunc(entries, func(e fs.DirEntry) bool { return e.Name() == lockName })
	if i >= 0 {
		unlock, err := lock(filepath.Join(dir, lockName))
		if err != nil {
			return err
		}
		if err := unlock(); err != nil {
			return fmt.Errorf("unlock the data folder: %w", err)
		}
		entries = slices.Delete(entries, i, i+1)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%w: %s holds %s; move it away, or restore into another one", ErrNotEmpty, dir, entries[0].Name())
	}
	return nil
}

// syncAll puts a folder on disk, with all it holds.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncOne(path)
	})
}

func syncOne(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("put the restored files on disk: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("put the restored files on disk: %w", err)
	}
	return nil
}

// moveTo gives a folder its place, where at most an empty one is.
func moveTo(from, to string) error {
	if err := errors.Join(ignoreMissing(os.Remove(filepath.Join(to, lockName))), ignoreMissing(os.Remove(to))); err != nil {
		return fmt.Errorf("make room for the restored files: %w", err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("put the restored files in their place: %w", err)
	}
	return syncOne(filepath.Dir(to))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
