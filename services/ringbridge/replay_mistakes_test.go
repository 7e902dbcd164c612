package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// mistake is a kind of misconfiguration: calls that were decided with wrong settings.
type mistake struct {
	name    string
	more    string // YAML of the project
	replace []string
	calls   func(h *house, i int) url.Values
	correct func(block map[string]any)
	// rightReplace makes the same company with right settings from the start: what it makes
	// of the same calls is what the portal must hold in the end.
	rightReplace []string
	parked       int // how many requests nobody could read
}

// phoneOf gives each three calls in a row one client.
func phoneOf(i int) string { return fmt.Sprintf("+3806711122%02d", i/3) }

// weekCall is the call number i of a week of 30.
func weekCall(h *house, i int, over url.Values) url.Values {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("", 2*3600)).Add(time.Duration(i) * 5 * time.Hour)
	return h.call(fmt.Sprintf("c%02d", i), with(url.Values{"caller": {phoneOf(i)}, "date": {at.Format(time.RFC3339)}}, over))
}

var missedCall = url.Values{"status": {"NO ANSWER"}, "connected_with": {""}, "staffid": {""}, "dialog": {"0"}, "recording": {""}, "has_recording": {"0"}, "call_duration": {"20"}}

func employees(block map[string]any) []any { return block["employees"].([]any) }

var mistakes = []mistake{
	{
		name: "wrong senior", replace: []string{"senior: 1\n", "senior: 8\n"},
		calls: func(h *house, i int) url.Values { // missed, then again, then taken by Olena
			if i%3 < 2 {
				return weekCall(h, i, missedCall)
			}
			return weekCall(h, i, nil)
		},
		correct: func(block map[string]any) { block["senior"] = senior },
	},
	{
		name: "unmapped employee", replace: []string{`      - {name: Petro Bondar, code: "102", extension: "102", sip: [shop_petro], numbers: ["+380501110102"], bitrix_user: 8}` + "\n", ""},
		calls: func(h *house, i int) url.Values {
			return weekCall(h, i, url.Values{"connected_with": {"380501110102"}, "staffid": {"102"}})
		},
		correct: func(block map[string]any) {
			block["employees"] = append(employees(block), map[string]any{"name": "Petro Bondar", "code": "102", "extension": "102", "sip": []string{"shop_petro"}, "numbers": []string{"+380501110102"}, "bitrix_user": petro})
		},
	},
	{
		name: "wrong user", replace: []string{"bitrix_user: 7}", "bitrix_user: 8}", `["+380501110102"], bitrix_user: 8}`, `["+380501110102"], bitrix_user: 8}`},
		calls: func(h *house, i int) url.Values {
			if i%3 == 2 {
				return weekCall(h, i, missedCall)
			}
			return weekCall(h, i, nil)
		},
		correct: func(block map[string]any) { employees(block)[0].(map[string]any)["bitrix_user"] = olena },
	},
	{
		name: "renamed parameter", parked: 30,
		calls: func(h *house, i int) url.Values {
			v := weekCall(h, i, nil)
			v["my_call"], v["call_id"] = v["call_id"], nil
			delete(v, "call_id")
			return v
		},
		correct: func(block map[string]any) {
			block["ringostat"].(map[string]any)["fields"] = map[string]string{"call_id": "my_call"}
		},
		rightReplace: []string{"ringostat: {token: " + hook + "}", "ringostat: {token: " + hook + ", fields: {call_id: my_call}}"},
	},
	{
		name: "rule off", more: "    scenarios: {off: [answered/new]}\n",
		calls:   func(h *house, i int) url.Values { return weekCall(h, i, visit) },
		correct: func(block map[string]any) { delete(block["scenarios"].(map[string]any), "off") },
	},
	{
		name: "wrong country", replace: []string{"    locale: en\n", "    locale: en\n    country: PL\n"},
		calls: func(h *house, i int) url.Values {
			return weekCall(h, i, url.Values{"caller": {"0" + strings.TrimPrefix(phoneOf(i), "+380")}})
		},
		correct: func(block map[string]any) { block["country"] = "UA" },
	},
	{
		name: "wrong time zone", replace: []string{"    locale: en\n", "    locale: en\n    time_zone: America/New_York\n"},
		calls: func(h *house, i int) url.Values {
			over := url.Values{}
			if i%2 == 0 {
				over = with(missedCall)
			}
			v := weekCall(h, i, over)
			at, err := time.Parse(time.RFC3339, v.Get("date"))
			if err != nil {
				h.t.Fatal(err)
			}
			v.Set("date", at.Format(time.DateTime))
			return v
		},
		correct: func(block map[string]any) { block["time_zone"] = "Europe/Kyiv" },
	},
}

// wrongWeek runs 30 calls with wrong settings.
func wrongWeek(t *testing.T, m mistake) *house {
	t.Helper()
	h := openHouse(t, bitrixtest.Options{}, m.more, m.replace...)
	h.sendWeek(m)
	if got := len(h.parked()); got != m.parked {
		t.Fatalf("%d requests are parked, want %d", got, m.parked)
	}
	return h
}

func (h *house) sendWeek(m mistake) {
	h.t.Helper()
	for i := range 30 {
		h.send(m.calls(h, i))
	}
	h.quiet()
}

// rightWeek is what the portal holds when the settings were right from the start.
func rightWeek(t *testing.T, m mistake) string {
	t.Helper()
	h := openHouse(t, bitrixtest.Options{}, "", m.rightReplace...)
	h.sendWeek(m)
	return h.sorted()
}
