package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

type replayCmd struct {
	Plan  replayPlanCmd  `cmd:"" help:"Decide calls again with today's settings and show what would be different. Writes nothing to the portal."`
	Show  replayShowCmd  `cmd:"" help:"Show a plan."`
	Apply replayApplyCmd `cmd:"" help:"Carry a plan out, exactly its rows, behind live calls."`
}

type replayPlanCmd struct {
	remote
	Since string   `help:"Calls that began then or later." placeholder:"TIME"`
	Until string   `help:"Calls that began before." placeholder:"TIME"`
	Call  []string `help:"Only this call; may be given several times." placeholder:"ID"`
	Rule  string   `help:"Only calls that this rule decided, or would decide today." placeholder:"ID"`
	Fresh bool     `help:"Ask the CRM again instead of going by its answers of then."`
}

func (q *replayPlanCmd) Run(c console) error {
	project, err := q.one()
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"since": q.Since, "until": q.Until, "calls": q.Call, "rule": q.Rule, "fresh": q.Fresh})
	if err != nil {
		return err
	}
	var p replayplan.Page
	if _, err := q.ask(http.MethodPost, projectPath(project, "replays"), bytes.NewReader(body), &p); err != nil {
		return err
	}
	if p, err = q.watch(c, p, replayplan.Planning, func(p replayplan.Page) string { return fmt.Sprintf("%d calls decided again", p.Calls) }); err != nil {
		return err
	}
	if p.State == replayplan.Failed {
		return notWell{errors.New("the plan could not be made: " + p.Reason)}
	}
	if left := len(q.Call) - p.Calls; left > 0 {
		fmt.Fprintf(c.err, "%d of the calls named are not in it: unknown ('ringbridge calls' lists them), outside the range or the rule, or worked on just now\n", left)
	}
	return q.show(c, p.ID, false)
}

type replayShowCmd struct {
	Plan string `arg:"" help:"The plan's id."`
	remote
	All bool `help:"Also what stays the same."`
}

func (q *replayShowCmd) Run(c console) error { return q.show(c, q.Plan, q.All) }

type replayApplyCmd struct {
	Plan string `arg:"" help:"The plan's id."`
	remote
	Yes bool `help:"Don't ask."`
}

func (q *replayApplyCmd) Run(c console) error {
	p, err := q.page(q.Plan, "limit=1")
	if err != nil {
		return err
	}
	changes, before := p.Changes(), p.State == replayplan.Done
	if p.State == replayplan.Planned && changes > 0 && !q.Yes {
		if err := approve(c, os.Stdin, p, changes); err != nil {
			return err
		}
	}
	if _, err := q.ask(http.MethodPost, projectPath(p.Project, "replays", p.ID, "apply"), nil, &p); err != nil {
		return err
	}
	p, err = q.watch(c, p, replayplan.Applying, func(p replayplan.Page) string { return bar(p.Applied+p.Skipped, p.ToApply) })
	if err != nil {
		return err
	}
	switch {
	case q.JSON:
		err = q.show(c, p.ID, false)
	case before:
		_, err = fmt.Fprintf(c.out, "%s: was carried out before, with %d calls put right and %d left; nothing was done now\n", p.ID, p.Applied, p.Skipped)
	default:
		_, err = fmt.Fprintf(c.out, "%s: %s; %d calls put right, %d left because more is known of them by now\n", p.ID, p.State, p.Applied, p.Skipped)
	}
	if err != nil {
		return err
	}
	if p.State != replayplan.Done {
		return notWell{fmt.Errorf("the plan is %s: %s", p.State, p.Reason)}
	}
	return nil
}

// approve has a person type the number of changes: who types it has read it.
func approve(c console, in io.Reader, p replayplan.Page, changes int) error {
	fmt.Fprintf(c.err, "%s changes %d things in the portal (%s). Type that number to go on: ", p.ID, changes, p.TotalsLine())
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && line == "" {
		return errors.New("nobody approved it; type the number, or give --yes")
	}
	if n, err := strconv.Atoi(strings.TrimSpace(line)); err != nil || n != changes {
		return errors.New("not approved: that was not the number of changes")
	}
	return nil
}

// page reads one page of a plan; its id says whose it is.
func (r *remote) page(id, query string) (p replayplan.Page, err error) {
	if err := r.find(); err != nil {
		return p, err
	}
	project := r.Project
	if project == "" {
		var ok bool
		if project, _, ok = strings.Cut(id, "."); !ok {
			return p, fmt.Errorf("%q is no plan: a plan's id is like shop.20260131-090000, as 'ringbridge replay plan' says it", id)
		}
	}
	_, err = r.ask(http.MethodGet, projectPath(project, "replays", id)+"?"+query, nil, &p)
	return p, err
}

// watch waits while a plan is in a state and says how far it is.
func (r *remote) watch(c console, p replayplan.Page, state replayplan.State, progress func(replayplan.Page) string) (replayplan.Page, error) {
	for p.State == state {
		fmt.Fprintf(c.err, "\r%s ", progress(p))
		<-time.After(200 * time.Millisecond)
		next, err := r.page(p.ID, "limit=1")
		if err != nil {
			return p, err
		}
		p = next
	}
	fmt.Fprintf(c.err, "\r%s \n", progress(p))
	return p, nil
}

// bar draws how much of a whole is done.
func bar(done, all int) string {
	const width = 30
	filled := width
	if all > 0 {
		filled = width * done / all
	}
	return fmt.Sprintf("[%s%s] %d of %d calls", strings.Repeat("#", filled), strings.Repeat(".", width-filled), done, all)
}

// show prints a plan with its rows, page by page.
func (r *remote) show(c console, id string, all bool) error {
	whole := replayplan.Page{Rows: []replayplan.Row{}}
	for cursor := ""; ; {
		query := url.Values{"limit": {"1000"}, "all": {strconv.FormatBool(all)}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		p, err := r.page(id, query.Encode())
		if err != nil {
			return err
		}
		if r.JSON {
			p.Rows = append(whole.Rows, p.Rows...)
			whole = p
		} else {
			if cursor == "" {
				printPlan(c.out, p)
			}
			for _, row := range p.Rows {
				printRow(c.out, row)
			}
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if r.JSON {
		return printJSON(c.out, whole)
	}
	return nil
}

func printPlan(w io.Writer, p replayplan.Page) {
	fmt.Fprintf(w, "plan %s: %s, with settings revision %d\n  %d calls decided again: %s\n", p.ID, p.State, p.Revision, p.Calls, p.TotalsLine())
	if p.Reason != "" {
		fmt.Fprintf(w, "  %s\n", p.Reason)
	}
	if p.State == replayplan.Planned && p.Changes() > 0 {
		fmt.Fprintf(w, "  nothing was changed; to change it: ringbridge replay apply %s\n", p.ID)
	}
	fmt.Fprintln(w)
}

// longest is how much of a text a row shows, shared how much of that comes before what differs.
const longest, shared = 60, 15

func printRow(w io.Writer, r replayplan.Row) {
	what := r.Entity
	if r.BitrixID != 0 {
		what += fmt.Sprintf(" %d", r.BitrixID)
	}
	fmt.Fprintf(w, "%-10s %s of call %s, %s\n", r.Kind, what, r.Call, r.Phone)
	changes := r.Changes
	if len(changes) == 0 && (r.Old != "" || r.New != "") {
		changes = []replayplan.Change{{Field: r.Field, Old: r.Old, New: r.New}}
	}
	for _, c := range changes {
		line := ""
		if c.Field != "" {
			line = c.Field + ": "
		}
		old, now := differing(c.Old, c.New)
		if c.Old != "" {
			line += old + " → "
		}
		fmt.Fprintf(w, "           %s%s\n", line, now)
	}
	if r.Why != "" {
		fmt.Fprintf(w, "           because %s\n", r.Why)
	}
}

// differing shows two texts on a line each: of long ones the part where they begin to differ.
func differing(old, now string) (string, string) {
	a, b := []rune(strings.Join(strings.Fields(old), " ")), []rune(strings.Join(strings.Fields(now), " "))
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if same < longest-shared || len(a) == 0 || len(b) == 0 {
		same = 0
	}
	return part(a, same-shared), part(b, same-shared)
}

// part is what a row shows of a text, from a place on.
func part(text []rune, from int) string {
	before, after := "", ""
	if from > 0 && len(text) > longest {
		before, text = "…", text[from:]
	}
	if len(text) > longest {
		after, text = "…", text[:longest]
	}
	return before + string(text) + after
}
