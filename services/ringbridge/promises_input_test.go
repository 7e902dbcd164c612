package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

const (
	formBody = "application/x-www-form-urlencoded"
	jsonBody = "application/json"
	webhook  = "/ringostat/shop/" + hook
)

func TestAWebhookNobodyCanReadIsKeptAndShownAndHoldsNothingUp(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	bodies := []struct{ contentType, body, shown, reason string }{
		{jsonBody, `{"call_id": "c0", "status": "ANSW`, `{"call_id": "c0", "status": "ANSW`, "broken or cut off"},
		{formBody, "status=ANSWERED&caller=380671112233&dialog=30", "status=ANSWERED&caller=380671112233&dialog=30", "no call id"},
		{"application/octet-stream", "\x00\xff\xfe\x80", "\x00\uFFFD", ""},
		{formBody, "", "", "no parameters"},
	}
	for _, b := range bodies {
		if code, answer := h.request(http.MethodPost, webhook, b.contentType, b.body); code != http.StatusOK || answer != "ok" {
			t.Errorf("%q was answered %d %q, want 200 ok: it is kept", b.body, code, answer)
		}
	}
	if status := h.quiet(); status.Parked != len(bodies) {
		t.Errorf("%d are parked, want all %d", status.Parked, len(bodies))
	}
	for _, b := range bodies {
		found := false
		for _, p := range h.parked() {
			raw := only(t, "requests behind a parked thing", p.Raw)
			if raw.Body != b.shown {
				continue
			}
			found = true
			if p.Step != "classify" || !strings.Contains(p.Reason, b.reason) || len(p.Reason) < 10 || len(p.Remedy) < 10 || raw.Method != http.MethodPost {
				t.Errorf("%q is parked as %+v, want step classify, a reason with %q and a remedy", b.body, p, b.reason)
			}
		}
		if !found {
			t.Errorf("%q is not among the parked, want it shown as %q: %+v", b.body, b.shown, h.parked())
		}
	}
	h.send(h.call("c1", nil))
	h.quiet()
	only(t, "leads", h.portal.Leads())
	if s := h.story("c1"); s.State != "done" {
		t.Errorf("a call behind unreadable ones is %s, want done", s.State)
	}
}

func TestTheWebhookAddressAnswersAsPromised(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	var unknown []string
	for _, path := range []string{"/ringostat/shop/another-token", "/ringostat/market/" + hook, "/ringostat/market/another-token"} {
		code, body := h.request(http.MethodPost, path, formBody, "a=b")
		unknown = append(unknown, fmt.Sprint(code, " ", body))
	}
	if unknown[0] != unknown[1] || unknown[1] != unknown[2] || !strings.HasPrefix(unknown[0], "404") {
		t.Errorf("unknown token, project, both are answered %q, want one 404 for all", unknown)
	}
	for _, method := range []string{http.MethodDelete, http.MethodPatch} {
		if code, _ := h.request(method, webhook, "", ""); code != http.StatusMethodNotAllowed {
			t.Errorf("%s is answered %d, want 405", method, code)
		}
	}
	if s := h.quiet(); s.Parked != 0 || len(h.portal.Requests()) != 0 {
		t.Errorf("refused requests left traces: %+v and %v", s, h.portal.Requests())
	}
}

func TestABodyIsTakenWholeUpTo256KiBAndNeverCut(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	padded := func(id string, size int) string {
		body := h.call(id, nil).Encode() + "&pad="
		return body + strings.Repeat("x", size-len(body))
	}
	if code, _ := h.request(http.MethodPost, webhook, formBody, padded("large", 256<<10+1)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("256 KiB and one byte are answered %d, want 413", code)
	}
	if code, body := h.request(http.MethodPost, webhook, formBody, padded("fits", 256<<10)); code != http.StatusOK {
		t.Fatalf("exactly 256 KiB are answered %d %q, want 200", code, body)
	}
	if s := h.quiet(); s.Parked != 0 {
		t.Errorf("%d are parked, want the refused body nowhere: %+v", s.Parked, h.parked())
	}
	var received struct{ Body []byte }
	if err := json.Unmarshal(h.story("fits").Events[0].Data, &received); err != nil {
		t.Fatal(err)
	}
	if string(received.Body) != padded("fits", 256<<10) {
		t.Errorf("%d bytes were kept, want all %d as they came", len(received.Body), 256<<10)
	}
	if lead := only(t, "leads", h.portal.Leads()); lead.OriginID == "" || len(h.portal.Tasks()) != 1 {
		t.Errorf("the portal holds:\n%s\nwant a lead and a task", h.render())
	}
}

// sameNumber makes what different clients got comparable.
func sameNumber(s string) string {
	return regexp.MustCompile(`\+380671112\d{3}`).ReplaceAllString(s, "NUMBER")
}

// of renders what one client got: his lead or deal and the tasks about him.
func (h *house) of(number string) string {
	var lines []string
	for line := range strings.Lines(h.render()) {
		if strings.Contains(line, number) {
			lines = append(lines, regexp.MustCompile(` no\. \d+`).ReplaceAllString(line, ""))
		}
	}
	for _, task := range h.portal.Tasks() {
		if strings.Contains(task.Title, number) {
			lines = append(lines, regexp.MustCompile(`https://records\.example/\S+?\.wav`).ReplaceAllString(task.Description, "RECORD"))
		}
	}
	return sameNumber(strings.Join(lines, ""))
}

func TestEveryFormOfARequestMakesTheSame(t *testing.T) {
	t.Parallel()
	h := openHouse(t, bitrixtest.Options{}, "")
	asJSON := func(v url.Values, wrap func(map[string]any) any) string {
		flat := map[string]any{}
		for name := range v {
			flat[name] = v.Get(name)
		}
		raw, err := json.Marshal(wrap(flat))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	flat := func(m map[string]any) any { return m }
	nested := func(m map[string]any) any {
		inner := map[string]any{}
		for name, v := range m {
			if name != "call_id" && name != "status" && name != "caller" {
				inner[name] = v
				delete(m, name)
			}
		}
		m["additional_call_data"] = inner
		return m
	}
	rpc := func(m map[string]any) any {
		return map[string]any{"jsonrpc": "2.0", "id": 1, "method": "after", "params": m}
	}
	forms := []struct {
		name string
		send func(v url.Values) (int, string)
	}{
		{"GET", func(v url.Values) (int, string) { return h.request(http.MethodGet, webhook+"?"+v.Encode(), "", "") }},
		{"GET with a body", func(v url.Values) (int, string) { return h.request(http.MethodGet, webhook, jsonBody, asJSON(v, flat)) }},
		{"POST form", func(v url.Values) (int, string) { return h.request(http.MethodPost, webhook, formBody, v.Encode()) }},
		{"POST form without a type", func(v url.Values) (int, string) { return h.request(http.MethodPost, webhook, "", v.Encode()) }},
		{"POST JSON", func(v url.Values) (int, string) {
			return h.request(http.MethodPost, webhook, jsonBody, asJSON(v, flat))
		}},
		{"POST nested", func(v url.Values) (int, string) {
			return h.request(http.MethodPost, webhook, jsonBody, asJSON(v, nested))
		}},
		{"JSON-RPC", func(v url.Values) (int, string) { return h.request(http.MethodPost, webhook, jsonBody, asJSON(v, rpc)) }},
		{"PUT form", func(v url.Values) (int, string) { return h.request(http.MethodPut, webhook, formBody, v.Encode()) }},
		{"PUT JSON", func(v url.Values) (int, string) { return h.request(http.MethodPut, webhook, jsonBody, asJSON(v, flat)) }},
		{"static parameters", func(v url.Values) (int, string) {
			rest := with(v)
			rest.Del("utm_source")
			return h.request(http.MethodPost, webhook+"?event=after&utm_source=google", formBody, rest.Encode())
		}},
	}
	number := func(i int) string { return fmt.Sprintf("+380671112%03d", 200+i) }
	for i, f := range forms {
		v := h.call(fmt.Sprintf("c%d", i), with(visit, url.Values{"date": {began}, "caller": {number(i)}}))
		if code, answer := f.send(v); code != http.StatusOK || answer != "ok" {
			t.Errorf("%s is answered %d %q, want 200 ok", f.name, code, answer)
		}
	}
	if s := h.quiet(); s.Parked != 0 {
		t.Errorf("parked: %+v, want nothing", h.parked())
	}
	want := h.of(number(0))
	if !strings.Contains(want, "lead ") || !strings.Contains(want, "task ") || !strings.Contains(want, "RECORD") {
		t.Fatalf("%s made:\n%s\nwant a lead and a task", forms[0].name, want)
	}
	for i, f := range forms {
		if got := h.of(number(i)); got != want {
			t.Errorf("%s made:\n%s\nwant as %s:\n%s", f.name, got, forms[0].name, want)
		}
	}
}

// markup is what a description may hold: our own tags.
var markup = regexp.MustCompile(`\[/?B\]|\[URL=https://[^\s\[\]]+\]|\[/URL\]`)

func TestWhatStrangersWriteCannotActAsMarkup(t *testing.T) {
	t.Parallel()
	const evil = "https://evil.example"
	name := `<script>alert(1)</script>[/URL][URL=` + evil + `]click[/URL] 'O"Brien' 😀` + "\r\n" + `{"level":"fatal"}` + "\x1b[31m"
	hostile := url.Values{
		"caller": {`"` + name + `" <380671112233>`}, "utm_source": {name}, "utm_campaign": {"[B]x[/B]\r\nLocation: " + evil},
		"landing": {"javascript:alert(1)"}, "recording": {"https://records.example/a]b[/URL].wav"}, "call_card": {"javascript:alert(1)"},
		"scheme": {name}, "department": {name}, "status": {"ANSWERED"}, "user_agent": {name},
	}
	h := openHouse(t, bitrixtest.Options{}, "")
	h.portal.AddContact(bitrixtest.Entity{Name: name, Phones: []string{client}, ResponsibleID: olena})
	h.portal.AddLead(bitrixtest.Entity{Title: name, Phones: []string{client}, ResponsibleID: petro})
	h.portal.AddLead(bitrixtest.Entity{Title: name, Phones: []string{client}, ResponsibleID: petro})
	h.send(h.call("known", hostile))
	hostile["caller"] = []string{`"` + name + `" <380671112299>`}
	h.send(h.call("new", hostile))
	h.quiet()
	if len(h.portal.Tasks()) != 3 || len(made(h.portal.Leads())) != 1 {
		t.Fatalf("the portal holds:\n%s\nwant a lead for the new client, a task for each call and one to check", h.render())
	}
	texts := []string{}
	for _, task := range h.portal.Tasks() {
		texts = append(texts, task.Description)
		if strings.ContainsAny(task.Title, "\r\n\x1b") {
			t.Errorf("title %q has control characters", task.Title)
		}
		if n := strings.Count(task.Description, "[URL="); n != 1 {
			t.Errorf("%d links in\n%s\nwant the recording's only", n, task.Description)
		}
	}
	lead := made(h.portal.Leads())[0]
	if strings.ContainsAny(lead.Title+lead.Name, "\r\n\x1b") {
		t.Errorf("the lead's title %q has control characters", lead.Title)
	}
	for _, text := range append(texts, lead.Comments) {
		if rest := markup.ReplaceAllString(text, ""); strings.ContainsAny(rest, "[]<>\x1b\r") {
			t.Errorf("markup of strangers is left:\n%s", text)
		}
		if strings.Contains(text, "[URL="+evil) || strings.Contains(text, "\nLocation") || strings.Contains(text, "[URL=javascript") {
			t.Errorf("a stranger's words act as markup or begin a line:\n%s", text)
		}
		if strings.Count(text, "[B]") != strings.Count(text, "[/B]") || strings.Count(text, "[URL=") != strings.Count(text, "[/URL]") {
			t.Errorf("tags don't pair:\n%s", text)
		}
	}
	for line := range strings.Lines(h.log.String()) {
		var entry struct{ Level string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level == "" || entry.Level == "fatal" {
			t.Errorf("a log line is not one entry of ours: %q", line)
		}
	}
}
