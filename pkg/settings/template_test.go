package settings

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withoutComments takes the # from commented keys: they begin with a name and a
// colon, or are indented below such a line.
func withoutComments(source string) string {
	return regexp.MustCompile(`(?m)^( *)#((?:  )*[a-z0-9_]+:.*)$`).ReplaceAllString(source, "$1$2")
}

func TestTheTemplateIsValidOnceItsVariablesAreSet(t *testing.T) {
	named := regexp.MustCompile(`\$\{([A-Z_]+)\}`)
	used := map[string]bool{}
	for _, line := range strings.Split(string(Template()), "\n") {
		if value, _, _ := strings.Cut(line, "#"); named.MatchString(value) {
			used[named.FindStringSubmatch(value)[1]] = true
		}
	}
	if want := map[string]bool{"SHOP_HOOK": true, "SHOP_BITRIX": true}; !cmp.Equal(used, want) {
		t.Errorf("the template needs the variables %v, want %v", used, want)
	}
	config := parse(t, string(Template()), map[string]string{"SHOP_HOOK": fullEnv["SHOP_HOOK"], "SHOP_BITRIX": fullEnv["SHOP_BITRIX"]})
	if len(config.Projects) != 1 || config.Projects[0].Employees[0].Code != "101" {
		t.Errorf("the template reads as %+v, want one project with Olena's code 101", config)
	}
	config.Projects = []Project{}
	if diff := cmp.Diff(Default(), config); diff != "" {
		t.Errorf("the template outside its project, -default +got:\n%s", diff)
	}
}

func TestTheCommentedExamplesOfTheTemplateAreValidAndComplete(t *testing.T) {
	source := withoutComments(string(Template()))
	config := parse(t, source, fullEnv)
	p := config.Projects[0]
	if config.NATS == nil || config.Console.Token == "" || p.Ringostat.APIKey == "" || p.Employees[0].Email == "" || len(p.Scenarios.Off) == 0 || len(p.Fields) == 0 {
		t.Errorf("with its comments removed the template reads as %+v, want every block", config)
	}
	for _, keys := range [][]string{
		keysOf[Config](), keysOf[Log](), keysOf[NATS](), keysOf[Console](), keysOf[Project](), keysOf[Employee](), keysOf[Scenarios](), keysOf[Pipeline](), keysOf[Pace](),
		{"token", "fields", "api_key", "webhook", "pace", "request_timeout", "max_execution", "settle"},
	} {
		for _, key := range keys {
			if !regexp.MustCompile(`(^|[\s{])` + key + `:`).MatchString(source) {
				t.Errorf("the template doesn't mention %q", key)
			}
		}
	}
}

// What is commented out as a default must be the default.
func TestTheTemplateShowsTheRealDefaults(t *testing.T) {
	source := withoutComments(string(Template()))
	shown := parse(t, source, fullEnv).Projects[0]
	ordinary := defaultProject()
	shown.Scenarios.Off, shown.Scenarios.NewClient = nil, ""
	if diff := cmp.Diff(ordinary.Scenarios, shown.Scenarios); diff != "" {
		t.Errorf("scenarios: -default +template\n%s", diff)
	}
	shown.Bitrix24.Webhook = ""
	if diff := cmp.Diff(ordinary.Bitrix24, shown.Bitrix24); diff != "" {
		t.Errorf("bitrix24: -default +template\n%s", diff)
	}
}
