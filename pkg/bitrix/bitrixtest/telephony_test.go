package bitrixtest

import (
	"fmt"
	"testing"
	"time"
)

func TestWebhooksMayNotRegisterCallsUnlessThePortalIsOld(t *testing.T) {
	r := portal(t, Options{})
	r.refused("telephony.externalCall.register", m{}, 403, "WRONG_AUTH_TYPE")
	r.refused("telephony.externalCall.finish", m{}, 403, "WRONG_AUTH_TYPE")
	r.refused("telephony.externalCall.attachRecord", m{}, 400, "ERROR_CORE")
	old := portal(t, Options{TelephonyForWebhooks: true})
	if text := old.refused("telephony.externalCall.register", m{}, 400, "ERROR_CORE"); text != "USER_ID or USER_PHONE_INNER should be set." {
		t.Errorf("the probe's answer: got %q", text)
	}
}

func TestACallIsRegisteredFinishedAndRecorded(t *testing.T) {
	c := newClock()
	r := portal(t, Options{TelephonyForWebhooks: true, Now: c.now})
	r.AddUser(User{ID: 7, Active: true, InnerPhone: "101"})
	contact := r.AddContact(Entity{Name: "Ivan", Phones: []string{"+380671112233"}})
	register := m{"USER_PHONE_INNER": "101", "PHONE_NUMBER": "+380 67 111 22 33", "TYPE": 2, "EXTERNAL_CALL_ID": "e1", "CRM_CREATE": 0}
	first := r.get("telephony.externalCall.register", register)
	if at(first, "CRM_ENTITY_TYPE") != "CONTACT" || at(first, "CRM_ENTITY_ID") != float64(contact) {
		t.Errorf("registered call: %v, want it bound to contact %d", first, contact)
	}
	call := at(first, "CALL_ID")
	c.move(29 * time.Minute)
	if got := at(r.get("telephony.externalCall.register", register), "CALL_ID"); got != call {
		t.Errorf("registered again within 30 minutes: %v, want %v", got, call)
	}
	r.refused("telephony.externalCall.attachRecord", m{"CALL_ID": call, "RECORD_URL": "https://rec.example.com/1.mp3"}, 400, "ERROR_CORE")
	if got := fmt.Sprint(r.get("voximplant.statistic.get", m{})); got != "[]" {
		t.Errorf("statistics before the end: %s", got)
	}
	finish := m{"CALL_ID": call, "USER_ID": 7, "DURATION": 42}
	_, body := r.send("telephony.externalCall.finish", finish)
	if kindOf(at(body, "result", "CALL_START_DATE")) != "{}" || at(body, "result", "CALL_FAILED_CODE") != "200" ||
		at(body, "result", "PHONE_NUMBER") != "380671112233" {
		t.Errorf("finished call: %v", body)
	}
	r.refused("telephony.externalCall.finish", finish, 400, "ERROR_CORE")
	r.refused("telephony.externalCall.finish", m{"CALL_ID": 5}, 400, "INVALID_ARGUMENT")
	r.get("telephony.externalCall.attachRecord", m{"CALL_ID": call, "RECORD_URL": "https://rec.example.com/1.mp3"})
	row := at(r.get("voximplant.statistic.get", m{"FILTER": m{"EXTERNAL_CALL_ID": "e1"}}), 0)
	if at(row, "CALL_DURATION") != "42" || at(row, "CALL_RECORD_URL") != "https://rec.example.com/1.mp3" {
		t.Errorf("statistics: %v", row)
	}
	if got := at(r.get("telephony.externalCall.register", register), "CALL_ID"); got == call {
		t.Error("registering after the end returned the finished call")
	}
	if got := at(r.get("crm.activity.list", m{"filter": m{"OWNER_ID": contact}}), 0, "PROVIDER_ID"); got != "VOXIMPLANT_CALL" {
		t.Errorf("activity of the call: %v", got)
	}
}

func TestCRMCreateMakesALeadBesideOurs(t *testing.T) {
	r := portal(t, Options{TelephonyForWebhooks: true})
	got := r.get("telephony.externalCall.register", m{"USER_ID": 1, "PHONE_NUMBER": "0671112233", "TYPE": 2, "CRM_CREATE": 1})
	if at(got, "CRM_CREATED_LEAD") != 1.0 || len(r.Leads()) != 1 {
		t.Errorf("got %v and leads %v", got, r.Leads())
	}
}

func TestActivitiesAreFoundByTheirOrigin(t *testing.T) {
	r := portal(t, Options{})
	lead := r.AddLead(Entity{Title: "x"})
	fields := m{"OWNER_TYPE_ID": 1, "OWNER_ID": lead, "TYPE_ID": 2, "SUBJECT": "Call", "RESPONSIBLE_ID": 1, "DIRECTION": 1,
		"COMMUNICATIONS": []m{{"VALUE": "0671112233"}}, "ORIGINATOR_ID": "ringbridge", "ORIGIN_ID": "c1", "COMPLETED": "Y"}
	id := r.get("crm.activity.add", m{"fields": fields})
	got := r.get("crm.activity.list", m{"filter": m{"ORIGINATOR_ID": "ringbridge", "ORIGIN_ID": "c1"}, "select": []string{"ID"}})
	if fmt.Sprint(got) != fmt.Sprintf("[map[ID:%v]]", id) {
		t.Errorf("found %v, want activity %v", got, id)
	}
	fields["COMMUNICATIONS"] = []m{{"VALUE": "1"}, {"VALUE": "2"}}
	r.refused("crm.activity.add", m{"fields": fields}, 400, "")
}

func TestCommentsStayInTheOrderTheyWereWritten(t *testing.T) {
	r := portal(t, Options{})
	r.AddDeal(Entity{Title: "x"})
	for _, text := range []string{"one", "two"} {
		r.get("crm.timeline.comment.add", m{"fields": m{"ENTITY_ID": 1, "ENTITY_TYPE": "deal", "COMMENT": text}})
	}
	got := r.Comments()
	if len(got) != 2 || got[0].Text != "one" || got[1].Kind != Deal {
		t.Errorf("comments: %+v", got)
	}
}
