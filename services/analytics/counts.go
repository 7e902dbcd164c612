package analytics

import (
	"encoding/json"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// counts are the sums over some calls.
type counts struct {
	Calls int64 `json:"calls"`
	// Incoming calls by outcome.
	Answered  int64 `json:"answered"`
	Missed    int64 `json:"missed"`
	Voicemail int64 `json:"voicemail"`
	// Outgoing calls, and those of them that somebody answered.
	Outbound         int64 `json:"outbound"`
	OutboundAnswered int64 `json:"outbound_answered"`
	Internal         int64 `json:"internal"`
	// Incoming calls by what the CRM knew of the client: nothing, a contact or more, no
	// number to ask about. One that is not decided yet is none of them.
	New    int64 `json:"new"`
	Known  int64 `json:"known"`
	Hidden int64 `json:"hidden"`
	// Talk is of all calls, Waiting of incoming answered ones.
	Talk    int64 `json:"talk_s"`
	Waiting int64 `json:"waiting_s"`
}

// countOf is what one finished call adds.
func countOf(c Call) (n counts) {
	n.Calls, n.Talk = 1, int64(c.Talk)
	switch event.Direction(c.Direction) {
	case event.Internal:
		n.Internal = 1
	case event.Outbound:
		n.Outbound = 1
		if c.Outcome == string(event.Answered) {
			n.OutboundAnswered = 1
		}
	case event.Inbound:
		switch event.Outcome(c.Outcome) {
		case event.Answered:
			n.Answered, n.Waiting = 1, int64(c.Waiting)
		case event.Missed:
			n.Missed = 1
		case event.Voicemail:
			n.Voicemail = 1
		}
		switch c.Client {
		case "new":
			n.New = 1
		case "contact", "open":
			n.Known = 1
		case "anonymous":
			n.Hidden = 1
		}
	}
	return n
}

// columns are the sums in the order of the table's columns.
func (n *counts) columns() []*int64 {
	return []*int64{
		&n.Calls, &n.Answered, &n.Missed, &n.Voicemail, &n.Outbound, &n.OutboundAnswered, &n.Internal,
		&n.New, &n.Known, &n.Hidden, &n.Talk, &n.Waiting,
	}
}

// add adds other times sign. It is written out because a year's report adds 70,000 times.
func (n *counts) add(other counts, sign int64) {
	n.Calls += sign * other.Calls
	n.Answered += sign * other.Answered
	n.Missed += sign * other.Missed
	n.Voicemail += sign * other.Voicemail
	n.Outbound += sign * other.Outbound
	n.OutboundAnswered += sign * other.OutboundAnswered
	n.Internal += sign * other.Internal
	n.New += sign * other.New
	n.Known += sign * other.Known
	n.Hidden += sign * other.Hidden
	n.Talk += sign * other.Talk
	n.Waiting += sign * other.Waiting
}

// kind says what the calls of a sum have in common.
type kind int

const (
	byEmployee kind = iota + 1
	bySource
)

// keyOf is the group of a call; ok is false where it belongs to none.
func (k kind) keyOf(c Call) (key string, ok bool) {
	if k == byEmployee {
		return c.Employee, c.Employee != ""
	}
	return sourceKey([3]string{c.Source, c.Medium, c.Campaign}), c.Direction == string(event.Inbound)
}

// sourceKey holds a source, a medium and a campaign, whatever is in them.
func sourceKey(parts [3]string) string {
	key, err := json.Marshal(parts)
	if err != nil {
		return "" // texts can always be written
	}
	return string(key)
}

func sourceParts(key string) (parts [3]string) {
	_ = json.Unmarshal([]byte(key), &parts) // written by sourceKey
	return parts
}

// talked says whether somebody talked with the client of the call.
func talked(c Call) bool {
	return c.Phone != "" && c.Direction != string(event.Internal) && c.Outcome == string(event.Answered)
}

// missed says whether a client called in vain who can be called back.
func missed(c Call) bool {
	return c.Phone != "" && c.Direction == string(event.Inbound) && (c.Outcome == string(event.Missed) || c.Outcome == string(event.Voicemail))
}
