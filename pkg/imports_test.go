// Package pkg_test holds the rule of the house: who may know whom. It reads the
// source of all three modules, so it also sees what a build tag or a broken package
// hides. Start reading at [house].
package pkg_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ringbridge/ringbridge/"

// house maps every package to those of ours that its programs may import, and tests to
// what only its tests may import. A package that is not here fails the test: say where
// it stands before anybody builds on it.
//
// ringbridge -> services -> service -> bus -> event; rules and phone touch nothing;
// only bitrix knows Bitrix24, only ringostat knows Ringostat; no service imports a
// service.
var house = map[string]struct{ may, tests string }{
	"schemas":            {},
	"pkg":                {},
	"pkg/fault":          {}, // breaks the program on purpose, in tests; empty in the program
	"pkg/phone":          {},
	"pkg/rules":          {tests: "pkg/rules/scenario"},
	"pkg/event":          {may: "pkg/fault", tests: "schemas"},
	"pkg/bitrix":         {may: "pkg/fault", tests: "pkg/bitrix/bitrixtest"},
	"pkg/settings":       {tests: "pkg/rules"},
	"pkg/ringostat":      {may: "pkg/fault pkg/phone", tests: "pkg/ringostat/ringostattest"},
	"pkg/bus":            {may: "pkg/fault pkg/event", tests: "schemas pkg/bus/bustest"},
	"pkg/callfile":       {may: "pkg/fault pkg/bus pkg/event", tests: "pkg/bus/bustest"},
	"pkg/staff":          {may: "pkg/phone"},
	"pkg/reconciliation": {may: "pkg/event"}, // what the reconciler and the console tell each other
	"pkg/crm":            {may: "pkg/event"},
	"pkg/replayplan":     {}, // what the replay and the command line tell each other
	"pkg/view":           {may: "pkg/fault pkg/bus pkg/event", tests: "pkg/bus/bustest"},
	"pkg/service":        {may: "pkg/fault pkg/bus pkg/callfile pkg/event pkg/settings pkg/view", tests: "pkg/bus/bustest"},
	"pkg/people":         {may: "pkg/bus pkg/service", tests: "pkg/bus/bustest"}, // the console keeps them, its pages ask
	"pkg/bus/bustest":    {may: "pkg/bus pkg/event"},
	// The table's examples, read by tests of other packages.
	"pkg/rules/scenario": {may: "pkg/rules"},
	// The simulated portal knows Bitrix24 on its own account, so that a mistake of
	// the client can't be a mistake of both.
	"pkg/bitrix/bitrixtest":                   {},
	"pkg/ringostat/ringostattest":             {}, // likewise, a simulated call log
	"pkg/bitrix/bitrixtest/conformance/serve": {may: "pkg/bitrix/bitrixtest"},

	"services/ingress":     {may: "pkg/fault pkg/bus pkg/event pkg/service pkg/settings", tests: "pkg/bus/bustest"},
	"services/classifier":  {may: "pkg/fault pkg/bus pkg/callfile pkg/event pkg/phone pkg/ringostat pkg/service pkg/settings", tests: "pkg/bus/bustest"},
	"services/resolver":    {may: "pkg/fault pkg/bus pkg/callfile pkg/crm pkg/event pkg/phone pkg/service pkg/settings", tests: "pkg/bus/bustest"},
	"services/planner":     {may: "pkg/fault pkg/bus pkg/event pkg/rules pkg/service pkg/settings", tests: "pkg/bus/bustest pkg/rules/scenario"},
	"services/writer":      {may: "pkg/fault pkg/bitrix pkg/bus pkg/callfile pkg/crm pkg/event pkg/service pkg/settings", tests: "pkg/bus/bustest pkg/bitrix/bitrixtest"},
	"services/analytics":   {may: "pkg/bus pkg/event pkg/service pkg/view", tests: "pkg/bus/bustest pkg/settings"},
	"services/callcounter": {may: "pkg/bus pkg/event pkg/service pkg/view", tests: "pkg/bus/bustest"}, // the example
	"services/console":     {may: "pkg/fault pkg/bus pkg/callfile pkg/crm pkg/event pkg/people pkg/phone pkg/reconciliation pkg/rules pkg/service pkg/settings pkg/view", tests: "pkg/bus/bustest pkg/replayplan"},
	// The console in a browser: it asks the API.
	"services/console/pages": {may: "pkg/event pkg/people pkg/phone pkg/rules pkg/service pkg/settings pkg/staff", tests: "services/console pkg/bus pkg/bus/bustest pkg/callfile pkg/replayplan pkg/view"},
	"services/check":         {may: "pkg/bitrix pkg/settings pkg/staff", tests: "pkg/bitrix/bitrixtest"},
	"services/reconciler":    {may: "pkg/fault pkg/bus pkg/callfile pkg/event pkg/reconciliation pkg/ringostat pkg/service pkg/settings", tests: "pkg/ringostat/ringostattest pkg/bus/bustest"},
	"services/replay":        {may: "pkg/fault pkg/bus pkg/callfile pkg/crm pkg/event pkg/phone pkg/replayplan pkg/rules pkg/service pkg/settings", tests: "pkg/bus/bustest"},
	"services/demo":          {may: "pkg/bitrix/bitrixtest pkg/settings"},
	"services/ringbridge": {may: "pkg/fault pkg/bitrix pkg/bus pkg/callfile pkg/event pkg/people pkg/replayplan pkg/ringostat pkg/rules pkg/service pkg/settings pkg/view", // and every service
		tests: "schemas pkg/bitrix/bitrixtest pkg/bus/bustest pkg/crm pkg/ringostat/ringostattest pkg/rules/scenario"},
}

// libraries maps every library of others to the only packages that may know it;
// "everywhere" and "tests" are what they say. A new library needs a row, and the row a
// reason in its commit.
var libraries = map[string]string{
	"github.com/nats-io/":                   "pkg/bus pkg/bus/bustest",
	"github.com/synadia-io/orbit.go/":       "pkg/bus", // atomic batches, design 5
	"github.com/ThreeDotsLabs/":             "pkg/bus",
	"github.com/google/uuid":                "pkg/event", // ids come from causes, and event makes them
	"github.com/nyaruka/phonenumbers":       "pkg/phone pkg/settings",
	"github.com/goccy/go-yaml":              "pkg/settings tests",
	"modernc.org/sqlite":                    "pkg/view services/replay", // read models, and plans as large as the history
	"github.com/parquet-go/parquet-go":      "services/analytics tests",
	"golang.org/x/crypto":                   "pkg/people", // argon2id
	"golang.org/x/text":                     "pkg/people", // one password however it is typed
	"github.com/alecthomas/kong":            "services/ringbridge",
	"github.com/prometheus/client_golang":   "everywhere",
	"go.uber.org/zap":                       "everywhere",
	"github.com/google/go-cmp":              "everywhere",
	"github.com/santhosh-tekuri/jsonschema": "tests",
	"go.uber.org/goleak":                    "tests",
	"github.com/chromedp/":                  "tests", // drives the console in a real browser
	"pgregory.net/rapid":                    "tests",
}

// pure packages give the same answer today and in a replay next year: no network, no
// files, no clock, no chance.
var pure = []string{"pkg/phone", "pkg/rules", "pkg/event", "pkg/ringostat", "services/planner", "services/classifier"}

// doors are files of pure packages that go out all the same: they carry bytes, and the
// pure rest reads them.
var doors = []string{"pkg/ringostat/callloghttp.go"}

var impure = []string{"net", "net/http", "os", "os/exec", "syscall", "math/rand", "math/rand/v2", "crypto/rand", "database/sql", "log", "log/slog"}

var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}

// words that only the named package says: who else says them has learned what only
// that one should know. The demo plays Ringostat, so it speaks as Ringostat does; the
// check asks for any task at all, which nobody else has a reason to ask.
var words = map[string][]string{
	"crm.item": {"pkg/bitrix"}, "crm.duplicate": {"pkg/bitrix"}, "tasks.task": {"pkg/bitrix", "services/check"},
	"additional_call_data": {"pkg/ringostat", "services/demo"}, "disposition": {"pkg/ringostat", "services/demo"}, "billsec": {"pkg/ringostat", "services/demo"},
}

// file is what the rule wants to know of one source file.
type file struct {
	name    string // from the root of the house: pkg/bus/work.go
	imports []string
	strings []string
	clocks  []string // calls and mentions of the wall clock, as time.Now
}

func (f file) pkg() string { return path.Dir(f.name) }
func (f file) test() bool  { return strings.HasSuffix(f.name, "_test.go") }

func TestEveryPackageKeepsTheRuleOfTheHouse(t *testing.T) {
	files := readHouse(t, "..")
	if len(files) < 20 {
		t.Fatalf("read %d source files, which can't be the whole house", len(files))
	}
	for _, broken := range breaches(files) {
		t.Error(broken)
	}
}

func TestTheMapHasNoRoomForPackagesThatAreGone(t *testing.T) {
	there := map[string]bool{}
	for _, f := range readHouse(t, "..") {
		there[f.pkg()] = true
	}
	for name := range house {
		if !there[name] {
			t.Errorf("the map names %s, which does not exist", name)
		}
	}
}

// breaches says what breaks the rule, one sentence each.
func breaches(files []file) (out []string) {
	say := func(f file, format string, args ...any) {
		out = append(out, f.name+": "+fmt.Sprintf(format, args...))
	}
	for _, f := range files {
		row, known := house[f.pkg()]
		if !known {
			say(f, "package %s is not in the map of pkg/imports_test.go: say what it may import", f.pkg())
			continue
		}
		may := strings.Fields(row.may)
		if f.test() {
			may = append(append(may, strings.Fields(row.tests)...), f.pkg())
		}
		for _, imp := range f.imports {
			ours, is := strings.CutPrefix(imp, module)
			switch {
			case is && service(ours) && f.pkg() == "services/ringbridge": // it puts them together
			case f.test() && slices.Contains(strings.Fields(row.tests), ours): // the pages before the real API
			case is && service(ours) && service(f.pkg()) && ours != f.pkg():
				say(f, "a service imports the service %s: let it read its events", ours)
			case is && !slices.Contains(may, ours):
				say(f, "%s may not import %s", f.pkg(), ours)
			case !is && strings.Contains(strings.Split(imp, "/")[0], "."):
				if home, ok := homeOf(imp); !ok {
					say(f, "library %s has no row in the map of libraries", imp)
				} else if !livesIn(f, home) {
					say(f, "library %s may be known to %s only", imp, home)
				}
			}
			if f.pkg() == "pkg/rules" && !f.test() && imp == "time" {
				say(f, "the decision table knows no time")
			}
		}
		if slices.Contains(pure, f.pkg()) && !f.test() && !slices.Contains(doors, f.name) {
			for _, imp := range f.imports {
				if slices.Contains(impure, imp) {
					say(f, "%s decides purely, it may not import %s", f.pkg(), imp)
				}
			}
			for _, clock := range f.clocks {
				say(f, "%s decides purely, it may not look at the clock (%s): time is an argument", f.pkg(), clock)
			}
		}
		for _, word := range slices.Sorted(maps.Keys(words)) {
			said := slices.ContainsFunc(f.strings, func(s string) bool { return strings.Contains(s, word) })
			at := slices.ContainsFunc(words[word], func(home string) bool {
				return f.pkg() == home || strings.HasPrefix(f.pkg(), home+"/")
			})
			if said && !at && !f.test() {
				say(f, "%q is said here, but only %s should know it", word, strings.Join(words[word], " and "))
			}
		}
	}
	return out
}

func service(pkg string) bool { return strings.HasPrefix(pkg, "services/") }

// homeOf finds a library's row by its prefix.
func homeOf(imp string) (string, bool) {
	for prefix, home := range libraries {
		if imp == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(imp, strings.TrimSuffix(prefix, "/")+"/") {
			return home, true
		}
	}
	return "", false
}

func livesIn(f file, home string) bool {
	homes := strings.Fields(home)
	return home == "everywhere" || f.test() && slices.Contains(homes, "tests") || slices.Contains(homes, f.pkg())
}

func readHouse(t *testing.T, root string) (out []file) {
	t.Helper()
	for _, mod := range []string{"schemas", "pkg", "services"} {
		err := filepath.WalkDir(filepath.Join(root, mod), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(name, ".go") {
				return nil
			}
			short, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			f, err := readFile(filepath.ToSlash(short), name, nil)
			out = append(out, f)
			return err
		})
		if err != nil {
			t.Fatalf("read module %s: %v", mod, err)
		}
	}
	return out
}

// readFile parses one file; source takes the place of the file's text in tests.
func readFile(short, name string, source any) (file, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{name: short}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			imp, _ := strconv.Unquote(n.Path.Value)
			f.imports = append(f.imports, imp)
			return false
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				text, _ := strconv.Unquote(n.Value)
				f.strings = append(f.strings, text)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
				f.clocks = append(f.clocks, "time."+n.Sel.Name)
			}
		}
		return true
	})
	return f, nil
}
