package main

import (
	"fmt"
	"path/filepath"

	"github.com/ringbridge/ringbridge/pkg/settings"
)

// greet says where things are, in lines for people whatever the log's format: a token that
// is shown has no place in a log that is collected.
func (in *instance) greet(c console, cfg settings.Config) {
	for _, line := range in.greeting(cfg) {
		fmt.Fprintln(c.err, line)
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
