package writer

import (
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// askTogether packs the look-ups of so many clients into one question.
func askTogether(t *testing.T, clients int) *request {
	t.Helper()
	budget := bitrix.NewBudget(0)
	p := newPacking(time.Unix(0, 0), &budget, &bitrix.Durations{}, 10)
	for n := range clients {
		if !p.add(&unit{find: &finding{spellings: spellings(number(n))}}) {
			t.Fatalf("client %d found no place", n)
		}
	}
	r := p.close()
	if len(r.commands) != 1 || len(r.passengers) != clients {
		t.Fatalf("%d commands for %d clients, want one question for %d", len(r.commands), len(r.passengers), clients)
	}
	return r
}

func TestWhoStaysBehindDoesNotTakeTheQuestionOfOthersAlong(t *testing.T) {
	r := askTogether(t, 3)
	for left := 2; left >= 0; left-- {
		r.without(r.passengers[0])
		if want := min(left, 1); len(r.commands) != want {
			t.Errorf("with %d of 3 clients left %d commands leave, want %d", left, len(r.commands), want)
		}
	}
}

func TestAnAnswerThatIsMissingIsNotTakenForNothingFound(t *testing.T) {
	r := askTogether(t, 2)
	r.deliver(bitrix.BatchAnswer{}, nil)
	for _, one := range r.passengers {
		if e := firstError(one.unit.answer); e == nil || asError(e).Class != bitrix.NotRun {
			t.Errorf("a client whose question was not answered is told %v, want an error that lets it be asked again", e)
		}
	}
}
