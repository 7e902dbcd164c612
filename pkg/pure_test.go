package pkg_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// deciders are packages that a replay must be able to ask next year, and what they may
// reach all the same. The thoughts of the services lie in one package with what starts
// them, so those are held to their own imports, by the rule of the house.
var deciders = map[string][]string{
	"rules": nil,
	"phone": nil,
	// The library of ids: an id of something that nothing caused is random, and event.First,
	// which nobody who decides calls, makes it.
	"event": {"net", "crypto/rand", "math/rand", "math/rand/v2"},
	// The standard library's reader of forms, whose writer draws boundaries.
	"ringostat": {"net", "crypto/rand", "math/rand", "math/rand/v2"},
}

// TestDecidersReachNoNetworkAndNoChance asks the go tool for everything that the deciders
// are built of, down to the last library. The doors of a package, which carry bytes and
// decide nothing, are left out.
func TestDecidersReachNoNetworkAndNoChance(t *testing.T) {
	for pkg, excused := range deciders {
		files, err := filepath.Glob(pkg + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		files = slices.DeleteFunc(files, func(name string) bool {
			return strings.HasSuffix(name, "_test.go") || slices.Contains(doors, "pkg/"+filepath.ToSlash(name))
		})
		out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, files...)...).Output()
		if err != nil {
			t.Fatalf("go list -deps of %s: %v", pkg, err)
		}
		deps := strings.Fields(string(out))
		if len(deps) < 5 {
			t.Fatalf("%s is built of %d packages, which can't be all", pkg, len(deps))
		}
		for _, outside := range []string{"net", "net/http", "os/exec", "database/sql", "crypto/rand", "math/rand", "math/rand/v2"} {
			if slices.Contains(deps, outside) && !slices.Contains(excused, outside) {
				t.Errorf("%s reaches %s", pkg, outside)
			}
		}
	}
}
