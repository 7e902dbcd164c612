package settings

import (
	"errors"
	"strings"
	"testing"
)

func TestTheEnvironmentIsFilledInAnywhereInAValue(t *testing.T) {
	source := `
data: ${ROOT}/data/${NAME}
log: {level: ${LEVEL}, format: '${FORMAT}'}
projects:
  - id: sh${NOTHING}op
    name: "${NAME} und ${NAME}"
    ringostat:
      token: [${A}, ${B}]
    bitrix24:
      webhook: https://${HOST}/rest/1/${PORTAL_SECRET}/
      settle: ${SECONDS}s
    employees: [{code: ${CODE}, bitrix_user: ${USER_ID}, takes_missed: ${FALSE}}]
    senior: ${USER_ID}
`
	config := parse(t, source, map[string]string{
		"ROOT": "/srv", "NAME": "shop", "LEVEL": "warn", "FORMAT": "console", "A": "token-number-1", "B": "token-number-2",
		"HOST": "example.bitrix24.ua", "PORTAL_SECRET": "abc", "SECONDS": "7", "CODE": "007", "USER_ID": "7", "NOTHING": "", "FALSE": "false",
	})
	p := config.Projects[0]
	for _, c := range []struct{ what, got, want string }{
		{"data", config.Data, "/srv/data/shop"},
		{"level", config.Log.Level, "warn"},
		{"format", config.Log.Format, "console"},
		{"id", p.ID, "shop"},
		{"name", p.Name, "shop und shop"},
		{"token", p.Ringostat.Tokens[1].Reveal(), "token-number-2"},
		{"webhook", p.Bitrix24.Webhook.Reveal(), "https://example.bitrix24.ua/rest/1/abc/"},
		{"settle", p.Bitrix24.Settle.String(), "7s"},
		{"code", p.Employees[0].Code, "007"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
	if p.Senior != 7 || p.Employees[0].TakesMissed {
		t.Errorf("senior %d, takes_missed %v, want 7 and false", p.Senior, p.Employees[0].TakesMissed)
	}
}

// Whatever a variable holds is one text: no key, no comment, no list, no anchor,
// no other reference.
func TestATextFromTheEnvironmentIsNeverReadAsYAML(t *testing.T) {
	for _, value := range []string{
		"x: y", `a "b" #c`, "# comment", "[a, b]", "{a: b}", "*anchor", "&anchor x", "- item", "!!int 3", "null", "~", "true",
		"${OTHER}", "$${NAME}", "|", "%YAML", "' \"", "\\n", "@at", "`tick`", "a\\", "Ключ: #значення",
	} {
		for _, source := range []string{"name: ${VALUE}", `name: "${VALUE}"`, "name: '${VALUE}'", "name: >-\n      ${VALUE}", "<<: {name: ${VALUE}}"} {
			source = minimal + "    " + source + "\n"
			config := parse(t, source, map[string]string{"VALUE": value, "OTHER": "other"})
			if got := config.Projects[0].Name; got != value {
				t.Errorf("VALUE=%q in %q: got %q", value, source, got)
			}
		}
	}
}

func TestAReferenceInACommentNeedsNoVariable(t *testing.T) {
	parse(t, "data: ./data # ${NOT_SET} and ${broken\n#listen: ${NOT_SET}\n", nil)
}

func TestAKeyIsNotFilledIn(t *testing.T) {
	_, err := Parse("f.yaml", []byte("${NAME}: x\n"), env(map[string]string{"NAME": "data"}), nil)
	if err == nil || !strings.Contains(err.Error(), "f.yaml:1: ${NAME}: is not a known key") {
		t.Errorf("error %v, want that ${NAME} is no known key", err)
	}
}

func TestColumnsAreThoseOfTheFileAsWritten(t *testing.T) {
	_, err := Parse("f.yaml", []byte("log: {level: ${LEVEL}, format: text}\n"), env(map[string]string{"LEVEL": "a much longer text"}), nil)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("error %v, want two problems", err)
	}
	if problems[0].Column != 14 || problems[1].Column != 32 {
		t.Errorf("columns %d and %d, want 14 and 32", problems[0].Column, problems[1].Column)
	}
}
