package pkg_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are those that people believe without looking: what they name must exist.
var pages = []string{"README.md", "deploy/README.md", "schemas/README.md", "pkg/rules/RULES.md", "pkg/rules/ARTICLE.md"}

var (
	namedTest   = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)`")
	namedLink   = regexp.MustCompile(`\]\(([^)#][^)]*)\)`)
	namedTarget = regexp.MustCompile("(?m)(?:`|^\\s*)make ([a-z-]+)")
	codeSpan    = regexp.MustCompile("`[^`\n]+`")
	aTest       = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]+)\(`)
)

func TestTheReadmeNamesOnlyWhatExists(t *testing.T) {
	tests := testNames(t)
	makefile := read(t, "Makefile")
	for _, page := range pages {
		text := read(t, page)
		for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s names the test %s, which does not exist", page, m[1])
			}
		}
		for _, m := range namedLink.FindAllStringSubmatch(codeSpan.ReplaceAllString(text, ""), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", filepath.Dir(page), target)); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, target)
			}
		}
		for _, m := range namedTarget.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s says make %s, which is no target", page, m[1])
			}
		}
	}
}

func TestEveryTargetOfTheMakefileIsExplained(t *testing.T) {
	for _, line := range strings.Split(read(t, "Makefile"), "\n") {
		target, ok := strings.CutPrefix(line, ".PHONY: ")
		if ok && !regexp.MustCompile(`(?m)^`+target+`:.*## .`).MatchString(read(t, "Makefile")) {
			t.Errorf("make %s has no ## words, so `make help` does not show it", target)
		}
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, mod := range []string{"schemas", "pkg", "services"} {
		err := filepath.WalkDir(filepath.Join("..", mod), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
				return err
			}
			source, err := os.ReadFile(name)
			for _, m := range aTest.FindAllStringSubmatch(string(source), -1) {
				names[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatalf("look for tests in %s: %v", mod, err)
		}
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatalf("read a page: %v", err)
	}
	return string(text)
}
