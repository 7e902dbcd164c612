package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// This file is the webhook's address: the one secret that is shown again, to admins
// only, because a person has to paste it into Ringostat.

// hook tells when the webhook's address was last used.
func (c *console) hook(w http.ResponseWriter, r *http.Request, p service.Revision) {
	var out struct {
		Tokens int `json:"tokens"`
		// Last is absent before the first request.
		Last   time.Time    `json:"last,omitzero"`
		Source event.Source `json:"source,omitempty"`
	}
	out.Tokens = len(p.Ringostat.Tokens)
	e, ok, err := c.Bus.LastOf(r.Context(), p.ID, event.TypeCallReceived)
	if err != nil {
		c.failed(w, err)
		return
	}
	if received, err := event.As[event.CallReceived](e); ok && err == nil {
		out.Last, out.Source = received.ReceivedAt, received.Source
	}
	service.Answer(w, out)
}

// hookAddresses shows the secret addresses, for those who paste them into Ringostat.
func (c *console) hookAddresses(w http.ResponseWriter, _ *http.Request, p service.Revision) {
	c.showAddresses(w, p)
}

func (c *console) showAddresses(w http.ResponseWriter, p service.Revision) {
	addresses := []string{}
	for _, token := range p.Ringostat.Tokens {
		addresses = append(addresses, strings.TrimRight(c.PublicURL, "/")+"/ringostat/"+p.ID+"/"+token.Reveal())
	}
	service.Answer(w, map[string]any{"addresses": addresses})
}

// newHook makes a second address; the one that Ringostat knows stays good meanwhile.
func (c *console) newHook(w http.ResponseWriter, r *http.Request, p service.Revision) {
	if len(p.Ringostat.Tokens) > 1 {
		service.Problem(w, http.StatusConflict, "two addresses already", "The old address is still good. Give it up first, once Ringostat uses the new one.")
		return
	}
	next := p.Project
	next.Ringostat.Tokens = append([]settings.Secret{settings.Secret(rand.Text())}, p.Ringostat.Tokens...)
	c.putHook(w, r, next, p)
}

// dropHook gives the older of two addresses up.
func (c *console) dropHook(w http.ResponseWriter, r *http.Request, p service.Revision) {
	if len(p.Ringostat.Tokens) < 2 {
		service.Problem(w, http.StatusConflict, "one address only", "There is no older address to give up. Make a new one first.")
		return
	}
	next := p.Project
	next.Ringostat.Tokens = p.Ringostat.Tokens[:1]
	c.putHook(w, r, next, p)
}

func (c *console) putHook(w http.ResponseWriter, r *http.Request, next settings.Project, p service.Revision) {
	made, err := c.Projects.Put(r.Context(), next, p.Number, service.Who(r.Context()).Name)
	switch {
	case errors.Is(err, service.ErrStale):
		c.stale(w, made)
	case err != nil:
		c.failed(w, err)
	default:
		service.Note(r.Context(), "revision", strconv.Itoa(made.Number))
		service.Note(r.Context(), "addresses", strconv.Itoa(len(next.Ringostat.Tokens)))
		c.Log.Info("the webhook's addresses changed", zap.String("project", p.ID), zap.Int("addresses", len(next.Ringostat.Tokens)))
		c.showAddresses(w, made)
	}
}
