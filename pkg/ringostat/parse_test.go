package ringostat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/phone"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
)

// anyCall draws parameters under names of mixed families.
func anyCall(t *rapid.T) map[string]string {
	call := map[string]string{}
	put := func(names, values []string) {
		if value := rapid.SampledFrom(values).Draw(t, names[0]); value != "absent" {
			call[rapid.SampledFrom(names).Draw(t, "name")] = value
		}
	}
	sides := []string{"380931112233", "380671112233", "shop_olena", "other_login", "101", "", "anonymous", `"Ivan Test" <380931112233>`, "absent"}
	put([]string{"call_id", "uniqueid"}, []string{"1767348000.1", "", "absent"})
	put([]string{"type", "call_type", "direction"}, []string{"in", "out", "callback", "transitin", "transitout", "", "absent"})
	put([]string{"status", "disposition"}, []string{"ANSWERED", "no_answer", "VOICEMAIL", "CALLING", "odd", "", "absent"})
	put([]string{"caller", "caller_number", "E164"}, sides)
	put([]string{"callee", "dst"}, sides)
	put([]string{"connected_with"}, sides)
	put([]string{"outbound_number"}, []string{"380441112233", "", "absent"})
	put([]string{"dialog", "billsec"}, []string{"0", "12", "absent"})
	put([]string{"date", "calldate"}, []string{"2026-01-02 12:00:00", "2026-01-02T12:00:00+0300", "absent"})
	put([]string{"custom name"}, []string{"a b", "x&y=z", "absent"})
	return call
}

func options(t testing.TB) ringostat.Options {
	return ringostat.Options{Country: "UA", Location: kyiv(t), Employees: employees}
}

func TestTheShapeOfARequestDoesNotMatter(t *testing.T) {
	o := options(t)
	rapid.Check(t, func(t *rapid.T) {
		call := anyCall(t)
		form := url.Values{}
		for name, value := range call {
			form.Set(name, value)
		}
		flat, err := json.Marshal(call)
		if err != nil {
			t.Fatal(err)
		}
		want := describe(ringostat.Parse(ringostat.Request{Method: "GET", Query: form.Encode()}, o))
		for shape, request := range map[string]ringostat.Request{
			"form":        {Method: "POST", ContentType: "application/x-www-form-urlencoded", Body: []byte(form.Encode())},
			"JSON":        {Method: "PUT", ContentType: "application/json", Body: flat},
			"nested JSON": {Method: "POST", Body: fmt.Appendf(nil, `{"additional_call_data": %s}`, flat)},
			"JSON-RPC":    {Method: "POST", Body: fmt.Appendf(nil, `{"jsonrpc": "2.0", "id": 1, "method": "x", "params": %s}`, flat)},
			"RPC list":    {Method: "POST", Body: fmt.Appendf(nil, "\ufeff{\"jsonrpc\": \"2.0\", \"params\": [{\"additional_call_data\": %s}]}", flat)},
		} {
			if diff := cmp.Diff(want, describe(ringostat.Parse(request, o))); diff != "" {
				t.Fatalf("%v as a query and as %s (-query +%s):\n%s", call, shape, shape, diff)
			}
		}
	})
}

func TestEveryReadableReportKeepsItsPromises(t *testing.T) {
	o := options(t)
	rapid.Check(t, func(t *rapid.T) {
		form := url.Values{}
		for name, value := range anyCall(t) {
			form.Set(name, value)
		}
		event := rapid.SampledFrom([]string{"", "before", "answer", "after", "after_outgoing", "rating"}).Draw(t, "event")
		form.Set("event", event)
		keepsPromises(t, ringostat.Request{Query: form.Encode()}, o)
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// keepsPromises checks what holds for any request whatever.
func keepsPromises(t fataler, request ringostat.Request, o ringostat.Options) {
	report, err := ringostat.Parse(request, o)
	again, errAgain := ringostat.Parse(request, o)
	if !reflect.DeepEqual(report, again) || !reflect.DeepEqual(err, errAgain) {
		t.Fatalf("%+v is read differently the second time:\n%+v, %v\n%+v, %v", request, report, err, again, errAgain)
	}
	allTextsAreClean(t, "Report", reflect.ValueOf(report))
	if err != nil {
		var unreadable *ringostat.Unreadable
		if !errors.As(err, &unreadable) || unreadable.Reason == "" || unreadable.Remedy == "" {
			t.Fatalf("%+v: error %#v; want an Unreadable with both texts", request, err)
		}
		if manyDigits.MatchString(unreadable.Reason + unreadable.Remedy) {
			t.Fatalf("%+v: the error shows digits of the request: %q", request, unreadable)
		}
		return
	}
	switch {
	case report.CallID == "" || len(report.CallID) > 200:
		t.Fatalf("%+v: call id %q", request, report.CallID)
	case report.Event == "" || report.Direction == "":
		t.Fatalf("%+v: event %q, direction %q; want both", request, report.Event, report.Direction)
	case report.Final != (report.Outcome != ""):
		t.Fatalf("%+v: final %v, outcome %q", request, report.Final, report.Outcome)
	case report.Direction == ringostat.Internal && report.Client != "":
		t.Fatalf("%+v: an internal call has a client", request)
	case report.Client != "" && string(report.Client) == report.Line && report.Direction == ringostat.Inbound:
		t.Fatalf("%+v: the client is our line", request)
	case min(report.Talk, report.Waiting, report.Duration) < 0:
		t.Fatalf("%+v: negative time in %+v", request, report)
	}
	for _, e := range o.Employees {
		for _, number := range e.Numbers {
			if report.Client == number {
				t.Fatalf("%+v: an employee is the client", request)
			}
		}
	}
	if number, ok := phone.Parse(string(report.Client), ""); report.Client != "" && (!ok || number != report.Client) {
		t.Fatalf("%+v: client %q is not E.164", request, report.Client)
	}
}

var manyDigits = regexp.MustCompile(`\d{5}`)

func allTextsAreClean(t fataler, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		s := v.String()
		if !utf8.ValidString(s) || strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) {
			t.Fatalf("%s is not clean: %q", name, s)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			allTextsAreClean(t, v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			allTextsAreClean(t, name, key)
			allTextsAreClean(t, name, v.MapIndex(key))
		}
	}
}

func TestDeepNestingIsNoDanger(t *testing.T) {
	for _, body := range []string{
		strings.Repeat("[", 100_000),
		strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000),
		`{"call_id": "1767348000.1", "caller": "380931112233", "status": "BUSY", "deep": ` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + "}",
	} {
		keepsPromises(t, ringostat.Request{Body: []byte(body)}, options(t))
	}
}

func TestTheZeroOptionsReadInternationalNumbersInUTC(t *testing.T) {
	report, err := ringostat.Parse(ringostat.Request{Query: "call_id=1&status=BUSY&caller=380931112233&date=2026-01-02+12:00:00"}, ringostat.Options{})
	if err != nil || report.Client != "+380931112233" || !report.StartedAt.Equal(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("Parse = %+v, %v; want the client and 12:00 UTC", report, err)
	}
}

func TestAnUnreadableIsAnErrorWithoutValues(t *testing.T) {
	_, err := ringostat.Parse(ringostat.Request{Query: "380931112233=x&caller=380931112233&token=hush"}, options(t))
	if err == nil || strings.Contains(err.Error(), "38093") || strings.Contains(err.Error(), "hush") {
		t.Errorf("Parse = %v; want an error without the number and the token", err)
	}
}

func addSeeds(f *testing.F, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
}

func FuzzJSON(f *testing.F) {
	addSeeds(f,
		`{"call_id": "1767348000.1", "type": "in", "caller": "\"Ivan Test\" <380931112233>", "status": "ANSWERED", "additional_call_data": {"dst": 380441112233}}`,
		`{"uniqueid": 1767348000.10, "call_id": null, "E164": 3.80931112233e11, "disposition": "NO%20ANSWER", "billsec": 1e400}`,
		`[{"call_id": "\u0000", "call_id": "1", "additional_call_data": "{\"caller\": \"x\"}"}]`,
		`{"call_id": [1, [2, {"a": {}}]], "": {"": ""}}`)
	o := options(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		keepsPromises(t, ringostat.Request{Method: "POST", ContentType: "application/json", Body: body}, o)
	})
}

func FuzzJSONRPC(f *testing.F) {
	addSeeds(f, `{"call_id": "1767348000.1", "caller": "shop_olena", "callee": "380931112233", "status": "BUSY"}`, `[{"call_id": "1"}]`, `"x"`, `{"params": {}}`)
	o := options(f)
	f.Fuzz(func(t *testing.T, params []byte) {
		body := fmt.Appendf(nil, `{"jsonrpc": "2.0", "id": 1, "method": "after", "params": %s}`, params)
		keepsPromises(t, ringostat.Request{Method: "POST", Body: body}, o)
	})
}

func FuzzForm(f *testing.F) {
	addSeeds(f,
		"call_id=1767348000.1&type=in&caller=%22Ivan+Test%22+%3C380931112233%3E&status=NO+ANSWER&utm_term=100%",
		"call_id=1&caller=+380931112233&additional_call_data[status]=BUSY&additional_call_data=%7B%22dst%22%3A1%7D",
		"&&=&==&%&%4&call_id", "\xff=\xfe&call_id=%00%0a")
	o := options(f)
	f.Fuzz(func(t *testing.T, form []byte) {
		keepsPromises(t, ringostat.Request{Method: "GET", Query: string(form)}, o)
		keepsPromises(t, ringostat.Request{Method: "POST", ContentType: "application/x-www-form-urlencoded", Query: "event=after", Body: form}, o)
	})
}

func TestManyValuesBehindLongNamesAreReadInProportion(t *testing.T) {
	long := strings.Repeat("n", 100_000)
	body := fmt.Sprintf(`{"call_id": "1767348000.1", "caller": "380931112233", "status": "BUSY", %q: [%s1]}`, long, strings.Repeat("1,", 50_000))
	request := ringostat.Request{Body: []byte(body)}
	keepsPromises(t, request, options(t))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ringostat.Parse(request, ringostat.Options{})
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; err != nil || allocated > 64<<20 {
		t.Errorf("a body of %d bytes takes %d bytes to read (%v), want less than 64 MiB", len(body), allocated, err)
	}
}

// TestAmongManyParametersTheLastOfANameCounts has more of them than are looked through
// one by one.
func TestAmongManyParametersTheLastOfANameCounts(t *testing.T) {
	for _, others := range []int{0, 10, 59, 60, 61, 500} {
		var padding strings.Builder
		for n := range others {
			fmt.Fprintf(&padding, "other%d=first&", n)
		}
		query := "call_id=1&caller=380671112244&utm_source=early&status=BUSY&" + padding.String() +
			"utm_source=late&CALLER=380671112255&status=&additional_call_data[dst]=380441112233"
		for n := range others {
			query += fmt.Sprintf("&Other%d=second", n)
		}
		report, err := ringostat.Parse(ringostat.Request{Query: query}, options(t))
		if err != nil || report.Client != "+380671112255" || report.UTM.Source != "late" || report.Status != "BUSY" || report.Line != "+380441112233" {
			t.Errorf("among %d others: client %q, source %q, status %q, line %q, %v; want the last that have a value",
				others, report.Client, report.UTM.Source, report.Status, report.Line, err)
		}
		if len(report.Extra) != others {
			t.Errorf("%d others, want %d", len(report.Extra), others)
		}
		for name, value := range report.Extra {
			if !strings.HasPrefix(name, "Other") || value != "second" {
				t.Errorf("%s is %q, want the last under its last name", name, value)
			}
		}
	}
}

// TestARequestLeavesNothingForTheNext reads others in between and at once.
func TestARequestLeavesNothingForTheNext(t *testing.T) {
	o := options(t)
	requests := []ringostat.Request{
		{Query: "call_id=1&caller=380671112244&status=BUSY&utm_source=a&custom=b"},
		{Query: "call_id=2&caller=380671112255&status=ANSWERED&billsec=5&staffid=101&recording=https://records.example/2.wav"},
		{Body: []byte(`{"jsonrpc": "2.0", "method": "after_outgoing", "params": {"call_id": "3", "callee": "380671112266", "status": "BUSY"}}`)},
		{Query: "event=after"},
	}
	var want []string
	for _, r := range requests {
		want = append(want, describe(ringostat.Parse(r, o)))
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 200 {
				i := n * 7 % len(requests)
				if got := describe(ringostat.Parse(requests[i], o)); got != want[i] {
					t.Errorf("request %d is read differently after others:\n%s\nwant\n%s", i, got, want[i])
					return
				}
			}
		})
	}
	all.Wait()
}

func TestQuotesAndBracketsInANameDoNotHideTheNumber(t *testing.T) {
	for caller, want := range map[string]string{
		`"Shop "Oak"" <380671112244>`:                   `Shop "Oak"`,
		`"<b>Halyna</b>" <380671112244>`:                "<b>Halyna</b>",
		"\"Shop &quot;Oak&quot;\" &lt;380671112244&gt;": `Shop "Oak"`,
		`Halyna "Oak" <+380671112244>`:                  `Halyna "Oak"`,
	} {
		form := url.Values{"call_id": {"c1"}, "status": {"NO ANSWER"}, "caller": {caller}, "callee": {"380441112233"}}
		report, err := ringostat.Parse(ringostat.Request{Method: "GET", Query: form.Encode()}, options(t))
		if err != nil || report.Client != "+380671112244" || report.ClientName != want {
			t.Errorf("%s: client %q, named %q, error %v; want +380671112244, named %q", caller, report.Client, report.ClientName, err, want)
		}
	}
}
