package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the file holds, reading it ends in settings or in problems, and no
// text from the environment is in a message.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/wrong/*.yaml")
	for _, file := range append(files, "testdata/full.yaml", "template.yaml") {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add([]byte("a: &a {<<: *a}\n? ${X}\n: ${X}\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		// Every variable that a file can name holds the canary, in both senses.
		config, err := Parse("f.yaml", source, func(string) (string, bool) { return canary, true }, testRules)
		if err == nil {
			for _, p := range config.Projects {
				if portal, _, _ := p.Bitrix24.Address(); portal == nil || p.Senior < 1 || len(p.Ringostat.Tokens) == 0 || p.Fingerprint() == "" {
					t.Errorf("accepted a project that lacks something: %+v\n%s", p, source)
				}
			}
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Errorf("error %v, want Problems, for\n%s", err, source)
		}
		for _, problem := range problems {
			if problem.Line < 1 && problem.What != "cannot be read as YAML" || strings.Contains(problem.Error(), "\n") {
				t.Errorf("problem %+v, want a line and no line break, for %q", problem, source)
			}
		}
		if strings.Contains(err.Error(), "7f3a") && !strings.Contains(string(source), "7f3a") {
			t.Errorf("a message holds a text from the environment:\n%v\nfor\n%s", err, source)
		}
	})
}

// Whatever is put, what is accepted can be given out and put again.
func FuzzParseProjectJSON(f *testing.F) {
	f.Add([]byte(`{"id":"shop","senior":1,"ringostat":{"token":"***"},"bitrix24":{"webhook":"***"}}`))
	f.Add([]byte(`{"id":"shop","senior":1,"ringostat":{"token":["shop-token-2","***"],"fields":{"date":"d"}},"bitrix24":{"webhook":"https://example.bitrix24.ua/rest/1/x/"},"employees":[{"code":"1","bitrix_user":2}]}`))
	before, err := Parse("f.yaml", []byte(minimal), nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		put, err := ParseProjectJSON(source, before.Projects[0], testRules)
		if err != nil {
			if strings.Contains(err.Error(), "portal-secret-1") && !strings.Contains(string(source), "portal-secret-1") {
				t.Errorf("a message holds a secret:\n%v", err)
			}
			return
		}
		given, err := put.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseProjectJSON(given, put, testRules)
		if err != nil || again.Fingerprint() != put.Fingerprint() {
			t.Errorf("%s\nwas accepted and given out as\n%s\nput again: %v", source, given, err)
		}
	})
}
