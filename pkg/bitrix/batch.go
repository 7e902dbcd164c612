package bitrix

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// MaxBatch is how many commands the portal takes in one batch.
// https://apidocs.bitrix24.com/settings/how-to-call-rest-api/batch.html
const MaxBatch = 50

// Command is one method with its parameters, for Client.Call or, with a Key,
// for Client.Batch.
type Command struct {
	Key    string // letters, digits and "_", not only digits
	Method string
	Params Params
}

// As is the command under a key.
func (c Command) As(key string) Command {
	c.Key = key
	return c
}

// Outcome is what became of one command of a batch. Exactly one of three holds:
// Error is nil and Result is the method's result; Error is set and NotRun is
// false; NotRun is true (then Error says so too, with class NotRun).
type Outcome struct {
	Key    string
	Result json.RawMessage
	Error  *Error
	NotRun bool
	Total  *int // of list methods
	Next   *int // start of the next page of a list, nil on the last one
	Time   Time
}

// BatchAnswer holds one Outcome per command, in the order of the commands.
type BatchAnswer struct {
	Outcomes []Outcome
	Time     Time   // of the whole request
	Moved    string // see Answer.Moved
}

// Get is the outcome of the command with this key; one that wasn't in the batch
// is reported as not run.
func (b BatchAnswer) Get(key string) Outcome {
	for _, o := range b.Outcomes {
		if o.Key == key {
			return o
		}
	}
	return Outcome{Key: key, NotRun: true, Error: &Error{Class: NotRun, Reason: ReasonUnknown, Method: "batch", Stage: StageUnsent, err: fmt.Errorf("no command %q in this batch", key)}}
}

var (
	commandKey = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	onlyDigits = regexp.MustCompile(`^[0-9]+$`)
	methodName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$`)
)

// Batch sends up to MaxBatch commands as one request; the portal runs them one
// after another in this order, whatever their number it counts as one request
// against the pace. With halt the portal stops at the first command that fails.
//
// A nil error means that the portal answered for the batch; each Outcome then
// has its own result or error. Without halt a command that cannot be expressed is left
// out and Refused in its own Outcome. A non-nil error is about all commands: with
// class Ambiguous each of them may have run. Commands that refer to others need
// halt, and the other one in front of them: a reference that leads nowhere is
// not an error to the portal, it would run the command with rubbish.
func (c *Client) Batch(ctx context.Context, cmds []Command, halt bool) (BatchAnswer, error) {
	body, unsent, err := batchBody(cmds, halt)
	if err != nil {
		return BatchAnswer{}, refusal("batch", "%w", err)
	}
	answer, failed := c.exchange(ctx, "batch", body)
	if failed != nil {
		return BatchAnswer{}, failed
	}
	b, err := readBatch(answer, cmds, halt, c.conceal)
	for i, failed := range unsent {
		if err == nil {
			b.Outcomes[i] = Outcome{Key: cmds[i].Key, Error: failed}
		}
	}
	return b, err
}

// batchBody writes the request by hand, because encoding/json sorts the keys of
// a map and the portal runs the commands in the order it reads them. Without halt it
// leaves out what has no form and says why, unless nothing else is there.
func batchBody(cmds []Command, halt bool) (body []byte, unsent map[int]*Error, err error) {
	if len(cmds) == 0 || len(cmds) > MaxBatch {
		return nil, nil, fmt.Errorf("%d commands, want 1 to %d", len(cmds), MaxBatch)
	}
	var b bytes.Buffer
	b.WriteString(`{"halt":0,"cmd":{`)
	if halt {
		b.Reset()
		b.WriteString(`{"halt":1,"cmd":{`)
	}
	earlier := make(map[string]bool, len(cmds))
	for i, cmd := range cmds {
		text, err := commandText(cmd, halt, earlier)
		if err != nil {
			err = fmt.Errorf("command %q: %w", cmd.Key, err)
			if halt || earlier[cmd.Key] || errors.Is(err, errReference) || len(unsent) == len(cmds)-1 {
				return nil, nil, err
			}
			if unsent == nil {
				unsent = map[int]*Error{}
			}
			unsent[i] = refusal(cmd.Method, "%w", err)
			continue
		}
		if len(earlier) > 0 {
			b.WriteByte(',')
		}
		earlier[cmd.Key] = true
		b.Write(jsonString(cmd.Key))
		b.WriteByte(':')
		b.Write(jsonString(text))
	}
	b.WriteString("}}")
	return b.Bytes(), unsent, nil
}

var errReference = errors.New("a reference needs halt, and what it refers to before it")

func commandText(cmd Command, halt bool, earlier map[string]bool) (string, error) {
	switch {
	case !commandKey.MatchString(cmd.Key) || onlyDigits.MatchString(cmd.Key):
		// With keys 0, 1, … the portal's answer becomes a bare list, and nobody
		// can tell which command failed.
		return "", fmt.Errorf("a key is made of letters, digits and _, and not of digits alone")
	case earlier[cmd.Key]:
		return "", fmt.Errorf("the key is used twice")
	case !methodName.MatchString(cmd.Method) || cmd.Method == "batch":
		return "", fmt.Errorf("%q is not a method for a batch", cmd.Method)
	}
	for _, key := range cmd.Params.references() {
		if !halt || !earlier[key] {
			return "", fmt.Errorf("refers to %q: %w", key, errReference)
		}
	}
	q, err := cmd.Params.Query()
	if err != nil {
		return "", err
	}
	if q == "" {
		return cmd.Method, nil
	}
	return cmd.Method + "?" + q, nil
}

// readBatch finds each command's outcome. A command that is missing from a
// halted batch after the failure did not run; one that is missing elsewhere, or
// is there as both done and failed, may have run.
func readBatch(a Answer, cmds []Command, halt bool, conceal func(string) string) (BatchAnswer, error) {
	body, err := asRow(a.Result)
	if err != nil || body["result"] == nil && body["result_error"] == nil {
		return BatchAnswer{}, undecodable("batch", "the answer is not that of a batch")
	}
	sections := map[string]row{}
	for _, name := range []string{"result", "result_error", "result_total", "result_next", "result_time"} {
		section, err := asRow(body[name])
		if err != nil {
			section = row{} // a bare list: nothing in it can be told apart
		}
		sections[name] = section
	}
	out := BatchAnswer{Time: a.Time, Moved: a.Moved, Outcomes: make([]Outcome, len(cmds))}
	failedAt, ranLast := len(cmds), -1
	for i, cmd := range cmds {
		o := Outcome{Key: cmd.Key, Time: readTime(sections["result_time"][cmd.Key])}
		o.Total, o.Next = count(sections["result_total"][cmd.Key]), count(sections["result_next"][cmd.Key])
		result, done := sections["result"][cmd.Key]
		failure, failed := sections["result_error"][cmd.Key]
		switch {
		case failed && !done:
			o.Error = commandError(cmd.Method, failure, conceal)
			failedAt = min(failedAt, i)
			ranLast = i
		case done && !failed:
			o.Result = result
			ranLast = i
		case done && failed:
			o.Error = &Error{Class: Ambiguous, Reason: ReasonUnreadable, Method: cmd.Method, Stage: StageCommand, err: fmt.Errorf("reported both as done and as failed")}
			ranLast = i
		}
		out.Outcomes[i] = o
	}
	for i, cmd := range cmds {
		o := &out.Outcomes[i]
		if o.Error != nil || o.Result != nil {
			continue
		}
		if halt && i > failedAt && (i > ranLast || fault.Wrong("gap-as-not-run")) {
			o.NotRun = true
			o.Error = &Error{Class: NotRun, Reason: ReasonHalted, Method: cmd.Method, Stage: StageCommand, err: fmt.Errorf("skipped after the failure of %q", cmds[failedAt].Key)}
			continue
		}
		o.Error = &Error{Class: Ambiguous, Reason: ReasonUnreadable, Method: cmd.Method, Stage: StageCommand, err: fmt.Errorf("missing from the answer")}
	}
	return out, nil
}

func commandError(method string, raw json.RawMessage, conceal func(string) string) *Error {
	evidence := Evidence{Stage: StageCommand, Content: ContentError}
	if r, err := asRow(raw); err == nil {
		evidence.Code, evidence.Description = errorText(r)
	}
	class, reason := Classify(evidence)
	return &Error{Class: class, Reason: reason, Method: method, Stage: StageCommand,
		Code: readable(conceal(evidence.Code)), Description: readable(conceal(evidence.Description))}
}
