package pages

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAreasDoNotStyleEachOther: all style sheets are on every page, so a class that two
// areas give a look of its own to breaks one of them.
func TestAreasDoNotStyleEachOther(t *testing.T) {
	names, err := fs.Glob(assets, "assets/*.css")
	if err != nil || len(names) < 3 {
		t.Fatalf("style sheets %q (%v), which can't be all", names, err)
	}
	// A rule for a class alone: what stands before it narrows it down, and is fine.
	alone := regexp.MustCompile(`(?m)(?:^|,)[ \t]*\.([a-z][a-z_-]*)(?:[ \t]*[,{]|[ \t]*>|[ \t]+[a-z.])`)
	owners := map[string][]string{}
	for _, name := range names {
		text, err := assets.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range alone.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(owners[m[1]], name) {
				owners[m[1]] = append(owners[m[1]], name)
			}
		}
	}
	if len(owners) < 50 {
		t.Fatalf("found %d classes, which can't be all", len(owners))
	}
	for class, by := range owners {
		if len(by) > 1 {
			t.Errorf(".%s is styled in %s", class, strings.Join(by, " and "))
		}
	}
}
