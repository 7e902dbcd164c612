package fault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// root is the root of the house.
const root = "../.."

// TestEveryWrongVariantStandsInTheProgramOnce keeps the list and the program together:
// a name that is only in one of them would break nothing and still count.
func TestEveryWrongVariantStandsInTheProgramOnce(t *testing.T) {
	const least = 25
	if len(fault.Variants) < least {
		t.Errorf("%d wrong variants are listed, want at least %d", len(fault.Variants), least)
	}
	places := map[string][]string{}
	for _, dir := range []string{"pkg", "services"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			found, err := wrongs(path)
			for _, name := range found {
				places[name] = append(places[name], path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(places)) {
		if _, listed := fault.Variants[name]; !listed || len(places[name]) != 1 {
			t.Errorf("variant %q: listed %v, in the program at %v; want it listed and there once", name, listed, places[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fault.Variants)) {
		if len(places[name]) == 0 {
			t.Errorf("variant %q is listed and nowhere in the program", name)
		}
		if fault.Variants[name] == "" {
			t.Errorf("variant %q does not say what it does wrong", name)
		}
	}
}

// wrongs are the names that a file asks [fault.Wrong] about; "" is one that is no
// constant text.
func wrongs(path string) (names []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || f.Sel.Name != "Wrong" {
			return true
		}
		if x, ok := f.X.(*ast.Ident); !ok || x.Name != "fault" {
			return true
		}
		name := ""
		if text, ok := call.Args[0].(*ast.BasicLit); ok {
			name, _ = strconv.Unquote(text.Value)
		}
		names = append(names, name)
		return true
	})
	return names, nil
}
