package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

type runCmd struct {
	Config string   `short:"c" help:"Configuration file. Without one everything has its default." placeholder:"FILE"`
	Only   []string `help:"Run some of the services only; needs nats.url in the configuration." placeholder:"SERVICE,…"`
}

func (r runCmd) Run(c console) error {
	cfg, err := loadConfig(r.Config)
	if err != nil {
		return err
	}
	for _, name := range r.Only {
		if !slices.Contains(serviceNames, name) {
			hint := ""
			if near := settings.Nearest(name, serviceNames); near != "" {
				hint = fmt.Sprintf(", perhaps %q is meant", near)
			}
			return fmt.Errorf("--only: %q is no service%s; there are %s", name, hint, knownServices())
		}
	}
	if len(r.Only) > 0 && cfg.NATS == nil {
		return errors.New("--only needs `nats.url` in the configuration: an embedded broker is seen by its own process only")
	}
	log := newLogger(cfg.Log, c)
	defer log.Sync() //nolint:errcheck // a terminal can't be synced
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	in, err := start(ctx, cfg, options{only: r.Only, log: log})
	if errors.Is(err, bus.ErrInUse) {
		return notWell{err} // as the other commands say that meet it
	}
	if err != nil {
		return err
	}
	in.greet(c, cfg)
	in.env.Group.Go("memory", keepSmall)
	select {
	case <-ctx.Done():
		log.Info("stopping")
		err = in.stop(ctx)
	case err = <-in.failed:
		err = notWell{errors.Join(err, in.stop(ctx))}
	}
	if err != nil {
		return notWell{err}
	}
	log.Info("stopped")
	return nil
}

// newLogger logs to standard error: standard output is for results.
func newLogger(l settings.Log, c console) *zap.Logger {
	level, err := zapcore.ParseLevel(l.Level)
	if err != nil {
		level = zapcore.InfoLevel
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if l.Format == "console" {
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(c.err)), level))
}
