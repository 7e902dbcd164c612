package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/view"
)

type rebuildCmd struct {
	View   string `arg:"" help:"The read model: analytics, callcounter or console."`
	URL    string `help:"Address of the running instance. Default: from --config, else http://127.0.0.1:8080." placeholder:"URL"`
	Token  string `help:"Token of the API. Default: from --config or its data folder." env:"RINGBRIDGE_TOKEN" placeholder:"TOKEN"`
	Config string `short:"c" help:"Configuration file of the running instance." placeholder:"FILE"`
	JSON   bool   `help:"Print one JSON document."`
}

// lookEvery is how often a running rebuild is asked how far it is.
const lookEvery = 200 * time.Millisecond

// Run has a read model built anew and waits until it is. Calls flow on and the old one
// answers meanwhile.
func (b *rebuildCmd) Run(c console) error {
	r := remote{URL: b.URL, Token: b.Token, Config: b.Config}
	if err := r.find(); err != nil {
		return err
	}
	var there struct{ Items []view.Status }
	if _, err := r.ask(http.MethodGet, "/api/v1/views", nil, &there); err != nil {
		return err
	}
	var names []string
	before := -1
	for _, s := range there.Items {
		names = append(names, s.View)
		if s.View == b.View {
			before = s.Built
		}
	}
	if before < 0 {
		return fmt.Errorf("there is no view %q in that instance; there are %s", b.View, strings.Join(names, ", "))
	}
	path := "/api/v1/views/" + url.PathEscape(b.View) + "/rebuild"
	var s view.Status
	if _, err := r.ask(http.MethodPost, path, nil, &s); err != nil {
		return err
	}
	told := time.Now()
	fmt.Fprintf(c.err, "%d of %d events\n", s.Seq, s.Of)
	for s.State == view.Rebuilding {
		time.Sleep(lookEvery)
		if _, err := r.ask(http.MethodGet, path, nil, &s); err != nil {
			return err
		}
		if s.State == view.Rebuilding && time.Since(told) > time.Second {
			told = time.Now()
			fmt.Fprintf(c.err, "%d of %d events\n", s.Seq, s.Of)
		}
	}
	if s.Error != "" {
		return notWell{errors.New("the rebuild was given up, the old one stays: " + s.Error)}
	}
	if s.Built <= before {
		return notWell{errors.New("the instance was started anew meanwhile, and with it the rebuild ended; the old view stays")}
	}
	if b.JSON {
		return printJSON(c.out, s)
	}
	fmt.Fprintf(c.out, "%s is built anew from %d events\n", b.View, s.Of)
	return nil
}
