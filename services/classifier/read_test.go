package classifier

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
)

// full is a finished call of which everything was said.
var full = url.Values{
	"call_id": {"call-a"}, "type": {"in"}, "status": {"PROPER"}, "date": {"2026-01-02 11:55:00"},
	"caller": {`"Ivan" <380671112233>`}, "callee": {"380441112233"}, "connected_with": {"380501110101"}, "staffid": {"101"},
	"call_duration": {"50"}, "waiting": {"20"}, "dialog": {"30"},
	"recording": {"https://records.example/a.ogg"}, "recording_wav": {"https://records.example/a.wav"}, "has_recording": {"1"},
	"utm_source": {"google"}, "utm_medium": {"cpc"}, "utm_campaign": {"winter"}, "utm_content": {"banner"}, "utm_term": {"chair"},
	"client_id": {"123.456"}, "landing": {"https://shop.example/sale"}, "referrer": {"https://search.example/"},
	"visitor_ip": {"192.0.2.7"}, "user_agent": {"Mozilla/5.0"}, "call_card": {"https://app.example/card/a"},
	"department": {"Sales"}, "scheme": {"Day"}, "pool": {"Site"}, "insertion_type": {"dynamic"},
	"category_number": {"5"}, "category_mark": {"2"}, "employee_mark": {"4"}, "my_budget": {"100"}, "colour": {"red"},
}

func TestEveryFieldOfARequestIsTakenOver(t *testing.T) {
	at := time.Date(2026, 1, 2, 11, 55, 0, 0, kyiv)
	want := event.Call{
		ID: "call-a", Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Status: "PROPER",
		Client: "+380671112233", ClientName: "Ivan", Line: "+380441112233",
		Employee: &event.Employee{Name: "Olena Koval", Code: "101", BitrixUser: 7}, AnsweredOn: "+380501110101",
		StartedAt: &at, Duration: 50, Waiting: 20, Talk: 30, Recording: "https://records.example/a.ogg",
		Card: "https://app.example/card/a", Rating: "5 / 2 / 4",
		Traffic: event.Traffic{
			Source: "google", Medium: "cpc", Campaign: "winter", Content: "banner", Term: "chair", ClientID: "123.456",
			Landing: "https://shop.example/sale", Referrer: "https://search.example/", VisitorIP: "192.0.2.7", UserAgent: "Mozilla/5.0",
		},
		Department: "Sales", Scheme: "Day", Pool: "Site", InsertionType: "dynamic",
		Extra: map[string]string{"budget": "100", "my_budget": "100", "colour": "red"},
	}
	if diff := cmp.Diff(want, read(t, full), cmp.Comparer(sameMoment)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sameMoment also wants the same offset: times keep the zone they came with.
func sameMoment(a, b time.Time) bool { return a.Format(time.RFC3339) == b.Format(time.RFC3339) }

func TestEveryShapeOfARequestIsRead(t *testing.T) {
	const json = "application/json"
	for name, r := range map[string]event.CallReceived{
		"a GET":                    {Method: "GET", Query: "event=after&call_id=a&type=in&status=ANSWERED&caller=380671112233&callee=380441112233&staffid=101"},
		"a form":                   {Method: "POST", Query: "event=after", Body: []byte("call_id=a&type=in&status=ANSWERED&caller=380671112233&callee=380441112233&staffid=101")},
		"a PUT":                    {Method: "PUT", Query: "event=after", Body: []byte("call_id=a&type=in&status=ANSWERED&caller=380671112233&callee=380441112233&staffid=101")},
		"a flat object":            {Method: "POST", Headers: map[string]string{"Content-Type": json}, Body: []byte(`{"call_id":"a","type":"in","status":"ANSWERED","caller":"380671112233","callee":"380441112233","staffid":101}`)},
		"a nested object":          {Method: "POST", Body: []byte(`{"call_id":"a","type":"in","additional_call_data":{"disposition":"ANSWERED","userfield":"380671112233","dst":"380441112233","staffid":"101"}}`)},
		"a JSON-RPC envelope":      {Method: "POST", Body: []byte(`{"jsonrpc":"2.0","method":"after","id":1,"params":{"call_id":"a","type":"in","status":"ANSWERED","caller":"380671112233","callee":"380441112233","staffid":"101"}}`)},
		"static and sent together": {Method: "POST", Query: "event=after&type=in", Body: []byte("call_id=a&status=ANSWERED&caller=380671112233&callee=380441112233&staffid=101")},
	} {
		r.ReceivedAt = noon
		c, err := Read(r, shop(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.ID != "a" || !c.Final || c.Direction != event.Inbound || c.Outcome != event.Answered || c.Client != "+380671112233" || c.Employee == nil || c.Employee.BitrixUser != 7 {
			t.Errorf("%s: %+v; want call a, inbound, answered by user 7", name, c)
		}
	}
}

func TestWhoIsOnTheCallIsFound(t *testing.T) {
	none := url.Values{"staffid": {""}, "connected_with": {""}}
	with := func(name, value string) url.Values {
		return url.Values{"staffid": {""}, "connected_with": {""}, name: {value}}
	}
	cases := []struct {
		name string
		over url.Values
		user int
		on   string
	}{
		{"by code", with("staffid", "102"), 8, ""},
		{"by number, which the settings have the national way", with("connected_with", "380501110101"), 7, "+380501110101"},
		{"by SIP login", with("connected_with", "shop_petro"), 8, "shop_petro"},
		{"by extension", with("extension", "102"), 8, "102"},
		{"by name", with("employee_name", "petro  BONDAR"), 8, "petro BONDAR"},
		{"not when the code is nobody's", with("staffid", "999"), 0, ""},
		{"not on a line of no employee, which is named", with("connected_with", "380509999999"), 0, "+380509999999"},
		{"not when nothing is said", none, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, user := read(t, answered(c.over)), 0
			if got.Employee != nil {
				user = got.Employee.BitrixUser
			}
			if user != c.user || got.AnsweredOn != c.on {
				t.Errorf("%v: user %d on %q, want %d on %q", c.over, user, got.AnsweredOn, c.user, c.on)
			}
		})
	}
}

func TestNobodyIsOnACallThatNobodyTook(t *testing.T) {
	for _, c := range []struct {
		over    url.Values
		someone bool
	}{
		{url.Values{"status": {"NO ANSWER"}, "dialog": {"0"}}, false},
		{url.Values{"status": {"BUSY"}, "dialog": {"0"}}, false},
		{url.Values{"status": {"VOICEMAIL"}}, false}, // a machine took it
		{url.Values{"status": {"ANSWERED"}}, true},
		// Who called out and was not answered made the call nevertheless.
		{url.Values{"type": {"out"}, "status": {"NO ANSWER"}, "caller": {"380501110101"}, "callee": {"380671112233"}, "connected_with": {""}}, true},
	} {
		if got := read(t, answered(c.over)); (got.Employee != nil) != c.someone {
			t.Errorf("%v: employee %+v of a call %s %s; want one: %v", c.over, got.Employee, got.Direction, got.Outcome, c.someone)
		}
	}
}

func TestARecordingIsThereWhenTheCallWasRecorded(t *testing.T) {
	const ogg, wav = "https://records.example/a.ogg", "https://records.example/a.wav"
	for _, c := range []struct {
		over url.Values
		want string
	}{
		{url.Values{"recording": {ogg}, "has_recording": {"1"}}, ogg},
		{url.Values{"recording": {ogg}}, ogg},
		{url.Values{"recording": {ogg}, "recording_wav": {wav}}, ogg},
		{url.Values{"recording_wav": {wav}}, wav},
		{url.Values{"recording": {ogg}, "recording_wav": {wav}, "has_recording": {"0"}}, ""},
		{url.Values{"recording": {"javascript:alert(1)"}}, ""},
		{url.Values{"has_recording": {"1"}}, ""},
	} {
		if got := read(t, answered(c.over)).Recording; got != c.want {
			t.Errorf("%v: recording %q, want %q", c.over, got, c.want)
		}
	}
}

func TestACallThatDoesNotSayWhenBeganBeforeItsReport(t *testing.T) {
	got := read(t, answered(url.Values{"date": {""}})).StartedAt
	if want := noon.Add(-50 * time.Second); got == nil || !sameMoment(*got, want) {
		t.Errorf("started %v, want %v: 50 seconds before the request, in the project's zone", got, want)
	}
	r := form(url.Values{"call_id": {"a"}, "caller": {"380671112233"}, "callee": {"380441112233"}})
	r.Query = "event=before"
	if c, err := Read(*r, shop(t)); err != nil || c.Final || c.StartedAt != nil {
		t.Errorf("a call that goes on and does not say when it began: %+v, %v; want no time", c, err)
	}
}

func TestTheSameRequestGivesTheSameFacts(t *testing.T) {
	for range 20 {
		if diff := cmp.Diff(read(t, full), read(t, full)); diff != "" {
			t.Fatalf("two readings differ:\n%s", diff)
		}
	}
}

func TestWhatCannotBeReadSaysWhyAndWhatToDo(t *testing.T) {
	_, err := Read(*form(url.Values{"status": {"ANSWERED"}}), shop(t))
	var unreadable *ringostat.Unreadable
	if !errors.As(err, &unreadable) || unreadable.Reason == "" || unreadable.Remedy == "" {
		t.Errorf("a request without a call id: %v; want a reason and a remedy", err)
	}
}
