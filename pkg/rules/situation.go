package rules

import (
	"fmt"
	"slices"
)

// Direction says who called whom. The values are also on the wire.
type Direction string

// The directions of a call.
const (
	Inbound  Direction = "inbound"  // a client called the company
	Outbound Direction = "outbound" // the company called a client
	Internal Direction = "internal" // an employee called an employee; no client takes part
)

// Outcome says how a call ended. The values are also on the wire.
type Outcome string

// The outcomes of a call. An outbound call is answered or missed by the client.
const (
	Answered  Outcome = "answered"
	Missed    Outcome = "missed"
	Voicemail Outcome = "voicemail" // inbound, taken by the answering machine, whether or not the client left a message
)

// Client says what the CRM knew about the client's number before the call was worked on. The values are also on the
// wire.
type Client string

// The kinds of client, by what was found in the CRM.
const (
	NewClient   Client = "new"       // nothing, or closed leads and deals only
	ContactOnly Client = "contact"   // a contact, and neither lead nor deal open
	OpenClient  Client = "open"      // an open lead or deal
	Anonymous   Client = "anonymous" // the number is hidden or unreadable, so nothing was looked up
)

// Answerer says whose line took an inbound call, or made an outbound one. The values are also on the wire.
type Answerer string

// The kinds of answerer.
const (
	ByOwner    Answerer = "owner"    // the responsible of the client's open lead or deal, or of the contact
	ByEmployee Answerer = "employee" // an employee who is not the client's responsible
	ByUnmapped Answerer = "unmapped" // a line that the settings give to no employee
	ByNobody   Answerer = "nobody"   // nobody took the call
)

var (
	directions = []Direction{Inbound, Outbound, Internal}
	outcomes   = []Outcome{Answered, Missed, Voicemail}
	clients    = []Client{NewClient, ContactOnly, OpenClient, Anonymous}
	answerers  = []Answerer{ByOwner, ByEmployee, ByUnmapped, ByNobody}
)

// Situation is everything about a call that the table looks at.
type Situation struct {
	Direction Direction
	Outcome   Outcome
	Client    Client
	Answerer  Answerer
}

// String gives the four facts in reading order: "inbound answered, client new, by employee".
func (s Situation) String() string {
	return fmt.Sprintf("%s %s, client %s, by %s", s.Direction, s.Outcome, s.Client, s.Answerer)
}

// internalCall stands for all internal calls: no rule looks at their other facts.
var internalCall = Situation{Internal, Answered, Anonymous, ByEmployee}

// Possible lists every situation that can occur, each once, always in the same order. Internal calls are one
// situation, whatever else is known about them.
func Possible() []Situation {
	var all []Situation
	for _, direction := range directions {
		for _, outcome := range outcomes {
			for _, client := range clients {
				for _, answerer := range answerers {
					if s := (Situation{direction, outcome, client, answerer}); s.possible() {
						all = append(all, s)
					}
				}
			}
		}
	}
	return all
}

// possible holds the reasons why a combination cannot occur. Values that this package does not know are impossible.
func (s Situation) possible() bool {
	if !slices.Contains(outcomes, s.Outcome) || !slices.Contains(clients, s.Client) || !slices.Contains(answerers, s.Answerer) {
		return false
	}
	if s.Answerer == ByOwner && s.Client != ContactOnly && s.Client != OpenClient {
		return false // only what is in the CRM has a responsible
	}
	switch s.Direction {
	case Inbound:
		return (s.Outcome == Answered) == (s.Answerer != ByNobody)
	case Outbound:
		return s.Outcome != Voicemail && s.Answerer != ByNobody // somebody dialled
	case Internal:
		return s == internalCall
	}
	return false
}
