package pkg_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// misspelt is what people should read in one spelling only, by the right one: the
// apostrophe of Ukrainian words, and the name of Bitrix24.
var misspelt = map[string]*regexp.Regexp{
	"’":        regexp.MustCompile(`[а-яіїєґА-ЯІЇЄҐ]'[а-яіїєґА-ЯІЇЄҐ]`),
	"Bitrix24": regexp.MustCompile(`Бітрікс|Битрикс`),
}

// titles of Ringostat's article, as printed.
var titles = strings.NewReplacer("Интеграция с Битрикс24", "", "Создание вебхука в Битрикс24", "")

func TestPeopleReadOneSpelling(t *testing.T) {
	files := 0
	for _, module := range []string{"../pkg", "../services"} {
		err := filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
			// The simulated portal has words of its own, as a real one has.
			if err == nil && d.IsDir() && (d.Name() == "node_modules" || d.Name() == "bitrixtest") {
				return filepath.SkipDir
			}
			if err != nil || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".html") && !strings.HasSuffix(path, ".js") {
				return err
			}
			text := titles.Replace(read(t, strings.TrimPrefix(filepath.ToSlash(path), "../")))
			files++
			for right, wrong := range misspelt {
				if found := wrong.FindString(text); found != "" {
					t.Errorf("%s says %q, want it written with %s", path, found, right)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 200 {
		t.Errorf("%d files were read, which can't be all", files)
	}
}
