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
	memory       = "/dev/shm"
	stagePattern = "ringbridge-*"
	// tmpfs is TMPFS_MAGIC of statfs(2).
	tmpfs = 0x01021994
)

// stage is the folder in memory and the link to it in the broker's files.
type stage struct{ link, folder string }

// openStage puts the staging of a stream's batches into memory. The broker must have
// made the stream and not yet taken a batch. A link into a memory that is gone, as after
// a restart of the machine, does no harm: the broker refuses batches, and a new stage
// takes its place.
func openStage(dir, memory, stream string) (*stage, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(memory, &s); err != nil {
		return nil, fmt.Errorf("look at %s: %w", memory, err)
	}
	if int64(s.Type) != tmpfs {
		return nil, fmt.Errorf("%s is not in memory", memory)
	}
	streams := filepath.Join(dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams")
	st := &stage{link: filepath.Join(streams, stream, "batches")}
	if err := st.clear(memory); err != nil {
		return nil, err
	}
	var err error
	if st.folder, err = os.MkdirTemp(memory, stagePattern); err != nil {
		return nil, fmt.Errorf("make a folder in memory: %w", err)
	}
	if err := os.Symlink(st.folder, st.link); err != nil {
		return nil, errors.Join(fmt.Errorf("link the folder in memory: %w", err), os.Remove(st.folder))
	}
	return st, nil
}

// clear removes what an earlier process left.
func (st *stage) clear(memory string) error {
	left, err := os.Readlink(st.link)
	if ours, _ := filepath.Match(stagePattern, filepath.Base(left)); err == nil && ours && filepath.Dir(left) == filepath.Clean(memory) {
		if err := os.RemoveAll(left); err != nil {
			return fmt.Errorf("remove what an earlier process left in memory: %w", err)
		}
	}
	if err := os.RemoveAll(st.link); err != nil {
		return fmt.Errorf("remove the link of an earlier process: %w", err)
	}
	return nil
}

func (st *stage) close() error {
	if err := errors.Join(ignoreMissing(os.Remove(st.link)), os.RemoveAll(st.folder)); err != nil {
		return fmt.Errorf("remove the folder in memory: %w", err)
	}
	return nil
}
