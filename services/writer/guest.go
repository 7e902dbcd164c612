package writer

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// This file lets others ask a portal beside the writer, within its pace: the portal counts
// all requests from one address together. They are few, and a person waits for each: they
// go before whatever waits, also while a fault keeps the writer itself from asking, for
// that is when people look.

// guestWaits is how long a guest waits for his place at most.
const guestWaits = 10 * time.Second

// Guest is a client for the project's portal whose requests take their places in the pace
// of the writer of the project pacer, which has the same portal; "" where none has. Where
// no writer answers there is nobody whose pace they could disturb.
func Guest(b *bus.Bus, project service.Revision, pacer string) (*bitrix.Client, error) {
	if pacer == "" {
		return Client(project)
	}
	return client(project, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, guestWaits)
		defer cancel()
		_, err := bus.Ask[crm.Turn, crm.TurnAnswer](ctx, b, crm.TurnSubject(pacer), crm.Turn{})
		if errors.Is(err, bus.ErrNobodyAnswers) {
			return nil
		}
		return err
	})
}

// turn answers when a guest's request may leave.
func (d *desk) turn(ctx context.Context, _ crm.Turn) (crm.TurnAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, guestWaits)
	defer cancel()
	return crm.TurnAnswer{}, d.gateway.place(ctx)
}

// place waits for the place of one request in the bucket.
func (g *gateway) place(ctx context.Context) error {
	given := make(chan struct{})
	g.mu.Lock()
	g.guests = append(g.guests, given)
	g.mu.Unlock()
	g.nudge()
	select {
	case <-given:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.guests, given); i >= 0 {
		g.guests = slices.Delete(g.guests, i, i+1)
		return ctx.Err()
	}
	return nil
}

// admit gives the first guest his place, or says how long it takes until there is one.
func (g *gateway) admit(now time.Time) time.Duration {
	if wait := g.bucket.Take(now); wait > 0 {
		return wait
	}
	g.requests++
	g.reserve()
	close(g.guests[0])
	g.guests = g.guests[1:]
	return 0
}
