package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// ErrNobodyAnswers is returned by Ask while no service answers the subject.
var ErrNobodyAnswers = errors.New("nobody answers")

// reply is an answer on the wire.
type reply struct {
	Error string          `json:"error,omitempty"`
	Data  json.RawMessage `json:"data,omitempty"`
}

// Ask puts a question to whoever answers subject and decodes the answer. Questions
// are not stored: ask again when it fails.
func Ask[Q, A any](ctx context.Context, b *Bus, subject string, q Q) (A, error) {
	var a A
	data, err := json.Marshal(q)
	if err != nil {
		return a, fmt.Errorf("encode question for %s: %w", subject, err)
	}
	m, err := b.nc.RequestWithContext(ctx, subject, data)
	if errors.Is(err, nats.ErrNoResponders) {
		return a, fmt.Errorf("ask %s: %w", subject, ErrNobodyAnswers)
	}
	if err != nil {
		return a, fmt.Errorf("ask %s: %w", subject, plainly(err))
	}
	var r reply
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return a, fmt.Errorf("decode answer of %s: %w", subject, err)
	}
	if r.Error != "" {
		return a, errors.New(r.Error)
	}
	if err := json.Unmarshal(r.Data, &a); err != nil {
		return a, fmt.Errorf("decode answer of %s: %w", subject, err)
	}
	return a, nil
}

// Answer answers the questions on subject until ctx is over, each in a goroutine of
// its own: an answer may take as long as the asker waits. Where several processes could
// answer, do it under a lease: only its holder is heard then.
func Answer[Q, A any](ctx context.Context, b *Bus, subject string, answer func(context.Context, Q) (A, error)) error {
	// No queue group: that would give some questions to a holder that was paused and does
	// not know yet that it has a successor.
	sub, err := b.nc.Subscribe(subject, func(m *nats.Msg) {
		if Held(ctx) != nil {
			return
		}
		go func() {
			var r reply
			var q Q
			err := json.Unmarshal(m.Data, &q)
			if err == nil {
				var a A
				if a, err = guard(ctx, q, answer); err == nil {
					r.Data, err = json.Marshal(a)
				}
				err = errors.Join(err, Held(ctx))
			}
			if err != nil {
				r = reply{Error: err.Error()}
			}
			data, _ := json.Marshal(r)
			if err := m.Respond(data); err != nil {
				b.log.Warn("an answer could not be sent", zap.String("subject", subject), zap.Error(err))
			}
		}()
	})
	if err != nil {
		return fmt.Errorf("answer %s: %w", subject, err)
	}
	// Drain and not Unsubscribe: a question that has arrived must not be left without a
	// word until its asker loses patience.
	context.AfterFunc(ctx, func() { _ = sub.Drain() })
	if err := b.nc.FlushTimeout(publishTimeout); err != nil {
		return fmt.Errorf("answer %s: %w", subject, errors.Join(err, sub.Unsubscribe()))
	}
	return nil
}

// guard keeps one question from ending the process: its asker gets the panic as an
// error.
func guard[Q, A any](ctx context.Context, q Q, answer func(context.Context, Q) (A, error)) (a A, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the answer panicked: %v", p)
		}
	}()
	return answer(ctx, q)
}
