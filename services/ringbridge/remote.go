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
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/settings"
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
	given := r.URL
	if r.URL != "" {
		if !strings.Contains(r.URL, "://") {
			r.URL = "http://" + r.URL
		}
		u, err := url.Parse(r.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("--url: %q is no address; want one like http://127.0.0.1:8080", given)
		}
	}
	if r.URL != "" && r.Token != "" {
		return nil
	}
	cfg := settings.Default()
	if r.Config != "" {
		var err error
		// Nothing but the way there: the secrets of the projects need not be known here.
		if cfg, err = settings.Look(r.Config, os.LookupEnv, "listen", "data"); err != nil {
			return err
		}
	}
	if r.URL == "" {
		r.URL = "http://" + reachable(cfg.Listen)
	}
	if r.Token != "" {
		return nil
	}
	return r.findToken(cfg)
}

// findToken takes the token of the configuration, or the one that is kept beside it.
func (r *remote) findToken(cfg settings.Config) error {
	if r.Config != "" {
		named, err := settings.Look(r.Config, os.LookupEnv, "console")
		if err != nil {
			return err
		}
		r.Token = named.Console.Token.Reveal()
	}
	if r.Token != "" {
		return nil
	}
	file := tokenFile(cfg)
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("no token: there is none in the configuration, and %w. A relative `data` begins in the folder where `ringbridge run` was started; "+
			"go there, or give --token, RINGBRIDGE_TOKEN or --config of the running instance", err)
	}
	if r.Token = strings.TrimSpace(string(data)); r.Token == "" {
		return fmt.Errorf("no token: %s is empty", file)
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
	return r.openBy(ctx, http.DefaultClient, method, path, body)
}

func (r *remote) openBy(ctx context.Context, client *http.Client, method, path string, body io.Reader) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(r.URL, "/")+path, body)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+r.Token)
	response, err := client.Do(request)
	if err != nil {
		return nil, notWell{unanswered(r.URL, err)}
	}
	if response.StatusCode < 300 {
		return response.Body, nil
	}
	defer response.Body.Close()
	err = refusal(r.URL, response)
	if response.StatusCode == http.StatusUnauthorized && r.Token == os.Getenv("RINGBRIDGE_TOKEN") {
		err = fmt.Errorf("%w (the token is that of RINGBRIDGE_TOKEN, which goes before --config)", err)
	}
	return nil, err
}

// refused is the API's own no.
type refused struct {
	error
	code int
}

// refusal is an answer that is none, in words. What the caller got wrong is wrong usage,
// anything else is not well.
func refusal(url string, response *http.Response) error {
	var p struct{ Type, Title, Detail string }
	_ = json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&p)
	if p.Type == "" {
		return notWell{fmt.Errorf("%s does not answer like ringbridge: %s; is it the address of `ringbridge run`, without a path?", url, response.Status)}
	}
	var err error = refused{fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(p.Title+". "+p.Detail)), response.StatusCode}
	switch {
	case response.StatusCode == http.StatusBadRequest, response.StatusCode == http.StatusUnauthorized, p.Title == "unknown project":
		return err
	case p.Title == "no such address":
		return notWell{fmt.Errorf("%w; does the process at %s run the service that answers it, or does --only leave it out?", err, url)}
	}
	return notWell{err}
}

// unanswered says why a request got no answer: nobody is there, or who is there says nothing.
func unanswered(url string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s gave no answer in time; its log and %s/readyz say more", url, url)
	}
	return fmt.Errorf("nobody answers at %s (%w); is `ringbridge run` running there?", url, errors.Unwrap(err))
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
