package bitrix

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// One row per row of the vendor's table of errors and of the methods' pages.
var classified = []struct {
	status int
	body   string
	class  Class
	reason Reason
}{
	{503, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`, Wait, ReasonQueryLimit},
	{200, `{"error":"query_limit_exceeded"}`, Wait, ReasonQueryLimit},
	{429, `{"error":"OPERATION_TIME_LIMIT","error_description":"Method is blocked due to operation time limit."}`, Wait, ReasonMethodBudget},
	{503, `{"error":"OVERLOAD_LIMIT","error_description":"REST API is blocked due to overload"}`, Wait, ReasonOverload},
	{500, `{"error":"INTERNAL_SERVER_ERROR","error_description":"Internal server error"}`, Ambiguous, ReasonUnknown},
	{400, `{"error":"INTERNAL_SERVER_ERROR","error_description":"Internal server error"}`, Ambiguous, ReasonUnknown},
	{500, `{"error":"ERROR_UNEXPECTED_ANSWER","error_description":"Server returned an unexpected response"}`, Ambiguous, ReasonUnknown},
	{401, `{"error":"NO_AUTH_FOUND","error_description":"Wrong authorization data"}`, Wait, ReasonCredentials},
	{403, `{"error":"INVALID_CREDENTIALS","error_description":"Invalid request credentials"}`, Wait, ReasonCredentials},
	{401, `{"error":"INVALID_CREDENTIALS","error_description":"Invalid request credentials"}`, Wait, ReasonCredentials},
	{401, `{"error":"authorization_error","error_description":"Unable to authorize user"}`, Wait, ReasonCredentials},
	{401, `{"error":"expired_token","error_description":"The access token provided has expired"}`, Wait, ReasonCredentials},
	{401, `{"error":"SOMETHING_NEW","error_description":"webhook expired"}`, Wait, ReasonCredentials},
	{403, `{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the webhook token"}`, Wait, ReasonScope},
	{403, `{"error":"ACCESS_DENIED","error_description":"REST API is available only on commercial plans"}`, Wait, ReasonPlan},
	{403, `{"error":"ACCESS_DENIED","error_description":"Access denied! Application context required"}`, Refused, ReasonAccess},
	{402, `{"error":"PAYMENT_REQUIRED","error_description":""}`, Wait, ReasonPlan},
	{403, `{"error":"user_access_error","error_description":"The user does not have access to the application"}`, Wait, ReasonCredentials},
	{403, `{"error":"WRONG_AUTH_TYPE","error_description":"Current authorization type is denied for this method"}`, Refused, ReasonMethod},
	{403, `{"error":"allowed_only_intranet_user","error_description":"Action is allowed only for intranet users"}`, Wait, ReasonCredentials},
	{404, `{"error":"ERROR_METHOD_NOT_FOUND","error_description":"Method not found!"}`, Refused, ReasonMethod},
	{404, `{"error":"ERROR_MANIFEST_IS_NOT_AVAILABLE","error_description":"Manifest is not available"}`, Refused, ReasonMethod},
	{405, `{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED","error_description":"Method is not allowed for batch usage"}`, Refused, ReasonMethod},
	{400, `{"error":"ERROR_BATCH_LENGTH_EXCEEDED","error_description":"Max batch length exceeded"}`, NotRun, ReasonInvalid},
	{400, `{"error":"INVALID_REQUEST","error_description":"Https required."}`, Wait, ReasonMoved},
	{500, `{"error":"PORTAL_DELETED","error_description":"Portal was deleted"}`, Wait, ReasonPortalGone},
	{403, `{"error":"PORTAL_DELETED","error_description":"Portal was deleted"}`, Wait, ReasonPortalGone},
	{400, `{"error":"","error_description":"Not found"}`, Refused, ReasonNotFound},
	{400, `{"error":"","error_description":"Access denied."}`, Refused, ReasonAccess},
	{400, `{"error":"","error_description":"Parameter 'fields' must be array."}`, Refused, ReasonInvalid},
	{400, `{"error":"","error_description":"Елемент не знайдено"}`, Refused, ReasonNotFound},
	{400, `{"error":"ERROR_CORE","error_description":"User specified in the \"Responsible\" field not found\u003Cbr\u003E"}`, Refused, ReasonInvalid},
	{400, `{"error":"CRM_FIELD_ERROR_REQUIRED","error_description":"The \"Name\" field is required"}`, Refused, ReasonInvalid},
	{400, `{"error":"CRM_FIELD_ERROR_VALUE_NOT_VALID","error_description":"x"}`, Refused, ReasonInvalid},
	{400, `{"error":"INVALID_ARG_VALUE","error_description":"Invalid filter: field 'X' is not allowed in filter"}`, Refused, ReasonInvalid},
	{400, `{"error":"100","error_description":"Expected iterable value"}`, Refused, ReasonInvalid},
	{400, `{"error":100,"error_description":"Expected iterable value"}`, Refused, ReasonInvalid},
	{400, `{"error":"0","error_description":"Action on the task is not allowed"}`, Refused, ReasonAccess},
	{400, `{"error":"0","error_description":"wrong task id"}`, Refused, ReasonNotFound},
	{400, `{"error":"NOT_FOUND","error_description":"Element not found"}`, Refused, ReasonNotFound},
	{400, `{"error":"-","error_description":"Недостатньо прав"}`, Refused, ReasonAccess},
	{400, `{"error":"CREATE_DYNAMIC_ITEM_RESTRICTED","error_description":"x"}`, Refused, ReasonAccess},
	{400, `{"error":"ENTITY_TYPE_NOT_SUPPORTED","error_description":"x"}`, Refused, ReasonInvalid},
	{400, `{"error":"Communication type is not defined","error_description":"Parameter 'type' is required."}`, Refused, ReasonInvalid},
	{403, `{"error":"Access denied","error_description":""}`, Refused, ReasonAccess},
	{422, `{"error":{"code":"BITRIX_REST_V3_EXCEPTION_IDEMPOTENCYKEYREUSED","message":"reused"}}`, Refused, ReasonInvalid},
	{200, `{"error":"ERROR_CORE","error_description":"an older portal"}`, Refused, ReasonInvalid},
	{200, `{"result":1,"error":"ERROR_CORE","error_description":"both"}`, Refused, ReasonInvalid},

	{200, `{"error":"SOMETHING_NEW","error_description":"nobody knows"}`, Ambiguous, ReasonUnknown},
	{200, `{"error":"","error_description":"Not found"}`, Ambiguous, ReasonUnknown},
	{400, `{"error":"","error_description":""}`, Ambiguous, ReasonUnknown},
	{500, `{"error":"ERROR_CORE","error_description":"after the write"}`, Ambiguous, ReasonUnknown},
	{502, `{"error":"","error_description":"bad gateway"}`, Ambiguous, ReasonUnknown},
	{408, `{"error":"timeout","error_description":"x"}`, Ambiguous, ReasonUnknown},
	{429, `{"error":"slow_down","error_description":"a proxy"}`, Ambiguous, ReasonUnknown},
	{500, `{"result":true}`, Ambiguous, ReasonUnknown},
	{200, `{"error":true}`, Ambiguous, ReasonUnreadable},
	{200, `{"error":null}`, Ambiguous, ReasonUnreadable},
	{200, `{"error":{}}`, Ambiguous, ReasonUnreadable},
	{200, `{}`, Ambiguous, ReasonUnreadable},
	{200, `[]`, Ambiguous, ReasonUnreadable},
	{200, ``, Ambiguous, ReasonUnreadable},
	{200, `{"result":{"id":`, Ambiguous, ReasonUnreadable},
	{200, `{"Result":1}`, Ambiguous, ReasonUnreadable},
	{200, `<html>maintenance</html>`, Ambiguous, ReasonUnreadable},
	{503, `<html>maintenance</html>`, Ambiguous, ReasonUnreadable},
	{502, `<html>bad gateway</html>`, Ambiguous, ReasonUnreadable},
	{504, ``, Ambiguous, ReasonUnreadable},
	{403, `<html>forbidden</html>`, Ambiguous, ReasonUnreadable},

	{200, `{"result":null}`, OK, ""},
	{200, `{"result":[]}`, OK, ""},
	{200, `{"result":false,"error":""}`, OK, ""},
	{200, "\ufeff {\"result\":5,\"time\":[]}\n", OK, ""},
}

func classifyBody(status int, body string) (Class, Reason) {
	e := readEnvelope([]byte(body))
	return Classify(Evidence{Stage: StageAnswered, Status: status, Content: e.content, Code: e.code, Description: e.description})
}

func TestEveryAnswerHasItsClass(t *testing.T) {
	for _, test := range classified {
		if class, reason := classifyBody(test.status, test.body); class != test.class || reason != test.reason {
			t.Errorf("%d %s: got %q %q, want %q %q", test.status, test.body, class, reason, test.class, test.reason)
		}
	}
}

func TestRedirectsAreNotExecuted(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		if class, reason := classifyBody(status, "<html>moved</html>"); class != Wait || reason != ReasonMoved {
			t.Errorf("%d: got %q %q, want wait moved", status, class, reason)
		}
	}
	if class, _ := classifyBody(304, ""); class != Ambiguous {
		t.Errorf("304: got %q, want ambiguous", class)
	}
}

func TestOnlyAnUnsentRequestIsNotRunWithoutAnAnswer(t *testing.T) {
	for _, test := range []struct {
		evidence Evidence
		class    Class
		reason   Reason
	}{
		{Evidence{Stage: StageUnsent}, NotRun, ReasonUnreachable},
		{Evidence{Stage: StageUnsent, TimedOut: true}, NotRun, ReasonTimeout},
		{Evidence{Stage: StageUnsent, Cancelled: true}, NotRun, ReasonCancelled},
		{Evidence{Stage: StageSent}, Ambiguous, ReasonUnreadable},
		{Evidence{Stage: StageSent, TimedOut: true}, Ambiguous, ReasonTimeout},
		{Evidence{Stage: StageSent, Cancelled: true}, Ambiguous, ReasonCancelled},
		{Evidence{Stage: StageAnswered, Status: 200, Content: ContentUnreadable, TimedOut: true}, Ambiguous, ReasonTimeout},
		{Evidence{}, Ambiguous, ReasonUnreadable},
		{Evidence{Stage: "elsewhere", Status: 400, Content: ContentError, Code: "ERROR_CORE"}, Ambiguous, ReasonUnreadable},
	} {
		if class, reason := Classify(test.evidence); class != test.class || reason != test.reason {
			t.Errorf("%+v: got %q %q, want %q %q", test.evidence, class, reason, test.class, test.reason)
		}
	}
}

func TestACommandOfABatchIsRefusedWithAnyCodeButNotWithNone(t *testing.T) {
	for _, test := range []struct {
		code, description string
		class             Class
		reason            Reason
	}{
		{"", "Not found", Refused, ReasonNotFound},
		{"insufficient_scope", "", Wait, ReasonScope},
		{"ERROR_CORE", "", Refused, ReasonInvalid},
		{"OPERATION_TIME_LIMIT", "", Wait, ReasonMethodBudget},
		{"ERROR_BATCH_LENGTH_EXCEEDED", "", NotRun, ReasonInvalid},
		{"INTERNAL_SERVER_ERROR", "", Ambiguous, ReasonUnknown},
		{"", "", Ambiguous, ReasonUnknown},
	} {
		class, reason := Classify(Evidence{Stage: StageCommand, Content: ContentError, Code: test.code, Description: test.description})
		if class != test.class || reason != test.reason {
			t.Errorf("%q %q: got %q %q, want %q %q", test.code, test.description, class, reason, test.class, test.reason)
		}
	}
}

// FuzzClassify: whatever bytes come, the class is one of five, and "not
// executed" is only ever said for a code or a status that is named here,
// independently of the table.
func FuzzClassify(f *testing.F) {
	for _, test := range classified {
		f.Add(test.status, []byte(test.body))
	}
	gates := "query_limit_exceeded operation_time_limit overload_limit no_auth_found invalid_credentials authorization_error expired_token " +
		"invalid_token invalid_grant user_access_error allowed_only_intranet_user insufficient_scope payment_required portal_deleted invalid_request " +
		"wrong_auth_type error_method_not_found error_manifest_is_not_available error_batch_method_not_allowed error_batch_length_exceeded access_denied " +
		"bitrix_rest_v3_exception_insufficientscopeexception "
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := readEnvelope(body)
		class, _ := classifyBody(status, string(body))
		switch class {
		case OK:
			if status < 200 || status > 299 || e.answer.Result == nil {
				t.Fatalf("%d %q is a success", status, body)
			}
		case Ambiguous:
		case NotRun, Refused, Wait:
			redirect := status >= 301 && status <= 308 && status != 304 && status != 305 && status != 306
			code := strings.ToLower(strings.TrimSpace(e.code))
			gate := code != "" && strings.Contains(gates, code+" ")
			method := status == 200 || status >= 400 && status <= 422 && status != 408
			if !redirect && !(e.content == ContentError && (gate || method)) {
				t.Fatalf("%d %q: %q", status, body, class)
			}
		default:
			t.Fatalf("%d %q: class %q", status, body, class)
		}
	})
}

func TestAnErrorOfAnotherPackageIsAmbiguous(t *testing.T) {
	if got := ClassOf(errors.New("x")); got != Ambiguous {
		t.Errorf("got %q, want ambiguous", got)
	}
	if got := ClassOf(fmt.Errorf("write: %w", &Error{Class: Refused})); got != Refused {
		t.Errorf("wrapped: got %q, want refused", got)
	}
	if got := ClassOf(nil); got != OK {
		t.Errorf("nil: got %q, want none", got)
	}
}

func TestAnErrorLineHidesNumbersAndTags(t *testing.T) {
	e := &Error{Class: Refused, Reason: ReasonInvalid, Method: "crm.item.add", Code: "ERROR_CORE", Status: 400, Stage: StageAnswered,
		Description: readable("Phone +380 67 111-22-33<br>is wrong\r\n (id 12345)")}
	want := "bitrix crm.item.add: refused, invalid (answered, status 400, code ERROR_CORE): Phone … is wrong (id 12345)"
	if e.Error() != want {
		t.Errorf("got  %q\nwant %q", e.Error(), want)
	}
}

func TestEveryReasonHasWordsForPeople(t *testing.T) {
	seen := map[Reason]bool{}
	for _, v := range codes {
		seen[v.Reason] = true
	}
	for _, r := range []Reason{ReasonUnreachable, ReasonTimeout, ReasonCancelled, ReasonUnreadable, ReasonHalted, ReasonForbidden, ReasonUnknown} {
		seen[r] = true
	}
	for reason := range seen {
		texts := map[string]bool{}
		for _, lang := range []string{"uk", "ru", "en"} {
			text := (&Error{Class: Ambiguous, Reason: reason}).Human(lang)
			if len(text) < 60 || texts[text] {
				t.Errorf("%s in %s: %q, want words of its own", reason, lang, text)
			}
			texts[text] = true
		}
	}
	if len(reasonTexts) != len(seen) {
		t.Errorf("%d texts, %d reasons that can come", len(reasonTexts), len(seen))
	}
	quoting := &Error{Class: Refused, Reason: ReasonInvalid, Description: "The field Name is required"}
	if got := quoting.Human("uk"); !strings.HasSuffix(got, "Відповідь порталу: The field Name is required") {
		t.Errorf("got %q, want the portal's text at the end", got)
	}
	if got := (&Error{Reason: "new"}).Human("de"); !strings.HasPrefix(got, "The portal reported") {
		t.Errorf("an unknown reason: got %q", got)
	}
}
