package main

import (
	"fmt"
	"path/filepath"

	"github.com/ringbridge/ringbridge/pkg/settings"
)

// greet says where things are: in lines for people, or as entries of the log where that
// is JSON, so that whatever reads it need not tell two kinds of line apart.
func (in *instance) greet(c console, cfg settings.Config) {
	say := func(line string) { fmt.Fprintln(c.err, line) }
	if cfg.Log.Format == "json" {
		// At any level: what is said once must not be lost.
		log := newLogger(settings.Log{Level: "info", Format: "json"}, c)
		say = func(line string) { log.Info(line) }
	}
	for _, line := range in.greeting(cfg) {
		say(line)
	}
}

// greeting is what a start has to say. The token is shown once, by the start that made
// it; a project's webhook address holds its secret, so only its shape is shown.
func (in *instance) greeting(cfg settings.Config) []string {
	base := "http://" + reachable(in.Addr)
	listens := "ringbridge listens on " + base
	if reachable(in.Addr) != in.Addr {
		listens += " and on every other address of this machine"
	}
	lines := []string{listens}
	what := "token of the API"
	if in.wanted("console") {
		what += " and of the first sign-in at " + base + "/console/"
	}
	switch {
	case in.NewToken:
		lines = append(lines, fmt.Sprintf("%s (kept in %s): %s", what, tokenFile(cfg), in.Token.Reveal()))
	case cfg.Console.Token == "":
		lines = append(lines, what+" is in "+tokenFile(cfg))
	}
	projects := in.env.Projects.IDs()
	if in.wanted("ingress") {
		for _, id := range projects {
			lines = append(lines, fmt.Sprintf("webhook address of %s: %s/ringostat/%s/TOKEN, with the project's ringostat.token in the place of TOKEN", id, cfg.PublicURL, id))
		}
	}
	if len(projects) == 0 && in.wanted("console") {
		lines = append(lines, "there is no project yet: make one at "+base+"/console/, or start from what 'ringbridge init' writes")
	}
	return lines
}

// tokenFile keeps the token of a configuration that names none.
func tokenFile(cfg settings.Config) string {
	path := filepath.Join(cfg.Data, "token")
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
