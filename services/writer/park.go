package writer

import (
	"context"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// park keeps a call of which the portal refused something, with the first reason: the
// others follow from it or are read in the call's story.
func (j *job) park(ctx context.Context, refused []event.BitrixOutcome, received []string) error {
	first := refused[0]
	p := &event.CallParked{
		ID: event.Derive("parked", j.plan, "write"), Project: j.project, Call: j.call, State: event.ParkedWaiting,
		Received: received, Step: "write", Reason: first.Role + ": " + first.Error, Remedy: writeRemedy.In(j.locale()), RemedyIn: writeRemedy,
	}
	if first.ErrorIn != nil {
		p.ReasonIn = event.InEach(func(lang string) string { return first.Role + ": " + first.ErrorIn[lang] })
	}
	e, err := event.Next(j.causes[j.Commands[0].Role], "writer", j.now(), p)
	if err != nil {
		return err
	}
	_, err = j.bus.Publish(ctx, e)
	return err
}

var writeRemedy = event.Texts{
	"uk": "Усуньте причину в Bitrix24 або в налаштуваннях і повторіть; або відкиньте, вказавши чому.",
	"ru": "Устраните причину в Bitrix24 или в настройках и повторите; или отбросьте, указав почему.",
	"en": "Remove the cause in Bitrix24 or in the settings and retry; or drop it with a reason.",
}
