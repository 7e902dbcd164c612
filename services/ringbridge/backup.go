package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// stuckEvery is how often the embedded broker is asked whether it still stores.
const stuckEvery = 5 * time.Second

// keepBroker looks after the embedded broker: backups of it, and its end when only a
// new start makes it store again. An outside cluster has its own tools.
func (in *instance) keepBroker() {
	env := in.env
	env.API.HandleFunc("GET /api/v1/backup", in.sendBackup)
	if !env.Bus.Embedded() {
		return
	}
	env.Group.Go("broker", func(ctx context.Context) error {
		tick := time.NewTicker(stuckEvery)
		defer tick.Stop()
		full := false
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			if err := env.Bus.Stuck(); err != nil {
				in.failed <- fmt.Errorf("the disk is well again, but this process has to be started anew to store again; nothing that was acknowledged is lost: %w", err)
				<-ctx.Done()
				return nil
			}
			err := env.Bus.Healthy(ctx)
			if err != nil && !full && ctx.Err() == nil {
				in.log.Error("the broker does not store; webhooks are answered 503", zap.Error(err))
			}
			full = err != nil
		}
	})
}

// sendBackup streams a backup. What began as 200 and fails later is cut off, and a
// backup without its end is taken for one by nobody.
func (in *instance) sendBackup(w http.ResponseWriter, r *http.Request) {
	if !in.env.Bus.Embedded() {
		service.Problem(w, http.StatusConflict, "no embedded broker", "This instance uses an outside NATS cluster; back that up with its own tools.")
		return
	}
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Disposition", `attachment; filename="ringbridge-backup.tar.gz"`)
	s, err := in.env.Bus.Backup(r.Context(), w)
	if err != nil {
		in.log.Error("a backup could not be finished", zap.Error(err))
		panic(http.ErrAbortHandler)
	}
	in.log.Info("backup taken", zap.Uint64("events", s.Events), zap.Time("as_of", s.TakenAt))
}

type backupCmd struct {
	File   string `arg:"" help:"Where to write it. Never over an existing file."`
	URL    string `help:"Address of the running instance. Default: from --config, else http://127.0.0.1:8080." placeholder:"URL"`
	Token  string `help:"Token of the API. Default: from --config or its data folder." env:"RINGBRIDGE_TOKEN" placeholder:"TOKEN"`
	Config string `short:"c" help:"Configuration file of the running instance." placeholder:"FILE"`
	JSON   bool   `help:"Print one JSON document."`
}

func (b *backupCmd) Run(c console) error {
	if _, err := os.Lstat(b.File); err == nil {
		return fmt.Errorf("%s is there already and is never written over; name another file", b.File)
	}
	r := remote{URL: b.URL, Token: b.Token, Config: b.Config}
	if err := r.find(); err != nil {
		return err
	}
	transport := &http.Transport{ResponseHeaderTimeout: time.Minute} // the body may take as long as it is large
	defer transport.CloseIdleConnections()
	answer, err := r.openBy(context.Background(), &http.Client{Transport: transport}, http.MethodGet, "/api/v1/backup", nil)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	part := b.File + ".part"
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	s, err := receive(answer, f)
	if err = errors.Join(err, f.Close()); err == nil {
		// A link, unlike a rename, never replaces what somebody put there meanwhile.
		err = os.Link(part, b.File)
	}
	if err = errors.Join(err, os.Remove(part)); err != nil {
		return notWell{fmt.Errorf("back up to %s: %w", b.File, err)}
	}
	if b.JSON {
		return printJSON(c.out, s)
	}
	fmt.Fprintf(c.out, "%s holds %s\n", b.File, inWords(s))
	return nil
}

// receive stores a backup and reads it from the first byte to the last: a backup
// that was never read is a hope.
func receive(answer io.Reader, f *os.File) (s bus.Summary, err error) {
	if _, err := io.Copy(f, answer); err != nil {
		return s, fmt.Errorf("receive the backup: %w", err)
	}
	if err := f.Sync(); err != nil {
		return s, fmt.Errorf("put the backup on disk: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return s, fmt.Errorf("read the backup: %w", err)
	}
	return bus.CheckBackup(f)
}

func inWords(s bus.Summary) string {
	return fmt.Sprintf("%d events and %d stores, as of %s", s.Events, len(s.Stores), s.TakenAt.Format(time.RFC3339))
}

type restoreCmd struct {
	File   string `arg:"" help:"The backup."`
	Config string `short:"c" help:"Configuration file; its data folder is written." placeholder:"FILE"`
	JSON   bool   `help:"Print one JSON document."`
}

// mayStay are the files of a data folder that a backup does not hold, and that may be
// put there before a restore.
var mayStay = map[string]bool{"token": true, "secret.key": true}

func (r *restoreCmd) Run(c console) error {
	cfg, err := loadConfig(r.Config)
	if err != nil {
		return err
	}
	if cfg.NATS != nil {
		return errors.New("the configuration names an outside NATS cluster; a backup is restored into an embedded broker")
	}
	f, err := os.Open(r.File)
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	// A running instance is told apart first: "not empty" would be no help there.
	if err := bus.Vacant(filepath.Join(cfg.Data, "broker")); err != nil {
		return notWell{err}
	}
	if err := onlyKeys(cfg.Data); err != nil {
		return notWell{err}
	}
	s, err := bus.Restore(context.Background(), bus.Options{Dir: filepath.Join(cfg.Data, "broker"), Log: newLogger(cfg.Log, c)}, f)
	if err != nil {
		return notWell{fmt.Errorf("restore %s: %w", r.File, err)}
	}
	if r.JSON {
		return printJSON(c.out, s)
	}
	fmt.Fprintf(c.out, "%s holds %s\n", cfg.Data, inWords(s))
	fmt.Fprintln(c.err, "What was written to a portal after that moment is searched for before anything is made again. Calls that came after it are not here: send their webhooks again.")
	return nil
}

func onlyKeys(data string) error {
	entries, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("look into the data folder: %w", err)
	}
	for _, e := range entries {
		if !mayStay[e.Name()] && e.Name() != "broker" && e.Name() != "broker.restoring" {
			return fmt.Errorf("%w: %s holds %s; move it away, or restore into another one", bus.ErrNotEmpty, data, e.Name())
		}
	}
	return nil
}
