package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/demo"
)

// demoAddress is where the demo listens unless it is told otherwise.
const demoAddress = "127.0.0.1:8080"

type demoCmd struct {
	Listen string `help:"Where to listen. Default 127.0.0.1:8080, or a free port when that one is taken." placeholder:"ADDR"`
}

func (d demoCmd) Run(c console) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return d.run(ctx, c, demo.Options{Seed: uint64(time.Now().UnixNano())})
}

// run shows the demo until ctx ends, and leaves nothing behind.
func (d demoCmd) run(ctx context.Context, c console, o demo.Options) (err error) {
	if err := d.check(); err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "ringbridge-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	log := newLogger(settings.Log{Level: "error", Format: "console"}, c)
	in, world, err := startDemo(ctx, d.Listen, data, o, log)
	if err != nil {
		return err
	}
	if d.Listen == "" && in.Addr != demoAddress {
		fmt.Fprintf(c.err, "%s is taken, so a free port was chosen; --listen names another.\n", demoAddress)
	}
	greetDemo(c, in)
	played := make(chan error, 1)
	playing, stopPlaying := context.WithCancel(ctx)
	defer stopPlaying()
	go func() { played <- world.Play(playing, "http://"+reachable(in.Addr)) }()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.err, "stopping")
	case failed := <-in.failed:
		err = notWell{failed}
	}
	stopPlaying()
	if ended := <-played; ended != nil && !errors.Is(ended, context.Canceled) {
		err = notWell{errors.Join(err, ended)}
	}
	if stopped := errors.Join(in.stop(ctx), world.Close()); stopped != nil {
		err = notWell{errors.Join(err, stopped)}
	}
	return err
}

// check holds --listen against what a configuration may say, in the words of a flag.
func (d demoCmd) check() error {
	if d.Listen == "" {
		return nil
	}
	_, err := settings.Parse("", fmt.Appendf(nil, "listen: %q", d.Listen), nil, nil)
	if wrong := (settings.Problems{}); errors.As(err, &wrong) {
		return fmt.Errorf("--listen: %s; want %s", wrong[0].What, wrong[0].Want)
	}
	return err
}

// startDemo starts the simulated outside and the whole program between it. Whoever
// gets them stops the instance, then closes the world.
func startDemo(ctx context.Context, listen, data string, o demo.Options, log *zap.Logger) (*instance, *demo.World, error) {
	o.Log, o.Rules = log, demoRules()
	world, err := demo.Open(o)
	if err != nil {
		return nil, nil, err
	}
	address := listen
	if listen == "" {
		address = demoAddress
	}
	cfg, err := world.Config(address, data)
	if err != nil {
		return nil, nil, errors.Join(err, world.Close())
	}
	// The services outlive the signal: stop drains them.
	start := func() (*instance, error) {
		return start(context.WithoutCancel(ctx), cfg, options{fast: true, log: log, mux: func(mux *http.ServeMux, env service.Env) { world.Mount(mux, env.API) }})
	}
	in, err := start()
	if listen == "" && errors.Is(err, syscall.EADDRINUSE) {
		cfg.Listen = "127.0.0.1:0"
		in, err = start()
	}
	if err != nil {
		return nil, nil, errors.Join(err, world.Close())
	}
	return in, world, nil
}

// demoRules are the sentences of the decision table in the page's languages.
func demoRules() []demo.Rule {
	var out []demo.Rule
	for _, r := range rules.Table() {
		words := demo.Rule{ID: r.ID, Source: map[string]string{}, When: map[string]string{}, Then: map[string][]string{}}
		for _, lang := range []string{"uk", "ru", "en"} {
			words.Source[lang] = r.Source.Words(lang)
			words.When[lang], words.Then[lang] = r.Words(lang)
		}
		out = append(out, words)
	}
	return out
}

func greetDemo(c console, in *instance) {
	base := "http://" + reachable(in.Addr)
	fmt.Fprintf(c.out, `ringbridge demo: the portal and the calls are simulated, everything between them is real.

  page     %[1]s/
  console  %[1]s/console/  (sign in with the token %[2]s)
  status   curl -H 'Authorization: Bearer %[2]s' %[1]s/api/v1/projects/%[3]s/status
  calls    curl -H 'Authorization: Bearer %[2]s' '%[1]s/api/v1/projects/%[3]s/calls?limit=5'

The page needs no sign-in. One webhook is broken on purpose: the log line about it is
part of the show. Stop with Ctrl-C; nothing is kept.
`, base, in.Token.Reveal(), demo.Project)
}

// reachable is the address to open for one to listen on: a listener on every address
// of the machine is reached at this machine's own.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}
