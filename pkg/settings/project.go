package settings

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Project is one Ringostat project, its Bitrix24 portal, and how calls of the
// one become entities of the other. Marshalled to JSON it is the block of the
// file with every default filled in and every secret as [Mask].
type Project struct {
	ID        string                       `json:"id"`        // [a-z0-9-], 1 to 40 characters; part of the webhook address
	Name      string                       `json:"name"`      // for people; the ID when none was given
	Locale    string                       `json:"locale"`    // language of task and lead texts: uk, ru or en
	TimeZone  string                       `json:"time_zone"` // IANA name, for times that come without a zone
	Country   string                       `json:"country"`   // two letters, for numbers written the national way
	Ringostat Ringostat                    `json:"ringostat"`
	Bitrix24  Bitrix24                     `json:"bitrix24"`
	Employees []Employee                   `json:"employees"`
	Senior    int                          `json:"senior"` // Bitrix24 user of the senior manager
	Scenarios Scenarios                    `json:"scenarios"`
	Fields    map[string]map[string]string `json:"fields,omitempty"` // entity → CRM field → our name or a custom parameter
}

// Ringostat is where calls come from.
type Ringostat struct {
	Tokens []Secret          `json:"token"`             // secrets of the webhook address; one, or two during a change
	Fields map[string]string `json:"fields,omitempty"`  // our name → the name that this project gave the parameter
	APIKey Secret            `json:"api_key,omitempty"` // empty: no reconciliation
	APIURL string            `json:"api_url"`           // no slash at the end
}

// Bitrix24 is the portal. Its address is either in Webhook or in Portal, User
// and Secret; [Bitrix24.Address] reads both.
type Bitrix24 struct {
	Webhook        Secret   `json:"webhook,omitempty"` // https://PORTAL/rest/USER/SECRET/
	Portal         string   `json:"portal,omitempty"`  // host, or scheme and host
	User           string   `json:"user,omitempty"`    // user id of the webhook's owner
	Secret         Secret   `json:"secret,omitempty"`
	Pace           Pace     `json:"pace"`
	RequestTimeout Duration `json:"request_timeout"` // longer than MaxExecution
	MaxExecution   Duration `json:"max_execution"`   // how long the portal may still execute a request whose answer was lost
	Settle         Duration `json:"settle"`          // how long a write may stay invisible to a search
	AllowInsecure  bool     `json:"allow_insecure"`  // http://, private and loopback addresses, for the portal and Ringostat's API
}

// Pace is the request limit of the portal's plan (limits.md of the official
// REST documentation).
type Pace struct {
	PerSecond float64 `json:"per_second"` // requests per second that drain from the portal's counter; above 0
	Burst     int     `json:"burst"`      // requests at which the portal refuses; at least 1
}

// Employee says who is behind a line of Ringostat. Within a project no two
// employees share a code, an extension, a SIP account or a number.
type Employee struct {
	Name        string   `json:"name,omitempty"`
	Email       string   `json:"email,omitempty"` // helps to suggest the Bitrix24 user
	Code        string   `json:"code,omitempty"`  // employee code in Ringostat
	Extension   string   `json:"extension,omitempty"`
	SIP         []string `json:"sip,omitempty"`
	Numbers     []string `json:"numbers,omitempty"` // as written; readable as phone numbers of the project's country
	BitrixUser  int      `json:"bitrix_user"`       // Bitrix24 user id, above 0
	TakesMissed bool     `json:"takes_missed"`      // takes part in the distribution of missed calls
}

// Scenarios changes what the decision table asks for.
type Scenarios struct {
	NewClient       string   `json:"new_client,omitempty"` // what a new client becomes; empty: lead, or contact+deal on a portal without leads
	MissedNewClient string   `json:"missed_new_client"`    // senior or distribute
	ReviewDue       Duration `json:"review_due"`           // due time of "check the call" tasks
	CallbackDue     Duration `json:"callback_due"`         // due time of "contact the client" tasks
	PhoneMatch      string   `json:"phone_match"`          // all_spellings or exact
	Pipeline        Pipeline `json:"pipeline"`
	Compensate      string   `json:"compensate"`    // what a replay does with what should not exist: close or tag
	Off             []string `json:"off,omitempty"` // IDs of rules that this project does not want
}

// Pipeline is where new leads and deals go.
type Pipeline struct {
	Category int    `json:"category"` // id of the deal pipeline, 0 for the general one
	Stage    string `json:"stage"`
	Source   string `json:"source"` // id of the CRM source
}

func defaultProject() Project {
	return Project{
		Locale:    "uk",
		TimeZone:  "Europe/Kyiv",
		Country:   "UA",
		Ringostat: Ringostat{Tokens: []Secret{}, APIURL: "https://api.ringostat.net"},
		Bitrix24: Bitrix24{
			Pace:           Pace{PerSecond: 2, Burst: 50},
			RequestTimeout: Duration(75 * time.Second),
			MaxExecution:   Duration(60 * time.Second),
			Settle:         Duration(5 * time.Second),
		},
		Employees: []Employee{},
		Scenarios: Scenarios{
			MissedNewClient: "senior",
			ReviewDue:       Duration(3 * time.Hour),
			CallbackDue:     Duration(time.Hour),
			PhoneMatch:      "all_spellings",
			Pipeline:        Pipeline{Stage: "NEW", Source: "CALL"},
			Compensate:      "close",
		},
	}
}

// Location returns the project's time zone. A project that came out of this
// package has one that exists; for any other it is UTC.
func (p Project) Location() *time.Location {
	if known, ok := locations.Load(p.TimeZone); ok {
		return known.(*time.Location)
	}
	location, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return time.UTC
	}
	locations.Store(p.TimeZone, location)
	return location
}

// locations are the zones that were read from the zone files, which takes longer than
// writing a call's texts.
var locations sync.Map

// JSON returns the block for the API: names as in the file, defaults filled in,
// secrets as [Mask]. [ParseProjectJSON] reads it back.
func (p Project) JSON() ([]byte, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("settings of project %s: %w", p.ID, err)
	}
	return data, nil
}
