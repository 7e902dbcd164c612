package bitrix

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// phpParse reads a query the way PHP's parse_str does, as far as the manual
// describes it: it shares no code with the encoder. Leaves are strings, every
// list and map is a map.
func phpParse(query string) map[string]any {
	root := map[string]any{}
	for _, pair := range strings.Split(query, "&") {
		if pair == "" {
			continue
		}
		rawKey, rawValue, _ := strings.Cut(pair, "=")
		key, value := phpDecode(rawKey), phpDecode(rawValue)
		key = strings.TrimLeft(key, " ")
		if i := strings.IndexByte(key, 0); i >= 0 {
			key = key[:i]
		}
		name, rest := key, ""
		if i := strings.IndexByte(key, '['); i > 0 {
			name, rest = key[:i], key[i:]
		}
		name = strings.NewReplacer(".", "_", " ", "_", "[", "_").Replace(name)
		if name == "" {
			continue
		}
		path := []string{name}
		for strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				break
			}
			path = append(path, rest[1:end])
			rest = rest[end+1:]
		}
		phpStore(root, path, value)
	}
	return root
}

func phpDecode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] == '%' && i+2 < len(s):
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				b.WriteByte('%')
				continue
			}
			b.WriteByte(byte(n))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func phpStore(at map[string]any, path []string, value string) {
	name := path[0]
	if name == "" {
		name = strconv.Itoa(len(at))
	}
	if len(path) == 1 {
		at[name] = value
		return
	}
	child, ok := at[name].(map[string]any)
	if !ok {
		child = map[string]any{}
		at[name] = child
	}
	phpStore(child, path[1:], value)
}

// plain is what the other side should see of a value.
func plain(v any) any {
	switch v := v.(type) {
	case Params:
		m := map[string]any{}
		for _, p := range v {
			m[p.Name] = plain(p.Value)
		}
		return m
	case []any:
		m := map[string]any{}
		for i, e := range v {
			m[strconv.Itoa(i)] = plain(e)
		}
		return m
	case bool:
		return map[bool]string{true: "1", false: "0"}[v]
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

var awkward = []string{"+380671112233", "a&b=c", "100%", "%2B", "{}", "[]", "[0]", "#", "a b", " lead", "trail ", "a+b", "Олена Ковальчук",
	"☎ 📞👨‍👩‍👧", "line\nline\ttab", `"quotes" \ /`, "'; --", "=", "&&", "fields[TITLE]=x", "a;b", "a?b", "\u2028", "", "0", "null", "ї", "a\x00b", "$", "$$", "result[a]", "{{x}}"}

func valueGenerator(depth int) *rapid.Generator[any] {
	text := rapid.OneOf(rapid.SampledFrom(awkward), rapid.String()).Filter(func(s string) bool { return !strings.Contains(s, "$") || !substitution.MatchString(s) })
	leaves := []*rapid.Generator[any]{text.AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny(),
		rapid.Map(rapid.Int64Range(1, 4e9), func(n int64) time.Time { return time.Unix(n, 0).In(time.FixedZone("", 3*3600)) }).AsAny()}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	nested := rapid.Map(rapid.SliceOfN(valueGenerator(depth-1), 1, 4), func(l []any) any { return l })
	return rapid.OneOf(append(leaves, nested, paramsGenerator(depth-1, rapid.StringMatching(`[>@!%=]{0,2}[A-Za-z0-9_. +&#~ї-]{1,10}`)).AsAny())...)
}

func paramsGenerator(depth int, names *rapid.Generator[string]) *rapid.Generator[Params] {
	return rapid.Custom(func(t *rapid.T) Params {
		var p Params
		for _, name := range rapid.SliceOfNDistinct(names, 1, 5, func(s string) string { return s }).Draw(t, "names") {
			p = append(p, Param{name, valueGenerator(depth).Draw(t, "value")})
		}
		return p
	})
}

func TestWhatIsWrittenIsWhatPHPReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := paramsGenerator(3, rapid.StringMatching(`[A-Za-z][A-Za-z0-9_]{0,12}`)).Draw(t, "params")
		q, err := p.Query()
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		if diff := cmp.Diff(plain(p), any(phpParse(q))); diff != "" {
			t.Fatalf("%s: want (-) got (+)\n%s", q, diff)
		}
	})
}

func TestTheQueryIsTheOneOfTheDocumentation(t *testing.T) {
	at := time.Date(2026, 3, 7, 10, 20, 30, 0, time.FixedZone("", 3*3600))
	for _, test := range []struct {
		params Params
		want   string
	}{
		{Params{{"fields", Params{{"PHONE", []Params{{{"VALUE", "+380671112233"}, {"VALUE_TYPE", "WORK"}}}}}}},
			"fields[PHONE][0][VALUE]=%2B380671112233&fields[PHONE][0][VALUE_TYPE]=WORK"},
		{Params{{"entityTypeId", 1}, {"select", []string{"id", "title"}}}, "entityTypeId=1&select[0]=id&select[1]=title"},
		{Params{{"filter", Params{{">=createdTime", at}, {"@id", []int{3, 4}}}}},
			"filter[%3E%3DcreatedTime]=2026-03-07T10%3A20%3A30%2B03%3A00&filter[%40id][0]=3&filter[%40id][1]=4"},
		{Params{{"taskId", Ref("t", "task", "id")}}, "taskId=$result[t][task][id]"},
		{Params{{"fields", Params{{"UF_CRM_TASK", []any{Ref("lead", "item", "id").After("L_"), "C_5"}}}}},
			"fields[UF_CRM_TASK][0]=L_$result[lead][item][id]&fields[UF_CRM_TASK][1]=C_5"},
		{Params{{"a", "{ї} 📞"}}, "a=%7B%D1%97%7D%20%F0%9F%93%9E"},
		{Params{{"a", int64(7)}, {"b", 1.5}, {"c", false}}, "a=7&b=1.5&c=0"},
		{Params{{"a", "\xff"}}, "a=%EF%BF%BD"},
		{nil, ""},
	} {
		got, err := test.params.Query()
		if err != nil || got != test.want {
			t.Errorf("%v: got %q, %v, want %q", test.params, got, err, test.want)
		}
	}
}

func TestATextCannotReferToAnotherCommand(t *testing.T) {
	for _, text := range []string{"$result[lead]", "call $RESULT[a][b] back", "$next[a]$total[b]$error[c]", "$$result[a]", "L_$result[lead][item][id]"} {
		q, err := Params{{"title", text}}.Query()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got := phpParse(q)["title"].(string)
		for _, token := range []string{"$result[", "$next[", "$total[", "$error["} {
			if strings.Contains(strings.ToLower(got), token) {
				t.Errorf("%q: got %q, which the portal substitutes", text, got)
			}
		}
		if strings.ReplaceAll(got, "$ ", "$") != text {
			t.Errorf("%q: got %q, want the same but for one space", text, got)
		}
	}
}

func TestWhatHasNoFormIsAnError(t *testing.T) {
	for _, p := range []Params{
		{{"filter", Params{{"@id", []int{}}}}}, // would ask for everything
		{{"fields", Params{}}},
		{{"a", []any{}}}, {{"a", nil}}, {{"a", time.Time{}}}, {{"a", struct{}{}}}, {{"a", []byte("x")}},
		{{"", "x"}}, {{"a", "1"}, {"a", "2"}},
	} {
		if q, err := p.Query(); err == nil {
			t.Errorf("%v: got query %q, want an error", p, q)
		}
		if j, err := json.Marshal(p); err == nil {
			t.Errorf("%v: got JSON %s, want an error", p, j)
		}
	}
	for _, p := range []Params{
		{{"a]b", "x"}}, {{"a.b", "x"}}, {{"a b", "x"}}, {{"f", Params{{"a[b", "x"}}}}, {{"f", Params{{"a\x00", "x"}}}},
		{{"a", Ref("k").After("two words")}}, {{"a", Ref("k").After("$result[x]")}}, {{"a", Ref("k", "a]b")}}, {{"a", Reference{}}},
		{{"a", make([]int, maxVariables+1)}},
	} {
		if q, err := p.Query(); err == nil {
			t.Errorf("%v: got query %.80q, want an error", p, q)
		}
	}
}

func TestParametersKeepTheirOrderInJSON(t *testing.T) {
	p := Params{{"taskId", 7}, {"fields", Params{{"Z", "a&b<c> \"ї\""}, {"A", []any{1, "2", true}}, {"T", time.Unix(0, 0).UTC()}}}}
	got, err := p.MarshalJSON()
	want := `{"taskId":7,"fields":{"Z":"a&b<c> \"ї\"","A":[1,"2",true],"T":"1970-01-01T00:00:00Z"}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if got, err := json.Marshal(Params(nil)); err != nil || string(got) != "{}" {
		t.Errorf("no parameters: got %s, %v, want an object", got, err)
	}
	if got, err := json.Marshal(Params{{"id", Ref("lead")}}); err == nil {
		t.Errorf("a reference outside a batch: got %s, want an error", got)
	}
}

func FuzzQuery(f *testing.F) {
	for _, s := range awkward {
		f.Add("TITLE", s)
	}
	f.Add("@id", "$result[a]")
	f.Fuzz(func(t *testing.T, name, value string) {
		q, err := Params{{"fields", Params{{name, value}, {"_", "end"}}}, {"last", 1}}.Query()
		if err != nil {
			return
		}
		if _, err := url.ParseQuery(strings.ReplaceAll(q, ";", "%3B")); err != nil || !utf8.ValidString(q) {
			t.Fatalf("%q=%q: %q is no query: %v", name, value, q, err)
		}
		parsed := phpParse(q)
		fields, _ := parsed["fields"].(map[string]any)
		if len(parsed) != 2 || parsed["last"] != "1" || len(fields) != 2 || fields["_"] != "end" {
			t.Fatalf("%q=%q: got %v, want exactly two fields and last", name, value, parsed)
		}
		got := fields[strings.ToValidUTF8(name, "\uFFFD")]
		if got == nil || substitution.MatchString(got.(string)) {
			t.Fatalf("%q=%q: got %v", name, value, got)
		}
		if !substitution.MatchString(value) && got != strings.ToValidUTF8(value, "\uFFFD") {
			t.Fatalf("%q=%q: got %q, want the value", name, value, got)
		}
	})
}
