package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/check"
	"github.com/ringbridge/ringbridge/services/writer"
)

// checkLimit bounds one project's check: a portal may take a minute for one request.
const checkLimit = 5 * time.Minute

type checkCmd struct {
	Config  string `short:"c" required:"" help:"Configuration file to check." placeholder:"FILE"`
	Project string `short:"p" help:"Only this project." placeholder:"ID"`
	Lang    string `help:"Language of the words: uk, ru or en. Default: the project's." enum:",uk,ru,en" default:""`
	JSON    bool   `help:"Print one JSON document."`
}

func (k checkCmd) Run(c console) error {
	cfg, err := loadConfig(k.Config)
	if err != nil {
		return err
	}
	reports, blocked := []check.Report{}, []string{}
	var ids []string
	for _, p := range cfg.Projects {
		ids = append(ids, p.ID)
		if k.Project != "" && p.ID != k.Project {
			continue
		}
		client, err := writer.Client(service.Revision{Project: p})
		if err != nil {
			return fmt.Errorf("project %s: %w", p.ID, err)
		}
		lang := k.Lang
		if lang == "" {
			lang = p.Locale
		}
		ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
		report := check.Run(ctx, client, p, lang)
		cancel()
		client.Close()
		reports = append(reports, report)
		if report.Blocked() {
			blocked = append(blocked, p.ID)
		}
		if !k.JSON {
			report.Text(c.out)
		}
	}
	switch {
	case len(cfg.Projects) == 0:
		return errors.New("the configuration has no project to check")
	case len(reports) == 0:
		return fmt.Errorf("there is no project %q; there are %s", k.Project, strings.Join(ids, ", "))
	}
	if k.JSON {
		if err := printJSON(c.out, map[string]any{"items": reports}); err != nil {
			return err
		}
	}
	if len(blocked) > 0 {
		return notWell{fmt.Errorf("something blocks: %s", strings.Join(blocked, ", "))}
	}
	return nil
}

// lookAtPortal is what the console shows of a portal to a person who sets a project up.
// It asks within the pace of the project that has the portal already.
func lookAtPortal(ctx context.Context, env service.Env, p settings.Project, lang string) (any, error) {
	client, err := writer.Guest(env.Bus, service.Revision{Project: p}, pacer(env.Projects, p))
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", p.ID, err)
	}
	defer client.Close()
	found := check.LookAt(ctx, client, p, lang)
	if !found.Unread() {
		return found, nil
	}
	// Others ask the same portal from here, which counts all: a moment later it has room.
	select {
	case <-ctx.Done():
		return found, nil
	case <-time.After(lookAgain):
		return check.LookAt(ctx, client, p, lang), nil
	}
}

// pacer is the project whose writer asks the portal of p: p itself as a rule, another one
// for a draft; empty where nobody asks it yet.
func pacer(projects *service.Projects, p settings.Project) string {
	portal, _, _ := p.Bitrix24.Address()
	for _, id := range slices.Concat([]string{p.ID}, projects.IDs()) {
		other, ok := projects.Get(id)
		if at, _, _ := other.Bitrix24.Address(); ok && at != nil && portal != nil && strings.EqualFold(at.Host, portal.Host) {
			return id
		}
	}
	return ""
}

// lookAgain is how long a portal that was too busy to answer everything is left alone.
const lookAgain = 2 * time.Second

// readStaff is what the console shows of a Ringostat project's employees.
func readStaff(ctx context.Context, p settings.Project, ringostatProject int) (any, error) {
	client, err := ringostat.NewCallLog(ringostat.CallLogOptions{
		BaseURL: p.Ringostat.APIURL, Key: p.Ringostat.APIKey.Reveal(), AllowInsecure: p.Bitrix24.AllowInsecure,
	})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Staff(ctx, ringostatProject)
}
