package callcounter

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/zap/zaptest"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/view"
)

// TestThisConsumerStaysSmall keeps the promise of the README: a consumer is one file
// of under 60 lines.
func TestThisConsumerStaysSmall(t *testing.T) {
	source, err := os.ReadFile("callcounter.go")
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(source, []byte("\n")); got >= 60 {
		t.Errorf("callcounter.go has %d lines, want under 60", got)
	}
}

// counter is a running callcounter.
type counter struct {
	t   testing.TB
	bus *bus.Bus
	api *http.ServeMux
}

func start(t testing.TB, b *bus.Bus) *counter {
	t.Helper()
	c := &counter{t: t, bus: b, api: http.NewServeMux()}
	log := zaptest.NewLogger(t)
	group := service.NewGroup(context.Background(), log)
	t.Cleanup(group.Stop)
	if err := Start(t.Context(), service.Env{Bus: b, API: c.api, Group: group, Views: view.New(b, t.TempDir(), log)}); err != nil {
		t.Fatal(err)
	}
	return c
}

// row is what one direction, outcome and client come to.
type row struct {
	Direction event.Direction
	Outcome   event.Outcome
	Client    string
	Calls     int
}

// resolves stores a decision about a call; the same id and decision are the same event.
func (c *counter) resolves(project, id string, decision int, d event.Direction, o event.Outcome, client string) {
	c.t.Helper()
	e, err := event.First("resolver", time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC), &event.CallResolved{
		Project: project, Client: event.Client{State: client}, Decision: decision, Amends: decision > 1,
		Facts: event.Call{ID: id, Final: true, Direction: d, Outcome: o},
	})
	if err == nil {
		_, err = c.bus.Publish(c.t.Context(), e)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *counter) answer(project string) []byte {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/projects/"+project+"/callcounter", nil))
	if w.Code != http.StatusOK {
		c.t.Fatalf("counts of %s: %d %s", project, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func (c *counter) counts(project string) []row {
	c.t.Helper()
	var list struct{ Items []row }
	if err := json.Unmarshal(c.answer(project), &list); err != nil {
		c.t.Fatal(err)
	}
	return list.Items
}

// has waits for the counts of a project: reading the stream takes a moment.
func (c *counter) has(project string, want []row) {
	c.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		diff := cmp.Diff(want, c.counts(project))
		if diff == "" {
			return
		}
		select {
		case <-deadline:
			c.t.Fatalf("counts of %s (-want +got):\n%s", project, diff)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestEachCallCountsOnce(t *testing.T) {
	b := bustest.Open(t)
	c := start(t, b)
	c.resolves("shop", "1", 1, event.Inbound, event.Answered, "new")
	c.resolves("shop", "1", 1, event.Inbound, event.Answered, "new")  // stored twice after a crash
	c.resolves("shop", "1", 2, event.Inbound, event.Answered, "open") // amended: its own lead is open by then
	c.resolves("shop", "1", 3, event.Inbound, event.Answered, "open") // retried by hand
	c.resolves("shop", "2", 1, event.Inbound, event.Missed, "new")
	c.resolves("shop", "3", 1, event.Inbound, event.Answered, "new")
	c.resolves("other", "1", 1, event.Outbound, event.Answered, "contact") // another project's call of the same id
	want := []row{{event.Inbound, event.Answered, "new", 2}, {event.Inbound, event.Missed, "new", 1}}
	c.has("other", []row{{event.Outbound, event.Answered, "contact", 1}}) // the last event is counted
	c.has("shop", want)
	start(t, b).has("shop", want) // also from the beginning
}

func TestAProjectWithoutCallsHasNone(t *testing.T) {
	c := start(t, bustest.Open(t))
	if got := string(c.answer("shop")); got != `{"items":[]}`+"\n" {
		t.Errorf("counts %s, want an empty list", got)
	}
}

func TestRowsAreInOneOrder(t *testing.T) {
	c := start(t, bustest.Open(t))
	for i, o := range []event.Outcome{event.Voicemail, event.Missed, event.Answered} {
		for j, client := range []string{"open", "contact", "new"} {
			c.resolves("shop", string(rune('a'+3*i+j)), 1, event.Inbound, o, client)
		}
	}
	c.resolves("shop", "more", 1, event.Inbound, event.Voicemail, "open")
	var want []row
	want = append(want, row{event.Inbound, event.Voicemail, "open", 2})
	for _, o := range []event.Outcome{event.Answered, event.Missed, event.Voicemail} {
		for _, client := range []string{"contact", "new", "open"} {
			if o != event.Voicemail || client != "open" {
				want = append(want, row{event.Inbound, o, client, 1})
			}
		}
	}
	c.has("shop", want)
}

// TestTheAnswerIsAsItIsDescribed holds it against the console's openapi.yaml.
func TestTheAnswerIsAsItIsDescribed(t *testing.T) {
	text, err := os.ReadFile("../console/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if text, err = json.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = compiler.AddResource("openapi.json", doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("openapi.json#/components/schemas/Callcounter")
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, bustest.Open(t))
	c.resolves("shop", "1", 1, event.Internal, event.Answered, "")
	c.has("shop", []row{{event.Internal, event.Answered, "", 1}})
	answer, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.answer("shop")))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(answer); err != nil {
		t.Errorf("the answer is not what openapi.yaml describes: %v", err)
	}
}
