package ringostat

import (
	"maps"
	"slices"
	"strings"
)

// param is one parameter in our words: the left side of ringostat.fields.
type param string

const (
	pCallID         param = "call_id"
	pEvent          param = "event"
	pDirection      param = "direction"
	pStatus         param = "status"
	pDate           param = "date"
	pTimestamp      param = "call_timestamp"
	pCaller         param = "caller"
	pCallee         param = "callee"
	pClient         param = "client_number"
	pConnected      param = "connected_with"
	pOutboundNumber param = "outbound_number"
	pDuration       param = "call_duration"
	pDurationMS     param = "duration_ms"
	pWaiting        param = "waiting"
	pTalk           param = "talk"
	pRecording      param = "recording"
	pRecordingWAV   param = "recording_wav"
	pHasRecording   param = "has_recording"
	pEmployeeName   param = "employee_name"
	pEmployeeCode   param = "employee_code"
	pEmployeeEmail  param = "employee_email"
	pExtension      param = "extension"
	pDepartment     param = "department"
	pScheme         param = "scheme"
	pPool           param = "pool"
	pInsertionType  param = "insertion_type"
	pCallback       param = "callback"
	pClientID       param = "client_id"
	pLanding        param = "landing"
	pReferrer       param = "referrer"
	pVisitorIP      param = "visitor_ip"
	pUserAgent      param = "user_agent"
	pCallCard       param = "call_card"
	pSource         param = "utm_source"
	pMedium         param = "utm_medium"
	pCampaign       param = "utm_campaign"
	pContent        param = "utm_content"
	pTerm           param = "utm_term"
	pCategoryMark   param = "category_mark"
	pCategoryNumber param = "category_number"
	pEmployeeMark   param = "employee_mark"
	pStepForward    param = "step_forward"
)

// names lists what each parameter is called when the project does not say. The
// official list is a sheet inside the cabinet; these were collected from its
// pages and from programs in production (seen). After our own name come, in
// this order: the names of the event hooks, those of the call log, those that
// administrators chose.
var names = map[param][]string{
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
	names map[param][]string
	// meanings turns it round: what each name may stand for, and how many names of that
	// parameter come before it.
	meanings map[string][]meaning
}

type meaning struct{ number, rank int }

// numbers numbers the parameters.
var numbers = func() map[param]int {
	n := map[param]int{}
	for i, p := range slices.Sorted(maps.Keys(names)) {
		n[p] = i
	}
	return n
}()

// standard is the dictionary of a project without names of its own.
var standard = newDictionary(nil)

// newDictionary puts the project's names first. A name that the project gave
// to one parameter is no longer read as another.
func newDictionary(fields map[string]string) dictionary {
	renamed := map[param]string{}
	claimed := map[string]bool{}
	for _, ours := range slices.Sorted(maps.Keys(fields)) {
		theirs, key := fields[ours], param(fold(ours))
		if _, known := names[key]; known && fold(theirs) != "" {
			renamed[key] = fold(theirs)
			claimed[fold(theirs)] = true
		}
	}
	d := dictionary{map[param][]string{}, map[string][]meaning{}}
	for p, others := range names {
		if theirs := renamed[p]; theirs != "" {
			d.names[p] = append(d.names[p], theirs)
		}
		for _, name := range append([]string{string(p)}, others...) {
			if !claimed[name] {
				d.names[p] = append(d.names[p], name)
			}
		}
		for rank, name := range d.names[p] {
			d.meanings[name] = append(d.meanings[name], meaning{numbers[p], rank})
		}
	}
	return d
}
