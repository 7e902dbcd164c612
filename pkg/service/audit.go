package service

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// auditTimeout is how long the audit log may hold up an answer.
const auditTimeout = 5 * time.Second

// Audited stores a line of the audit log for every change that people make through an
// API: any request but GET and HEAD that was done. The door says which way they came.
// The line comes after the change, which can't be taken back: where it can't be stored,
// the log of the service says so.
func (e Env) Audited(door event.Door, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			api.ServeHTTP(w, r)
			return
		}
		kept := &notes{by: map[string]string{}}
		r = r.WithContext(context.WithValue(r.Context(), notesKey{}, kept))
		seen := &codeWriter{ResponseWriter: w, code: http.StatusOK}
		api.ServeHTTP(seen, r)
		if seen.code >= http.StatusBadRequest || r.Pattern == "" {
			return
		}
		e.Acted(r.Context(), event.ConsoleActed{
			Project: r.PathValue("project"), Door: door, Action: r.Pattern, Target: target(r), Code: seen.code, Details: kept.all(),
		})
	})
}

// Acted stores a line of the audit log, about the person of the context unless it names
// one.
func (e Env) Acted(ctx context.Context, line event.ConsoleActed) {
	if p := Who(ctx); line.Person == "" && line.Role == "" {
		line.Person, line.Role = p.Name, string(p.Role)
	}
	// Who went away meanwhile has changed something all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	told, err := event.First("console", e.Now(), &line)
	if err == nil {
		_, err = e.Bus.Publish(ctx, told)
	}
	if err != nil {
		e.Log.Error("a change was made that the audit log does not show", zap.Error(err), zap.String("person", line.Person), zap.String("action", line.Action), zap.String("project", line.Project))
	}
}

type notesKey struct{}

// notes are details of a change, told by whoever makes it.
type notes struct {
	mu sync.Mutex
	by map[string]string
}

func (n *notes) all() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.by)
}

// Note adds a detail to the line of the audit log that the request of ctx will leave.
// It must hold no secret.
func Note(ctx context.Context, name, value string) {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.by[name] = value
	}
}

var wildcard = regexp.MustCompile(`\{(\w+)`)

// target is what an address names beside the project.
func target(r *http.Request) string {
	var out []string
	for _, m := range wildcard.FindAllStringSubmatch(r.Pattern, -1) {
		if m[1] != "project" {
			out = append(out, r.PathValue(m[1]))
		}
	}
	return strings.Join(out, " ")
}

// codeWriter remembers what was answered.
type codeWriter struct {
	http.ResponseWriter
	code int
}

func (w *codeWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController through.
func (w *codeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
