package settings

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is wrong with testdata/wrong/*.yaml into the files")

// canary is a text from the environment, and hunter2 is what every secret in
// testdata is made of: neither may ever be in a message.
const canary = "cAnArY: #[{\"7f3a"

var testRules = []string{"answered/new", "answered/open/owner", "outbound/contact", "outbound/new"}

func testEnv(name string) (string, bool) {
	value, ok := map[string]string{"CANARY": canary, "SET": "./data"}[name]
	return value, ok
}

// Every file of testdata/wrong holds mistakes and, behind `# ----`, the
// messages about them.
func TestEveryMistakeIsNamedWithItsPlaceAndItsRemedy(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/wrong (%v)", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			const line = "# ----\n"
			source, want, _ := strings.Cut(string(content), line)
			config, err := Parse(name, []byte(source), testEnv, testRules)
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("error %v, want Problems, for\n%s", err, source)
			}
			if config.Listen != "" || config.Projects != nil {
				t.Errorf("a wrong file gave %v, want an empty Config", config)
			}
			var got strings.Builder
			for _, message := range strings.Split(err.Error(), "\n") {
				got.WriteString("# " + message + "\n")
			}
			for _, secret := range []string{"hunter2", "7f3a"} {
				if strings.Contains(got.String(), secret) {
					t.Errorf("the messages hold %q:\n%s", secret, got.String())
				}
			}
			for _, p := range problems {
				if p.Line == 0 || p.What == "" || p.Want == "" {
					t.Errorf("problem %+v, want a line, what and want", p)
				}
			}
			if *update {
				if err := os.WriteFile(file, []byte(source+line+got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got.String() != want {
				t.Errorf("messages about\n%s\ngot\n%s\nwant\n%s", source, got.String(), want)
			}
		})
	}
}
