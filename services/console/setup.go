package console

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// This file is what a project is set up by: a portal is tried before anything is kept,
// and a project is made without the configuration file.

// lookLimit bounds how long a person waits for a portal; lookAge is for how long an
// answer is good enough for the next page that shows it.
const (
	lookLimit = 20 * time.Second
	lookAge   = time.Minute
)

// looks remembers what portals answered, so that leafing through pages asks once.
type looks struct {
	mu sync.Mutex
	by map[string]looked // by project, revision and language
}

type looked struct {
	answer any
	at     time.Time
}

// tryPortal tries settings that are not kept: a webhook alone is enough. A secret that
// is *** is that of the project that is named, if its address is the same.
func (c *console) tryPortal(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Project  string         `json:"project"`
		Settings map[string]any `json:"settings"`
	}
	if !readBody(w, r, &body) {
		return
	}
	var had settings.Project
	if body.Project != "" {
		p, ok := c.Projects.Get(body.Project)
		if !ok {
			service.Problem(w, http.StatusNotFound, "unknown project", "There is no project "+body.Project+". GET /api/v1/projects lists them.")
			return
		}
		had = p.Project
	}
	block := body.Settings
	if block == nil {
		block = map[string]any{}
	}
	_, chosen := block["senior"]
	fillIn(block, map[string]any{"id": "draft", "senior": 1, "ringostat": map[string]any{"token": rand.Text()}})
	if had.ID != "" {
		block["id"] = had.ID
	}
	text, err := json.Marshal(block)
	if err != nil {
		c.failed(w, err)
		return
	}
	draft, err := settings.ParseProjectJSON(text, had, rules.IDs())
	if err != nil {
		c.wrongSettings(w, err)
		return
	}
	if !chosen {
		draft.Senior = 0
	}
	c.look(w, r, draft)
}

// look answers with what a portal says; an answer comes in time, whatever the portal does.
func (c *console) look(w http.ResponseWriter, r *http.Request, p settings.Project) {
	answer, err := c.asked(r.Context(), p, r.URL.Query().Get("lang"))
	if err != nil {
		c.failed(w, err)
		return
	}
	service.Answer(w, answer)
}

func (c *console) asked(ctx context.Context, p settings.Project, lang string) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return c.Look(ctx, p, lang)
}

// portal shows what the portal of the settings in force says, at most a minute old
// unless ?fresh=true.
func (c *console) portal(w http.ResponseWriter, r *http.Request, p service.Revision) {
	lang := r.URL.Query().Get("lang")
	key := p.ID + " " + strconv.Itoa(p.Number) + " " + lang
	c.looks.mu.Lock()
	had, ok := c.looks.by[key]
	c.looks.mu.Unlock()
	if ok && c.Now().Sub(had.at) < lookAge && r.URL.Query().Get("fresh") != "true" {
		service.Answer(w, had.answer)
		return
	}
	answer, err := c.asked(r.Context(), p.Project, lang)
	if err != nil {
		c.failed(w, err)
		return
	}
	if r.Context().Err() == nil { // nobody waited for the end of the others
		c.looks.keep(key, looked{answer, c.Now()})
	}
	service.Answer(w, answer)
}

func (l *looks) keep(key string, one looked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, old := range l.by {
		if one.at.Sub(old.at) > lookAge {
			delete(l.by, k)
		}
	}
	l.by[key] = one
}

// createProject makes a project of a block as the configuration file has it. Without a
// token of the webhook's address one is made.
func (c *console) createProject(w http.ResponseWriter, r *http.Request) {
	block := map[string]any{}
	if !readBody(w, r, &block) {
		return
	}
	ringostat, _ := block["ringostat"].(map[string]any)
	if ringostat == nil && block["ringostat"] == nil {
		ringostat = map[string]any{}
		block["ringostat"] = ringostat
	}
	if ringostat != nil {
		fillIn(ringostat, map[string]any{"token": rand.Text()})
	}
	text, err := json.Marshal(block)
	if err != nil {
		c.failed(w, err)
		return
	}
	project, err := settings.ParseProjectJSON(text, settings.Project{}, rules.IDs())
	if err != nil {
		c.wrongSettings(w, err)
		return
	}
	made, err := c.Projects.Create(r.Context(), project, service.Who(r.Context()).Name)
	switch {
	case errors.Is(err, service.ErrExists):
		service.Problem(w, http.StatusConflict, "the id is taken", "There is a project "+project.ID+" already. Choose another id.")
	case err != nil:
		c.failed(w, err)
	default:
		service.Note(r.Context(), "made", made.ID)
		c.Log.Info("project made", zap.String("project", made.ID), zap.Int("revision", made.Number))
		block, err := made.JSON()
		if err != nil {
			c.failed(w, err)
			return
		}
		w.Header().Set("Location", "/api/v1/projects/"+made.ID+"/settings")
		w.Header().Set("ETag", strconv.Quote(strconv.Itoa(made.Number)))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		service.Answer(w, json.RawMessage(block))
	}
}

// fillIn adds the values that are not there.
func fillIn(block, values map[string]any) {
	for key, value := range values {
		if block[key] == nil {
			block[key] = value
		}
	}
}

// readBody reads one JSON object, or answers why not.
func readBody(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSettings))
	if err != nil {
		service.Problem(w, http.StatusRequestEntityTooLarge, "too large", "A project's settings are smaller than 1 MiB.")
		return false
	}
	if err := json.Unmarshal(body, into); err != nil {
		service.Problem(w, http.StatusBadRequest, "not JSON", "Send one JSON object, as GET /api/openapi.yaml describes it.")
		return false
	}
	return true
}

// wrongKey is one mistake of settings, for programs: the key leads to the field.
type wrongKey struct {
	Key  string `json:"key"`
	What string `json:"what"`
	Want string `json:"want,omitempty"`
}

// wrongSettings answers 422 with every mistake: as lines for people, as a list for pages.
func (c *console) wrongSettings(w http.ResponseWriter, err error) {
	problems := settings.Problems{}
	if !errors.As(err, &problems) {
		c.failed(w, err)
		return
	}
	keys := make([]wrongKey, len(problems))
	for i, p := range problems {
		keys[i] = wrongKey{p.Key, p.What, p.Want}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "status": http.StatusUnprocessableEntity, "title": "wrong settings", "detail": problems.Error(), "problems": keys,
	})
}

// staff reads the employees from Ringostat, whose project has a number of its own there.
func (c *console) staff(w http.ResponseWriter, r *http.Request, p service.Revision) {
	number, err := strconv.Atoi(r.URL.Query().Get("ringostat_project"))
	if err != nil || number < 1 {
		service.Problem(w, http.StatusBadRequest, "wrong parameter", "ringostat_project is the project's number in Ringostat, for example 110070.")
		return
	}
	if p.Ringostat.APIKey == "" {
		service.Problem(w, http.StatusConflict, "no API key", "The project has no ringostat.api_key in its settings: take it from Ringostat, Integration, Ringostat API.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), lookLimit)
	defer cancel()
	found, err := c.Staff(ctx, p.Project, number)
	if err != nil {
		c.Log.Warn("the employees can't be read from Ringostat", zap.String("project", p.ID), zap.Error(err))
		service.Problem(w, http.StatusBadGateway, "the employees can't be read", err.Error())
		return
	}
	service.Answer(w, map[string]any{"items": found})
}
