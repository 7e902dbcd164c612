package bitrixtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

var aLead = m{"fields": m{"TITLE": "x", "ORIGINATOR_ID": "ringbridge", "ORIGIN_ID": "c1"}}

// TestEveryEffectBreaksAsItSays sends one lead through each fault over a real connection.
func TestEveryEffectBreaksAsItSays(t *testing.T) {
	for _, c := range []struct {
		do Effect
		// status 0 means the connection breaks.
		status   int
		body     string
		executed bool
	}{
		{RefuseQueryLimit, 503, `"error":"QUERY_LIMIT_EXCEEDED"`, false},
		{OperationTimeLimit, 429, `"error":"OPERATION_TIME_LIMIT"`, false},
		{Overload, 503, `"error":"OVERLOAD_LIMIT"`, false},
		{PlanExpired, 403, `"error":"ACCESS_DENIED"`, false},
		{CutBefore, 0, "", false},
		{CutAfter, 0, "", true},
		{Late(time.Minute), 0, "", false},
		{Stall(time.Millisecond), 200, `"result":1`, true},
		{RedirectTo("https://new.example.com/rest/1/secret/"), 302, "", false},
		{Status500Before, 500, `"error":"INTERNAL_SERVER_ERROR"`, false},
		{Status500After, 500, `"error":"INTERNAL_SERVER_ERROR"`, true},
		{HTML502Before, 502, "<html>", false},
		{HTML502After, 502, "<html>", true},
		{HTML504After, 504, "<html>", true},
		{IDsAs("null"), 200, `"result":1`, true},
		{HTML200, 200, "<html>", false},
		{TruncatedJSON, 200, `{"result":1`, true},
		{EmptyBody, 200, "", true},
		{Drip(time.Microsecond), 200, `{"result":1`, true},
		{Huge(1 << 20), 200, strings.Repeat(" ", 1<<20) + `{"result":1`, true},
		{ErrorIn200, 200, `"error":"INTERNAL_SERVER_ERROR"`, false},
		{ReadLag(time.Hour), 200, `"result":1`, true},
		{Refuse(400, "ERROR_CORE", "no"), 400, `"error":"ERROR_CORE"`, false},
	} {
		clock := newClock()
		p, url := Start(t, Options{Now: clock.now})
		p.Inject(Fault{Method: "crm.lead.add", Do: c.do})
		resp, body, err := fetch(t, url+"crm.lead.add", aLead)
		switch {
		case c.status == 0:
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
				t.Errorf("%v: got %v %s, want the connection reset", c.do, err, body)
			}
		case err != nil:
			t.Errorf("%v: %v", c.do, err)
			continue
		case resp.StatusCode != c.status || !strings.Contains(body, c.body):
			t.Errorf("%v: got %d %s, want %d with %s", c.do, resp.StatusCode, body, c.status, c.body)
		}
		if got := len(p.Leads()) == 1; got != c.executed {
			t.Errorf("%v: executed %v, want %v", c.do, got, c.executed)
		}
		if c.do.name == TruncatedJSON.name && json.Valid([]byte(body)) {
			t.Errorf("%v: the body is whole: %s", c.do, body)
		}
		if c.do.name == "redirect" && resp.Header.Get("Location") != "https://new.example.com/rest/1/secret/crm.lead.add" {
			t.Errorf("%v: Location %q", c.do, resp.Header.Get("Location"))
		}
		if resp, body, err := fetch(t, url+"crm.lead.add", aLead); err != nil || resp.StatusCode != 200 {
			t.Errorf("after %v: got %v %s, want one fault only", c.do, err, body)
		}
	}
}

func TestALateRequestRunsWhenItsTimeComes(t *testing.T) {
	c := newClock()
	p, url := Start(t, Options{Now: c.now})
	p.Inject(Fault{Do: Late(30 * time.Second)})
	fetch(t, url+"crm.lead.add", aLead)
	c.move(29 * time.Second)
	if got := len(p.Leads()); got != 0 {
		t.Errorf("%d leads before the time, want 0", got)
	}
	c.move(time.Second)
	if got := len(p.Leads()); got != 1 {
		t.Errorf("%d leads after 30 s, want 1", got)
	}
	p.Inject(Fault{Do: Late(time.Hour)})
	fetch(t, url+"batch", json.RawMessage(batchOf("a", "crm.lead.add?fields[TITLE]=2", "b", "crm.lead.add?fields[TITLE]=3")))
	p.Flush()
	if got := len(p.Leads()); got != 3 {
		t.Errorf("%d leads after Flush, want 3", got)
	}
}

func TestALateRequestIsOfTheTimeWhenItWasDueAlsoWhenNobodyLooked(t *testing.T) {
	c := newClock()
	p, url := Start(t, Options{Now: c.now, ReadLag: 5 * time.Second})
	p.Inject(Fault{Do: Late(30 * time.Second)})
	fetch(t, url+"crm.item.add", json.RawMessage(`{"entityTypeId": 1, "fields": {"title": "A"}}`))
	c.move(40 * time.Second)
	if _, body, err := fetch(t, url+"crm.item.list", json.RawMessage(`{"entityTypeId": 1}`)); err != nil || !strings.Contains(body, `"title":"A"`) {
		t.Errorf("ten seconds after it was due a list shows %s (%v), want the lead", body, err)
	}
}

func TestAnUnansweredRequestIsHeldUntilTheClientGivesUp(t *testing.T) {
	for _, test := range []struct {
		do   Effect
		want int
	}{{Unanswered, 0}, {UnansweredLate(30 * time.Second), 1}} {
		c := newClock()
		p, url := Start(t, Options{Now: c.now})
		p.Inject(Fault{Do: test.do})
		client := http.Client{Timeout: 100 * time.Millisecond}
		resp, err := client.Post(url+"crm.lead.add", "application/json", strings.NewReader(`{"fields":{"TITLE":"x"}}`))
		if err == nil {
			resp.Body.Close()
			t.Errorf("%v: answered %d, want silence", test.do, resp.StatusCode)
		}
		if !os.IsTimeout(err) {
			t.Errorf("%v: %v, want the client's own patience at its end", test.do, err)
		}
		if got := len(p.Leads()); got != 0 {
			t.Errorf("%v: %d leads at once, want 0", test.do, got)
		}
		c.move(30 * time.Second)
		if got := len(p.Leads()); got != test.want {
			t.Errorf("%v: %d leads after 30 s, want %d", test.do, got, test.want)
		}
	}
}

func TestIdsArePrintedInAnyForm(t *testing.T) {
	for form, want := range map[string]string{
		`"%s"`: `{"task":{"id":"1","parentId"`, `%s`: `{"task":{"id":1,"parentId"`,
		`%s.0`: `{"task":{"id":1.0,"parentId"`, `null`: `{"task":{"id":null,"parentId"`,
	} {
		p, url := Start(t, Options{})
		p.Inject(Fault{Do: IDsAs(form)})
		_, body, err := fetch(t, url+"tasks.task.add", m{"fields": m{"TITLE": "x", "RESPONSIBLE_ID": 1}})
		if err != nil || !strings.Contains(body, want) {
			t.Errorf("%s: got %v %s, want %s in it", form, err, body, want)
		}
		if got := len(p.Tasks()); got != 1 {
			t.Errorf("%s: %d tasks, want 1", form, got)
		}
	}
}

func TestALateRequestOfARevokedWebhookNeverRuns(t *testing.T) {
	p, url := Start(t, Options{})
	p.RevokeWebhook()
	p.Inject(Fault{Do: Late(0)})
	fetch(t, url+"crm.lead.add", aLead)
	p.Flush()
	if got := len(p.Leads()); got != 0 {
		t.Errorf("%d leads, want 0", got)
	}
}

func TestFlushEndsAStall(t *testing.T) {
	p, url := Start(t, Options{})
	p.Inject(Fault{Do: Stall(time.Hour)})
	done := make(chan error)
	go func() {
		_, _, err := fetch(t, url+"crm.lead.add", aLead)
		done <- err
	}()
	// The request may not be waiting yet, so flush until it is answered.
	for range 2000 {
		p.Flush()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("after Flush: %v", err)
			}
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Error("the stalled request was not answered in 10 s of flushing")
}

func TestABatchCanBeCutInTheMiddle(t *testing.T) {
	p, url := Start(t, Options{})
	p.Inject(Fault{When: func(r Request) bool { return len(r.Commands) == 3 }, Do: CutAfterCommands(2)})
	add := "crm.lead.add?fields[TITLE]=x"
	if _, _, err := fetch(t, url+"batch", json.RawMessage(batchOf("a", add, "b", add, "c", add))); err == nil {
		t.Error("the connection was not cut")
	}
	if got := len(p.Leads()); got != 2 {
		t.Errorf("%d leads, want 2", got)
	}
	got := p.Requests()[0]
	if !got.Commands[1].Ran || got.Commands[2].Ran || got.Status != 0 || got.Fault != "cut after commands" {
		t.Errorf("log: %+v", got)
	}
}

func TestAFaultAimedAtAMethodHitsItInsideABatch(t *testing.T) {
	r := portal(t, Options{})
	r.Inject(Fault{Method: "crm.lead.add", Skip: 1, Times: 1, Do: OperationTimeLimit})
	add := "crm.lead.add?fields[TITLE]=x"
	result := r.get("batch", batchOf("a", add, "b", add, "c", add, "d", "profile"))
	if got := fmt.Sprint(at(result, "result_error")); got != "map[b:map[error:OPERATION_TIME_LIMIT error_description:Method is blocked due to operation time limit.]]" {
		t.Errorf("errors: %s", got)
	}
	r.Inject(Fault{Method: "tasks.task.add", Times: -1, Do: Refuse(400, "ERROR_CORE", "broken")})
	for range 3 {
		result = r.get("batch", batchOf("t", "tasks.task.add?fields[TITLE]=x&fields[RESPONSIBLE_ID]=1"))
		if got := at(result, "result_error", "t", "error_description"); got != "broken" {
			t.Errorf("got %v, want broken", result)
		}
	}
	r.Heal()
	r.get("tasks.task.add", m{"fields": m{"TITLE": "x", "RESPONSIBLE_ID": 1}})
}

func TestAHiddenRowAppearsWhenItsTimeComes(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now})
	r.Inject(Fault{Method: "crm.lead.add", Do: ReadLag(5 * time.Second)})
	r.get("crm.lead.add", aLead)
	r.get("crm.lead.add", aLead)
	count := func() any {
		_, body := r.send("crm.lead.list", m{"filter": m{"ORIGIN_ID": "c1"}})
		return body["total"]
	}
	if got := count(); got != 1.0 {
		t.Errorf("at once: %v rows, want 1", got)
	}
	c.move(5 * time.Second)
	if got := count(); got != 2.0 {
		t.Errorf("after 5 s: %v rows, want 2", got)
	}
}

func TestFaultsCount(t *testing.T) {
	pattern := func(f Fault, o Options) string {
		r := portal(t, o)
		r.Inject(f)
		out := ""
		for range 12 {
			if status, _ := r.send("profile", m{}); status == 500 {
				out += "x"
			} else {
				out += "."
			}
		}
		return out
	}
	for want, f := range map[string]Fault{
		"x...........": {Do: Status500Before},
		"..x.........": {Skip: 2, Do: Status500Before},
		"..xxx.......": {Skip: 2, Times: 3, Do: Status500Before},
		"...x...x...x": {Every: 4, Times: -1, Do: Status500Before},
		"............": {Method: "crm.lead.add", Times: -1, Do: Status500Before},
		"xxxxxxxxxxxx": {Method: "PROFILE", Times: -1, Do: Status500Before},
	} {
		if got := pattern(f, Options{}); got != want {
			t.Errorf("%+v: got %s, want %s", f, got, want)
		}
	}
	lots := Fault{Chance: 0.5, Times: -1, Do: Status500Before}
	first := pattern(lots, Options{Seed: 1})
	if again := pattern(lots, Options{Seed: 1}); again != first {
		t.Errorf("the same seed gave %s and %s", first, again)
	}
	if other := pattern(lots, Options{Seed: 2}); other == first {
		t.Errorf("two seeds gave the same %s", first)
	}
}

func TestARequestDeliveredTwiceMakesTwo(t *testing.T) {
	r := portal(t, Options{})
	r.Inject(Fault{Do: Twice})
	if got := r.get("crm.lead.add", aLead); got != 2.0 {
		t.Errorf("the answer: got %v, want the second lead", got)
	}
	if got := r.Duplicates()["lead ringbridge/c1"]; got != 2 {
		t.Errorf("leads: got %d, want 2", got)
	}
}

func TestAConnectionOverTLSIsCutToo(t *testing.T) {
	p := New(Options{HTTPSOnly: true})
	p.Inject(Fault{Do: CutAfter})
	srv := httptest.NewTLSServer(p)
	defer srv.Close()
	resp, err := srv.Client().Post(srv.URL+p.WebhookPath()+"crm.lead.add", "application/json", strings.NewReader(`{"fields":{}}`))
	if err == nil {
		t.Errorf("got %d, want the connection cut", resp.StatusCode)
		resp.Body.Close()
	}
	if got := len(p.Leads()); got != 1 {
		t.Errorf("%d leads, want 1", got)
	}
}
