package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/services/analytics"
)

type exportCmd struct {
	remote
	Since string `help:"Calls from this time on." placeholder:"TIME"`
	Until string `help:"Calls before this time." placeholder:"TIME"`
	Out   string `required:"" help:"Where to write it; its ending chooses the form: .jsonl, .csv or .parquet." placeholder:"FILE"`
	Force bool   `help:"Replace the file where it is there already."`
}

// Run writes into a file beside the wanted one, which gets its name when it is whole.
func (e *exportCmd) Run(c console) error {
	ending := strings.ToLower(strings.TrimPrefix(filepath.Ext(e.Out), "."))
	form := slices.IndexFunc(analytics.Forms, func(f analytics.Form) bool { return f.Name == ending })
	if form < 0 {
		return fmt.Errorf("--out %s: the ending says which form is wanted: .jsonl, .csv or .parquet", e.Out)
	}
	if _, err := os.Lstat(e.Out); err == nil && !e.Force {
		return fmt.Errorf("%s is there already; name another file, or replace it with --force", e.Out)
	}
	project, err := e.one()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(e.Out), "."+filepath.Base(e.Out)+".*.part")
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it has another name by then, or is of no use
	n, err := e.write(c, f, analytics.Forms[form], project)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("export to %s: %w", e.Out, err)
	}
	if err := e.name(f.Name()); err != nil {
		return notWell{fmt.Errorf("export to %s: %w", e.Out, err)}
	}
	if e.JSON {
		return printJSON(c.out, map[string]any{"file": e.Out, "calls": n})
	}
	fmt.Fprintf(c.out, "%s holds %d calls\n", e.Out, n)
	return nil
}

// name gives the whole file its name. A link, unlike a rename, never replaces what
// somebody put there meanwhile.
func (e *exportCmd) name(part string) error {
	if e.Force {
		return os.Rename(part, e.Out)
	}
	return os.Link(part, e.Out)
}

func (e *exportCmd) write(c console, f *os.File, form analytics.Form, project string) (n int, err error) {
	buffer := bufio.NewWriterSize(f, 256<<10)
	out := form.Open(buffer)
	told := time.Now()
	err = e.stream(project, func(line []byte) error {
		var call analytics.Call
		if err := json.Unmarshal(line, &call); err != nil {
			return notWell{fmt.Errorf("%s does not answer like ringbridge: %w", e.URL, err)}
		}
		n++
		if time.Since(told) > time.Second {
			told = time.Now()
			fmt.Fprintf(c.err, "%d calls, up to %s\n", n, call.StartedAt.Format(time.RFC3339))
		}
		if err := out.Write(call); err != nil {
			return notWell{err}
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	if err := errors.Join(out.End(), buffer.Flush(), f.Sync()); err != nil {
		return n, notWell{err}
	}
	return n, nil
}

// stream asks for the calls and gives each line of the answer.
func (e *exportCmd) stream(project string, each func([]byte) error) error {
	query := url.Values{}
	for name, v := range map[string]string{"since": e.Since, "until": e.Until} {
		if v != "" {
			query.Set(name, v)
		}
	}
	answer, err := e.open(context.Background(), http.MethodGet, projectPath(project, "analytics", "calls")+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	lines := bufio.NewScanner(answer)
	lines.Buffer(make([]byte, 64<<10), 4<<20)
	for lines.Scan() {
		if err := each(lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return notWell{fmt.Errorf("the answer of %s broke off: %w", e.URL, err)}
	}
	return nil
}
