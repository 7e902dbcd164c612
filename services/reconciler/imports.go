package reconciler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// maxImport bounds what one request imports: it is answered when it is done. Who wants
// more asks several times.
const maxImport = 31 * 24 * time.Hour

// imports brings the calls of a span in by hand and answers with what became of its
// rows. Asking again for the same span brings nothing twice.
func (r *reconciler) imports(w http.ResponseWriter, request *http.Request) {
	id := request.PathValue("project")
	if _, ok := r.Projects.Get(id); !ok {
		service.Problem(w, http.StatusNotFound, "unknown project", "GET /api/v1/projects lists the projects.")
		return
	}
	d := r.desk(id)
	var span struct{ Since, Until time.Time }
	if err := json.NewDecoder(http.MaxBytesReader(w, request.Body, 64<<10)).Decode(&span); err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong span", `Send {"since": "2026-01-31T00:00:00+02:00", "until": "2026-02-01T00:00:00+02:00"}.`)
		return
	}
	if now := r.Now(); span.Until.IsZero() || span.Until.After(now) {
		span.Until = now
	}
	if span.Since.IsZero() || !span.Since.Before(span.Until) || span.Until.Sub(span.Since) > maxImport {
		service.Problem(w, http.StatusBadRequest, "wrong span", "since is before until and before now, and at most 31 days before until.")
		return
	}
	var sum tally
	err := d.alone(request.Context(), func() (err error) {
		// A call at the very border belongs to the span that begins there.
		sum, err = d.read(request.Context(), span.Since, span.Until.Add(-1), event.FromImport)
		return err
	})
	project, _ := r.Projects.Get(d.project)
	switch {
	case errors.Is(err, errNoKey):
		service.Problem(w, http.StatusConflict, "no API key", "The project has no ringostat.api_key in its settings: take it from Ringostat, Integration, Ringostat API.")
	case err != nil && troubleOf(err) == troubleInside:
		d.log.Error("an import failed", zap.Error(err))
		service.Problem(w, http.StatusInternalServerError, "internal error", "The log of the service says more. Asking again brings nothing twice.")
	case err != nil:
		said := words(project.Locale).trouble[troubleOf(err)]
		if troubleOf(err) == troubleUnreachable {
			said = words(project.Locale).later
		}
		service.Problem(w, http.StatusBadGateway, "the call log can't be read", fmt.Sprintf("%s (%v)", said, err))
	default:
		if err := d.readable(request.Context()); err != nil {
			d.log.Warn("that the call log can be read was not noted; the next reading does it", zap.Error(err))
		}
		d.log.Info("an import is done", zap.Time("since", span.Since), zap.Time("until", span.Until), zap.Int("rows", sum.Rows), zap.Int("brought", sum.Brought))
		service.Answer(w, sum)
	}
}

// readable takes back why the log could not be read, once a reading by hand could.
func (d *desk) readable(ctx context.Context) error {
	_, err := bus.Change(ctx, d.states, d.project, func(s *state) (bool, error) {
		had := s.Error != ""
		s.Error, s.ErrorIn = "", nil
		return had, nil
	})
	return err
}
