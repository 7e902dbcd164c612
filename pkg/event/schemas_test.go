package event_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/schemas"
)

// base is where the schema files seem to lie for the compiler.
const base = "ringbridge:///"

type example struct {
	file string
	data []byte
}

func examples(t testing.TB) []example {
	t.Helper()
	files, err := fs.Glob(schemas.FS, "examples/*.json")
	if err != nil {
		t.Fatal(err)
	}
	out := make([]example, len(files))
	for i, file := range files {
		data, err := schemas.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = example{path.Base(file), data}
	}
	return out
}

func schemaFiles(t testing.TB) []string {
	t.Helper()
	files, err := fs.Glob(schemas.FS, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func document(t testing.TB, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("parse %.80s: %v", data, err)
	}
	return v
}

// compiler knows every schema file and nothing else, so a $ref that leads nowhere does
// not compile.
func compiler(t testing.TB) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	for _, file := range schemaFiles(t) {
		data, err := schemas.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(base+file, document(t, data)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return c
}

func compiled(t testing.TB, file string) *jsonschema.Schema {
	t.Helper()
	s, err := compiler(t).Compile(base + file)
	if err != nil {
		t.Fatalf("compile %s: %v", file, err)
	}
	return s
}

func TestEveryTypeHasASchemaAndExamplesAndNothingElseHas(t *testing.T) {
	want := []string{"envelope.json"}
	shown := map[event.Type]int{}
	for _, typ := range event.Types() {
		want = append(want, string(typ)+".json")
		for _, e := range examples(t) {
			if strings.HasPrefix(e.file, string(typ)+".") {
				shown[typ]++
			}
		}
		if shown[typ] < 2 {
			t.Errorf("%s has %d examples, want several", typ, shown[typ])
		}
	}
	slices.Sort(want)
	if got := schemaFiles(t); !slices.Equal(got, want) {
		t.Errorf("schema files %q, want %q", got, want)
	}
	total := 0
	for _, n := range shown {
		total += n
	}
	if total != len(examples(t)) {
		t.Errorf("%d examples belong to a type of %d", total, len(examples(t)))
	}
}

func TestEverySchemaCompilesIsNamedAndTeaches(t *testing.T) {
	for _, file := range schemaFiles(t) {
		compiled(t, file)
		data, err := schemas.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		root := document(t, data).(map[string]any)
		if name := strings.TrimSuffix(file, ".json"); root["$id"] != name || root["title"] != name {
			t.Errorf("%s: $id %v, title %v; want %s for both", file, root["$id"], root["title"], name)
		}
		if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s: $schema %v, want 2020-12", file, root["$schema"])
		}
		walk(root, file, func(where string, s map[string]any) {
			properties, _ := s["properties"].(map[string]any)
			if properties == nil || strings.Contains(where, "/if") || strings.Contains(where, "/then") {
				return
			}
			if s["additionalProperties"] != true {
				t.Errorf("%s: additionalProperties %v, want true: fields may be added", where, s["additionalProperties"])
			}
			for name, p := range properties {
				if d, _ := p.(map[string]any)["description"].(string); len(d) < 8 {
					t.Errorf("%s: %s is not described", where, name)
				}
			}
		})
	}
}

func walk(v any, where string, visit func(string, map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(where, v)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(v[k], where+"/"+k, visit)
		}
	case []any:
		for i, item := range v {
			walk(item, fmt.Sprintf("%s/%d", where, i), visit)
		}
	}
}

func TestEveryExampleIsValidAndDecodes(t *testing.T) {
	envelope := compiled(t, "envelope.json")
	ids := map[string]string{}
	for _, example := range examples(t) {
		if err := envelope.Validate(document(t, example.data)); err != nil {
			t.Errorf("%s: %v", example.file, err)
		}
		e, err := event.Read(example.data)
		if err != nil {
			t.Errorf("%s: %v", example.file, err)
			continue
		}
		if !strings.HasPrefix(example.file, string(e.Type)+".") {
			t.Errorf("%s holds a %s", example.file, e.Type)
		}
		if other := ids[e.ID]; other != "" {
			t.Errorf("%s has the id of %s", example.file, other)
		}
		ids[e.ID] = example.file
		p, err := event.Decode(e)
		if err != nil {
			t.Errorf("%s: %v", example.file, err)
			continue
		}
		if p.Type() != e.Type {
			t.Errorf("%s: decoded as %s", example.file, p.Type())
		}
		// Nothing of the example is lost on the way through the Go types.
		if diff := cmp.Diff(document(t, e.Data), document(t, encode(t, p))); diff != "" {
			t.Errorf("%s: after decoding and encoding (-example +again):\n%s", example.file, diff)
		}
	}
}

func TestTheEnvelopeRefusesWhatIsNotTheContract(t *testing.T) {
	envelope := compiled(t, "envelope.json")
	const good = `{"specversion":"1.0","id":"1","type":"call.parked.v1","source":"/ringbridge/classifier","time":"2026-03-02T09:15:00Z",
		"datacontenttype":"application/json","project":"shop","data":{"parked_id":"p","project":"shop","state":"parked","step":"plan","reason":"r","remedy":"m"}}`
	if err := envelope.Validate(document(t, []byte(good))); err != nil {
		t.Fatalf("the sound event is refused: %v", err)
	}
	for _, change := range [][2]string{
		{`"specversion":"1.0"`, `"specversion":"0.3"`}, {`"id":"1"`, `"id":""`}, {`call.parked.v1`, `call.parked`},
		{`/ringbridge/classifier`, `somebody else`}, {`2026-03-02T09:15:00Z`, `yesterday`}, {`"project":"shop","data"`, `"data"`},
		{`"state":"parked"`, `"state":"lost"`}, {`"parked_id":"p",`, ``}, {`"step":"plan"`, `"step":7`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("nothing to change for %q", change)
		}
		if err := envelope.Validate(document(t, []byte(bad))); err == nil {
			t.Errorf("with %s instead of %s the event is still valid", change[1], change[0])
		}
	}
}

func TestGoTypesAndSchemasHaveTheSameFields(t *testing.T) {
	for _, typ := range event.Types() {
		p, err := event.Decode(event.Envelope{ID: "1", Type: typ, Data: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, string(typ), reflect.TypeOf(p).Elem(), compiled(t, string(typ)+".json"))
	}
	envelope := compiled(t, "envelope.json")
	compare(t, "envelope", reflect.TypeFor[event.Envelope](), envelope)
}

// compare holds a Go type against its schema, in both directions and all the way down.
func compare(t *testing.T, where string, typ reflect.Type, s *jsonschema.Schema) {
	t.Helper()
	for s.Ref != nil && s.Properties == nil {
		s = s.Ref
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Time](), typ == reflect.TypeFor[json.RawMessage](), typ == reflect.TypeFor[[]byte]():
		return
	case typ.Kind() == reflect.Slice:
		compare(t, where+"[]", typ.Elem(), items(t, where, s))
		return
	case typ.Kind() == reflect.Map:
		values, ok := s.AdditionalProperties.(*jsonschema.Schema)
		if !ok {
			t.Errorf("%s: the schema does not say what the values of the map are", where)
			return
		}
		compare(t, where+"{}", typ.Elem(), values)
		return
	case typ.Kind() != reflect.Struct:
		return
	}
	properties, required := propertiesOf(s)
	fields, always := map[string]reflect.Type{}, []string{}
	fieldsOf(typ, fields, &always)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(properties))); diff != "" {
		t.Errorf("%s: fields of Go and of the schema differ (-Go +schema):\n%s", where, diff)
	}
	slices.Sort(always)
	slices.Sort(required)
	if !slices.Equal(always, required) {
		diff := cmp.Diff(always, required)
		t.Errorf("%s: what Go always writes and what the schema requires differ (-Go +schema):\n%s", where, diff)
	}
	for name, field := range fields {
		if p := properties[name]; p != nil {
			compare(t, where+"."+name, field, p)
		}
	}
}

func items(t *testing.T, where string, s *jsonschema.Schema) *jsonschema.Schema {
	t.Helper()
	if s.Items2020 == nil {
		t.Fatalf("%s: the schema does not say what the list holds", where)
	}
	return s.Items2020
}

func propertiesOf(s *jsonschema.Schema) (map[string]*jsonschema.Schema, []string) {
	properties, required := maps.Clone(s.Properties), slices.Clone(s.Required)
	if properties == nil {
		properties = map[string]*jsonschema.Schema{}
	}
	for _, part := range s.AllOf {
		if part.Ref == nil {
			continue // if and then
		}
		more, needed := propertiesOf(part.Ref)
		maps.Copy(properties, more)
		required = append(required, needed...)
	}
	return properties, required
}

func fieldsOf(typ reflect.Type, fields map[string]reflect.Type, always *[]string) {
	for f := range typ.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			fieldsOf(f.Type, fields, always)
			continue
		}
		fields[name] = f.Type
		if !strings.Contains(options, "omit") {
			*always = append(*always, name)
		}
	}
}

func TestWhateverGoWritesIsValid(t *testing.T) {
	schema := map[event.Type]*jsonschema.Schema{}
	for _, typ := range event.Types() {
		schema[typ] = compiled(t, string(typ)+".json")
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(event.Types()).Draw(t, "type")
		p, err := event.Decode(event.Envelope{ID: "1", Type: typ, Data: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, string(typ), reflect.ValueOf(p).Elem())
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema[typ].Validate(v); err != nil {
			t.Fatalf("%s\n%v", data, err)
		}
		back, err := event.Decode(event.Envelope{ID: "1", Type: typ, Data: data})
		if err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(back); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("written, read and written again (%v):\n%s\n%s", err, data, again)
		}
	})
}

// words are the values of the named string types and of the fields with a closed list.
var words = map[string][]string{
	"Source": {"webhook", "reconciliation", "import"}, "Direction": {"inbound", "outbound", "internal"},
	"Outcome": {"answered", "missed", "voicemail"}, "Kind": {"lead", "deal", "contact", "task", "nothing"},
	"OutcomeState": {"executed", "adopted", "already_true", "refused", "in_doubt"}, "ParkedState": {"parked", "retried", "dropped"},
	"call.resolved.v1.client.state": {"new", "contact", "open", "anonymous"}, "call.classified.v1.again.ground.client.state": {"new", "contact", "open", "anonymous"},
	"project": {"shop", "a", "my-shop-2"}, "kind": {"lead", "deal", "contact", "company"},
}

// fill draws a value for everything that v holds, or leaves what may be left out.
func fill(t *rapid.T, where string, v reflect.Value) {
	name := where[strings.LastIndex(where, ".")+1:]
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(now.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(t, where)))))
		return
	case json.RawMessage:
		v.SetBytes([]byte(rapid.SampledFrom([]string{`{}`, `{"id":"shop","senior":1}`}).Draw(t, where)))
		return
	case []byte:
		v.SetBytes(rapid.SliceOf(rapid.Byte()).Draw(t, where))
		return
	case event.Kind:
		if strings.Contains(where, "links[]") || strings.HasSuffix(where, "contact.kind") || strings.HasSuffix(where, "company.kind") {
			v.SetString(rapid.SampledFrom([]string{"lead", "deal", "contact", "company"}).Draw(t, where))
			return
		}
	}
	switch v.Kind() {
	case reflect.String:
		list := words[v.Type().Name()]
		if list == nil {
			list = words[where]
		}
		if list == nil {
			list = words[name]
		}
		if list != nil {
			v.SetString(rapid.SampledFrom(list).Draw(t, where))
			return
		}
		v.SetString(rapid.StringN(1, 20, -1).Draw(t, where))
	case reflect.Int:
		v.SetInt(int64(rapid.IntRange(0, 1e6).Draw(t, where)))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, where))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, where+" there") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, where, v.Elem())
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, where+" length")
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, where+"[]", v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 2).Draw(t, where+" size") {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, where+" key", key)
			fill(t, where+"{}", value)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for f, field := range v.Fields() {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" {
				fill(t, where, field)
				continue
			}
			fill(t, where+"."+tag, field)
		}
	default:
		t.Fatalf("%s: no way to fill a %s", where, v.Kind())
	}
}
