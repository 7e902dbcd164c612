package bus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/nats-io/nats-server/v2/server"
)

// This file takes the broker's staging of batches off the disk. Before a batch is
// stored, the broker writes it to a folder of its own, with half a dozen fsyncs
// (nats-server 2.15, newBatchStore): more than those that a group saves. That copy only
// makes a batch whole or nothing when the process is killed half-way, which nobody here
// asks for: what was not answered may be stored or not. So the folder lies in memory.

const (
	// memory is where Linux has a file system in memory.
	memory = "/dev/shm"
	// tmpfs is TMPFS_MAGIC of statfs(2).
	tmpfs = 0x01021994
)

// stage is the folder in memory and the link to it in the broker's files.
type stage struct{ folder, link string }

// openStage puts the staging of a stream's batches into memory. The broker must have
// made the stream and not yet taken a batch. What a killed process left there the broker
// has read by then, if it had to; a link into memory that went with the machine's power
// does no harm.
func openStage(dir, memory, stream string) (*stage, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(memory, &s); err != nil {
		return nil, fmt.Errorf("look at %s: %w", memory, err)
	}
	if s.Type != tmpfs {
		return nil, fmt.Errorf("%s is not in memory", memory)
	}
	// Named after the data folder, which only one process uses: the next finds it.
	var d syscall.Stat_t
	if err := syscall.Stat(dir, &d); err != nil {
		return nil, fmt.Errorf("look at the data folder: %w", err)
	}
	streams := filepath.Join(dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams")
	st := &stage{filepath.Join(memory, fmt.Sprintf("ringbridge-%x-%x", d.Dev, d.Ino)), filepath.Join(streams, stream, "batches")}
	if err := errors.Join(os.RemoveAll(st.folder), os.RemoveAll(st.link)); err != nil {
		return nil, fmt.Errorf("remove what an earlier process left: %w", err)
	}
	if err := os.Mkdir(st.folder, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder in memory: %w", err)
	}
	if err := os.Symlink(st.folder, st.link); err != nil {
		return nil, errors.Join(fmt.Errorf("link the folder in memory: %w", err), os.Remove(st.folder))
	}
	return st, nil
}

func (st *stage) close() error {
	if err := errors.Join(ignoreMissing(os.Remove(st.link)), os.RemoveAll(st.folder)); err != nil {
		return fmt.Errorf("remove the folder in memory: %w", err)
	}
	return nil
}
