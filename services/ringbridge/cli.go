package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// version and commit are set when a release is built (see the Makefile).
var version, commit = "dev", ""

type cli struct {
	Init initCmd `cmd:"" help:"Write a commented configuration to start from. Never over an existing file."`
	Run  runCmd  `cmd:"" help:"Run the services until SIGTERM, then drain and stop."`
	Demo demoCmd `cmd:"" help:"A simulated portal, simulated calls and the whole pipeline; nothing to configure."`

	Check   checkCmd   `cmd:"" help:"Talk to each portal and say in plain words what works and what to do. Exit 1 if anything blocks."`
	Status  statusCmd  `cmd:"" help:"Calls waiting, in flight, parked, in doubt; the portal's pace; lag per service."`
	Calls   callsCmd   `cmd:"" help:"Find calls."`
	Call    callCmd    `cmd:"" help:"One call's whole story: every event, the rule that fired, every command with its outcome."`
	Import  importCmd  `cmd:"" help:"Bring calls in from Ringostat's call log by hand."`
	Parked  parkedCmd  `cmd:"" help:"What could not be done, why, and a second try."`
	Replay  replayCmd  `cmd:"" help:"Put the past right after the settings were wrong."`
	Export  exportCmd  `cmd:"" help:"The calls with their classification and outcome, as JSONL, CSV or Parquet."`
	Rebuild rebuildCmd `cmd:"" help:"Throw a read model away and build it again from the stream, while calls flow."`
	Migrate migrateCmd `cmd:"" help:"Show, and with --apply make, what has to change in the broker's streams and readers. Exit 1 if something differs."`
	Backup  backupCmd  `cmd:"" help:"The whole state of a running instance's embedded broker, into one file."`
	Restore restoreCmd `cmd:"" help:"Write a backup into an empty data folder, of which no instance is running."`
	Version versionCmd `cmd:"" help:"Version, commit, Go version."`
}

const about = `Finished phone calls of Ringostat become the right leads, deals, contacts and
tasks in Bitrix24, once and only once, within the portal's limits.

Start with 'ringbridge demo' to see it work, then 'ringbridge init', 'ringbridge check
--config ringbridge.yaml' and 'ringbridge run --config ringbridge.yaml'.

Times are RFC 3339, a date, or a span back such as 36h. Results go to standard output,
everything else to standard error. Exit codes: 0 done, 1 the thing asked about is not
well, 2 wrong usage or configuration.`

// console is where a command's words go.
type console struct{ out, err io.Writer }

func runCLI(args []string, stdout, stderr io.Writer) (code int) {
	var c cli
	defer func() {
		// Kong ends the process after printing a help text; here that is a return.
		if p := recover(); p != nil {
			if e, ok := p.(kongExit); ok {
				code = int(e)
				return
			}
			panic(p)
		}
	}()
	parser, err := kong.New(&c, kong.Name("ringbridge"), kong.Description(about), kong.UsageOnError(), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(kongExit(code)) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		return exitCode(fmt.Errorf("set up the command line: %w", err), stderr)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return exitCode(fmt.Errorf("%w; 'ringbridge --help' lists the commands", err), stderr)
	}
	return exitCode(ctx.Run(console{stdout, stderr}), stderr)
}

type kongExit int

type versionCmd struct{}

func (versionCmd) Run(c console) error {
	rev := commit
	if info, ok := debug.ReadBuildInfo(); ok && rev == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				rev = s.Value
			}
		}
	}
	if rev == "" {
		rev = "unknown"
	}
	fmt.Fprintf(c.out, "ringbridge %s, commit %s, %s %s/%s\n", version, rev, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

type initCmd struct {
	File string `arg:"" optional:"" default:"ringbridge.yaml" help:"Where to write it."`
}

func (i initCmd) Run(c console) error {
	f, err := os.OpenFile(i.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return fmt.Errorf("%s is there already and is never written over; name another file, or move that one away", i.File)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	if _, err = f.Write(settings.Template()); err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	fmt.Fprintf(c.err, "Wrote %s. Fill it in, then:\n  ringbridge check --config %s\n  ringbridge run --config %s\n", i.File, i.File, i.File)
	return nil
}

// loadConfig reads the configuration; without a file everything has its default.
func loadConfig(path string) (settings.Config, error) {
	if path == "" {
		return settings.Default(), nil
	}
	return settings.LoadHere(path, os.LookupEnv, rules.IDs())
}
