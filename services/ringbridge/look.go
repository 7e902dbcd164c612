package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// remote is a running instance, as the commands that look at one reach it.
type remote struct {
	URL     string `help:"Address of the running instance. Default: from --config, else http://127.0.0.1:8080." placeholder:"URL"`
	Token   string `help:"Token of the API. Default: from --config or its data folder." env:"RINGBRIDGE_TOKEN" placeholder:"TOKEN"`
	Config  string `short:"c" help:"Configuration file of the running instance." placeholder:"FILE"`
	Project string `short:"p" help:"Project. Default: the only one there is." placeholder:"ID"`
	JSON    bool   `help:"Print one JSON document."`
}

// find fills in what was not given.
func (r *remote) find() error {
	if r.URL != "" && r.Token != "" {
		return nil
	}
	cfg, err := loadConfig(r.Config)
	if err != nil {
		return err
	}
	if r.URL == "" {
		r.URL = "http://" + cfg.Listen
	}
	if r.Token == "" {
		r.Token = cfg.Console.Token.Reveal()
	}
	if r.Token == "" {
		if data, err := os.ReadFile(filepath.Join(cfg.Data, "token")); err == nil {
			r.Token = strings.TrimSpace(string(data))
		}
	}
	if r.Token == "" {
		return errors.New("no token: give --token, RINGBRIDGE_TOKEN, or --config of the running instance")
	}
	return nil
}

// ask calls the API and decodes its answer; the raw answer is returned too.
func (r *remote) ask(method, path string, body io.Reader, into any) (json.RawMessage, error) {
	return r.askFor(30*time.Second, method, path, body, into)
}

// askFor is ask for a question whose answer may take long.
func (r *remote) askFor(patience time.Duration, method, path string, body io.Reader, into any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := r.open(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	raw, err := io.ReadAll(answer)
	if err != nil {
		return nil, notWell{fmt.Errorf("read the answer of %s: %w", r.URL, err)}
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, notWell{fmt.Errorf("%s does not answer like ringbridge: %w", r.URL, err)}
		}
	}
	return raw, nil
}

// open calls the API and returns its answer, to be read and closed; a refusal is an error.
func (r *remote) open(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.URL, "/")+path, body)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+r.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, notWell{fmt.Errorf("nobody answers at %s (%w); is `ringbridge run` running there?", r.URL, errors.Unwrap(err))}
	}
	if response.StatusCode < 300 {
		return response.Body, nil
	}
	defer response.Body.Close()
	var p struct{ Title, Detail string }
	_ = json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&p)
	err = fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(p.Title+". "+p.Detail))
	if response.StatusCode == http.StatusBadRequest || response.StatusCode == http.StatusUnauthorized {
		return nil, err
	}
	return nil, notWell{err}
}

// projects are those asked about.
func (r *remote) projects() ([]string, error) {
	if err := r.find(); err != nil {
		return nil, err
	}
	if r.Project != "" {
		return []string{r.Project}, nil
	}
	var list struct{ Items []struct{ ID string } }
	if _, err := r.ask(http.MethodGet, "/api/v1/projects", nil, &list); err != nil {
		return nil, err
	}
	ids := make([]string, len(list.Items))
	for i, p := range list.Items {
		ids[i] = p.ID
	}
	return ids, nil
}

// one is the project asked about, where only one can be.
func (r *remote) one() (string, error) {
	ids, err := r.projects()
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", errors.New("the instance has no project")
	case len(ids) > 1:
		return "", fmt.Errorf("there are several projects: name one with --project, of %s", strings.Join(ids, ", "))
	}
	return ids[0], nil
}

func projectPath(project string, rest ...string) string {
	path := "/api/v1/projects/" + url.PathEscape(project)
	for _, part := range rest {
		path += "/" + url.PathEscape(part)
	}
	return path
}

type statusCmd struct{ remote }

func (s *statusCmd) Run(c console) error {
	ids, err := s.projects()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		fmt.Fprintf(c.err, "there is no project yet: make one at %s/console/\n", s.URL)
	}
	all := []json.RawMessage{}
	well := true
	for _, id := range ids {
		var st struct {
			Waiting, Parked, Revision int
			InFlight                  int `json:"in_flight"`
			InDoubt                   int `json:"in_doubt"`
			Portal                    struct {
				State, Reason string
				PerSecond     float64 `json:"per_second"`
				Burst         int
				Requests      int
			}
			Reconciliation *struct {
				LastComplete   time.Time `json:"last_complete"`
				Error, Warning string
			}
			Services []struct {
				Name, Host        string
				Since             time.Time
				Unread, Unsettled int
			}
		}
		raw, err := s.ask(http.MethodGet, projectPath(id, "status"), nil, &st)
		if err != nil {
			return err
		}
		all = append(all, raw)
		well = well && (st.Portal.State == "ok" || st.Portal.State == "slow")
		if s.JSON {
			continue
		}
		fmt.Fprintf(c.out, "project %s (settings revision %d)\n  calls: %d waiting, %d requests in flight, %d in doubt, %d parked\n",
			id, st.Revision, st.Waiting, st.InFlight, st.InDoubt, st.Parked)
		reason := ""
		if st.Portal.Reason != "" {
			reason = " (" + st.Portal.Reason + ")"
		}
		fmt.Fprintf(c.out, "  portal: %s%s, %g requests a second, burst %d; %d sent since the start\n", st.Portal.State, reason, st.Portal.PerSecond, st.Portal.Burst, st.Portal.Requests)
		if l := st.Reconciliation; l != nil {
			fmt.Fprintf(c.out, "  call log: %s\n", callLogLine(l.LastComplete, l.Error, l.Warning))
		}
		for _, l := range st.Services {
			by := ""
			if l.Host != "" {
				by = fmt.Sprintf(", on %s since %s", l.Host, l.Since.Local().Format("2006-01-02 15:04:05"))
			}
			fmt.Fprintf(c.out, "  %-20s %d to read, %d in work%s\n", l.Name, l.Unread, l.Unsettled, by)
		}
	}
	if s.JSON {
		// One project's status is the document itself, as the API gives it.
		var doc any = map[string]any{"items": all}
		if len(all) == 1 {
			doc = all[0]
		}
		if err := printJSON(c.out, doc); err != nil {
			return err
		}
	}
	if !well {
		return notWell{errors.New("a portal is not well")}
	}
	return nil
}

type callsCmd struct {
	remote
	Phone string `help:"Calls of this number, in any spelling." placeholder:"NUMBER"`
	Since string `help:"Calls from this time on." placeholder:"TIME"`
	Until string `help:"Calls before this time." placeholder:"TIME"`
	State string `help:"waiting, done, ignored, parked or in_doubt." placeholder:"STATE"`
	Limit int    `help:"At most so many, the newest first." default:"50"`
}

func (q *callsCmd) Run(c console) error {
	id, err := q.one()
	if err != nil {
		return err
	}
	query := url.Values{"limit": {fmt.Sprint(q.Limit)}}
	for name, v := range map[string]string{"phone": q.Phone, "since": q.Since, "until": q.Until, "state": q.State} {
		if v != "" {
			query.Set(name, v)
		}
	}
	var list struct {
		Items []struct {
			ID, Direction, Outcome, Client, Phone, Employee, Rule, State string
			StartedAt                                                    string `json:"started_at"`
		}
		Next string
	}
	raw, err := q.ask(http.MethodGet, projectPath(id, "calls")+"?"+query.Encode(), nil, &list)
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(c.out, raw)
	}
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "STARTED\tCALL\tPHONE\tDIRECTION\tOUTCOME\tCLIENT\tEMPLOYEE\tRULE\tSTATE")
	for _, i := range list.Items {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", i.StartedAt, i.ID, i.Phone, i.Direction, i.Outcome, i.Client, i.Employee, i.Rule, i.State)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if list.Next != "" {
		fmt.Fprintf(c.err, "there are more; narrow it down with --since, --phone or --state, or raise --limit\n")
	}
	return nil
}

type callCmd struct {
	ID string `arg:"" help:"The call's id in Ringostat."`
	remote
}

func (q *callCmd) Run(c console) error {
	id, err := q.one()
	if err != nil {
		return err
	}
	var s struct {
		Direction, Outcome, Client, Phone, Employee, Rule, State string
		StartedAt                                                string `json:"started_at"`
		Events                                                   []struct {
			Type, Words string
			Time        time.Time
		}
		Commands []struct {
			Role, Kind, State, Error string
			BitrixID                 int `json:"bitrix_id"`
		}
	}
	raw, err := q.ask(http.MethodGet, projectPath(id, "calls", q.ID), nil, &s)
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(c.out, raw)
	}
	fmt.Fprintf(c.out, "call %s: %s\n  %s %s, started %s\n  client %s (%s), on the call: %s\n  rule %s\n\n", q.ID, s.State, s.Direction, s.Outcome, s.StartedAt, s.Phone, s.Client, s.Employee, s.Rule)
	for _, e := range s.Events {
		fmt.Fprintf(c.out, "  %s  %-20s %s\n", e.Time.Local().Format("2006-01-02 15:04:05.000"), e.Type, e.Words)
	}
	fmt.Fprintln(c.out)
	for _, k := range s.Commands {
		line := fmt.Sprintf("  %-16s %s", k.Role, k.State)
		if k.BitrixID != 0 {
			line += fmt.Sprintf(", %s %d", k.Kind, k.BitrixID)
		}
		if k.Error != "" {
			line += ": " + k.Error
		}
		fmt.Fprintln(c.out, line)
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
