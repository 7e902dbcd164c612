package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Past gives a view of one project what is stored by now, and returns. An error of
// Apply ends it.
func (b *Bus) Past(ctx context.Context, v View) error {
	var until uint64
	for _, t := range v.Types {
		m, err := b.stream.GetLastMsgForSubject(ctx, Subject(v.Project, t))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("ask for the newest %s of %s: %w", t, v.Project, err)
		}
		until = max(until, m.Sequence)
	}
	if until <= v.After {
		return nil
	}
	reading, done := context.WithCancelCause(ctx)
	defer done(nil)
	apply := v.Apply
	v.Apply = func(ctx context.Context, batch []Recorded) error {
		err := apply(ctx, batch)
		if err != nil {
			done(err)
		}
		return err
	}
	progress := new(Progress)
	go func() {
		if progress.Wait(reading, until) == nil {
			done(nil)
		}
	}()
	if err := b.Follow(reading, v, progress); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if cause := context.Cause(reading); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}
