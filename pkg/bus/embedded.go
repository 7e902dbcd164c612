package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// startServer runs a broker inside this process, without a listening port. SyncAlways
// is the only setting that lost nothing when the power was cut.
func startServer(o Options, log *zap.Logger) (*server.Server, func() error, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the data folder: %w", err)
	}
	unlock, err := lock(filepath.Join(o.Dir, lockName))
	if err != nil {
		return nil, nil, err
	}
	fault.Point("bus", "folder locked")
	if err := sweep(o.Dir); err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	if o.MaxStore == 0 {
		if o.MaxStore, err = storeLimit(o.Dir); err != nil {
			return nil, nil, errors.Join(err, unlock())
		}
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "ringbridge", DontListen: true, NoSigs: true,
		JetStream: true, JetStreamDomain: "ringbridge", StoreDir: o.Dir,
		SyncAlways: !o.Fast && !fault.Wrong("sync-off"), JetStreamMaxStore: o.MaxStore, JetStreamMaxMemory: 64 << 20,
		MaxPayload:      1 << 20,
		JetStreamLimits: server.JSLimitOpts{Duplicates: 2 * time.Minute, DefaultMaxConsumers: 2000},
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("set up the embedded broker: %w", err), unlock())
	}
	s.SetLoggerV2(brokerLog{log.Named("broker").Sugar()}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, nil, errors.Join(errors.New("the embedded broker was not ready within 30 s; its log says why"), unlock())
	}
	fault.Point("bus", "broker started")
	return s, unlock, nil
}

// ErrInUse is returned where another process has the embedded broker's folder.
var ErrInUse = errors.New("in use by another ringbridge")

// lockName is the file by which a process claims the folder.
const lockName = "lock"

// lock keeps a second process off the broker's files: two servers on one folder
// destroy it. The lock goes with the process, however it ends.
func lock(path string) (func() error, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the data folder %s is %w (%w); stop that one or choose another `data`", filepath.Dir(path), ErrInUse, err)
	}
	return f.Close, nil
}

// sweep removes what the broker leaves when it is killed while it starts: the empty
// file by which it tries whether it may write (nats-server 2.15, EnableJetStream). Every
// later start would take that for an account nobody knows, and call the broker unwell
// for ever.
func sweep(dir string) error {
	folder := filepath.Join(dir, "jetstream")
	left, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for what a killed start left: %w", err)
	}
	for _, f := range left {
		if !f.Type().IsRegular() || !strings.HasPrefix(f.Name(), "_test_") {
			continue
		}
		if err := os.Remove(filepath.Join(folder, f.Name())); err != nil {
			return fmt.Errorf("remove what a killed start left: %w", err)
		}
	}
	return nil
}

// brokerLog passes the broker's words on. Fatal must not end the process: the caller
// of startServer gets an error instead.
type brokerLog struct{ log *zap.SugaredLogger }

func (l brokerLog) Noticef(f string, a ...any) { l.log.Debugf(f, a...) }
func (l brokerLog) Warnf(f string, a ...any)   { l.log.Warnf(f, a...) }
func (l brokerLog) Fatalf(f string, a ...any)  { l.log.Errorf(f, a...) }
func (l brokerLog) Errorf(f string, a ...any)  { l.log.Errorf(f, a...) }
func (l brokerLog) Debugf(f string, a ...any)  { l.log.Debugf(f, a...) }
func (l brokerLog) Tracef(f string, a ...any)  { l.log.Debugf(f, a...) }
