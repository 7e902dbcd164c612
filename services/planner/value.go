package planner

import (
	"strconv"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// value reads a fact of the call by our name of the parameter (contract: the
// configuration's `fields`), or a custom parameter by its own.
func value(c event.Call, name string) string {
	if v, ours := ourValue(c, name); ours {
		return v
	}
	return c.Extra[name]
}

func ourValue(c event.Call, name string) (string, bool) {
	t := c.Traffic
	switch name {
	case "call_id":
		return c.ID, true
	case "event":
		return c.Event, true
	case "direction":
		return string(c.Direction), true
	case "status":
		return c.Status, true
	case "date":
		if c.StartedAt == nil {
			return "", true
		}
		return c.StartedAt.Format(time.RFC3339), true
	case "caller":
		if c.Direction == event.Inbound {
			return c.Client, true
		}
		return c.AnsweredOn, true
	case "callee":
		if c.Direction == event.Outbound {
			return c.Client, true
		}
		return c.Line, true
	case "connected_with":
		return c.AnsweredOn, true
	case "outbound_number":
		return c.Line, true
	case "call_duration":
		return number(c.Duration), true
	case "waiting":
		return number(c.Waiting), true
	case "talk":
		return number(c.Talk), true
	case "recording", "recording_wav":
		return c.Recording, true
	case "employee_name":
		if c.Employee == nil {
			return "", true
		}
		return c.Employee.Name, true
	case "employee_code":
		if c.Employee == nil {
			return "", true
		}
		return c.Employee.Code, true
	case "has_recording":
		if c.Recording == "" {
			return "0", true
		}
		return "1", true
	case "extension":
		return c.Extension, true
	case "department":
		return c.Department, true
	case "scheme":
		return c.Scheme, true
	case "pool":
		return c.Pool, true
	case "insertion_type":
		return c.InsertionType, true
	case "client_id":
		return t.ClientID, true
	case "landing":
		return t.Landing, true
	case "referrer":
		return t.Referrer, true
	case "visitor_ip":
		return t.VisitorIP, true
	case "user_agent":
		return t.UserAgent, true
	case "call_card":
		return c.Card, true
	case "utm_source":
		return t.Source, true
	case "utm_medium":
		return t.Medium, true
	case "utm_campaign":
		return t.Campaign, true
	case "utm_content":
		return t.Content, true
	case "utm_term":
		return t.Term, true
	}
	return "", false
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
