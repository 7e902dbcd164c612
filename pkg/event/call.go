package event

import (
	"regexp"
	"strings"
	"time"
)

// Direction says who called whom.
type Direction string

// The directions.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal"
)

// Outcome says how the call ended. It is empty while the call goes on.
type Outcome string

// The outcomes.
const (
	Answered  Outcome = "answered"
	Missed    Outcome = "missed"
	Voicemail Outcome = "voicemail"
)

// Call holds the facts of one call as far as they are known. Times keep the zone
// they came with; seconds are whole seconds; empty means "not said".
type Call struct {
	ID string `json:"call_id"`
	// Leg is the id that a report of a passed-on talk came under, where it is not ID.
	Leg           string            `json:"leg_id,omitempty"`
	Event         string            `json:"event"`
	Final         bool              `json:"final"`
	Direction     Direction         `json:"direction,omitempty"`
	Outcome       Outcome           `json:"outcome,omitempty"`
	Status        string            `json:"status,omitempty"`
	StatusUnknown bool              `json:"status_unknown,omitempty"`
	Callback      bool              `json:"callback,omitempty"`
	Transit       bool              `json:"transit,omitempty"`
	Client        string            `json:"client,omitempty"`
	ClientName    string            `json:"client_name,omitempty"`
	Line          string            `json:"line,omitempty"`
	Employee      *Employee         `json:"employee,omitempty"`
	AnsweredOn    string            `json:"answered_on,omitempty"`
	Extension     string            `json:"extension,omitempty"`
	StartedAt     *time.Time        `json:"started_at,omitempty"`
	Duration      int               `json:"duration_s,omitempty"`
	Waiting       int               `json:"waiting_s,omitempty"`
	Talk          int               `json:"talk_s,omitempty"`
	Recording     string            `json:"recording,omitempty"`
	Card          string            `json:"call_card,omitempty"`
	Rating        string            `json:"rating,omitempty"`
	Traffic       Traffic           `json:"traffic,omitzero"`
	Department    string            `json:"department,omitempty"`
	Scheme        string            `json:"scheme,omitempty"`
	Pool          string            `json:"pool,omitempty"`
	InsertionType string            `json:"insertion_type,omitempty"`
	Extra         map[string]string `json:"extra,omitempty"`
	// Legs are the parts of a talk that was passed on, in their order; empty where there
	// was one part. The employee on the call is then the last one who talked.
	Legs []Leg `json:"legs,omitempty"`
}

// Leg is one part of a talk: each has its own employee and recording.
type Leg struct {
	ID         string     `json:"call_id"`
	Employee   *Employee  `json:"employee,omitempty"`
	AnsweredOn string     `json:"answered_on,omitempty"`
	Extension  string     `json:"extension,omitempty"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	Talk       int        `json:"talk_s,omitempty"`
	Recording  string     `json:"recording,omitempty"`
}

// Employee is who took or made the call, as the project's settings know him.
type Employee struct {
	Name       string `json:"name"`
	Code       string `json:"code,omitempty"`
	BitrixUser int    `json:"bitrix_user"`
}

// Traffic says where the client came from.
type Traffic struct {
	Source    string `json:"utm_source,omitempty"`
	Medium    string `json:"utm_medium,omitempty"`
	Campaign  string `json:"utm_campaign,omitempty"`
	Content   string `json:"utm_content,omitempty"`
	Term      string `json:"utm_term,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Landing   string `json:"landing,omitempty"`
	Referrer  string `json:"referrer,omitempty"`
	VisitorIP string `json:"visitor_ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
}

// End is when the call was over, or the zero time where its start is not known.
func (c Call) End() time.Time {
	if c.StartedAt == nil {
		return time.Time{}
	}
	d := max(c.Duration, c.Waiting+c.Talk)
	return c.StartedAt.Add(time.Duration(d) * time.Second)
}

// Came is when there was first something to do about a call that was reported then: at
// its end, or when it was reported where nobody knows that.
func (c Call) Came(reported time.Time) time.Time {
	if end := c.End(); !end.IsZero() && end.Before(reported) {
		return end
	}
	return reported
}

// Lane is the client that the call belongs to: calls of one lane are worked on one
// after the other. A call without a number is a client of its own.
func (c Call) Lane() string {
	if c.Client != "" {
		return c.Client
	}
	return "call:" + c.ID
}

// Masked shows a phone number so that a log can tell numbers apart but not call them.
func Masked(number string) string {
	if len(number) < 8 {
		return strings.Repeat("•", len(number))
	}
	return number[:4] + strings.Repeat("•", len(number)-6) + number[len(number)-2:]
}

// numbers finds what could be called: with a plus any usual spelling, without one ten
// digits or more in a row. Dates, ids of the CRM and lengths are shorter.
var numbers = regexp.MustCompile(`\+\d[\d ()-]{6,}\d|\d{10,}`)

// withoutNumbers masks the phone numbers in a text that a person or a portal wrote.
func withoutNumbers(text string) string {
	return numbers.ReplaceAllStringFunc(text, func(n string) string {
		return Masked(separators.Replace(n))
	})
}

var separators = strings.NewReplacer(" ", "", "(", "", ")", "", "-", "")
