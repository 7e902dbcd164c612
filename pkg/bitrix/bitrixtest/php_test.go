package bitrixtest

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestQueriesAreReadAsPHPReadsThem(t *testing.T) {
	for query, want := range map[string]string{
		"a=1&b=2":                                `{"a":"1","b":"2"}`,
		"a[]=x&a[]=y":                            `{"a":["x","y"]}`,
		"f[PHONE][0][VALUE]=%2B38067":            `{"f":{"PHONE":[{"VALUE":"+38067"}]}}`,
		"f[PHONE][0][VALUE]=+38067":              `{"f":{"PHONE":[{"VALUE":" 38067"}]}}`,
		"a=1&a=2":                                `{"a":"2"}`,
		"a=1&a[b]=2":                             `{"a":{"b":"2"}}`,
		"a[b]=1&a=2":                             `{"a":"2"}`,
		"a b.c=1":                                `{"a_b_c":"1"}`,
		"a[b.c]=1":                               `{"a":{"b.c":"1"}}`,
		"a[b=1":                                  `{"a_b":"1"}`,
		"a[b]c=1":                                `{"a":{"b":"1"}}`,
		"a[1]=x&a[0]=y":                          `{"a":{"1":"x","0":"y"}}`,
		"a[5]=x&a[]=y":                           `{"a":{"5":"x","6":"y"}}`,
		"a[][b]=1&a[][b]=2":                      `{"a":[{"b":"1"},{"b":"2"}]}`,
		"[a]=1":                                  `[]`,
		"=1":                                     `[]`,
		"a":                                      `{"a":""}`,
		"a=100%":                                 `{"a":"100%"}`,
		"a=%zz%4":                                `{"a":"%zz%4"}`,
		"a=b=c":                                  `{"a":"b=c"}`,
		"&&a=1&":                                 `{"a":"1"}`,
		"%61%5Bb%5D=1":                           `{"a":{"b":"1"}}`,
		"a=%D0%9F%D1%80%D0%B8%D0%B2%D1%96%D1%82": "{\"a\":\"\\u041f\\u0440\\u0438\\u0432\\u0456\\u0442\"}",
		"filter[>ID]=5&filter[!@X][]=1":          "{\"filter\":{\"\\u003EID\":\"5\",\"!@X\":[\"1\"]}}",
	} {
		if got := string(encode(parseQuery(query))); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

func TestVariablesBeyondPHPsLimitsAreDropped(t *testing.T) {
	if got := parseQuery(strings.Repeat("a[]=1&", maxInputVars+50)).get("a").(*array).len(); got != maxInputVars {
		t.Errorf("got %d variables of %d, want %d", got, maxInputVars+50, maxInputVars)
	}
	if got := parseQuery("a" + strings.Repeat("[b]", maxInputNesting+1) + "=1").len(); got != 0 {
		t.Errorf("got %d variables nested too deep, want 0", got)
	}
}

func TestAnswersAreEncodedAsPHPEncodesThem(t *testing.T) {
	for want, v := range map[string]any{
		`[]`:                    newArray(),
		`{}`:                    blank{},
		`["a","b"]`:             object("0", "a", "1", "b"),
		`{"1":"a"}`:             object("1", "a"),
		`{"b":null,"a":false}`:  object("b", nil, "a", false),
		`"https:\/\/x.example"`: "https://x.example",
		`"\u043f\u0456"`:        "пі",
		`"\ud83d\ude00"`:        "😀",
		`"a\u003Cbr\u003E"`:     "a<br>",
		`"\"\\\n\t\u0001"`:      "\"\\\n\t\x01",
		`1787219542`:            1787219542.0,
		`0.6726338863372803`:    0.6726338863372803,
		`[1,[2,{"k":true}]]`:    list[any](1, list[any](2, object("k", true))),
	} {
		if got := string(encode(v)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestJSONKeepsTheOrderOfKeys(t *testing.T) {
	v, err := fromJSON([]byte(`{"z":1,"a":[true,null,2.5,"x"],"m":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asArray(v).names(), ","); got != "z,a,m" {
		t.Errorf("keys: got %s, want z,a,m", got)
	}
	if _, err := fromJSON([]byte(`{"a":1} x`)); err == nil {
		t.Error("text behind the document was accepted")
	}
}

func FuzzTheQueryParserNeverBreaks(f *testing.F) {
	for _, seed := range []string{"a[b][]=1&a[b][]=2", "a[=1", "]=[", "a[]]=%", "%5b%5d=+", "a[b]c[d]=1", "a[ ]=1", "a%00b=1",
		"fields[PHONE][0][VALUE]=%2B380671112233&fields[UF_CRM_TASK][]=L_$result[lead][item][id]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		parsed := parseQuery(query)
		encoded := encode(parsed)
		if !json.Valid(encoded) {
			t.Fatalf("%q is encoded as %s, which is no JSON", query, encoded)
		}
		back, err := fromJSON(encoded)
		if err != nil {
			t.Fatalf("%q: %s is not read back: %v", query, encoded, err)
		}
		if again := encode(back); utf8.ValidString(urldecode(query)) && string(again) != string(encoded) {
			t.Fatalf("%q: read back as %s, want %s", query, again, encoded)
		}
	})
}

// buildQuery is PHP's http_build_query: the way back.
func buildQuery(prefix string, v any) string {
	a := asArray(v)
	if a == nil {
		return url.QueryEscape(prefix) + "=" + url.QueryEscape(text(v)) + "&"
	}
	out := ""
	for _, k := range a.keys {
		name := k
		if prefix != "" {
			name = prefix + "[" + k + "]"
		}
		out += buildQuery(name, a.vals[k])
	}
	return out
}

func TestWhatIsBuiltAsAQueryIsReadBackTheSame(t *testing.T) {
	lots := rand.New(rand.NewPCG(1, 2))
	words := []string{"TITLE", "50% & more", "+380671112233", "Привіт, світе", "a=b", "№ 1 [x]", "😀", "", "line\nline", "$result[a][b]"}
	var grow func(depth int) any
	grow = func(depth int) any {
		if depth == 0 || lots.IntN(3) == 0 {
			return words[lots.IntN(len(words))]
		}
		a := newArray()
		for i := range 1 + lots.IntN(4) {
			key := []string{strconv.Itoa(i), "FIELD_" + strconv.Itoa(i), ">=ID" + strconv.Itoa(i), "поле" + strconv.Itoa(i)}[lots.IntN(4)]
			a.set(key, grow(depth-1))
		}
		return a
	}
	for range 3000 {
		tree := object("fields", grow(4), "id", grow(0))
		query := buildQuery("", tree)
		if got, want := string(encode(parseQuery(query))), string(encode(tree)); got != want {
			t.Fatalf("%s:\n got %s\nwant %s", query, got, want)
		}
		back, err := fromJSON(encode(tree))
		if err != nil || string(encode(back)) != string(encode(tree)) {
			t.Fatalf("%s is read back as %s (%v)", encode(tree), encode(back), err)
		}
	}
}
