// Package console is the program's face: the HTTP API and the index of calls
// behind it. The index is a view: it can be thrown away at any time and is
// built again from the stream. It decides nothing and writes to no portal.
// Start reading at [Start].
package console

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

//go:embed openapi.yaml
var openAPI []byte

// Options are what only the console needs.
type Options struct {
	// Ready says what is not well, or nil.
	Ready func(context.Context) error
	// People may sign in by name.
	People *people.People
	// PublicURL is where Ringostat reaches this program.
	PublicURL string
	// Look asks a project's portal and says in lang what works, what to do, and what
	// there is to choose from. It keeps nothing and writes nothing.
	Look func(ctx context.Context, p settings.Project, lang string) (any, error)
	// Staff reads the employees of a Ringostat project. Its error is for people.
	Staff func(ctx context.Context, p settings.Project, ringostatProject int) (any, error)
}

type console struct {
	service.Env
	Options
	index   index
	started time.Time
	looks   *looks
}

// Start builds the index and opens the API.
func Start(ctx context.Context, env service.Env, o Options) error {
	v, err := env.Views.Start(ctx, model, env.Group.Go)
	if err != nil {
		return err
	}
	c := &console{env, o, index{v}, env.Now(), &looks{by: map[string]looked{}}}
	if err := env.Metrics.Register(collector{c}); err != nil {
		return fmt.Errorf("register the metrics of the projects: %w", err)
	}
	c.routes(env.API)
	return nil
}

func (c *console) routes(api *http.ServeMux) {
	api.HandleFunc("GET /api/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openAPI)
	})
	api.HandleFunc("GET /api/v1/rules", c.rules)
	api.HandleFunc("GET /api/v1/projects", c.projects)
	api.HandleFunc("GET /api/v1/people", c.everybody)
	api.HandleFunc("PUT /api/v1/people/{name}", c.putPerson)
	api.HandleFunc("DELETE /api/v1/people/{name}", c.deletePerson)
	api.HandleFunc("PUT /api/v1/me/password", c.ownPassword)
	api.HandleFunc("GET /api/v1/audit", c.audit)
	api.HandleFunc("GET /api/v1/program", c.program)
	api.HandleFunc("POST /api/v1/projects", c.createProject)
	api.HandleFunc("POST /api/v1/check", c.tryPortal)
	project := c.PerProject
	project("GET /api/v1/projects/{project}/status", c.status)
	project("GET /api/v1/projects/{project}/calls", c.calls)
	project("GET /api/v1/projects/{project}/calls/{id...}", c.call)
	project("GET /api/v1/projects/{project}/parked", c.parked)
	project("POST /api/v1/projects/{project}/parked/{id}/retry", c.retry)
	project("POST /api/v1/projects/{project}/parked/{id}/drop", c.drop)
	project("GET /api/v1/projects/{project}/settings", c.settings)
	project("PUT /api/v1/projects/{project}/settings", c.changeSettings)
	project("GET /api/v1/projects/{project}/portal", c.portal)
	project("GET /api/v1/projects/{project}/hook", c.hook)
	project("GET /api/v1/projects/{project}/hook/addresses", c.hookAddresses)
	project("POST /api/v1/projects/{project}/hook/addresses", c.newHook)
	project("DELETE /api/v1/projects/{project}/hook/addresses", c.dropHook)
	project("GET /api/v1/projects/{project}/ringostat/employees", c.staff)
}

func (c *console) failed(w http.ResponseWriter, err error) {
	c.Log.Error("a request of the API failed", zap.Error(err))
	service.Problem(w, http.StatusInternalServerError, "internal error", "The log of the service says more.")
}
