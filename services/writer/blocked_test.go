package writer

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

func TestABlockedMethodDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int) (int, string, error) {
			if n > 0 {
				return http.StatusOK, "", nil
			}
			return http.StatusOK, `{"result":{"result":[],"result_error":{"blocked":{"error":"OPERATION_TIME_LIMIT",` +
				`"error_description":"Method is blocked due to operation time limit."}},"result_total":[],"result_next":[],"result_time":[]}}`, nil
		}}
		g, ctx := opened(t, w, 2, 50)
		answer, err := g.send(ctx, one("blocked"))
		if err != nil {
			t.Fatal(err)
		}
		if o := answer.Get("blocked"); o.Error == nil || o.Error.Reason != bitrix.ReasonMethodBudget || !o.Error.RetryAt.After(time.Now()) {
			t.Fatalf("the blocked command ends with %+v, want to be told to come back later", o.Error)
		}
		refused := time.Now()
		if _, err := g.send(ctx, &unit{commands: []bitrix.Command{bitrix.Mode().As("other")}}); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(refused); waited > time.Second {
			t.Errorf("a command of another method waited %s, want it sent at once", waited)
		}
	})
}
