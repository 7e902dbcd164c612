package bus

import (
	"context"
	"io"
	"log"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
)

// TestWatermillsOwnSuitePasses runs the library's universal tests of a Publisher and a
// Subscriber. They publish one message id to many topics and expect a topic to be a
// log of its own, so every topic is a stream here, made as the production stream is.
func TestWatermillsOwnSuitePasses(t *testing.T) {
	quiet(t)
	s := openSuite(t)
	features := tests.Features{
		ConsumerGroups: true, GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true, Persistent: true,
	}
	// The suite's subtests run in parallel after this function has returned; the group
	// keeps the broker until they are through.
	t.Run("group", func(t *testing.T) {
		tests.TestPubSub(t, features, func(t *testing.T) (message.Publisher, message.Subscriber) {
			return s.of("one")
		}, func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
			return s.of(group)
		})
	})
}

func TestANewReaderReceivesWhatWasStoredBefore(t *testing.T) {
	quiet(t)
	s := openSuite(t)
	tests.TestNewSubscriberReceivesOldMessages(t, tests.TestContext{
		TestID:   tests.NewTestID(),
		Features: tests.Features{GuaranteedOrder: true, Persistent: true, NewSubscriberReceivesOldMessages: true},
	}, func(t *testing.T) (message.Publisher, message.Subscriber) {
		return s.of(watermill.NewShortUUID())
	})
}

// suite gives every topic a Bus of its own on one embedded broker.
type suite struct {
	main   *Bus
	mu     sync.Mutex
	topics map[string]*Bus
	open   []*subscriber
}

func openSuite(t *testing.T) *suite {
	t.Helper()
	b, err := Open(t.Context(), Options{Dir: t.TempDir(), Fast: true})
	if err != nil {
		t.Fatalf("open the broker: %v", err)
	}
	s := &suite{main: b, topics: map[string]*Bus{}}
	t.Cleanup(func() {
		// The suite leaves one subscriber open.
		for _, sub := range s.open {
			if err := sub.Close(); err != nil {
				t.Errorf("close a subscriber: %v", err)
			}
		}
		if err := b.Close(); err != nil {
			t.Errorf("close the broker: %v", err)
		}
	})
	return s
}

func (s *suite) of(group string) (message.Publisher, message.Subscriber) {
	return suitePublisher{s}, &suiteSubscriber{suite: s, group: group}
}

func (s *suite) topic(name string) (*Bus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.topics[name]; b != nil {
		return b, nil
	}
	b := *s.main
	b.name = name
	if err := b.makeStream(context.Background(), name); err != nil {
		return nil, err
	}
	s.topics[name] = &b
	return &b, nil
}

type suitePublisher struct{ *suite }

func (p suitePublisher) Publish(topic string, messages ...*message.Message) error {
	b, err := p.topic(topic)
	if err != nil {
		return err
	}
	return publisher{b}.Publish(topic, messages...)
}

func (suitePublisher) Close() error { return nil }

// suiteSubscriber reads several topics, each by a subscriber of ours.
type suiteSubscriber struct {
	suite *suite
	group string
	mu    sync.Mutex
	open  []*subscriber
}

func (s *suiteSubscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	b, err := s.suite.topic(topic)
	if err != nil {
		return nil, err
	}
	sub := newSubscriber(b, reading{
		durable: s.group, grace: 200 * time.Millisecond, retry: func(int) time.Duration { return time.Millisecond },
	})
	s.mu.Lock()
	s.open = append(s.open, sub)
	s.mu.Unlock()
	s.suite.mu.Lock()
	s.suite.open = append(s.suite.open, sub)
	s.suite.mu.Unlock()
	return sub.Subscribe(ctx, topic)
}

func (s *suiteSubscriber) Close() error {
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	for _, sub := range open {
		if err := sub.Close(); err != nil {
			return err
		}
	}
	return nil
}

// quiet keeps the suite's chatter out of the results.
func quiet(t *testing.T) {
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
}
