package bustest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// Spoil configures the broker in a folder that nobody uses otherwise than the program
// does, as a person with the broker's own tools might: the stream forgets after 30 days,
// a reader reads something else, a store is gone, and a reader is there that nobody knows.
func Spoil(ctx context.Context, dir, reader, store string) (err error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "ringbridge", DontListen: true, NoSigs: true, NoLog: true, JetStream: true, JetStreamDomain: "ringbridge", StoreDir: dir,
	})
	if err != nil {
		return fmt.Errorf("set up the broker: %w", err)
	}
	s.Start()
	defer func() { s.Shutdown(); s.WaitForShutdown() }()
	if !s.ReadyForConnections(30 * time.Second) {
		return errors.New("the broker was not ready within 30 s")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("open jetstream: %w", err)
	}
	stream, err := js.Stream(ctx, bus.Stream)
	if err != nil {
		return fmt.Errorf("find the stream: %w", err)
	}
	events := stream.CachedInfo().Config
	events.MaxAge = 30 * 24 * time.Hour
	if _, err := js.UpdateStream(ctx, events); err != nil {
		return fmt.Errorf("change the stream: %w", err)
	}
	consumer, err := stream.Consumer(ctx, reader)
	if err != nil {
		return fmt.Errorf("find reader %s: %w", reader, err)
	}
	reads := consumer.CachedInfo().Config
	reads.AckWait, reads.FilterSubject, reads.FilterSubjects = time.Minute, "", []string{"event.*.call.classified"}
	if _, err := stream.UpdateConsumer(ctx, reads); err != nil {
		return fmt.Errorf("change reader %s: %w", reader, err)
	}
	if _, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "somebody", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		return fmt.Errorf("make a reader: %w", err)
	}
	if err := js.DeleteKeyValue(ctx, store); err != nil {
		return fmt.Errorf("take store %s away: %w", store, err)
	}
	return nil
}
