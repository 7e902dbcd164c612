package bus_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/schemas"
)

type tree = map[string]any

func asyncapi(t *testing.T) tree {
	t.Helper()
	data, err := schemas.Read("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc tree
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at follows a path of names, or returns nil.
func at(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(tree)
		v = m[name]
	}
	return v
}

func TestEveryChannelIsTheSubjectOfItsType(t *testing.T) {
	doc := asyncapi(t)
	channels, _ := doc["channels"].(tree)
	got, want := map[string]string{}, map[string]string{}
	for name, c := range channels {
		messages, _ := at(c, "messages").(tree)
		if len(messages) != 1 {
			t.Errorf("channel %s carries %d messages, want one", name, len(messages))
		}
		address, _ := at(c, "address").(string)
		for message := range messages {
			got[message] = strings.Replace(address, "{project}", "demo", 1)
		}
	}
	for _, typ := range event.Types() {
		want[string(typ)] = bus.Subject("demo", typ)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asyncapi.yaml and the bus disagree on where events are (-bus +asyncapi):\n%s", diff)
	}
}

func TestAsyncapiNamesEverySchemaAndNothingElse(t *testing.T) {
	doc := asyncapi(t)
	files := map[string]bool{}
	refs(doc, func(ref string) {
		path, inside := strings.CutPrefix(ref, "#/")
		if !inside {
			files[ref] = true
			return
		}
		if at(doc, strings.Split(path, "/")...) == nil {
			t.Errorf("$ref %s leads nowhere", ref)
		}
	})
	want, err := fs.Glob(schemas.FS, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("schema files and those that asyncapi.yaml names differ (-files +named):\n%s", diff)
	}
	messages, _ := at(doc, "components", "messages").(tree)
	types := map[string]bool{}
	for _, typ := range event.Types() {
		types[string(typ)] = true
	}
	for name, m := range messages {
		if !types[name] || at(m, "name") != name {
			t.Errorf("message %s (name %v) is no event type", name, at(m, "name"))
		}
		delete(types, name)
		var own []string
		refs(m, func(ref string) {
			if !strings.HasPrefix(ref, "#") && ref != "envelope.json" {
				own = append(own, ref)
			}
		})
		if !slices.Equal(own, []string{name + ".json"}) {
			t.Errorf("message %s has data of %v, want its own schema", name, own)
		}
	}
	for name := range types {
		t.Errorf("type %s is no message of asyncapi.yaml", name)
	}
}

func TestEveryEventHasASenderAndAListener(t *testing.T) {
	doc := asyncapi(t)
	operations, _ := doc["operations"].(tree)
	done := map[string]map[any]bool{"send": {}, "receive": {}}
	for name, o := range operations {
		action, _ := at(o, "action").(string)
		channel := at(o, "channel", "$ref")
		if done[action] == nil {
			t.Errorf("operation %s: action %q, want send or receive", name, action)
			continue
		}
		done[action][channel] = true
		tags, _ := at(o, "tags").([]any)
		if len(tags) != 1 {
			t.Errorf("operation %s has tags %v, want the one service that does it", name, tags)
			continue
		}
		if service, _ := at(tags[0], "name").(string); service == "" || !strings.HasPrefix(name, service) {
			t.Errorf("operation %s is tagged %q, want the service that begins its name", name, service)
		}
	}
	channels, _ := doc["channels"].(tree)
	for name := range channels {
		for action, of := range done {
			if !of["#/channels/"+name] {
				t.Errorf("channel %s: nobody's action is %q", name, action)
			}
		}
	}
}

func refs(v any, found func(string)) {
	switch v := v.(type) {
	case tree:
		for k, item := range v {
			if ref, ok := item.(string); ok && k == "$ref" {
				found(ref)
				continue
			}
			refs(item, found)
		}
	case []any:
		for _, item := range v {
			refs(item, found)
		}
	}
}
