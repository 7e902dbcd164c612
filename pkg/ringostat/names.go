package ringostat

import (
	"maps"
	"slices"
	"strings"
)

// param is one parameter of ours.
type param int

const (
	pCallID param = iota
	pEvent
	pDirection
	pStatus
	pDate
	pTimestamp
	pCaller
	pCallee
	pClient
	pConnected
	pOutboundNumber
	pDuration
	pDurationMS
	pWaiting
	pTalk
	pRecording
	pRecordingWAV
	pHasRecording
	pEmployeeName
	pEmployeeCode
	pEmployeeEmail
	pExtension
	pDepartment
	pScheme
	pPool
	pInsertionType
	pCallback
	pClientID
	pLanding
	pReferrer
	pVisitorIP
	pUserAgent
	pCallCard
	pSource
	pMedium
	pCampaign
	pContent
	pTerm
	pCategoryMark
	pCategoryNumber
	pEmployeeMark
	pStepForward
	params // how many there are
)

// ours are the parameters in our words: the left side of ringostat.fields.
var ours = [params]string{
	pCallID:         "call_id",
	pEvent:          "event",
	pDirection:      "direction",
	pStatus:         "status",
	pDate:           "date",
	pTimestamp:      "call_timestamp",
	pCaller:         "caller",
	pCallee:         "callee",
	pClient:         "client_number",
	pConnected:      "connected_with",
	pOutboundNumber: "outbound_number",
	pDuration:       "call_duration",
	pDurationMS:     "duration_ms",
	pWaiting:        "waiting",
	pTalk:           "talk",
	pRecording:      "recording",
	pRecordingWAV:   "recording_wav",
	pHasRecording:   "has_recording",
	pEmployeeName:   "employee_name",
	pEmployeeCode:   "employee_code",
	pEmployeeEmail:  "employee_email",
	pExtension:      "extension",
	pDepartment:     "department",
	pScheme:         "scheme",
	pPool:           "pool",
	pInsertionType:  "insertion_type",
	pCallback:       "callback",
	pClientID:       "client_id",
	pLanding:        "landing",
	pReferrer:       "referrer",
	pVisitorIP:      "visitor_ip",
	pUserAgent:      "user_agent",
	pCallCard:       "call_card",
	pSource:         "utm_source",
	pMedium:         "utm_medium",
	pCampaign:       "utm_campaign",
	pContent:        "utm_content",
	pTerm:           "utm_term",
	pCategoryMark:   "category_mark",
	pCategoryNumber: "category_number",
	pEmployeeMark:   "employee_mark",
	pStepForward:    "step_forward",
}

func (p param) String() string { return ours[p] }

// paramNamed is the parameter that a project means by a name on the left side.
func paramNamed(name string) (param, bool) {
	i := slices.Index(ours[:], fold(name))
	return param(i), i >= 0
}

// names lists what each parameter is called when the project does not say. The
// official list is a sheet inside the cabinet; these were collected from its
// pages and from programs in production (seen). After our own name come, in
// this order: the names of the event hooks, those of the call log, those that
// administrators chose.
var names = [params][]string{
	// uuid and record come last: the one belongs to the routing hook, the
	// other is the recording's id, which is the call's (seen).
	pCallID:         {"uniqueid", "cdr_id", "call_id2", "id_call", "uuid", "record"},
	pEvent:          {},
	pDirection:      {"type", "call_type", "ai_call_type"},
	pStatus:         {"disposition", "call_status"},
	pDate:           {"calldate", "call_date", "date_and_time"},
	pTimestamp:      {},
	pCaller:         {"caller_number"},
	pCallee:         {"dst", "destination", "n_alias", "connected_to", "full_num"},
	pClient:         {"client_mob", "number_e164", "e164", "userfield"},
	pConnected:      {},
	pOutboundNumber: {},
	pDuration:       {"duration", "duration_call"},
	pDurationMS:     {"call_duration_ms", "duration_call_ms"},
	pWaiting:        {"waittime", "duration_waiting", "ringing_time"},
	pTalk:           {"dialog", "billsec", "duration_conversation", "talk_time"},
	pRecording:      {"record_link", "record_url"},
	pRecordingWAV:   {},
	pHasRecording:   {"recording_presence"},
	pEmployeeName:   {"employee_fio", "employee", "manager", "responsible_name"},
	pEmployeeCode:   {"staffid", "employee_number", "employee_id", "manager_id"},
	pEmployeeEmail:  {},
	// "estension" is how one cabinet spells it.
	pExtension:     {"extension_number", "additional_number", "employee_estension", "employee_extension"},
	pDepartment:    {},
	pScheme:        {"scheme_name", "call_scheme"},
	pPool:          {"pool_name"},
	pInsertionType: {},
	pCallback:      {},
	pClientID:      {"googleclientid"},
	pLanding:       {},
	pReferrer:      {"refferrer"}, // the call log writes it with two f
	pVisitorIP:     {"remote_ip"},
	pUserAgent:     {},
	pCallCard:      {"call_card_link"},
	// Which of one administrator's names is which UTM label is our reading.
	pSource:         {"sales_source"},
	pMedium:         {"sales_channel"},
	pCampaign:       {"market_comp"},
	pContent:        {"target_post"},
	pTerm:           {"keyword"},
	pCategoryMark:   {},
	pCategoryNumber: {},
	pEmployeeMark:   {},
	pStepForward:    {},
}

// fold makes names comparable: case, blanks and the double curly brackets
// around names that are not plain Latin (help 6559993) do not matter.
func fold(name string) string {
	if folded(name) {
		return name
	}
	return blanks.Replace(strings.ToLower(unbrace(name)))
}

var blanks = strings.NewReplacer(" ", "_", "-", "_")

// folded says that a name is surely as fold would make it.
func folded(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func unbrace(name string) string {
	name = strings.TrimSpace(name)
	if strings.HasPrefix(name, "{{") && strings.HasSuffix(name, "}}") && len(name) >= 4 {
		name = strings.TrimSpace(name[2 : len(name)-2])
	}
	return name
}

// dictionary is names with a project's own on top.
type dictionary struct {
	names [params][]string
	// meanings turns it round: what each name may stand for, and how many names of that
	// parameter come before it.
	meanings map[string][]meaning
}

type meaning struct {
	param
	rank int
}

// standard is the dictionary of a project without names of its own.
var standard = newDictionary(nil)

// newDictionary puts the project's names first. A name that the project gave
// to one parameter is no longer read as another.
func newDictionary(fields map[string]string) *dictionary {
	renamed := map[param]string{}
	claimed := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		theirs := fold(fields[name])
		if p, known := paramNamed(name); known && theirs != "" {
			renamed[p] = theirs
			claimed[theirs] = true
		}
	}
	d := &dictionary{meanings: map[string][]meaning{}}
	for n, others := range names {
		p := param(n)
		if theirs := renamed[p]; theirs != "" {
			d.names[p] = append(d.names[p], theirs)
		}
		for _, name := range append([]string{p.String()}, others...) {
			if !claimed[name] {
				d.names[p] = append(d.names[p], name)
			}
		}
		for rank, name := range d.names[p] {
			d.meanings[name] = append(d.meanings[name], meaning{p, rank})
		}
	}
	return d
}
