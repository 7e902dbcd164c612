package console

import (
	"encoding/json"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/people"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// everybody lists who may sign in by name.
func (c *console) everybody(w http.ResponseWriter, r *http.Request) {
	items, err := c.People.List(r.Context())
	if err != nil {
		c.failed(w, err)
		return
	}
	service.Answer(w, list[people.Person]{Items: items})
}

// wrongPerson are titles by what is wrong; the console's pages know them.
var wrongPerson = map[error]string{
	people.ErrName: "wrong name", people.ErrRole: "wrong role", people.ErrPassword: "wrong password", people.ErrNew: "password missing",
	people.ErrOld: "old password wrong",
}

// putPerson makes somebody known, or changes the role and, if need be, the password.
func (c *console) putPerson(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Role     service.Role `json:"role"`
		Password string       `json:"password"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong request", `Send {"role": "viewer", "password": "…"}; who is known keeps the password that is left out.`)
		return
	}
	name := r.PathValue("name")
	kept, made, err := c.People.Put(r.Context(), name, body.Role, body.Password)
	if err != nil {
		c.refusePerson(w, err)
		return
	}
	service.Note(r.Context(), "role", string(kept.Role))
	if body.Password != "" {
		service.Note(r.Context(), "password", "set")
	}
	c.Log.Info("a person was kept", zap.String("name", name), zap.String("role", string(kept.Role)), zap.Bool("new", made))
	w.Header().Set("Content-Type", "application/json")
	if made {
		w.WriteHeader(http.StatusCreated)
	}
	service.Answer(w, kept)
}

func (c *console) refusePerson(w http.ResponseWriter, err error) {
	switch title := wrongPerson[err]; {
	case title != "":
		service.Problem(w, http.StatusUnprocessableEntity, title, err.Error()+".")
	case errors.Is(err, people.ErrBusy):
		w.Header().Set("Retry-After", "5")
		service.Problem(w, http.StatusServiceUnavailable, "busy", "Too many people sign in at once. Try again in a moment.")
	default:
		c.failed(w, err)
	}
}

// ownPassword gives whoever asks another password. Whoever holds the token has none.
func (c *console) ownPassword(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong request", `Send {"old": "…", "new": "…"}.`)
		return
	}
	who := service.Who(r.Context())
	if who == service.TokenHolder {
		service.Problem(w, http.StatusConflict, "no password", "Whoever holds the console's token has no password. PUT /api/v1/people/{name} sets that of somebody else.")
		return
	}
	if err := c.People.ChangePassword(r.Context(), who.Name, body.Old, body.New); err != nil {
		c.refusePerson(w, err)
		return
	}
	service.Note(r.Context(), "password", "set")
	c.Log.Info("a person changed the own password", zap.String("name", who.Name))
	w.WriteHeader(http.StatusNoContent)
}

func (c *console) deletePerson(w http.ResponseWriter, r *http.Request) {
	had, err := c.People.Delete(r.Context(), r.PathValue("name"))
	switch {
	case err != nil:
		c.failed(w, err)
	case !had:
		service.Problem(w, http.StatusNotFound, "unknown person", "Nobody has this name. GET /api/v1/people lists everybody.")
	default:
		c.Log.Info("a person was deleted", zap.String("name", r.PathValue("name")))
		w.WriteHeader(http.StatusNoContent)
	}
}
