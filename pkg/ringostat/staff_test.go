package ringostat_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/ringostat"
	"github.com/ringbridge/ringbridge/pkg/ringostat/ringostattest"
)

func TestEmployeesAreReadInEveryShapeOfTheAnswer(t *testing.T) {
	log := ringostattest.Start(t, time.UTC)
	client, err := ringostat.NewCallLog(ringostat.CallLogOptions{BaseURL: log.URL, Key: log.Key, AllowInsecure: true, Pause: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	olena := ringostat.StaffMember{Code: "1111", Name: "Olena Koval", Email: "olena@example.com", Extension: "101", SIP: []string{"shop_olena"}, Numbers: []string{"380671112233"}}
	for _, c := range []struct {
		what, answer string
		want         []ringostat.StaffMember
		err          error
	}{
		{"a map by code", `{"jsonrpc":"2.0","id":1,"result":{"1111":{"id":5,"staffId":1111,"fio":"Olena Koval","email":"olena@example.com","phone":"380671112233","extensionNumber":101,
			"departments":[1],"directions":{"main":[{"direction":"shop_olena","type":"sip"}],"additional":[{"direction":"380671112233","type":"phone"},{"direction":"101"}]}}}}`, []ringostat.StaffMember{olena}, nil},
		{"a list, with empty lists for objects", `{"result":[{"staffId":"1111","fio":"Olena Koval","email":"olena@example.com","phone":null,"extensionNumber":"101",
			"directions":{"main":{"0":{"direction":"shop_olena@sip.example","type":"sip"}},"additional":[{"direction":380671112233}]}}, {"staffId": null}, 7]}`, []ringostat.StaffMember{olena}, nil},
		{"nobody", `{"result":[]}`, []ringostat.StaffMember{}, nil},
		{"a refusal", `{"jsonrpc":"2.0","error":{"code":-32000,"message":"no"}}`, nil, ringostat.ErrKey},
		{"a page", `<html>`, nil, ringostat.ErrUnreadable},
		{"nothing", `{}`, nil, ringostat.ErrUnreadable},
	} {
		log.Break(ringostattest.Answer(http.StatusOK, "application/json", c.answer))
		got, err := client.Staff(t.Context(), 110070)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.what, err, c.err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.what, diff)
		}
	}
	asked := log.Requests()[0]
	if asked.Method != http.MethodPost || asked.URL.Path != "/api/json-rpc" || asked.Header.Get("Auth-key") != log.Key {
		t.Errorf("asked by %s %s, want POST /api/json-rpc with the key", asked.Method, asked.URL.Path)
	}
}
