package console

import (
	"net/http"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// programAnswer is how this process is doing, whatever the project.
type programAnswer struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	// Trouble is what is not well; empty where all is.
	Trouble string `json:"trouble,omitempty"`
	// Disk is absent with an outside broker.
	Disk *bus.DiskState `json:"disk,omitempty"`
}

// program tells of the process: what /readyz says in a word, for people.
func (c *console) program(w http.ResponseWriter, r *http.Request) {
	out := programAnswer{Version: c.Version, StartedAt: c.started}
	if err := c.Ready(r.Context()); err != nil {
		out.Trouble = err.Error()
	}
	disk, ours, err := c.Bus.Disk()
	switch {
	case err != nil:
		c.failed(w, err)
		return
	case ours:
		out.Disk = &disk
	}
	service.Answer(w, out)
}
