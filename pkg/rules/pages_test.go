package rules_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/rules"
)

// headings hold what the page says around the table in one language.
var headings = []struct {
	lang, title, intro string
	columns            [4]string
}{
	{"en", "English",
		"`review_due`, `callback_due` and `missed_new_client` are settings of the project. A lead is what `new_client` makes of it: a lead, a deal, a contact, or several. " +
			"A recording or visit data that a call doesn't have is left out. Whether a client is new, has a contact only or something open is judged before the call is worked on; a client with closed leads and deals only is new. Any row can be switched off by its ID under `scenarios.off`.",
		[4]string{"ID", "When", "Then", "Where it comes from"}},
	{"uk", "Українською",
		"`review_due`, `callback_due` і `missed_new_client` — налаштування проєкту. Лід — те, що вказано в `new_client`: лід, угода, контакт або кілька з них. " +
			"Якщо дзвінок не має запису чи даних відвідування, їх просто не буде. Чи клієнт новий, має лише контакт або щось відкрите, визначається до обробки дзвінка; клієнт лише із закритими лідами й угодами — новий. Будь-який рядок можна вимкнути за його ID у `scenarios.off`.",
		[4]string{"ID", "Коли", "Що робиться", "Звідки правило"}},
	{"ru", "По-русски",
		"`review_due`, `callback_due` и `missed_new_client` — настройки проекта. Лид — то, что указано в `new_client`: лид, сделка, контакт или несколько из них. " +
			"Если у звонка нет записи или данных посещения, их просто не будет. Новый ли клиент, есть ли у него только контакт или что-то открытое, определяется до обработки звонка; клиент только с закрытыми лидами и сделками — новый. Любую строку можно выключить по её ID в `scenarios.off`.",
		[4]string{"ID", "Когда", "Что делается", "Откуда правило"}},
}

func TestTheRulesPageIsTheTable(t *testing.T) {
	var page strings.Builder
	page.WriteString("# What happens after a call\n\n" +
		"The decision table, in the order of Ringostat's article «Интеграция с Битрикс24». The last column points to the article's section and point, or says why we chose so where the article is silent.\n\n" +
		"[English](#english) · [Українською](#українською) · [По-русски](#по-русски)\n\n" +
		"Generated from `table.go` by `go test ./rules -update`; changes made here are lost.\n")
	for _, h := range headings {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n", h.title, h.intro)
		row(&page, h.columns[:]...)
		row(&page, "---", "---", "---", "---")
		for _, rule := range rules.Table() {
			when, then := rule.Words(h.lang)
			row(&page, "`"+rule.ID+"`", when, strings.Join(then, "<br>"), rule.Source.Words(h.lang))
		}
	}
	golden(t, "RULES.md", page.String())
}

func TestTheArticlePageIsTheIndex(t *testing.T) {
	var page strings.Builder
	page.WriteString("# The article, sentence by sentence\n\n" +
		"Every sentence of Ringostat's article «Интеграция с Битрикс24» that promises a behaviour, and what proves that promise: scenarios are files of [testdata/scenarios](testdata/scenarios), run against the table here and end to end in `services/ringbridge`; tests are end-to-end tests there. п. is a point of a numbered list, абз. a paragraph, стр. a bullet, counted from the heading; «Введение» is the text before the first heading.\n\n" +
		"Generated from `scenario/article.go` and the scenarios by `go test ./rules -update`; changes made here are lost.\n\n")
	row(&page, "Section", "", "Promises", "Proven by")
	row(&page, "---", "---", "---", "---")
	section := ""
	for _, s := range sentences(t) {
		var proofs []string
		for _, name := range s.Scenarios {
			proofs = append(proofs, fmt.Sprintf("[%s](testdata/scenarios/%s.txt)", name, name))
		}
		for _, name := range s.Tests {
			proofs = append(proofs, "`"+name+"`")
		}
		shown := s.Section
		if shown == section {
			shown = "" // a heading is written once
		}
		section = s.Section
		row(&page, shown, s.Point, s.Says, strings.Join(proofs, "<br>"))
	}
	golden(t, "ARTICLE.md", page.String())
	inReadme(t, page.String()[strings.Index(page.String(), "| Section"):])
}

func row(page *strings.Builder, cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	page.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// inReadme keeps the article's table in the README too, between two marks.
func inReadme(t *testing.T, table string) {
	t.Helper()
	const path, begin, end = "../../README.md", "<!-- article: written by `make scenarios` -->\n\n", "\n<!-- article: end -->"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	have, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no marks for the article's table", path)
	}
	want := strings.ReplaceAll(table, "(testdata/", "(pkg/rules/testdata/")
	if have == want {
		return
	}
	if !*update {
		t.Fatalf("the article's table in %s is stale: make scenarios", path)
	}
	if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
