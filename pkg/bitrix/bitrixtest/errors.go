package bitrixtest

import "fmt"

// refusal is an error answer: HTTP status, code and text
// (https://apidocs.bitrix24.com/error-codes.html). Inside a batch only code and text are seen.
type refusal struct {
	status int
	code   string
	text   string
}

func refuse(status int, code, text string, args ...any) *refusal {
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	return &refusal{status, code, text}
}

// plain is how most classic CRM methods refuse: status 400 and an empty code.
func plain(text string, args ...any) *refusal { return refuse(400, "", text, args...) }

func (r *refusal) body() *array {
	return object("error", r.code, "error_description", r.text)
}

// missing is how the controller methods refuse a call without a required parameter.
func missing(parameter string) *refusal {
	return refuse(400, "100", "Could not find value for parameter {%s} (internal error)", parameter)
}
