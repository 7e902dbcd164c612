package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// maxSettings is more than any project's block needs.
const maxSettings = 1 << 20

// settings shows the project's block; its secrets are never shown.
func (c *console) settings(w http.ResponseWriter, _ *http.Request, p service.Revision) {
	c.showSettings(w, p)
}

func (c *console) showSettings(w http.ResponseWriter, p service.Revision) {
	block, err := p.JSON()
	if err != nil {
		c.failed(w, err)
		return
	}
	w.Header().Set("ETag", strconv.Quote(strconv.Itoa(p.Number)))
	service.Answer(w, json.RawMessage(block))
}

// changeSettings makes a new revision out of the whole block. It holds for every call
// that is decided from then on; nothing has to be started anew.
func (c *console) changeSettings(w http.ResponseWriter, r *http.Request, p service.Revision) {
	match := r.Header.Get("If-Match")
	if match == "" {
		service.Problem(w, http.StatusPreconditionRequired, "which revision do you change?", "Send If-Match with the ETag that GET gave, so that nobody's change is written over.")
		return
	}
	saw, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(match, "W/"), `"`))
	if err != nil || saw != p.Number {
		c.stale(w, p)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSettings))
	if err != nil {
		service.Problem(w, http.StatusRequestEntityTooLarge, "too large", "A project's settings are smaller than 1 MiB.")
		return
	}
	if !json.Valid(body) {
		service.Problem(w, http.StatusBadRequest, "not JSON", "Send the whole block as one JSON object, as GET gives it.")
		return
	}
	project, err := settings.ParseProjectJSON(body, p.Project, rules.IDs())
	if err != nil {
		c.wrongSettings(w, err)
		return
	}
	next, err := c.Projects.Put(r.Context(), project, saw, service.Who(r.Context()).Name)
	switch {
	case errors.Is(err, service.ErrStale):
		c.stale(w, next)
	case err != nil:
		c.failed(w, err)
	default:
		service.Note(r.Context(), "revision", strconv.Itoa(next.Number))
		service.Note(r.Context(), "changed", strings.Join(changedKeys(p.Project, next.Project), ", "))
		c.Log.Info("settings changed", zap.String("project", p.ID), zap.Int("revision", next.Number))
		c.showSettings(w, next)
	}
}

func (c *console) stale(w http.ResponseWriter, p service.Revision) {
	service.Problem(w, http.StatusPreconditionFailed, "changed meanwhile",
		"The settings are at revision "+strconv.Itoa(p.Number)+" now. Read them again, make your change there, and send that.")
}

// changedKeys names the settings in which two blocks differ, to two levels: senior,
// scenarios.review_due. Secrets are compared and never told.
func changedKeys(old, new settings.Project) []string {
	before, after := leaves(old), leaves(new)
	var out []string
	for key := range before {
		if _, there := after[key]; !there {
			out = append(out, key)
		}
	}
	for key, value := range after {
		if before[key] != value {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

func leaves(p settings.Project) map[string]string {
	out := map[string]string{}
	block, err := p.RevealJSON()
	var top map[string]json.RawMessage
	if err != nil || json.Unmarshal(block, &top) != nil {
		return out
	}
	for key, value := range top {
		var inner map[string]json.RawMessage
		if json.Unmarshal(value, &inner) != nil || len(inner) == 0 {
			out[key] = string(value)
			continue
		}
		for name, v := range inner {
			out[key+"."+name] = string(v)
		}
	}
	return out
}
