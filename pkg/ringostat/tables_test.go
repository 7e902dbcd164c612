package ringostat

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestADispositionIsKnownInEverySpelling(t *testing.T) {
	spellings := map[string]func(string) string{
		"as it is":      func(s string) string { return s },
		"lower case":    strings.ToLower,
		"underscores":   func(s string) string { return strings.ReplaceAll(s, " ", "_") },
		"pluses":        func(s string) string { return strings.ReplaceAll(s, " ", "+") },
		"hyphens":       func(s string) string { return strings.ReplaceAll(s, " ", "-") },
		"no hyphens":    func(s string) string { return strings.ReplaceAll(s, "-", " ") },
		"two blanks":    func(s string) string { return " " + strings.ReplaceAll(s, " ", "  ") + " " },
		"run together":  func(s string) string { return strings.ReplaceAll(s, " ", "") },
		"first capital": func(s string) string { return s[:1] + strings.ToLower(s[1:]) },
	}
	for _, want := range dispositions {
		for how, spell := range spellings {
			raw := spell(want.name)
			if got, known := readStatus(raw); !known || got != want {
				t.Errorf("readStatus(%q) (%s) = %+v, %v; want %+v", raw, how, got, known, want)
			}
		}
	}
}

func TestEveryDispositionMeansWhatTheDocumentationSays(t *testing.T) {
	want := map[string]Outcome{
		"ANSWERED": Answered, "PROPER": Answered, "REPEATED": Answered,
		"VOICEMAIL": Voicemail,
		"NO ANSWER": Missed, "BUSY": Missed, "FAILED": Missed, "NO-FORWARD": Missed, "NO FORWARD": Missed,
		"WRONG EXTENSION": Missed, "NO EXTENSION": Missed, "CLIENT NO ANSWER": Missed,
		"FAILED FORBIDDEN DESTINATION": Missed, "DECLINE": Missed,
		"IN PROGRESS": "", "CALLING": "",
	}
	for raw, outcome := range want {
		got, known := readStatus(raw)
		if !known || got.outcome != outcome || got.unfinished != (outcome == "") {
			t.Errorf("readStatus(%q) = %+v, %v; want outcome %q", raw, got, known, outcome)
		}
	}
	for raw, tidy := range map[string]string{"super_new-status": "SUPER NEW STATUS", "Хтось": "ХТОСЬ", "???": "???"} {
		if got, known := readStatus(raw); known || got.name != tidy || got.outcome != "" {
			t.Errorf("readStatus(%q) = %+v, %v; want %q, unknown", raw, got, known, tidy)
		}
	}
}

func TestNoNameMeansTwoThings(t *testing.T) {
	owner := map[string]param{}
	for n, list := range names {
		p := param(n)
		for _, name := range append([]string{p.String()}, list...) {
			if other, taken := owner[name]; taken {
				t.Errorf("%q is read as %s and as %s", name, p, other)
			}
			owner[name] = p
			if fold(name) != name {
				t.Errorf("%q is not folded, so it is never found", name)
			}
		}
	}
}

func TestTheContractsNamesAreKnown(t *testing.T) {
	const contract = `call_id event direction status date caller callee connected_with outbound_number
		call_duration waiting talk recording recording_wav has_recording employee_name
		employee_code extension department scheme pool insertion_type client_id landing
		referrer visitor_ip user_agent call_card utm_source utm_medium utm_campaign utm_content utm_term`
	for name := range strings.FieldsSeq(contract) {
		if _, ok := paramNamed(name); !ok {
			t.Errorf("ringostat.fields promises %q, names does not have it", name)
		}
	}
}

func TestARenamedParameterIsNoLongerReadAsAnother(t *testing.T) {
	d := newDictionary(map[string]string{"talk": "Duration", "call_id": " {{my call}} ", "nonsense": "status", "status": " "})
	if got := d.names[pTalk][0]; got != "duration" {
		t.Errorf("talk is looked for under %q first, want duration", d.names[pTalk])
	}
	if slices.Contains(d.names[pDuration], "duration") {
		t.Errorf("the whole call is still looked for under %q", d.names[pDuration])
	}
	if got := d.names[pCallID][:2]; got[0] != "my_call" || got[1] != "call_id" {
		t.Errorf("the call id is looked for under %q, want my_call and then call_id", got)
	}
	if got := d.names[pStatus][0]; got != "status" {
		t.Errorf("the status is looked for under %q first, want status: the rename is empty", got)
	}
}

func TestOnlyAnEncodedValueIsDecoded(t *testing.T) {
	for raw, want := range map[string]string{
		"webhookNumber%3A120":           "webhookNumber:120",
		"%2B380671112233":               "+380671112233",
		"+380671112233":                 "+380671112233",
		"+380%2067":                     "+380 67",
		"a+b":                           "a+b",
		"a+b%21":                        "a b!",
		"100%":                          "100%",
		"100%25":                        "100%",
		"100%2525":                      "100%25",
		"100% off":                      "100% off",
		"%zz":                           "%zz",
		"%4":                            "%4",
		"%FF":                           "%FF",
		"%D0%AE":                        "Ю",
		"Ю%20":                          "Ю%20",
		"https://x.example.com/?a=%20b": "https://x.example.com/?a=%20b",
		"":                              "",
	} {
		if got := percentDecoded(raw); got != want {
			t.Errorf("percentDecoded(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestAJSONNumberLosesNoDigit(t *testing.T) {
	for literal, want := range map[string]string{
		"12345678901234567890123": "12345678901234567890123",
		"1169999034.15555555108":  "1169999034.15555555108",
		"3.80671112233e+11":       "380671112233",
		"3.80671112233E11":        "380671112233",
		"1.640989006505487e15":    "1640989006505487",
		"1e400":                   "1e400",
		"1e-3":                    "1e-3",
		"1.5e0":                   "1.5e0",
		"-1":                      "-1",
		"0.10":                    "0.10",
		"1e999999999999999999999": "1e999999999999999999999",
	} {
		if got := plainNumber(literal); got != want {
			t.Errorf("plainNumber(%s) = %s, want %s", literal, got, want)
		}
	}
}

func TestATimeSpanIsReadInEveryWay(t *testing.T) {
	for raw, want := range map[string]time.Duration{
		"0": 0, "23": 23 * time.Second, "23.5": 23500 * time.Millisecond, "02:03": 123 * time.Second,
		"1:02:03": 3723 * time.Second, " 7 ": 7 * time.Second, "2678400": maxSpan,
	} {
		if got, ok := span(raw, time.Second); !ok || got != want {
			t.Errorf("span(%q) = %s, %v; want %s", raw, got, ok, want)
		}
	}
	if got, ok := span("20000", time.Millisecond); !ok || got != 20*time.Second {
		t.Errorf("span(20000 ms) = %s, %v; want 20s", got, ok)
	}
	for _, raw := range []string{"", "-5", "1e400", "NaN", "Inf", "99999999999", "1:2:3:4", "a:b", "1.2.3", "0x10", "70000:00:00"} {
		if got, ok := span(raw, time.Second); ok {
			t.Errorf("span(%q) = %s, want none", raw, got)
		}
	}
}

func TestOnlyAWebAddressIsALink(t *testing.T) {
	for raw, want := range map[string]string{
		"https://app.ringostat.com/a.wav?token=1&amp;x=2": "https://app.ringostat.com/a.wav?token=1&x=2",
		"HTTP://example.com/":                             "HTTP://example.com/",
		"javascript:alert(1)":                             "",
		"file:///etc/passwd":                              "",
		"https:///a.wav":                                  "",
		"//example.com/a.wav":                             "",
		"a.wav":                                           "",
		"https://example.com/ \"><script>":                "",
		"":                                                "",
	} {
		if got := link(raw); got != want {
			t.Errorf("link(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestAPlainLinkIsReadAsAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom([]string{"https://", "http://", "HTTP://", "https:/", "ftp://"}).Draw(t, "scheme") +
			rapid.StringOfN(rapid.SampledFrom([]rune("ab1A._-/?=:%&@[ \"#é")), 0, 12, -1).Draw(t, "rest")
		if plainLink(s) && readLink(s) != s {
			t.Errorf("%q is taken for a plain link and read as %q", s, readLink(s))
		}
	})
	if s := "https://app.ringostat.com/recordings/a1-B2_c3.wav?token=x1"; !plainLink(s) {
		t.Errorf("%s is no plain link, want the quick way to know those that are sent", s)
	}
}
