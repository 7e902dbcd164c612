package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
)

type question struct {
	Number string `json:"number"`
}

type answer struct {
	Known bool `json:"known"`
}

func ask(t *testing.T, b *bus.Bus, number string) (answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return bus.Ask[question, answer](ctx, b, "ask.demo.client", question{number})
}

func TestAskingWhereNobodyAnswersIsAnErrorAtOnce(t *testing.T) {
	_, err := ask(t, bustest.Open(t), "+380671112233")
	if !errors.Is(err, bus.ErrNobodyAnswers) {
		t.Errorf("got %v, want ErrNobodyAnswers", err)
	}
	if err != nil && strings.Contains(err.Error(), "671112233") {
		t.Errorf("the error %q holds the question", err)
	}
}

func TestAnAnswerReachesItsAsker(t *testing.T) {
	b := bustest.Open(t)
	release := make(chan struct{})
	err := bus.Answer(t.Context(), b, "ask.demo.client", func(_ context.Context, q question) (answer, error) {
		switch q.Number {
		case "slow":
			<-release
		case "bad":
			return answer{}, errors.New("the portal refused")
		case "panic":
			panic("a mistake in the program")
		}
		return answer{Known: q.Number != "unknown"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slow := make(chan error, 1)
	go func() {
		_, err := ask(t, b, "slow")
		slow <- err
	}()
	for number, want := range map[string]answer{"known": {Known: true}, "unknown": {}} {
		if got, err := ask(t, b, number); err != nil || got != want {
			t.Errorf("asked for %s while another answer takes long: got %+v (%v), want %+v", number, got, err, want)
		}
	}
	for number, want := range map[string]string{"bad": "the portal refused", "panic": "a mistake in the program"} {
		if _, err := ask(t, b, number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("asked for %s: got error %v, want %q", number, err, want)
		}
	}
	close(release)
	if err := receive(t, slow, "the slow answer comes"); err != nil {
		t.Errorf("the slow answer is an error: %v", err)
	}
}

func TestAnswersEndWithTheirContext(t *testing.T) {
	b := bustest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := bus.Answer(ctx, b, "ask.demo.client", func(context.Context, question) (answer, error) {
		return answer{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, b, "x"); err != nil {
		t.Fatalf("ask while answered: %v", err)
	}
	cancel()
	bustest.Eventually(t, limit, "nobody answers after the context is over", func() bool {
		_, err := ask(t, b, "x")
		return errors.Is(err, bus.ErrNobodyAnswers)
	})
}

func TestAskingEndsWithItsContext(t *testing.T) {
	b := bustest.Open(t)
	release := make(chan struct{})
	defer close(release)
	if err := bus.Answer(t.Context(), b, "ask.demo.client", func(context.Context, question) (answer, error) {
		<-release
		return answer{}, nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := bus.Ask[question, answer](ctx, b, "ask.demo.client", question{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}
