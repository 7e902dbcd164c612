package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// mostRaw is how many bytes of requests a page of parked things holds before it ends
// early: one request may have 256 KiB.
const mostRaw = 4 << 20

// parked lists what waits for a person, with the raw requests behind it.
func (c *console) parked(w http.ResponseWriter, r *http.Request, p service.Revision) {
	limit, err := readLimit(r)
	if err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
		return
	}
	if service.Behind(w, r, c.index.View) {
		return
	}
	items, err := c.index.parkedItems(r.Context(), parkedFilter{project: p.ID, cursor: r.URL.Query().Get("cursor"), limit: limit + 1})
	switch {
	case errors.Is(err, errCursor):
		service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
		return
	case err != nil:
		c.failed(w, err)
		return
	}
	fits, size := 0, 0
	for ; fits < min(limit, len(items)) && size < mostRaw; fits++ {
		for _, id := range items[fits].Received {
			if e, ok := c.received(r.Context(), id); ok {
				raw := toRaw(e)
				size += len(raw.Query) + len(raw.Body)
				items[fits].Raw = append(items[fits].Raw, raw)
			}
		}
	}
	page := list[parkedItem]{Items: items[:fits]}
	if fits < len(items) {
		last := items[fits-1]
		page.Next = writeCursor(last.ParkedAt.UnixMilli(), last.ID)
	}
	service.Answer(w, page)
}

// toRaw shows a stored request readably: a body that is no text is shown as what can
// be read of it; the event itself holds every byte.
func toRaw(e event.Envelope) rawItem {
	received, err := event.As[event.CallReceived](e)
	if err != nil {
		return rawItem{}
	}
	if received.Headers == nil {
		received.Headers = map[string]string{}
	}
	return rawItem{received.ReceivedAt, received.Method, received.Query, received.Headers, strings.ToValidUTF8(string(received.Body), "\uFFFD")}
}

// retry sends the requests of a parked thing through the whole pipeline again.
func (c *console) retry(w http.ResponseWriter, r *http.Request, p service.Revision) {
	item, ok := c.parkedOne(w, r, p)
	if !ok {
		return
	}
	raw, ok, err := c.toRetry(r.Context(), p.ID, item)
	if err == nil && !ok {
		service.Problem(w, http.StatusConflict, "nothing to retry", "The request behind it is not stored any more; drop it with a reason.")
		return
	}
	if err == nil {
		var received event.CallReceived
		if received, err = event.As[event.CallReceived](raw); err == nil {
			received.RetryOf = item.ID
			err = c.publish(r.Context(), raw, &received, item.ID)
		}
	}
	if err != nil {
		c.failed(w, err)
		return
	}
	c.settleParked(w, r, item, p, event.ParkedRetried, "")
}

// toRetry is the stored request that a retry reads again. A call's file holds what all
// its requests said, so one of them wakes it up; where the parked thing names none, it
// is the one that the call was read from last.
func (c *console) toRetry(ctx context.Context, project string, item parkedItem) (event.Envelope, bool, error) {
	id := ""
	if n := len(item.Received); n > 0 {
		id = item.Received[n-1]
	} else if item.CallID != "" {
		_, seqs, _, err := c.index.call(ctx, project, item.CallID)
		if err != nil {
			return event.Envelope{}, false, err
		}
		for _, seq := range slices.Backward(seqs) {
			e, err := c.Bus.Get(ctx, seq)
			if err != nil {
				return event.Envelope{}, false, err
			}
			if classified, err := event.As[event.CallClassified](e); err == nil && e.Type == event.TypeCallClassified {
				id = classified.Received
				break
			}
		}
	}
	e, ok := c.received(ctx, id)
	return e, ok, nil
}

// drop takes a parked thing off the list, with a person's reason.
func (c *console) drop(w http.ResponseWriter, r *http.Request, p service.Revision) {
	var body struct {
		Why string `json:"why"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&body); err != nil || strings.TrimSpace(body.Why) == "" {
		service.Problem(w, http.StatusBadRequest, "a reason is needed", `Send {"why": "…"}: whoever looks later should know.`)
		return
	}
	if item, ok := c.parkedOne(w, r, p); ok {
		service.Note(r.Context(), "why", body.Why)
		c.settleParked(w, r, item, p, event.ParkedDropped, body.Why)
	}
}

func (c *console) parkedOne(w http.ResponseWriter, r *http.Request, p service.Revision) (parkedItem, bool) {
	if service.Behind(w, r, c.index.View) {
		return parkedItem{}, false
	}
	items, err := c.index.parkedItems(r.Context(), parkedFilter{project: p.ID, id: r.PathValue("id"), limit: 1})
	if err != nil {
		c.failed(w, err)
		return parkedItem{}, false
	}
	if len(items) == 0 {
		became, err := c.index.gone(r.Context(), p.ID, r.PathValue("id"))
		if err != nil {
			c.failed(w, err)
			return parkedItem{}, false
		}
		service.Problem(w, http.StatusNotFound, "not parked", became)
		return parkedItem{}, false
	}
	return items[0], true
}

func (c *console) settleParked(w http.ResponseWriter, r *http.Request, item parkedItem, p service.Revision, state event.ParkedState, why string) {
	e, err := event.First("console", c.Now(), &event.CallParked{
		ID: item.ID, Project: p.ID, Call: item.CallID, State: state, Received: item.Received, Step: item.Step,
		Reason: item.Reason, Remedy: item.Remedy, ReasonIn: item.ReasonIn, RemedyIn: item.RemedyIn, Why: why,
	})
	if err == nil {
		_, err = c.Bus.Publish(r.Context(), e)
	}
	if err != nil {
		c.failed(w, err)
		return
	}
	service.Answer(w, map[string]any{"id": item.ID, "call_id": item.CallID, "state": state})
}

// publish stores an event that a person caused by another.
func (c *console) publish(ctx context.Context, cause event.Envelope, p event.Payload, what string) error {
	e, err := event.Next(cause, "console", c.Now(), p, what)
	if err != nil {
		return err
	}
	_, err = c.Bus.Publish(ctx, e)
	return err
}

// received finds a stored request by its id. The index keeps where each one is.
func (c *console) received(ctx context.Context, id string) (event.Envelope, bool) {
	seq, ok, err := c.index.requestSeq(ctx, id)
	if err != nil || !ok {
		return event.Envelope{}, false
	}
	e, err := c.Bus.Get(ctx, seq)
	if err != nil {
		c.Log.Warn("a stored request could not be read", zap.String("event", id), zap.Error(err))
		return event.Envelope{}, false
	}
	return e, e.Type == event.TypeCallReceived
}
