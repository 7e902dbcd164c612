package bus_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// spoken are the services' operations on events as the source shows them: who calls
// [event.First] or [event.Next] in whose name, and which types a reader names.
type spoken struct {
	senders map[string]bool // every name that something is sent in
	does    map[string]bool // "reconciler send callReceived"; only what a function shows plainly
}

// channels are the channels of asyncapi.yaml by the name of their payload's Go type.
func channels() map[string]string {
	out := map[string]string{}
	for _, typ := range event.Types() {
		words := strings.Split(typ.Name(), ".")
		for i, word := range words {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
		name := strings.Join(words, "")
		out[name] = strings.ToLower(name[:1]) + name[1:]
	}
	return out
}

// read looks through one function. Whose it is, the folder says; what several services
// share speaks for the program.
func (s spoken) read(fn *ast.FuncDecl, folder string) {
	made, byName := map[string]bool{}, channels()
	var sources []string
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if sel, ok := n.Type.(*ast.SelectorExpr); ok && byName[sel.Sel.Name] != "" {
				made[byName[sel.Sel.Name]] = true
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Types" && folder != "bus" {
				ast.Inspect(n.Value, func(n ast.Node) bool {
					if sel, ok := n.(*ast.SelectorExpr); ok && byName[strings.TrimPrefix(sel.Sel.Name, "Type")] != "" {
						s.does[folder+" receive "+byName[strings.TrimPrefix(sel.Sel.Name, "Type")]] = true
					}
					return true
				})
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) < 3 || sel.Sel.Name != "First" && sel.Sel.Name != "Next" {
				return true
			}
			for _, arg := range n.Args[:2] {
				if literal, ok := arg.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					source, _ := strconv.Unquote(literal.Value)
					sources = append(sources, source)
				}
			}
		}
		return true
	})
	for _, source := range sources {
		s.senders[source] = true
		if len(made) == 1 { // else the payload comes from elsewhere
			for channel := range made {
				s.does[source+" send "+channel] = true
			}
		}
	}
}

func listen(t *testing.T) spoken {
	t.Helper()
	s := spoken{map[string]bool{}, map[string]bool{}}
	for _, root := range []string{"../../services", ".."} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			folder := filepath.Base(filepath.Dir(path))
			switch folder {
			case "ringbridge":
				return nil // migrate tells of readers there, and reads nothing
			case "service":
				folder = "ringbridge"
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			for _, decl := range f.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok {
					s.read(fn, folder)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestAsyncapiSaysWhoSendsAndWhoListens(t *testing.T) {
	operations, _ := asyncapi(t)["operations"].(tree)
	documented, senders := map[string]bool{}, map[string]bool{}
	for _, o := range operations {
		tags, _ := at(o, "tags").([]any)
		service, _ := at(tags[0], "name").(string)
		action, _ := at(o, "action").(string)
		channel, _ := at(o, "channel", "$ref").(string)
		documented[service+" "+action+" "+strings.TrimPrefix(channel, "#/channels/")] = true
		if action == "send" {
			senders[service] = true
		}
	}
	source := listen(t)
	if len(source.senders) < 8 || len(source.does) < 15 {
		t.Fatalf("the source shows the senders %v and the operations %v; this test reads it wrongly", source.senders, source.does)
	}
	for name := range source.senders {
		if !senders[name] {
			t.Errorf("events have the source /ringbridge/%s, and asyncapi.yaml knows no such sender", name)
		}
	}
	for name := range senders {
		if !source.senders[name] {
			t.Errorf("asyncapi.yaml has the sender %s, and no event is made in its name", name)
		}
	}
	for operation := range source.does {
		if !documented[operation] {
			t.Errorf("asyncapi.yaml does not say: %s", operation)
		}
	}
}
