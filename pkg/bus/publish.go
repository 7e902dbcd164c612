package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	wmnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// The headers an event travels with: a reader can route it without decoding it.
const (
	headerID      = "ce-id"
	headerType    = "ce-type"
	headerSource  = "ce-source"
	headerTime    = "ce-time"
	headerProject = "ce-project"
)

// publishTimeout is how long the broker may take to say that an event is on disk.
const publishTimeout = 5 * time.Second

// Subject is where events of a type and a project are stored. Empty means all.
func Subject(project string, t event.Type) string {
	if project == "" {
		project = "*"
	}
	name := ">"
	if t != "" {
		name = t.Name()
	}
	return topicEvents + "." + project + "." + name
}

// Publish appends one event and returns its sequence. Publishing the same id again is
// a no-op that returns the first one's sequence. After [ErrUnavailable] the event may
// be stored or not; after [ErrLost] it is not.
//
// What comes in from outside is refused before the disk is full, so that what follows
// from it still has room: see [Bus.Healthy].
func (b *Bus) Publish(ctx context.Context, e event.Envelope) (uint64, error) {
	if e.Type == event.TypeCallReceived && !fault.Wrong("full-disk-accepts") {
		if err := b.room(); err != nil {
			return 0, err
		}
	}
	m, err := toMessage(e)
	if err != nil {
		return 0, err
	}
	return b.publish(ctx, topicEvents, m)
}

func (b *Bus) publish(ctx context.Context, topic string, m *message.Message) (uint64, error) {
	subject := subjectOf(topic, m)
	wire, err := (&wmnats.NATSMarshaler{}).Marshal(subject, m)
	if err != nil {
		return 0, fmt.Errorf("encode message %s: %w", m.UUID, err)
	}
	if !fault.Wrong("publish-without-id") {
		wire.Header.Set(nats.MsgIdHdr, m.UUID)
	}
	b.writes.RLock()
	defer b.writes.RUnlock()
	if err := Held(ctx); err != nil {
		return 0, fmt.Errorf("store message %s: %w", m.UUID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	fault.Point("publish", subject, "before")
	seq, err := b.store(ctx, wire)
	if err = plainly(err); err != nil {
		if b.disk != nil {
			err = errors.Join(err, b.stuck())
		}
		return 0, fmt.Errorf("store message %s: %w: %w", m.UUID, ErrUnavailable, err)
	}
	fault.Point("publish", subject, "after")
	return seq, nil
}

func toMessage(e event.Envelope) (*message.Message, error) {
	data, err := e.Encode()
	if err != nil {
		return nil, err
	}
	m := message.NewMessage(e.ID, data)
	m.Metadata = message.Metadata{
		headerID: e.ID, headerType: string(e.Type), headerSource: e.Source,
		headerTime: e.Time.Format(time.RFC3339Nano), headerProject: e.Project,
	}
	return m, nil
}

func subjectOf(topic string, m *message.Message) string {
	if topic != topicEvents {
		return topic
	}
	return Subject(m.Metadata.Get(headerProject), event.Type(m.Metadata.Get(headerType)))
}

// publisher is our side of watermill's Publisher: message ids are the broker's too,
// every publish is confirmed, and closing one handler's publisher does not close the
// connection of the others.
type publisher struct{ bus *Bus }

var _ message.Publisher = publisher{}

func (p publisher) Publish(topic string, messages ...*message.Message) error {
	for _, m := range messages {
		if _, err := p.bus.publish(m.Context(), topic, m); err != nil {
			return err
		}
	}
	return nil
}

func (publisher) Close() error { return nil }
