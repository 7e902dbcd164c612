package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/pkg/view"
	"github.com/ringbridge/ringbridge/services/analytics"
	"github.com/ringbridge/ringbridge/services/callcounter"
	"github.com/ringbridge/ringbridge/services/classifier"
	consoleservice "github.com/ringbridge/ringbridge/services/console"
	"github.com/ringbridge/ringbridge/services/console/pages"
	"github.com/ringbridge/ringbridge/services/ingress"
	"github.com/ringbridge/ringbridge/services/planner"
	"github.com/ringbridge/ringbridge/services/reconciler"
	"github.com/ringbridge/ringbridge/services/replay"
	"github.com/ringbridge/ringbridge/services/resolver"
	"github.com/ringbridge/ringbridge/services/writer"
)

// serviceNames are what --only may name, in the order of the pipeline.
var serviceNames = []string{"ingress", "reconciler", "classifier", "resolver", "planner", "writer", "analytics", "callcounter", "replay", "console"}

// drainLimit is how long a stop may take in all.
const drainLimit = 30 * time.Second

// instance is a running ringbridge.
type instance struct {
	Addr     string // where it listens, host:port
	Token    settings.Secret
	NewToken bool // the token was made at this start

	env    service.Env
	only   []string // the services that run; empty: every one
	server *http.Server
	failed chan error
	// streams is over before the server waits for what it is answering.
	streams    context.Context
	endStreams func()
	log        *zap.Logger
}

// options are what a start needs beside the configuration.
type options struct {
	only []string // empty: every service
	fast bool     // no fsync: the demo and tests
	log  *zap.Logger
	// reconcile changes the spans of the reconciliation; nought means the contract's.
	reconcile reconciler.Options
	// mux gets further addresses before the server starts.
	mux func(*http.ServeMux, service.Env)
}

// start puts the services together and runs them.
func start(ctx context.Context, cfg settings.Config, o options) (*instance, error) {
	keys, err := ensureKeys(cfg)
	if err != nil {
		return nil, err
	}
	in := &instance{Token: keys.token, NewToken: keys.tokenIsNew, only: o.only, log: o.log, failed: make(chan error, 2)}
	in.streams, in.endStreams = context.WithCancel(context.WithoutCancel(ctx))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another `listen`", cfg.Listen, err)
	}
	in.Addr = listener.Addr().String()
	fault.Point("start", "listening")
	if err := in.assemble(ctx, cfg, o, keys.seal); err != nil {
		return nil, errors.Join(err, listener.Close(), in.stopParts(ctx))
	}
	go func() {
		if err := in.env.Router.Run(ctx); err != nil {
			in.failed <- err
		}
	}()
	select {
	case <-in.env.Router.Running():
	case err := <-in.failed:
		return nil, errors.Join(err, listener.Close(), in.stopParts(ctx))
	}
	fault.Point("start", "works run")
	// Only now: a token that a failed start had made would be shown to nobody.
	if in.NewToken {
		if err := writeSecret(tokenFile(cfg), keys.token.Reveal()); err != nil {
			return nil, errors.Join(err, listener.Close(), in.stopParts(ctx))
		}
	}
	in.server = &http.Server{
		Handler: in.env.Mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: zap.NewStdLog(o.log.Named("http")),
	}
	go func() {
		if err := in.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			in.failed <- fmt.Errorf("serve HTTP: %w", err)
		}
	}()
	fault.Point("start", "served")
	return in, nil
}

func (in *instance) assemble(ctx context.Context, cfg settings.Config, o options, seal settings.Key) (err error) {
	env := &in.env
	busOptions := brokerOptions(cfg)
	busOptions.Fast, busOptions.Log = o.fast, o.log
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	*env = service.Env{
		Mux: http.NewServeMux(), API: http.NewServeMux(), Log: o.log, Metrics: registry, Data: cfg.Data, Now: time.Now, Version: version,
		Group: service.NewGroup(context.WithoutCancel(ctx), o.log),
	}
	if env.Bus, err = bus.Open(ctx, busOptions); err != nil {
		return err
	}
	registry.MustRegister(leaseMetric{env.Bus})
	if env.Files, err = callfile.Open(ctx, env.Bus); err != nil {
		return err
	}
	if env.Projects, err = service.LoadSettings(ctx, env.Bus, env.Now, seal, cfg.Projects); err != nil {
		return err
	}
	env.Group.Go("settings", env.Projects.Follow)
	known, err := people.Open(ctx, env.Bus, env.Now)
	if err != nil {
		return err
	}
	env.Views = view.New(env.Bus, filepath.Join(cfg.Data, "views"), o.log)
	registry.MustRegister(programMetrics{env})
	if env.Router, err = env.Bus.Router(); err != nil {
		return err
	}
	named := func(name string) service.Env {
		e := *env
		e.Log = o.log.With(zap.String("service", name))
		return e
	}
	starts := map[string]func(service.Env) error{
		"ingress":     ingress.Start,
		"reconciler":  func(e service.Env) error { return reconciler.Start(ctx, e, o.reconcile) },
		"classifier":  func(e service.Env) error { return classifier.Start(ctx, e) },
		"resolver":    func(e service.Env) error { return resolver.Start(ctx, e) },
		"planner":     planner.Start,
		"writer":      func(e service.Env) error { return writer.Start(ctx, e) },
		"analytics":   func(e service.Env) error { return analytics.Start(ctx, e) },
		"callcounter": func(e service.Env) error { return callcounter.Start(ctx, e) },
		"replay": func(e service.Env) error {
			return replay.Start(ctx, e, replay.Options{
				Read: classifier.Reader, Join: func() replay.Joiner { return &classifier.Joiner{} }, AsLeg: classifier.AsLeg,
				Resolve: resolver.Resolve, Again: resolver.Again, Takers: resolver.Takers, Plan: planner.Plan, Rule: planner.Rule,
			})
		},
		"console": func(e service.Env) error {
			look := func(ctx context.Context, p settings.Project, lang string) (any, error) {
				return lookAtPortal(ctx, e, p, lang)
			}
			return consoleservice.Start(ctx, e, consoleservice.Options{
				Ready: in.ready, People: known, PublicURL: cfg.PublicURL, Look: look, Staff: readStaff,
			})
		},
	}
	for _, name := range serviceNames {
		if !in.wanted(name) {
			continue
		}
		if err := starts[name](named(name)); err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
		fault.Point("start", name)
	}
	service.ServeHealth(*env, registry, in.ready)
	service.ServeViews(*env)
	in.keepBroker()
	api := service.Guarded(env.API, consoleservice.Needs)
	env.Mux.Handle("/api/", service.SignedIn(in.Token, env.Audited(event.DoorAPI, api)))
	if in.wanted("console") {
		pages.Open(*env, pages.Options{
			Guarded: env.Audited(event.DoorConsole, api), Token: in.Token, People: known, Told: env.Acted, Home: o.mux == nil, Stopping: in.streams.Done(),
		})
	}
	if o.mux != nil {
		o.mux(env.Mux, *env)
	}
	return nil
}

// wanted says whether a service runs in this process.
func (in *instance) wanted(name string) bool {
	return len(in.only) == 0 || slices.Contains(in.only, name)
}

// ready says what is not well: a service that stumbled, or a broker that does not store.
func (in *instance) ready(ctx context.Context) error {
	return errors.Join(in.env.Group.Healthy(), in.env.Bus.Healthy(ctx))
}

// stop drains: no new requests, running handlers finish, requests to portals that are
// out are waited for, what is left is taken up at the next start.
func (in *instance) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	fault.Point("stop", "begun")
	in.endStreams()
	err := in.server.Shutdown(ctx)
	fault.Point("stop", "requests answered")
	return errors.Join(err, in.stopParts(ctx))
}

func (in *instance) stopParts(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		var errs []error
		if in.env.Router != nil {
			errs = append(errs, in.env.Router.Close())
			fault.Point("stop", "works closed")
		}
		if in.env.Group != nil {
			in.env.Group.Stop()
			fault.Point("stop", "loops ended")
		}
		if in.env.Bus != nil {
			errs = append(errs, in.env.Bus.Close())
			fault.Point("stop", "broker closed")
		}
		done <- errors.Join(errs...)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("not everything stopped within %s; what was out is taken up at the next start", drainLimit)
	}
}

func knownServices() string { return strings.Join(serviceNames, ", ") }
