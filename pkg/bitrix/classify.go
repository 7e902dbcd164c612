package bitrix

import (
	"strings"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Content is what the body of an answer held.
type Content string

const (
	ContentNone       Content = ""           // no answer
	ContentResult     Content = "result"     // a JSON object with a result and no error
	ContentError      Content = "error"      // a JSON object with an error
	ContentUnreadable Content = "unreadable" // anything else: HTML, cut JSON, nothing, too long
)

// Evidence is everything that is known about a request that did not simply
// succeed.
type Evidence struct {
	Stage       Stage
	Status      int
	Content     Content
	Code        string
	Description string
	TimedOut    bool // the time ran out
	Cancelled   bool // the caller gave up
}

// verdict is a class with its reason. Gate marks what the portal checks before
// it runs a method: such a code means "not executed" whatever the status, while
// a method's own error is believed only with a status that fits it.
type verdict struct {
	Class  Class
	Reason Reason
	Gate   bool
}

// codes is the allow list: a code that is not here is never taken as "not
// executed" on its own. Keys are lower case, codes are compared so. Sources:
// https://apidocs.bitrix24.com/error-codes.html and the pages of the methods.
var codes = map[string]verdict{
	"query_limit_exceeded":            {Wait, ReasonQueryLimit, true},
	"operation_time_limit":            {Wait, ReasonMethodBudget, true},
	"overload_limit":                  {Wait, ReasonOverload, true},
	"no_auth_found":                   {Wait, ReasonCredentials, true},
	"invalid_credentials":             {Wait, ReasonCredentials, true},
	"authorization_error":             {Wait, ReasonCredentials, true},
	"expired_token":                   {Wait, ReasonCredentials, true},
	"invalid_token":                   {Wait, ReasonCredentials, true},
	"invalid_grant":                   {Wait, ReasonCredentials, true},
	"user_access_error":               {Wait, ReasonCredentials, true},
	"allowed_only_intranet_user":      {Wait, ReasonCredentials, true},
	"insufficient_scope":              {Wait, ReasonScope, true},
	"payment_required":                {Wait, ReasonPlan, true},
	"portal_deleted":                  {Wait, ReasonPortalGone, true},
	"invalid_request":                 {Wait, ReasonMoved, true}, // "Https required": the address in the settings is wrong
	"wrong_auth_type":                 {Refused, ReasonMethod, true},
	"error_method_not_found":          {Refused, ReasonMethod, true},
	"error_manifest_is_not_available": {Refused, ReasonMethod, true},
	"error_batch_method_not_allowed":  {Refused, ReasonMethod, true},
	"error_batch_length_exceeded":     {NotRun, ReasonInvalid, true},

	"internal_server_error":   {Ambiguous, ReasonUnknown, true},
	"error_unexpected_answer": {Ambiguous, ReasonUnknown, true},

	"access_denied":                  {Refused, ReasonAccess, false},
	"create_dynamic_item_restricted": {Refused, ReasonAccess, false},
	"update_dynamic_item_restricted": {Refused, ReasonAccess, false},
	"-":                              {Refused, ReasonAccess, false}, // no right to change the stage
	"not_found":                      {Refused, ReasonNotFound, false},
	"error_not_found":                {Refused, ReasonNotFound, false},
	"owner_not_found":                {Refused, ReasonNotFound, false},
	"entity_type_not_supported":      {Refused, ReasonInvalid, false},
	"invalid_arg_value":              {Refused, ReasonInvalid, false},
	"error_argument":                 {Refused, ReasonInvalid, false},
	"wrong_datetime_format":          {Refused, ReasonInvalid, false},
	"error_core":                     {Refused, ReasonInvalid, false},
	"100":                            {Refused, ReasonInvalid, false},
	"0":                              {Refused, ReasonInvalid, false},
	"bitrix_rest_v3_exception_requestvalidationexception": {Refused, ReasonInvalid, false},
	"bitrix_rest_v3_exception_invalidjsonexception":       {Refused, ReasonInvalid, false},
	"bitrix_rest_v3_exception_accessdeniedexception":      {Refused, ReasonAccess, false},
	"bitrix_rest_v3_exception_entitynotfoundexception":    {Refused, ReasonNotFound, false},
	"bitrix_rest_v3_exception_insufficientscopeexception": {Wait, ReasonScope, true},
}

// fieldError begins the codes of refused field values.
const fieldError = "crm_field_error_"

// refusals are the statuses with which any readable error is the method's own
// refusal. 408, 423, 425 and 429 are missing: proxies use them too.
var refusals = map[int]bool{
	400: true, 401: true, 402: true, 403: true, 404: true, 405: true, 406: true,
	409: true, 410: true, 413: true, 414: true, 415: true, 422: true,
}

// redirects are the statuses of a portal that was renamed; it answers them
// instead of executing.
var redirects = map[int]bool{301: true, 302: true, 303: true, 307: true, 308: true}

// Classify decides what the portal can have done. It is total: evidence that
// no rule knows is Ambiguous, never NotRun, Refused or Wait.
func Classify(e Evidence) (Class, Reason) {
	switch e.Stage {
	case StageUnsent:
		return NotRun, lost(e, ReasonUnreachable)
	case StageAnswered, StageCommand:
	default:
		if fault.Wrong("reset-as-not-run") {
			return NotRun, ReasonUnreachable
		}
		return Ambiguous, lost(e, ReasonUnreadable)
	}
	if e.Status >= 500 && fault.Wrong("5xx-as-not-run") {
		return NotRun, ReasonUnknown
	}
	if e.Stage == StageAnswered && redirects[e.Status] {
		return Wait, ReasonMoved
	}
	switch e.Content {
	case ContentResult:
		if e.Stage == StageCommand || e.Status >= 200 && e.Status <= 299 {
			return OK, ""
		}
		return Ambiguous, ReasonUnknown
	case ContentError:
		return classifyError(e)
	}
	return Ambiguous, lost(e, ReasonUnreadable)
}

// lost is why a request has no outcome.
func lost(e Evidence, otherwise Reason) Reason {
	switch {
	case e.Cancelled:
		return ReasonCancelled
	case e.TimedOut:
		return ReasonTimeout
	}
	return otherwise
}

// classifyError decides by the code, by the description only where the code is
// empty or shared by several causes, and by the status last: older portals
// send many errors with status 200.
func classifyError(e Evidence) (Class, Reason) {
	code := strings.ToLower(strings.TrimSpace(e.Code))
	methodError := e.Stage == StageCommand || refusals[e.Status]
	v, known := codes[code]
	if strings.HasPrefix(code, fieldError) {
		v, known = verdict{Refused, ReasonInvalid, false}, true
	}
	switch {
	case known && v.Gate:
		return v.Class, v.Reason
	case code == "access_denied" && mentions(e.Description, planWords):
		return Wait, ReasonPlan
	case e.Status == 401:
		return Wait, ReasonCredentials // the code of an expired webhook is not documented
	case known && (methodError || e.Status == 200):
		if code == "0" {
			return Refused, hint(e.Description, v.Reason)
		}
		return v.Class, v.Reason
	case !methodError, code == "" && strings.TrimSpace(e.Description) == "":
		return Ambiguous, ReasonUnknown
	case e.Status == 402:
		return Wait, ReasonPlan
	case e.Status == 403:
		return Refused, hint(e.Description, ReasonAccess)
	}
	return Refused, hint(code+" "+e.Description, ReasonInvalid)
}

// hint guesses the reason, never the class, from a text that may be in the
// portal's language.
func hint(text string, otherwise Reason) Reason {
	switch {
	case mentions(text, accessWords):
		return ReasonAccess
	case mentions(text, absentWords):
		return ReasonNotFound
	}
	return otherwise
}

var (
	planWords   = []string{"commercial plan", "subscription", "коммерческ", "комерційн", "тариф", "подписк", "підписк"}
	accessWords = []string{"access denied", "not allowed", "доступ запрещ", "доступ заборон", "нет прав", "немає прав"}
	absentWords = []string{"not found", "wrong task id", "не найден", "не знайден"}
)

func mentions(text string, words []string) bool {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
