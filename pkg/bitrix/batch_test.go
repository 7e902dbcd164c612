package bitrix

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestABatchKeepsItsOrder(t *testing.T) {
	var got string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.URL.Path + " " + string(body)
		io.WriteString(w, `{"result":{"result":{"zeta":{"item":{"id":342}},"alpha":{"task":{"id":"3711"}},"mid":[]},"result_error":[],"result_total":{"mid":0},"result_next":[],
			"result_time":{"zeta":{"duration":0.5,"operating":1.5,"operating_reset_at":1757425271}}},"time":{"duration":1.25}}`)
	})
	b, err := clientOf(t, s.URL, nil).Batch(context.Background(), []Command{
		AddItem(Lead, EntityFields{Title: "Дзвінок +380671112233"}).As("zeta"),
		AddTask(TaskFields{Title: "a&b", CRM: []Binding{{Lead, Link{Ref: Ref("zeta", "item", "id")}}}}).As("alpha"),
		ListItems(Contact, []int{4}).As("mid"),
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	want := "/rest/1/" + canary + `/batch {"halt":1,"cmd":{` +
		`"zeta":"crm.item.add?entityTypeId=1&fields[title]=%D0%94%D0%B7%D0%B2%D1%96%D0%BD%D0%BE%D0%BA%20%2B380671112233&useOriginalUfNames=Y",` +
		`"alpha":"tasks.task.add?fields[TITLE]=a%26b&fields[UF_CRM_TASK][0]=L_$result[zeta][item][id]",` +
		`"mid":"crm.item.list?entityTypeId=3&`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s…", got, want)
	}
	var keys []string
	for _, o := range b.Outcomes {
		if o.Error != nil || o.NotRun {
			t.Errorf("%s: %v, not run %v", o.Key, o.Error, o.NotRun)
		}
		keys = append(keys, o.Key)
	}
	if strings.Join(keys, " ") != "zeta alpha mid" {
		t.Errorf("outcomes in order %v", keys)
	}
	if zeta := b.Get("zeta"); zeta.Time.Duration != 0.5 || !zeta.Time.HasOperating || zeta.Time.Operating != 1.5 || b.Time.Duration != 1.25 {
		t.Errorf("times %+v and %+v", zeta.Time, b.Time)
	}
	if mid := b.Get("mid"); string(mid.Result) != "[]" || mid.Total == nil || *mid.Total != 0 || mid.Next != nil {
		t.Errorf("got %s, total %v, next %v", mid.Result, mid.Total, mid.Next)
	}
	if o := b.Get("nobody"); !o.NotRun || o.Error.Class != NotRun {
		t.Errorf("a key that wasn't there: %+v", o)
	}
}

// The outcome of a and b for answers of every shape.
func TestEveryCommandHasOneOutcome(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		halt         bool
		a, b         string
	}{
		{"both done", `{"result":{"a":1,"b":null},"result_error":[]}`, true, "1", "null"},
		{"false is a result", `{"result":{"a":false,"b":[]}}`, false, "false", "[]"},
		{"one failed", `{"result":{"a":1},"result_error":{"b":{"error":"","error_description":"Not found"}}}`, false, "1", "refused not_found"},
		{"all failed", `{"result":[],"result_error":{"a":{"error":"ERROR_CORE"},"b":{"error":"OPERATION_TIME_LIMIT"}}}`, false, "refused invalid", "wait method_budget"},
		{"halted", `{"result":[],"result_error":{"a":{"error":"ERROR_CORE"}}}`, true, "refused invalid", "skipped"},
		{"missing without halt", `{"result":[],"result_error":{"a":{"error":"ERROR_CORE"}}}`, false, "refused invalid", "ambiguous unreadable"},
		{"missing without a failure", `{"result":{"a":1},"result_error":[]}`, true, "1", "ambiguous unreadable"},
		{"missing before a failure", `{"result":[],"result_error":{"b":{"error":"ERROR_CORE"}}}`, true, "ambiguous unreadable", "refused invalid"},
		{"missing before a success", `{"result":{"b":1},"result_error":[]}`, true, "ambiguous unreadable", "1"},
		{"done and failed", `{"result":{"a":1,"b":2},"result_error":{"b":{"error":"ERROR_CORE"}}}`, false, "1", "ambiguous unreadable"},
		{"errors as a bare list", `{"result":{"a":1},"result_error":[{"error":"ERROR_CORE"}]}`, false, "1", "ambiguous unreadable"},
		{"an error without words", `{"result":{"a":1},"result_error":{"b":{"error":"","error_description":""}}}`, false, "1", "ambiguous unknown"},
		{"an error of another shape", `{"result":{"a":1},"result_error":{"b":"no"}}`, false, "1", "ambiguous unknown"},
		{"the portal's fault", `{"result":{"a":1},"result_error":{"b":{"error":"INTERNAL_SERVER_ERROR","error_description":"x"}}}`, false, "1", "ambiguous unknown"},
		{"too many", `{"result":{"a":1},"result_error":{"b":{"error":"ERROR_BATCH_LENGTH_EXCEEDED","error_description":"x"}}}`, false, "1", "not_run invalid"},
		{"a scope, without words", `{"result":{"a":1},"result_error":{"b":{"error":"insufficient_scope","error_description":""}}}`, false, "1", "wait scope"},
		{"only errors", `{"result_error":{"a":{"error":"ERROR_CORE"},"b":{"error":"ERROR_CORE"}}}`, false, "refused invalid", "refused invalid"},
	} {
		cmds := []Command{Profile().As("a"), Scope().As("b")}
		out, err := readBatch(Answer{Result: json.RawMessage(test.answer)}, cmds, test.halt, strings.ToUpper)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for i, want := range []string{test.a, test.b} {
			if got := sketch(out.Outcomes[i]); got != want {
				t.Errorf("%s: %s: got %q, want %q", test.name, cmds[i].Key, got, want)
			}
		}
	}
}

func sketch(o Outcome) string {
	switch {
	case o.NotRun && o.Error.Class == NotRun && o.Error.Reason == ReasonHalted && o.Result == nil:
		return "skipped"
	case o.Error != nil && !o.NotRun && o.Result == nil:
		return string(o.Error.Class) + " " + string(o.Error.Reason)
	case o.Error == nil && !o.NotRun:
		return string(o.Result)
	}
	return fmt.Sprintf("contradiction %+v", o)
}

func TestAGapInAHaltedBatchIsAmbiguous(t *testing.T) {
	// After the failure of a nothing should run; c did, so b may have too.
	answer := `{"result":{"c":1},"result_error":{"a":{"error":"ERROR_CORE"}}}`
	out, err := readBatch(Answer{Result: json.RawMessage(answer)}, []Command{Profile().As("a"), Scope().As("b"), Mode().As("c"), Scope().As("d")}, true, strings.ToUpper)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range out.Outcomes {
		got = append(got, sketch(o))
	}
	if want := "refused invalid, ambiguous unreadable, 1, skipped"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestAnAnswerThatIsNoBatchIsAmbiguousForAll(t *testing.T) {
	for _, result := range []string{"[]", "null", "1", `{"item":{"id":1}}`, `"x"`, "true"} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"result":`+result+`}`) })
		_, err := clientOf(t, s.URL, nil).Batch(context.Background(), []Command{Profile().As("a")}, false)
		if e := failure(t, err); e.Class != Ambiguous || e.Method != "batch" {
			t.Errorf("%s: got %v, want ambiguous", result, err)
		}
	}
}

func TestABatchIsRefusedAsAWhole(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(503)
		io.WriteString(w, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`)
	})
	_, err := clientOf(t, s.URL, nil).Batch(context.Background(), []Command{Profile().As("a")}, false)
	if e := failure(t, err); e.Class != Wait || e.Reason != ReasonQueryLimit || e.Status != 503 {
		t.Errorf("got %v, want wait, query_limit", err)
	}
}

func TestABatchThatCannotBeRightIsRefusedUnsent(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	c := clientOf(t, s.URL, nil)
	many := make([]Command, MaxBatch+1)
	for i := range many {
		many[i] = Profile().As(fmt.Sprintf("k%d", i))
	}
	lead := AddItem(Lead, EntityFields{Title: "x"}).As("lead")
	done := CompleteTask(Link{Ref: Ref("lead", "item", "id")}).As("done")
	for name, test := range map[string]struct {
		cmds []Command
		halt bool
	}{
		"nothing":                  {nil, true},
		"too many":                 {many, true},
		"a numeric key":            {[]Command{Profile().As("0")}, true},
		"no key":                   {[]Command{Profile()}, true},
		"a key with a bracket":     {[]Command{Profile().As("a]")}, true},
		"a key twice":              {[]Command{Profile().As("a"), Scope().As("a")}, true},
		"a batch in a batch":       {[]Command{Command{Method: "batch"}.As("a")}, true},
		"a method with parameters": {[]Command{Command{Method: "profile?x=1"}.As("a")}, true},
		"a reference without halt": {[]Command{lead, done}, false},
		"a reference ahead":        {[]Command{done, lead}, true},
		"a reference to nowhere":   {[]Command{done}, true},
		"a reference to itself":    {[]Command{CompleteTask(Link{Ref: Ref("done", "id")}).As("done")}, true},
		"no ids to list":           {[]Command{ListOpenDeals(By{}).As("a")}, true},
		"no numbers to find":       {[]Command{FindByPhone(Lead, []string{""}).As("a")}, true},
		"nothing to update":        {[]Command{UpdateItem(Lead, Link{ID: 1}, EntityFields{}).As("a")}, true},
	} {
		_, err := c.Batch(context.Background(), test.cmds, test.halt)
		if e := failure(t, err); e.Class != Refused || e.Stage != StageUnsent {
			t.Errorf("%s: got %v, want refused, unsent", name, err)
		}
	}
	if _, _, err := batchBody([]Command{lead, done}, true); err != nil {
		t.Errorf("a chain with halt: %v", err)
	}
	if _, _, err := batchBody(many[:MaxBatch], false); err != nil {
		t.Errorf("%d commands: %v", MaxBatch, err)
	}
}

func FuzzBatchAnswer(f *testing.F) {
	f.Add([]byte(`{"result":{"result":{"a":1},"result_error":{"b":{"error":"x"}},"result_time":[]},"time":{"operating":"1e3"}}`), true)
	f.Add([]byte(`{"result":{"result":[],"result_error":[]}}`), false)
	f.Add([]byte(`{"result":{"result":[[1],2],"result_total":{"a":"x"}}}`), true)
	f.Fuzz(func(t *testing.T, body []byte, halt bool) {
		e := readEnvelope(body)
		if e.content != ContentResult {
			return
		}
		out, err := readBatch(e.answer, []Command{Profile().As("a"), Scope().As("b")}, halt, strings.ToUpper)
		if err != nil {
			if ClassOf(err) != Ambiguous {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		for _, o := range out.Outcomes {
			if s := sketch(o); strings.HasPrefix(s, "contradiction") || s == "" || s == "skipped" && !halt {
				t.Fatalf("%q: %s", body, s)
			}
		}
	})
}

func TestACommandThatCannotBeExpressedDoesNotHoldItsNeighbours(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"result":{"result":{"a":{"ID":"1"},"c":{"ID":"1"}},"result_error":[],"result_total":[],"result_next":[],"result_time":[]}}`)
	})
	answer, err := clientOf(t, s.URL, nil).Batch(context.Background(), []Command{Profile().As("a"), ListOpenDeals(By{}).As("b"), Profile().As("c")}, false)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Class{"a": OK, "b": Refused, "c": OK} {
		if o := answer.Get(key); o.NotRun || o.Error == nil != (want == OK) || o.Error != nil && o.Error.Class != want {
			t.Errorf("%s: got %+v, want class %q", key, o, want)
		}
	}
}
