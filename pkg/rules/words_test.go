package rules

import (
	"regexp"
	"strings"
	"testing"
)

var languages = []string{"en", "uk", "ru"}

// torn finds the traces of a phrase that wasn't there.
var torn = regexp.MustCompile(`  |^[ ,:]|[ ,:]$| [,:]|,[^ ]|: ,`)

func TestEveryRuleIsWholeSentencesInEveryLanguage(t *testing.T) {
	for _, lang := range languages {
		seen := map[string]string{}
		for _, rule := range Table() {
			when, then := rule.Words(lang)
			for _, words := range append(then, when, rule.Source.Words(lang)) {
				if words == "" || torn.MatchString(words) {
					t.Errorf("%s in %s: %q has a hole", rule.ID, lang, words)
				}
			}
			if other := seen[when]; other != "" {
				t.Errorf("%s in %s: %q tells it from %s by nothing", rule.ID, lang, when, other)
			}
			seen[when] = rule.ID
		}
		for _, s := range Possible() {
			rule, _ := Decide(s)
			for _, words := range rule.StepWords(s, lang) {
				if words == "" || torn.MatchString(words) {
					t.Errorf("%v in %s: %q has a hole", s, lang, words)
				}
			}
		}
	}
}

func TestNoLanguageBorrowsFromAnother(t *testing.T) {
	foreign := map[string]string{"en": "а-яіїєґ", "uk": "ыэёъ", "ru": "іїєґ"}
	check := func(where, lang, text string) {
		if found := regexp.MustCompile("(?i)[" + foreign[lang] + "]").FindString(text); found != "" {
			t.Errorf("%s in %s: %q has the letter %q", where, lang, text, found)
		}
	}
	for _, lang := range languages {
		for key, text := range phrases {
			if text.In(lang) == "" {
				t.Errorf("%s has no text in %s", key, lang)
			}
			check(key, lang, text.In(lang))
		}
		for _, rule := range Table() {
			check(rule.ID, lang, rule.Source.Reason.In(lang))
		}
	}
}

func TestAnUnknownLanguageIsEnglish(t *testing.T) {
	for _, rule := range Table() {
		when, then := rule.Words("fr")
		if when != rule.WhenText() || strings.Join(then, "\n") != strings.Join(rule.ThenText(), "\n") {
			t.Errorf("%s: got %q %q, want %q %q", rule.ID, when, then, rule.WhenText(), rule.ThenText())
		}
	}
}

func TestARuleIsToldInAManagersWords(t *testing.T) {
	for _, test := range []struct{ id, lang, want string }{
		{"answered/new", "en", "incoming call answered, new client, by an employee\n" +
			"lead on the employee who answered, with UTM tags, source and Google Client ID\n" +
			"closed task on the employee who answered, with the recording and the visit data"},
		{"answered/contact/other", "uk", "прийнято вхідний дзвінок, у клієнта є контакт без відкритого ліда чи угоди, прийняв колега відповідального\n" +
			"лід на співробітника, який прийняв дзвінок, із UTM-мітками, джерелом і Google Client ID\n" +
			"закрите завдання на співробітника, який прийняв дзвінок, із записом розмови\n" +
			"відкрите завдання на відповідального за контакт: перевірити дзвінок, строк review_due (типово 3 год), із записом розмови"},
		{"outbound/open/owner", "ru", "исходящий звонок, успешный или нет, у клиента есть открытый лид или сделка, звонил ответственный\n" +
			"закрытая задача на звонившего сотрудника, с записью разговора и статусом звонка"},
		{"outbound/new", "en", "outgoing call, reached or not, new client\nnothing is made"},
	} {
		for _, rule := range Table() {
			if rule.ID != test.id {
				continue
			}
			when, then := rule.Words(test.lang)
			if got := when + "\n" + strings.Join(then, "\n"); got != test.want {
				t.Errorf("%s in %s:\ngot\n%s\nwant\n%s", test.id, test.lang, got, test.want)
			}
		}
	}
}
