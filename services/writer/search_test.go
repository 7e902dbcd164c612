package writer

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// A portal answers a filter that it does not know with everything it has.
func TestASearchTakesOverOnlyWhatCarriesItsOwnID(t *testing.T) {
	for _, test := range []struct {
		name    string
		command event.BitrixCommand
		found   string
		want    int
	}{
		{"its own lead among others", lead(), `{"items":[{"id":3,"originId":"another"},{"id":4,"originId":null},{"id":9,"originId":"id-lead"}]}`, 9},
		{"other leads only", lead(), `{"items":[{"id":3,"originId":"another"},{"id":4,"originId":""}]}`, 0},
		{"its own task among others", task(), `{"tasks":[{"id":"3","xmlId":"another"},{"id":"9","xmlId":"id-task","status":"5"}]}`, 9},
		{"other tasks only", task(), `{"tasks":[{"id":"3","xmlId":"another"},{"id":"4","xmlId":null}]}`, 0},
		{"two of its own: the older one", lead(), `{"items":[{"id":12,"originId":"id-lead"},{"id":9,"originId":"id-lead"}]}`, 9},
	} {
		t.Run(test.name, func(t *testing.T) {
			role := test.command.Role
			call := NewCall([]event.BitrixCommand{test.command}, map[string]callfile.Entry{
				role: {Command: test.command.ID, Plan: "plan", Kind: test.command.Kind, State: callfile.InDoubt, SentAt: start},
			}, waited, "en")
			move := call.Next(start.Add(2 * time.Minute))
			if move.Step != Search {
				t.Fatalf("next is %s, want a search", move.Step)
			}
			var answer bitrix.BatchAnswer
			for _, c := range move.Batch {
				answer.Outcomes = append(answer.Outcomes, bitrix.Outcome{Key: c.Key, Result: json.RawMessage(test.found)})
			}
			if later := call.Answered(move, answer, nil); later != nil {
				t.Fatalf("the answer is to be asked for again: %v", later)
			}
			e, state := call.Journal[role], callfile.Planned
			if test.want != 0 {
				state = callfile.Confirmed
			}
			if e.BitrixID != test.want || e.State != state || e.Adopted != (test.want != 0) {
				t.Errorf("after %s: entity %d, %s, adopted %v; want %d, %s", test.found, e.BitrixID, e.State, e.Adopted, test.want, state)
			}
		})
	}
}
