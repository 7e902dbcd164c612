package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

var (
	anyTime   = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*`)
	tokyoTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?\+09:00$`)
)

func TestEveryTimeOfACommandIsTheProjectsWithItsOffset(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "    time_zone: Asia/Tokyo\n")
	h.send(h.call("c1", nil))
	h.request("POST", webhook, jsonBody, `{"broken`)
	h.quiet()
	for _, args := range [][]string{{"calls"}, {"call", "c1"}, {"parked", "list"}} {
		out := runLook(h, args...).out
		times := anyTime.FindAllString(out, -1)
		for _, one := range times {
			if !tokyoTime.MatchString(strings.TrimRight(one, ",")) {
				t.Errorf("%q writes the time %s, want it as in Tokyo, with the offset", args, one)
			}
		}
		if len(times) == 0 {
			t.Errorf("%q writes no time:\n%s", args, out)
		}
	}
}

func TestACallSaysWhyItIsParkedAndWhatToDo(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_BRANCH", Label: "Branch", Mandatory: true})
	h.send(h.call("c1", nil))
	p := h.parkedCall("c1")
	runLook(h, "call", "c1").expect(t, exitDone, "call c1: parked", p.Reason, p.Remedy, "ringbridge parked retry "+p.ID)
	h.portal.AddUserField("lead", bitrixtest.UserField{Name: "UF_CRM_BRANCH", Label: "Branch"})
	runLook(h, "parked", "retry", p.ID).expect(t, exitDone)
	h.until("the call is done", func() bool { return h.quiet().Parked == 0 && h.story("c1").State == "done" })
	if r := runLook(h, "call", "c1"); strings.Contains(r.out, "parked retry") {
		t.Errorf("a call that is done says what to do about it:\n%s", r.out)
	}
}

func TestACallLeavesNoEmptyPlaces(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	h.send(h.call("hidden", map[string][]string{"caller": {"anonymous"}}))
	h.send(h.call("internal", map[string][]string{"caller": {"shop_petro"}, "callee": {"380501110101"}, "type": {"out"}, "status": {"PROPER"}}))
	h.sendTo("?event=before", map[string][]string{"call_id": {"rings"}, "type": {"in"}, "caller": {"380671112299"}, "callee": {"380441234567"}})
	h.quiet()
	empty := regexp.MustCompile(`\(\)| ,|: *\n|rule *\n|started *\n|  +[(,]`)
	for id, want := range map[string]string{"hidden": "hidden number", "internal": "between colleagues", "rings": "client +380671112299"} {
		r := runLook(h, "call", id)
		r.expect(t, exitDone, want)
		if place := empty.FindString(r.out); place != "" {
			t.Errorf("call %s has an empty place %q:\n%s", id, place, r.out)
		}
		if id == "internal" && strings.Contains(r.out, "hidden") {
			t.Errorf("a call between colleagues says that a number is hidden:\n%s", r.out)
		}
	}
}
