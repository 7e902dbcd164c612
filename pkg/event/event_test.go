package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestDeriveTellsPartsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few letters, with the separators of the encoding among them.
		parts := rapid.SliceOf(rapid.StringOfN(rapid.SampledFrom([]rune("12:;a")), 0, 4, -1))
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if same := event.Derive(a...) == event.Derive(b...); same != (len(a) == len(b) && strings.Join(a, "\x00") == strings.Join(b, "\x00")) {
			t.Fatalf("Derive(%q) and Derive(%q): same id %v", a, b, same)
		}
	})
	if event.Derive("1", "23") == event.Derive("12", "3") {
		t.Error(`Derive("1", "23") and Derive("12", "3") are the same id`)
	}
}

// These ids are kept by portals. If this test fails, put the code right: with other
// ids every entity made so far would be made a second time.
func TestIDsNeverChange(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{event.CommandID("shop", "ua1_-1772442900.118204", "lead"), "22cddde4-cbfc-51d4-95f0-dec1dbf38755"},
		{event.CommandID("shop", "ua1_-1772442900.118204", "task:done"), "0ca0b0d6-6520-5bc6-b0fc-9c4ceb0c6d6d"},
		{event.Derive("command", "shop", "ua1_-1772442900.118204", "lead"), "22cddde4-cbfc-51d4-95f0-dec1dbf38755"},
		{event.Derive(), "c245b2d0-2dfc-541c-8108-b314189b7e91"},
	} {
		if c.got != c.want {
			t.Errorf("got id %s, want %s", c.got, c.want)
		}
	}
}

func TestNextMakesTheSameEventAgainWhateverTheClockSays(t *testing.T) {
	cause := event.Envelope{ID: "cause-1"}
	payload := &event.CallParked{ID: "p1", Project: "shop", Call: "c1", Step: "plan"}
	next := func(at time.Time, what ...string) event.Envelope {
		e, err := event.Next(cause, "planner", at, payload, what...)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first, later := next(now), next(now.Add(time.Hour))
	if first.ID != later.ID {
		t.Errorf("an hour later the id is %s, want %s", later.ID, first.ID)
	}
	later.Time = first.Time
	if diff := cmp.Diff(first, later); diff != "" {
		t.Errorf("an hour later more than the time differs:\n%s", diff)
	}
	if other := next(now, "lead"); other.ID == first.ID || other.ID != next(now, "lead").ID {
		t.Errorf("what the event is about makes id %s of %s, want another one, and the same each time", other.ID, first.ID)
	}
	want := event.Envelope{
		SpecVersion: "1.0", ID: event.Derive("cause-1", "call.parked.v1"), Type: event.TypeCallParked, Source: "/ringbridge/planner",
		Subject: "c1", Time: now, DataContentType: "application/json", Project: "shop", Call: "c1", Cause: "cause-1", Data: first.Data,
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFirstHasANewIDEachTimeAndNoCause(t *testing.T) {
	payload := &event.CallReceived{Project: "shop", Source: event.FromWebhook, Method: "POST", ReceivedAt: now}
	kyiv := time.FixedZone("", 2*60*60)
	a, errA := event.First("ingress", now.In(kyiv), payload)
	b, errB := event.First("ingress", now.In(kyiv), payload)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if a.ID == b.ID || a.ID == "" || a.Cause != "" {
		t.Errorf("ids %q and %q, cause %q; want two different ones and no cause", a.ID, b.ID, a.Cause)
	}
	if a.Time.Location() != time.UTC {
		t.Errorf("the event's time is %s, want UTC", a.Time)
	}
}

func TestAnUnknownTypeIsAnErrorThatNamesIt(t *testing.T) {
	e := event.Envelope{ID: "1", Type: "call.imagined.v1", Project: "shop", Data: []byte(`{}`)}
	p, err := event.Decode(e)
	if err == nil || !strings.Contains(err.Error(), "call.imagined.v1") {
		t.Errorf("decoded as %v with error %v, want an error that names the type", p, err)
	}
	if got := event.Words(e); got != "call.imagined.v1" {
		t.Errorf("in words %q, want its type", got)
	}
}

func TestDataOfAnotherShapeIsAnError(t *testing.T) {
	for _, typ := range event.Types() {
		for _, data := range []string{``, `[]`, `{"project": 7}`, `{"project": "shop"`} {
			if p, err := event.Decode(event.Envelope{ID: "1", Type: typ, Data: []byte(data)}); err == nil {
				t.Errorf("%s: data %q was decoded as %v, want an error", typ, data, p)
			}
		}
	}
	if v, err := event.As[event.CallParked](event.Envelope{Data: []byte(`[]`)}); err == nil {
		t.Errorf("a list was read as %v, want an error", v)
	}
}

func TestReadRefusesWhatIsNoEventOfOurs(t *testing.T) {
	for _, data := range []string{
		``, `null`, `[]`, `"text"`, `{}`, `{"id":"1","type":"call.parked.v1"}`, `{"id":"1","project":"shop"}`,
		`{"type":"call.parked.v1","project":"shop"}`, `{"id":1,"type":"call.parked.v1","project":"shop"}`,
		`{"id":"1","type":"call.parked.v1","project":"shop","time":"yesterday"}`, `{"id":"1","type":"call.parked.v1","project":"shop"`,
	} {
		if e, err := event.Read([]byte(data)); err == nil {
			t.Errorf("%s was read as %+v, want an error", data, e)
		}
	}
}

func TestAnEncodedEnvelopeIsWhatTheStandardEncoderWrites(t *testing.T) {
	e, err := event.First("test", time.Now(), &event.CallReceived{Project: "shop", Source: event.FromWebhook, Method: "POST", Query: `a="<b>"&c`, Body: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	hostile := e
	hostile.Call, hostile.Subject = `null}"`, "\x00null}"
	empty := e
	empty.Data = nil
	for _, e := range []event.Envelope{e, hostile, empty} {
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Encode(); err != nil || string(got) != string(want) {
			t.Errorf("encoded as %s (%v), want %s", got, err, want)
		}
	}
	broken := e
	broken.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	if got, err := broken.Encode(); err == nil {
		t.Errorf("a time that JSON can't hold is encoded as %s, want an error", got)
	}
}

func TestATypesNameIsWithoutItsVersion(t *testing.T) {
	for typ, want := range map[event.Type]string{
		event.TypeCallReceived: "call.received", "call.received.v12": "call.received", "odd": "odd", ".v1": ".v1", "": "",
	} {
		if got := typ.Name(); got != want {
			t.Errorf("the name of %q is %q, want %q", typ, got, want)
		}
	}
}

func TestOnlyADoubtIsNotSettled(t *testing.T) {
	for state, want := range map[event.OutcomeState]bool{
		event.Executed: true, event.Adopted: true, event.AlreadyTrue: true, event.Refused: true, event.InDoubt: false, "": false,
	} {
		if got := state.Settled(); got != want {
			t.Errorf("%q settled: %v, want %v", state, got, want)
		}
	}
}

// FuzzReadAndDecode feeds what a foreign program might store: nothing may panic, and
// what can be read is the same after it was written and read again.
func FuzzReadAndDecode(f *testing.F) {
	for _, example := range examples(f) {
		f.Add(example.data)
	}
	f.Add([]byte(`{"id":"1","type":"call.resolved.v1","project":"shop","data":{"people":{"7":{"active":true}}}}`))
	f.Add([]byte(`{"id":"1","type":"call.received.v1","project":"shop","data":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := event.Read(data)
		if err != nil {
			return
		}
		event.Words(e)
		wire := encode(t, e)
		again, err := event.Read(wire)
		if err != nil {
			t.Fatalf("written as %s it is refused: %v", wire, err)
		}
		if second := encode(t, again); string(second) != string(wire) {
			t.Fatalf("written as\n%s\nand after reading as\n%s", wire, second)
		}
		p, err := event.Decode(e)
		if err != nil {
			return
		}
		e.Data = encode(t, p)
		q, err := event.Decode(e)
		if err != nil {
			t.Fatalf("written as %s its data is refused: %v", e.Data, err)
		}
		if second := encode(t, q); string(second) != string(e.Data) {
			t.Fatalf("data written as\n%s\nand after reading as\n%s", e.Data, second)
		}
	})
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode %v: %v", v, err)
	}
	return data
}
