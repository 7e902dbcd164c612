package event_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
)

func TestEveryPayloadSpeaksInWords(t *testing.T) {
	answered := event.Call{ID: "c1", Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Status: "ANSWERED", Client: "+380671112233"}
	onLine, byOlena, missed, ringing := answered, answered, answered, answered
	onLine.AnsweredOn = "+380671112244"
	byOlena.Employee = &event.Employee{Name: "Olena Koval", BitrixUser: 7}
	missed.Outcome, missed.Status, missed.Client = event.Missed, "NO ANSWER", ""
	ringing.Final, ringing.Event = false, "before"
	for _, c := range []struct {
		payload event.Payload
		want    string
	}{
		{&event.CallReceived{Method: "POST", Source: event.FromWebhook, Body: []byte("caller=380671112233")}, "a POST request came in through the webhook (19 bytes)"},
		{&event.CallClassified{Call: ringing, Changed: true}, "the call goes on (before), client +380•••••••33"},
		{&event.CallClassified{Call: byOlena, Changed: true}, "inbound call, answered (ANSWERED), client +380•••••••33, on the call: Olena Koval"},
		{&event.CallClassified{Call: onLine, Changed: true}, "inbound call, answered (ANSWERED), client +380•••••••33, on the call: a line of no employee"},
		{&event.CallClassified{Call: missed}, "inbound call, missed (NO ANSWER), client hidden, on the call: nobody; nothing new"},
		{&event.CallClassified{Call: event.Call{Final: true, Direction: event.Internal, Outcome: event.Answered, Employee: byOlena.Employee}, Changed: true}, "internal call, answered, on the call: Olena Koval"},
		{&event.CallClassified{Call: event.Call{Direction: event.Internal, Event: "before"}, Changed: true}, "the call goes on (before)"},
		{&event.CallResolved{Client: event.Client{State: "new"}}, "the CRM does not know the client"},
		{&event.CallResolved{Client: event.Client{State: "anonymous"}, Amends: true}, "the client's number is hidden; this adds to what was decided before"},
		{&event.CallResolved{Client: event.Client{State: "open", Owner: 9, Open: &event.Ref{Kind: "deal", ID: 451, Title: "+380671112233"}}}, "the client has an open deal 451, responsible user 9"},
		{&event.CallResolved{Client: event.Client{State: "contact", Owner: 9, Contact: &event.Ref{Kind: "contact", ID: 88}}}, "the client is contact 88 with nothing open, responsible user 9"},
		{&event.CallResolved{Client: event.Client{State: "contact", Owner: 9, Company: &event.Ref{Kind: "company", ID: 12}}}, "the client is company 12 with nothing open, responsible user 9"},
		{&event.CallResolved{}, "the CRM was not asked"},
		{&event.BitrixCommand{Rule: "answered/new", Role: "lead", Kind: event.KindLead, Index: 1, Of: 2}, "rule answered/new wants lead (1 of 2)"},
		{&event.BitrixCommand{Rule: "outbound/new", Kind: event.KindNothing}, "rule outbound/new wants nothing done"},
		{&event.BitrixOutcome{Role: "lead", Kind: event.KindLead, State: event.AlreadyTrue, BitrixID: 1204}, "lead: already true, lead 1204"},
		{&event.BitrixOutcome{Role: "deal", State: event.Refused, Error: "The portal has no pipeline 4."}, "deal: refused: The portal has no pipeline 4."},
		{&event.CallParked{State: event.ParkedWaiting, Step: "classify", Reason: "the number 380671112233 is too long"}, "parked at classify: the number 3806••••••33 is too long"},
		{&event.CallParked{State: event.ParkedRetried}, "tried again by hand"},
		{&event.CallParked{State: event.ParkedDropped, Why: "a test"}, "dropped by hand: a test"},
		{&event.SettingsChanged{Revision: 3, By: "Petro"}, "settings revision 3 by Petro"},
		{&event.ConsoleActed{Person: "olena", Door: event.DoorConsole, Action: "POST /api/v1/projects/{project}/parked/{id}/retry", Target: "p7", Code: 200}, "olena, through the console: POST /api/v1/projects/{project}/parked/{id}/retry p7, answered 200"},
		{&event.ConsoleActed{Door: event.DoorConsole, Action: "POST /console/signin", Code: 403}, "somebody unknown, through the console: POST /console/signin, answered 403"},
	} {
		if got := c.payload.String(); got != c.want {
			t.Errorf("%#v\nsays %q,\nwant %q", c.payload, got, c.want)
		}
	}
}

var digits = regexp.MustCompile(`\D+`)

func TestNoSentenceHoldsAWholePhoneNumber(t *testing.T) {
	const number = "380671112233"
	for _, spelling := range []string{"+380671112233", "380671112233", "+380 67 111 22 33", "+38 (067) 111-22-33", "0671112233"} {
		call := event.Call{ID: "c1", Final: true, Client: spelling, ClientName: spelling, Line: spelling, AnsweredOn: spelling}
		for _, p := range []event.Payload{
			&event.CallReceived{Query: "caller=" + spelling, Body: []byte(spelling)},
			&event.CallClassified{Call: call},
			&event.CallClassified{Call: event.Call{Client: spelling}},
			&event.CallClassified{Call: event.Call{Final: true, Employee: &event.Employee{Name: spelling}}},
			&event.CallResolved{Facts: call, Client: event.Client{State: "open", Open: &event.Ref{Kind: "lead", ID: 1, Title: spelling}}},
			&event.BitrixCommand{Lane: spelling, Role: "lead", Kind: event.KindLead, Entity: &event.Entity{Title: spelling, Phone: spelling}},
			&event.BitrixOutcome{Role: "lead", State: event.Refused, Error: "PHONE " + spelling + " is wrong"},
			&event.CallParked{State: event.ParkedWaiting, Reason: "cannot read " + spelling + "."},
			&event.CallParked{State: event.ParkedDropped, Why: spelling + " asked us to"},
			&event.ConsoleActed{Person: spelling, Door: event.DoorAPI, Action: "PUT /x", Target: spelling, Code: 200},
			&event.SettingsChanged{By: spelling, Settings: []byte(`{"numbers":["` + spelling + `"]}`)},
		} {
			if got := p.String(); strings.Contains(digits.ReplaceAllString(got, ""), number[3:]) {
				t.Errorf("%T with number %s says %q", p, spelling, got)
			}
		}
	}
}

func TestAWordWithoutANumberIsLeftAlone(t *testing.T) {
	const reason = "call ended 2026-03-02 10:15, 25 of 1,204 tries; error 0x80041, task 903112"
	if got := (&event.CallParked{State: event.ParkedWaiting, Step: "plan", Reason: reason}).String(); got != "parked at plan: "+reason {
		t.Errorf("says %q, want the reason as it is", got)
	}
}

func TestAMaskedNumberTellsNumbersApartAndCannotBeCalled(t *testing.T) {
	for number, want := range map[string]string{
		"+380671112233": "+380•••••••33", "12345678": "1234••78", "1234567": "•••••••", "101": "•••", "": "",
	} {
		if got := event.Masked(number); got != want {
			t.Errorf("%s is masked as %s, want %s", number, got, want)
		}
	}
}
