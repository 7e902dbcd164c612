package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is a telephone call as the simulated Ringostat saw it.
type call struct {
	rule      string // of the decision table that this call is made for; none for calls of chance
	out       bool
	status    string  // ANSWERED, NO ANSWER, VOICEMAIL …
	client    string  // E.164 without the plus; empty: hidden
	name      string  // that the client's telephone shows
	by        *person // who was on the call
	colleague *person // the other end of an internal call
	line      string  // the telephone of no employee that was on the call
	wait      int     // seconds
	talk      int     // seconds
	visit     *visit

	id string
	at time.Time
}

// visit is where a client came from.
type visit struct{ source, medium, campaign, term, clientID, landing, referrer string }

// shape is one way in which a project's administrator may have set the webhook up:
// help.ringostat.com 6313229 and 6559993 let the data's format and every parameter's
// name be chosen, so all of these arrive.
type shape int

const (
	classicForm  shape = iota // a form with the documented names of the event hooks
	nestedJSON                // the call log's names, most of them under additional_call_data
	jsonRPC                   // the documented names inside a JSON-RPC envelope
	logQuery                  // GET with the call log's names
	renamedForm               // a form with names that an administrator chose
	shapesInTurn = 5
)

// kyiv is the zone of dates that come without one.
var kyiv = func() *time.Location {
	if l, err := time.LoadLocation("Europe/Kyiv"); err == nil {
		return l
	}
	return time.FixedZone("Kyiv", 2*60*60)
}()

// caller, callee and connected are the two ends and the telephone that answered, as
// Ringostat writes them: accounts for our people, numbers for the rest of the world.
func (c call) caller() string {
	switch {
	case c.out && c.by != nil:
		return fmt.Sprintf("%q <%s>", c.by.sip, c.by.sip)
	case c.out:
		return c.line
	case c.client == "":
		return "anonymous"
	case c.name != "":
		return fmt.Sprintf(`"%s" <%s>`, c.name, c.client)
	}
	return c.client
}

func (c call) callee() string {
	switch {
	case c.colleague != nil:
		return c.colleague.sip
	case c.out:
		return c.client
	}
	return siteLine
}

func (c call) connected() string {
	switch {
	case c.status != "ANSWERED" || c.out:
		return ""
	case c.by != nil:
		return c.by.number
	}
	return c.line
}

func (c call) direction() string {
	if c.out {
		return "out"
	}
	return "in"
}

func (c call) recording() string {
	if c.talk == 0 {
		return ""
	}
	return "https://records.example/" + c.id + ".wav"
}

// fields is the finished call under the names of a family; what is empty is sent
// empty, as Ringostat does.
func (c call) fields(s shape) url.Values {
	recorded := "0"
	if c.talk > 0 {
		recorded = "1"
	}
	who := person{code: "-1"}
	full := ""
	if c.by != nil {
		who, full = *c.by, c.by.full()
	}
	seconds := strconv.Itoa
	v := url.Values{}
	set := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	switch s {
	case classicForm, jsonRPC:
		set("call_id", c.id, "type", c.direction(), "status", c.status, "date", c.at.In(kyiv).Format(time.DateTime),
			"caller", c.caller(), "callee", c.callee(), "connected_with", c.connected(),
			"call_duration", seconds(c.wait+c.talk), "waiting", seconds(c.wait), "dialog", seconds(c.talk),
			"record", c.id, "recording_wav", c.recording(), "has_recording", recorded,
			"employee_fio", full, "staffid", who.code, "department", "Продажі", "project_id", "110070")
	case nestedJSON, logQuery:
		set("uniqueid", c.id, "call_type", c.direction(), "disposition", c.status, "calldate", c.at.In(kyiv).Format("2006-01-02T15:04:05-0700"),
			"caller", c.caller(), "dst", c.callee(), "connected_with", c.connected(),
			"duration", seconds(c.wait+c.talk), "waittime", seconds(c.wait), "billsec", seconds(c.talk),
			"recording", c.recording(), "has_recording", recorded, "employee_fio", full, "employee_number", who.code,
			"additional_number", who.extension, "scheme_name", "Робочий час", "pool_name", "Сайт")
	case renamedForm:
		set("call_id", c.id, "type", c.direction(), "call_status", c.status, "call_date", c.at.In(kyiv).Format(time.DateTime),
			"call_timestamp", strconv.FormatInt(c.at.UnixMicro(), 10), "caller_number", c.caller(), "destination", c.callee(), "connected_with", c.connected(),
			"duration_call", seconds(c.wait+c.talk), "duration_waiting", seconds(c.wait), "duration_conversation", seconds(c.talk),
			"recording", c.recording(), "recording_presence", recorded, "employee", full, "employee_id", who.code, "employee_estension", who.extension)
	}
	if c.out {
		set("outbound_number", siteLine)
	}
	if t := c.visit; t != nil {
		set("utm_source", t.source, "utm_medium", t.medium, "utm_campaign", t.campaign, "utm_term", t.term,
			"client_id", t.clientID, "landing", t.landing, "refferrer", t.referrer)
	}
	return v
}

// topLevel are the names that a nested webhook keeps outside additional_call_data
// (seen in production).
var topLevel = map[string]bool{
	"uniqueid": true, "calldate": true, "billsec": true, "disposition": true, "recording": true, "has_recording": true, "connected_with": true,
}

// request is the webhook in one of the shapes.
func (c call) request(ctx context.Context, address string, s shape) (*http.Request, error) {
	v := c.fields(s)
	switch s {
	case logQuery:
		return http.NewRequestWithContext(ctx, http.MethodGet, address+"?"+v.Encode(), nil)
	case nestedJSON:
		top, nested := map[string]any{}, map[string]string{}
		for name := range v {
			if topLevel[name] {
				top[name] = v.Get(name)
			} else {
				nested[name] = v.Get(name)
			}
		}
		top["additional_call_data"] = nested
		return jsonRequest(ctx, address, top)
	case jsonRPC:
		params := map[string]string{}
		for name := range v {
			params[name] = v.Get(name)
		}
		return jsonRequest(ctx, address, map[string]any{"jsonrpc": "2.0", "id": 1, "method": "call.finished", "params": params})
	}
	return formRequest(ctx, address, v)
}

// ringing is the webhook "before the call", which some administrators switch on too.
func (c call) ringing(ctx context.Context, address string) (*http.Request, error) {
	return formRequest(ctx, address+"?event=before", url.Values{
		"call_id": {c.id}, "type": {"in"}, "date": {c.at.In(kyiv).Format(time.DateTime)}, "caller": {c.caller()}, "callee": {c.callee()},
	})
}

func formRequest(ctx context.Context, address string, v url.Values) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(v.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, err
}

func jsonRequest(ctx context.Context, address string, body any) (*http.Request, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(text))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

// deliver sends a webhook as Ringostat does: once, and never again.
func (w *World) deliver(r *http.Request, err error) error {
	if err != nil {
		return fmt.Errorf("make a webhook: %w", err)
	}
	r.Header.Set("User-Agent", "ringostat HTTP Client v1.1")
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("send a webhook: %w", err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("a webhook was answered with %s", answer.Status)
	}
	w.mu.Lock()
	w.sent++
	w.mu.Unlock()
	return nil
}
