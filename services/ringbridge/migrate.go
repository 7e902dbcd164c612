package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

type migrateCmd struct {
	Config string `short:"c" help:"Configuration file. Without one everything has its default." placeholder:"FILE"`
	Apply  bool   `help:"Make what is missing and change what can be changed in place."`
	JSON   bool   `help:"Print one JSON document."`
}

// migrateLimit is how long a broker may take to answer everything.
const migrateLimit = 2 * time.Minute

// Run compares the broker with what this program wants of it, which is what 'run' makes
// at its start. Exit 1 where something differs and stays so.
func (m migrateCmd) Run(c console) error {
	cfg, err := loadConfig(m.Config)
	if err != nil {
		return err
	}
	options := brokerOptions(cfg)
	options.Log = newLogger(settings.Log{Level: "warn", Format: cfg.Log.Format}, c)
	if cfg.NATS == nil {
		if _, err := os.Stat(filepath.Join(options.Dir, "jetstream")); errors.Is(err, fs.ErrNotExist) {
			if m.JSON {
				return printJSON(c.out, bus.Inspection{Differences: []bus.Difference{}, Strangers: []string{}})
			}
			fmt.Fprintf(c.out, "%s holds no broker's files yet: 'ringbridge run' makes everything\n", cfg.Data)
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), migrateLimit)
	defer cancel()
	look := bus.Inspect
	if m.Apply {
		look = bus.Adjust
	}
	i, err := look(ctx, options, wantedOf(cfg))
	if errors.Is(err, bus.ErrInUse) {
		err = fmt.Errorf("%w; an instance that runs made what it wants at its start", err)
	}
	if err != nil {
		return notWell{err}
	}
	if m.JSON {
		err = printJSON(c.out, i)
	} else {
		m.print(c.out, i)
	}
	if err == nil && len(i.Differences) > 0 {
		err = notWell{fmt.Errorf("%d things differ", len(i.Differences))}
		if m.Apply {
			err = notWell{fmt.Errorf("%d things differ still, and only a person can change them", len(i.Differences))}
		}
	}
	return err
}

func (m migrateCmd) print(w io.Writer, i bus.Inspection) {
	inPlace := 0
	for _, d := range i.Differences {
		if d.InPlace {
			inPlace++
		}
		if d.Setting == "" {
			fmt.Fprintf(w, "%s is missing", d.What)
		} else {
			fmt.Fprintf(w, "%s: %s is %s, should be %s", d.What, d.Setting, orNone(d.Is), orNone(d.Want))
		}
		if d.Says != "" {
			fmt.Fprintf(w, "; %s", d.Says)
		}
		fmt.Fprintln(w)
	}
	for _, what := range i.Strangers {
		fmt.Fprintf(w, "%s is nothing of this version with these settings, and is left alone\n", what)
	}
	switch {
	case len(i.Differences) == 0:
		fmt.Fprintln(w, "the broker is as this version wants it")
	case inPlace > 0:
		fmt.Fprintf(w, "\n%d of it can be changed in place, without losing anything that is there: 'ringbridge migrate --apply' does it, and so does the next start of 'ringbridge run'\n", inPlace)
	}
}

func orNone(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// brokerOptions say which broker the configuration means.
func brokerOptions(cfg settings.Config) bus.Options {
	o := bus.Options{Dir: filepath.Join(cfg.Data, "broker"), Lease: leaseLength}
	if cfg.NATS != nil {
		o.URL, o.Credentials, o.Replicas = cfg.NATS.URL, cfg.NATS.Credentials, cfg.NATS.Replicas
	}
	return o
}

// wantedOf lists what the services make in the broker at their start. A test compares it
// with what they really make.
func wantedOf(cfg settings.Config) bus.Wanted {
	w := bus.Wanted{
		// Projects that were made in the console are not in the file.
		Kin: bus.Kin{Keys: "settings", Words: []string{"resolver", "writer"}},
		Stores: []bus.WantedStore{
			{Name: "calls", About: "the file of each call: reports, resolution, journal"},
			{Name: "settings", About: "revision of each project's settings"},
			{Name: "talks", About: "the latest talks of each client, to join the legs of one that was passed on", While: 48 * time.Hour},
			{Name: "turns", About: "whose turn it is to take a missed call of a new client"},
			{Name: "pace", About: "how many requests each portal is thought to count"},
			{Name: "reconciliation", About: "how far each project's call log was read"},
			{Name: "people", About: "who may use the console, with hashed passwords"},
			{Name: "reconciled", About: "which rows of the call log were brought lately"},
		},
		Readers: []bus.WantedReader{
			{Name: "classifier", Types: []event.Type{event.TypeCallReceived}},
			{Name: "planner", Types: []event.Type{event.TypeCallResolved}},
		},
	}
	for _, p := range cfg.Projects {
		w.Readers = append(w.Readers,
			bus.WantedReader{Name: "resolver-" + p.ID, Project: p.ID, Types: []event.Type{event.TypeCallClassified}, Held: 20_000},
			bus.WantedReader{Name: "writer-" + p.ID, Project: p.ID, Types: []event.Type{event.TypeBitrixCommand}, Feed: true},
		)
	}
	return w
}
