package ringostat

import (
	"time"

	"github.com/ringbridge/ringbridge/pkg/phone"
)

// Request is one webhook as it was stored, byte for byte.
type Request struct {
	Method      string // not looked at: a GET with a body is read as well as a POST without one
	Query       string // raw query of the address, without the question mark
	ContentType string // a hint only; a body that looks like JSON is read as JSON
	Body        []byte
}

// Options is what the project's settings say about reading a request. The zero
// value reads default names, international numbers and times in UTC.
type Options struct {
	Fields    map[string]string // parameters the project renamed, ours: theirs (ringostat.fields)
	Country   string            // ISO 3166 country of numbers without a country code
	Location  *time.Location    // zone of times without a zone; nil is UTC
	Employees []Employee        // tell an internal call from a client's
}

// Event is the moment a webhook reports. Its values are those of ?event= in
// the webhook's address.
type Event string

// The moments of help 6313229. There is no event for a missed call: that is
// After with a status that is not an answered one.
const (
	Before         Event = "before"          // incoming call, before it
	Answer         Event = "answer"          // the handset was lifted
	After          Event = "after"           // incoming call, after it
	Rating         Event = "rating"          // after the call-rating menu
	Forward        Event = "forward"         // at a forwarding step
	BeforeOutgoing Event = "before_outgoing" // outgoing call, before it
	AfterOutgoing  Event = "after_outgoing"  // outgoing call, after it
)

// Direction says who called whom. It is never empty in a Report.
type Direction string

// The directions. Internal is a call between two of our own people.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Internal Direction = "internal"
)

// Outcome is how a finished call ended. Empty while it is not finished.
type Outcome string

// The outcomes. An outgoing call that nobody took is Missed, too.
const (
	Answered  Outcome = "answered"
	Missed    Outcome = "missed"
	Voicemail Outcome = "voicemail"
)

// Report is one request in our words. Texts are clean (valid UTF-8, no control
// characters, trimmed) and empty when Ringostat says there is no value.
type Report struct {
	CallID string // Ringostat's; the same in all reports of one call (our reading)
	Event  Event
	Final  bool // the call is over and Outcome is set

	Direction Direction
	Callback  bool // asked for in the callback widget or by the API
	Transit   bool // a leg of a call that was passed on (transitin, transitout)

	Outcome       Outcome
	Status        string // Ringostat's disposition in its usual spelling: "NO ANSWER"
	StatusUnknown bool   // final, but the disposition is missing or new: Outcome comes from the talk time

	Client     phone.Number // empty when hidden or internal
	ClientRaw  string       // the client's side as sent; may hold a number
	ClientName string       // display name sent with the number; never a SIP login
	Line       string       // the number (E.164) or SIP login of ours the client dialled, or that we called from
	Answerer   Line         // who took or made the call

	StartedAt time.Time     // with the offset it was sent with, else in Options.Location; zero when not said
	Duration  time.Duration // of the whole call; Ringostat counts whole seconds
	Waiting   time.Duration
	Talk      time.Duration

	Recording    string // http(s) link, any format (wav or ogg)
	RecordingWAV string // http(s) link to a wav
	HasRecording *bool  // nil when not said. A link may be there although this is false (seen)

	UTM           UTM
	ClientID      string // Google client id
	Landing       string
	Referrer      string
	VisitorIP     string
	UserAgent     string
	CallCard      string // http(s) link to the call's card in Ringostat
	Department    string
	Scheme        string // forwarding scheme
	Pool          string // number pool
	InsertionType string // dynamic, static, callback (help 6559993)
	Rating        CallRating

	// Extra holds every other parameter by the name it was sent with (nested
	// ones as "outer.inner"), and each custom name of Options.Fields by our
	// name. Parameters named like a secret (token, password, …) are left out.
	Extra map[string]string
}

// Line identifies one of our people as Ringostat says it; the parts that were
// not sent are empty. FindEmployee turns it into an employee.
type Line struct {
	Number     phone.Number
	SIP        string // login without "sip:" and host
	Extension  string // short internal number
	Code       string // employee code (staffid, employee_number)
	Name       string
	Email      string
	Department string
}

// UTM is the traffic source. Source alone may be "(direct)": that is a source.
type UTM struct {
	Source, Medium, Campaign, Content, Term string
}

// CallRating holds the marks of the call-rating menu and of listening, as sent.
type CallRating struct {
	CategoryMark, CategoryNumber, EmployeeMark string
}
