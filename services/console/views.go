package console

import (
	"net/http"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// viewItem is how far a read model is: the last event it has, and the last there is.
type viewItem struct {
	Name string `json:"name"`
	Seq  uint64 `json:"seq"`
	Last uint64 `json:"last"`
}

func (c *console) views(w http.ResponseWriter, r *http.Request) {
	last, err := c.Bus.Last(r.Context())
	if err != nil {
		c.failed(w, err)
		return
	}
	items := []viewItem{}
	for _, name := range c.Views.Names() {
		seq, _ := c.Views.Seq(name)
		items = append(items, viewItem{name, seq, last})
	}
	service.Answer(w, list[viewItem]{Items: items})
}

// rebuild throws a read model away; it is built again from the stream while calls flow.
func (c *console) rebuild(w http.ResponseWriter, r *http.Request) {
	if !c.Views.Rebuild(r.PathValue("view")) {
		service.Problem(w, http.StatusNotFound, "unknown view", "There is no view "+r.PathValue("view")+" in this process. GET /api/v1/views lists them.")
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
