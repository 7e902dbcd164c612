package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

type object = map[string]any

// description is openapi.yaml, which in version 3.1 holds JSON Schemas as they are.
type description struct {
	doc      object
	compiler *jsonschema.Compiler
}

func describe(t testing.TB) *description {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal(openAPI, &tree); err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	d := &description{doc: doc.(object), compiler: jsonschema.NewCompiler()}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	return d
}

// at walks down the document, through references.
func (d *description) at(t testing.TB, pointer ...string) (any, []string) {
	t.Helper()
	var here any = d.doc
	for i, step := range pointer {
		var inner any
		switch v := here.(type) {
		case object:
			inner = v[step]
		case []any:
			if n, err := strconv.Atoi(step); err == nil && n < len(v) {
				inner = v[n]
			}
		}
		if here = inner; here == nil {
			t.Fatalf("openapi.yaml has no %q under /%s", step, strings.Join(pointer[:i], "/"))
		}
		if o, ok := here.(object); ok {
			if ref, ok := o["$ref"].(string); ok && len(o) == 1 {
				rest := append(strings.Split(strings.TrimPrefix(ref, "#/"), "/"), pointer[i+1:]...)
				return d.at(t, rest...)
			}
		}
	}
	return here, pointer
}

func (d *description) schema(t testing.TB, pointer ...string) *jsonschema.Schema {
	t.Helper()
	_, pointer = d.at(t, pointer...)
	steps := make([]string, len(pointer))
	for i, step := range pointer {
		steps[i] = strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
	}
	s, err := d.compiler.Compile("openapi.json#/" + strings.Join(steps, "/"))
	if err != nil {
		t.Fatalf("schema at %v: %v", pointer, err)
	}
	return s
}

func (d *description) paths() object { return d.doc["paths"].(object) }

// template finds the described path that a request is for.
func (d *description) template(path string) (string, bool) {
	for template := range d.paths() {
		pattern := regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
		if strings.HasSuffix(template, "/calls/{id}") {
			pattern = strings.TrimSuffix(pattern, `[^/]+`) + `.+`
		}
		if regexp.MustCompile("^" + pattern + "$").MatchString(path) {
			return template, true
		}
	}
	return "", false
}

// fits holds an answer against what is described: its code, its type, its body.
func (d *description) fits(t testing.TB, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code == http.StatusNoContent {
		template, _ := d.template(r.URL.Path)
		d.at(t, "paths", template, strings.ToLower(r.Method), "responses", "204")
		if w.Body.Len() > 0 {
			t.Errorf("%s %s answered 204 with %s", r.Method, r.URL, w.Body)
		}
		return
	}
	media, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if err != nil {
		t.Errorf("%s %s: content type: %v", r.Method, r.URL, err)
		return
	}
	template, described := d.template(r.URL.Path)
	pointer := []string{"components", "schemas", "Problem"}
	if described {
		if _, described = d.paths()[template].(object)[strings.ToLower(r.Method)]; described {
			pointer = []string{"paths", template, strings.ToLower(r.Method), "responses", strconv.Itoa(w.Code), "content", media, "schema"}
		}
	}
	var body any = w.Body.String()
	if strings.HasSuffix(media, "json") {
		if body, err = jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes())); err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
			return
		}
	}
	if err := d.schema(t, pointer...).Validate(body); err != nil {
		t.Errorf("%s %s answered what openapi.yaml does not describe: %v\n%s", r.Method, r.URL, err, w.Body)
	}
}

var methods = []string{"get", "put", "post", "delete", "patch", "head", "options"}

func (d *description) operations() map[string]object {
	out := map[string]object{}
	for path, item := range d.paths() {
		for _, method := range methods {
			if op, ok := item.(object)[method].(object); ok {
				out[strings.ToUpper(method)+" "+path] = op
			}
		}
	}
	return out
}

// registered reads from the source which routes the services open: the mux keeps its
// patterns to itself.
func registered(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, folder := range []string{".", "../analytics", "../callcounter", "../ingress", "../reconciler", "../replay", "../ringbridge", "../../pkg/service"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no source in %s: %v", folder, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 2 {
					if literal, ok := call.Args[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
						addRoute(out, strings.Trim(literal.Value, `"`))
					}
				}
				return true
			})
		}
	}
	return out
}

var routeShape = regexp.MustCompile(`^(?:([A-Z]+) )?(/\S*)$`)

func addRoute(out map[string]bool, pattern string) {
	parts := routeShape.FindStringSubmatch(pattern)
	if parts == nil || strings.HasSuffix(parts[2], "/") {
		return // no address, or the door to all below it
	}
	path := strings.ReplaceAll(strings.TrimSuffix(parts[2], "/{$}"), "...}", "}")
	if parts[1] != "" {
		out[parts[1]+" "+path] = true
		return
	}
	for _, method := range []string{"GET", "POST", "PUT"} { // contract: what the webhook address takes
		out[method+" "+path] = true
	}
}

func TestTheDescriptionAndTheRoutesAreTheSame(t *testing.T) {
	described, there := describe(t).operations(), registered(t)
	if len(there) < 15 {
		t.Fatalf("only %d routes found in the source: %v", len(there), there)
	}
	for route := range there {
		if _, ok := described[route]; !ok {
			t.Errorf("%s is registered and not described in openapi.yaml", route)
		}
	}
	for route := range described {
		if !there[route] {
			t.Errorf("%s is described in openapi.yaml and nobody registers it", route)
		}
	}
}

func TestEveryDescribedRouteOfTheConsoleIsServed(t *testing.T) {
	d := openDesk(t)
	for route := range d.about.operations() {
		method, path, _ := strings.Cut(route, " ")
		if strings.HasPrefix(path, "/ringostat/") || strings.Contains(path, "/analytics/") || strings.HasSuffix(path, "/callcounter") || strings.HasPrefix(path, "/api/v1/views") || path == "/api/v1/backup" || strings.HasSuffix(path, "/imports") || strings.Contains(path, "/replays") {
			continue // other services serve these
		}
		mux := d.mux
		if strings.HasPrefix(path, "/api/") {
			mux = d.api
		}
		sample := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "x")
		if _, pattern := mux.Handler(httptest.NewRequest(method, sample, nil)); pattern == "" {
			t.Errorf("%s is described and answers nothing", route)
		}
	}
}

func TestEveryOperationIsDescribedWhole(t *testing.T) {
	d := describe(t)
	ids := map[string]string{}
	tags := map[string]bool{}
	for _, tag := range d.doc["tags"].([]any) {
		tags[tag.(object)["name"].(string)] = true
	}
	for route, op := range d.operations() {
		_, path, _ := strings.Cut(route, " ")
		id, _ := op["operationId"].(string)
		if other := ids[id]; id == "" || other != "" {
			t.Errorf("%s: operationId %q, also of %q; want one of its own", route, id, other)
		}
		ids[id] = route
		if op["summary"] == nil {
			t.Errorf("%s has no summary", route)
		}
		for _, tag := range op["tags"].([]any) {
			if !tags[tag.(string)] {
				t.Errorf("%s: tag %q is not in the list", route, tag)
			}
		}
		open, hasSecurity := op["security"].([]any)
		if signedIn := !hasSecurity || len(open) > 0; signedIn != strings.HasPrefix(path, "/api/") {
			t.Errorf("%s: wants the token: %v; want it for /api/ only", route, signedIn)
		}
		if _, ok := op["responses"].(object)["401"]; ok != strings.HasPrefix(path, "/api/") {
			t.Errorf("%s: describes 401: %v", route, ok)
		}
		for code := range op["responses"].(object) {
			answer, _ := d.at(t, "paths", path, strings.ToLower(strings.Fields(route)[0]), "responses", code)
			if answer.(object)["description"] == nil {
				t.Errorf("%s %s has no description", route, code)
			}
		}
		named := map[string]bool{}
		item := d.paths()[path].(object)
		for _, list := range []any{item["parameters"], op["parameters"]} {
			parameters, _ := list.([]any)
			for _, p := range parameters {
				if ref, ok := p.(object)["$ref"].(string); ok {
					p, _ = d.at(t, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
				}
				if p.(object)["in"] == "path" {
					named["{"+p.(object)["name"].(string)+"}"] = true
				}
			}
		}
		want := regexp.MustCompile(`\{\w+\}`).FindAllString(path, -1)
		if got := slices.Sorted(maps.Keys(named)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: parameters of the path %v, want %v", route, got, want)
		}
	}
}

func TestReferencesLeadSomewhere(t *testing.T) {
	d := describe(t)
	everywhere(d.doc, nil, func(o object, at []string) {
		if ref, ok := o["$ref"].(string); ok {
			d.at(t, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	})
}

func TestExamplesFitTheirSchemas(t *testing.T) {
	d, seen := describe(t), 0
	everywhere(d.doc, nil, func(o object, at []string) {
		example, ok := o["example"]
		if !ok {
			return
		}
		pointer := slices.Clone(at)
		if _, ok := o["schema"]; ok {
			pointer = append(pointer, "schema")
		}
		seen++
		if err := d.schema(t, pointer...).Validate(example); err != nil {
			t.Errorf("example at %s: %v", strings.Join(at, "/"), err)
		}
	})
	if seen < 20 {
		t.Errorf("%d examples, want at least 20", seen)
	}
	for name, s := range d.doc["components"].(object)["schemas"].(object) {
		if whole := s.(object)["type"] == "object" && name != "Portal" && name != "Call" && name != "Problem"; whole && s.(object)["example"] == nil {
			t.Errorf("schema %s has no example", name)
		}
	}
}

// everywhere visits every object of the document except what is inside an example.
func everywhere(v any, at []string, visit func(object, []string)) {
	switch v := v.(type) {
	case object:
		visit(v, at)
		for key, inner := range v {
			if key != "example" {
				everywhere(inner, append(slices.Clone(at), key), visit)
			}
		}
	case []any:
		for i, inner := range v {
			everywhere(inner, append(slices.Clone(at), fmt.Sprint(i)), visit)
		}
	}
}

func TestEveryReasonOfAPlanIsDescribed(t *testing.T) {
	described, _ := describe(t).at(t, "components", "schemas", "ReplayReason", "properties", "code", "enum")
	var got, want []string
	for _, code := range described.([]any) {
		got = append(got, code.(string))
	}
	for code := range replayplan.Sentences {
		want = append(want, string(code))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("described are the reasons %q, want %q", got, want)
	}
}
